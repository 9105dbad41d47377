//! What a request says about partitions and replicas, checked as Kafka checks it and refused in
//! Kafka's words.

use std::collections::{BTreeMap, BTreeSet};

use model::{BrokerId, ErrorCode, TopicName};

use crate::apply::Refusal;
use crate::image::{ClusterImage, Settings, TopicImage};

/// A topic to be created.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicSpec {
    /// Its name.
    pub name: TopicName,
    /// How many partitions, and where.
    pub layout: Layout,
    /// Its settings, already checked.
    pub configs: Settings,
}

/// How many partitions, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Layout {
    /// As the cluster sees fit.
    Spread {
        /// At least 1.
        partitions: usize,
        /// At least 1.
        replication_factor: usize,
    },
    /// The replicas of each partition by hand, the preferred leader first.
    Assigned(Vec<Vec<BrokerId>>),
}

/// What -1 in a request stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Defaults {
    /// `num.partitions`.
    pub partitions: usize,
    /// `default.replication.factor`.
    pub replication_factor: usize,
}

/// More partitions for a topic (CreatePartitions).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Growth {
    /// The topic.
    pub topic: TopicName,
    /// How many partitions it is to have in all.
    pub count: i32,
    /// The replicas of the new ones by hand; `None` where the cluster is to choose.
    pub assignments: Option<Vec<Vec<BrokerId>>>,
}

impl Layout {
    /// Reads the fields of a CreateTopics request, where -1 stands for the default.
    ///
    /// Assignments come as partition numbers with their replicas, in any order.
    pub fn from_request(
        partitions: i32,
        replication_factor: i16,
        assignments: Vec<(i32, Vec<BrokerId>)>,
        defaults: Defaults,
    ) -> Result<Layout, Refusal> {
        if !assignments.is_empty() {
            return Layout::by_hand(partitions, replication_factor, assignments);
        }
        let replication_factor = count_or_default(i32::from(replication_factor), defaults.replication_factor);
        let replication_factor = replication_factor.ok_or_else(|| {
            let message = "Replication factor must be larger than 0, or -1 to use the default value.";
            Refusal::new(ErrorCode::InvalidReplicationFactor, message)
        })?;
        let partitions = count_or_default(partitions, defaults.partitions).ok_or_else(|| {
            let message = "Number of partitions was set to an invalid non-positive value.";
            Refusal::new(ErrorCode::InvalidPartitions, message)
        })?;
        Ok(Layout::Spread { partitions, replication_factor })
    }

    fn by_hand(partitions: i32, factor: i16, assignments: Vec<(i32, Vec<BrokerId>)>) -> Result<Layout, Refusal> {
        let unset = |what| format!("A manual partition assignment was specified, but {what} was not set to -1.");
        if factor != -1 {
            return Err(Refusal::invalid_request(unset("replication factor")));
        }
        if partitions != -1 {
            return Err(Refusal::invalid_request(unset("numPartitions")));
        }
        let mut by_number = BTreeMap::new();
        for (number, replicas) in assignments {
            if by_number.insert(number, replicas).is_some() {
                return Err(invalid(format!("Found multiple manual partition assignments for partition {number}")));
            }
        }
        if !by_number.keys().copied().eq((0..).take(by_number.len())) {
            return Err(invalid("partitions should be a consecutive 0-based integer sequence".to_owned()));
        }
        Ok(Layout::Assigned(by_number.into_values().collect()))
    }

    /// How many partitions it has.
    pub fn partitions(&self) -> usize {
        match self {
            Layout::Spread { partitions, .. } => *partitions,
            Layout::Assigned(replicas) => replicas.len(),
        }
    }
}

impl Growth {
    pub(crate) fn layout(
        &self,
        image: &ClusterImage,
        topic: &TopicImage,
        replication_factor: usize,
    ) -> Result<Layout, Refusal> {
        let current = topic.partitions.len();
        let more = usize::try_from(self.count).ok().and_then(|count| count.checked_sub(current)).unwrap_or(0);
        if more == 0 {
            return Err(Refusal::new(ErrorCode::InvalidPartitions, self.not_an_increase(current)));
        }
        let Some(assignments) = &self.assignments else {
            return Ok(Layout::Spread { partitions: more, replication_factor });
        };
        if assignments.len() != more {
            let attempt = format!("Attempted to add {more} additional partition(s)");
            return Err(invalid(format!("{attempt}, but only {} assignment(s) were specified.", assignments.len())));
        }
        for replicas in assignments {
            check_replicas(image, replicas)?;
            if replicas.len() != replication_factor {
                return Err(invalid(uneven(replicas.len(), replication_factor)));
            }
        }
        Ok(Layout::Assigned(assignments.clone()))
    }

    fn not_an_increase(&self, current: usize) -> String {
        if usize::try_from(self.count) == Ok(current) {
            return format!("Topic already has {current} partition(s).");
        }
        let (topic, count) = (&self.topic, self.count);
        format!("The topic {topic} currently has {current} partition(s); {count} would not be an increase.")
    }
}

fn count_or_default(count: i32, default: usize) -> Option<usize> {
    match count {
        -1 => Some(default),
        count => usize::try_from(count).ok().filter(|count| *count > 0),
    }
}

/// INVALID_REPLICATION_FACTOR 38 where there are not so many brokers.
pub(super) fn check_replication_factor(image: &ClusterImage, replication_factor: usize) -> Result<(), Refusal> {
    let refuse = |why: String| {
        let message = format!("Unable to replicate the partition {replication_factor} time(s): {why}");
        Err(Refusal::new(ErrorCode::InvalidReplicationFactor, message))
    };
    let registered = image.brokers().count();
    if image.live_brokers().next().is_none() {
        return refuse("All brokers are currently fenced.".to_owned());
    }
    if replication_factor > registered {
        let target = format!("The target replication factor of {replication_factor} cannot be reached");
        return refuse(format!("{target} because only {registered} broker(s) are registered."));
    }
    Ok(())
}

/// INVALID_REPLICA_ASSIGNMENT 39 where an assignment by hand can't be kept.
pub(super) fn check_assigned(image: &ClusterImage, partitions: &[Vec<BrokerId>]) -> Result<(), Refusal> {
    let factor = partitions.first().map_or(0, Vec::len);
    for (number, replicas) in partitions.iter().enumerate() {
        check_replicas(image, replicas)?;
        if replicas.len() != factor {
            return Err(invalid(uneven(replicas.len(), factor)));
        }
        let is_live = |id: &BrokerId| image.broker(*id).is_some_and(|broker| !broker.fenced);
        if !replicas.iter().any(is_live) {
            let which = format!("All brokers specified in the manual partition assignment for partition {number}");
            return Err(invalid(format!("{which} are fenced or in controlled shutdown.")));
        }
    }
    Ok(())
}

/// Whether a partition may have these replicas: each registered, none twice, at least one; else
/// INVALID_REPLICA_ASSIGNMENT 39.
pub fn check_replicas(image: &ClusterImage, replicas: &[BrokerId]) -> Result<(), Refusal> {
    let mut ascending = replicas.to_vec();
    ascending.sort_unstable();
    let mut seen = BTreeSet::new();
    for id in ascending {
        if image.broker(id).is_none() {
            let what = format!("The manual partition assignment includes broker {id}");
            return Err(invalid(format!("{what}, but no such broker is registered.")));
        }
        if !seen.insert(id) {
            return Err(invalid(format!("The manual partition assignment includes the broker {id} more than once.")));
        }
    }
    match seen.is_empty() {
        true => Err(invalid("The manual partition assignment includes an empty replica list.".to_owned())),
        false => Ok(()),
    }
}

fn uneven(found: usize, expected: usize) -> String {
    let found = format!("The manual partition assignment includes a partition with {found} replica(s)");
    format!("{found}, but this is not consistent with previous partitions, which have {expected} replica(s).")
}

fn invalid(message: String) -> Refusal {
    Refusal::new(ErrorCode::InvalidReplicaAssignment, message)
}
