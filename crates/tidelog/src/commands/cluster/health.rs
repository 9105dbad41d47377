//! What is wrong with a cluster, in words, with the remedy: a pure function of what it says of itself.

use std::collections::{BTreeMap, BTreeSet};

use client::{Cluster, ClusterBroker, Quorum, Topic};
use model::BrokerId;

/// Voters of the controller that a cluster has as soon as it has so many brokers.
const ENOUGH_CONTROLLERS: usize = 3;

/// What to do where all brokers are there, and a shard has no leader.
const NO_MAJORITY: &str = "within seconds they elect one; if not, too few of their replicas can be trusted: the brokers' logs \
                           say why, and docs/operations.md (When something is damaged) what to do";

/// A cluster as it describes itself.
pub(super) struct Seen {
    pub(super) cluster: Cluster,
    pub(super) topics: Vec<Topic>,
    /// None if it has no leader.
    pub(super) controller: Option<Quorum>,
    pub(super) shards: Vec<Quorum>,
    pub(super) drained: Vec<BrokerId>,
}

/// Something wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) what: String,
    pub(super) remedy: String,
}

/// A partition that has fewer replicas in sync than it should.
pub(super) struct Lacking<'a> {
    pub(super) topic: &'a str,
    pub(super) index: i32,
    pub(super) leader: Option<BrokerId>,
    pub(super) missing: Vec<BrokerId>,
}

impl Seen {
    /// The partitions without a leader, and those with replicas that are not in sync.
    pub(super) fn lacking(&self) -> impl Iterator<Item = Lacking<'_>> {
        let partitions = self.topics.iter().flat_map(|topic| topic.partitions.iter().map(move |it| (topic, it)));
        partitions.filter_map(|(topic, partition)| {
            let is_missing = |id: &BrokerId| !partition.in_sync.contains(id);
            let missing: Vec<BrokerId> = partition.replicas.iter().copied().filter(is_missing).collect();
            let (topic, index, leader) = (topic.name.as_str(), partition.index, partition.leader);
            (leader.is_none() || !missing.is_empty()).then_some(Lacking { topic, index, leader, missing })
        })
    }

    /// How many shards a broker leads, and of how many it has a replica.
    pub(super) fn load(&self, id: BrokerId) -> (usize, usize) {
        let led = self.shards.iter().filter(|shard| shard.leader == Some(id)).count();
        let carried = self.shards.iter().filter(|shard| shard.members().any(|member| member.id == id)).count();
        (led, carried)
    }

    /// Whether a broker votes in the controller's group.
    pub(super) fn votes(&self, id: BrokerId) -> bool {
        self.controller.as_ref().is_some_and(|group| group.voters.iter().any(|voter| voter.id == id))
    }

    /// All that is wrong, the worst first.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut found: Vec<Problem> = self.without_controller().into_iter().collect();
        found.extend(self.without_leader());
        found.extend(self.leaderless_shards());
        found.extend(self.cluster.away.iter().map(|broker| self.away(broker)));
        found.extend(self.behind());
        found.extend(self.few_controllers());
        found.extend(self.stuck_drains());
        found
    }

    fn without_controller(&self) -> Option<Problem> {
        self.controller.is_none().then(|| Problem {
            what: "the controller has no leader: nothing about the cluster can be changed".to_owned(),
            remedy: format!("start the brokers that are away{}, a majority of its voters is needed", self.names_away()),
        })
    }

    fn without_leader(&self) -> Option<Problem> {
        let partitions = self.lacking().filter(|partition| partition.leader.is_none());
        let (mut count, mut replicas) = (0, BTreeSet::new());
        for partition in partitions {
            count += 1;
            replicas.extend(partition.missing);
        }
        let is_away = |id: &BrokerId| self.cluster.away.iter().any(|broker| broker.id == *id);
        let remedy = match replicas.iter().any(is_away) {
            true => {
                let ids: BTreeSet<String> = replicas.iter().map(BrokerId::to_string).collect();
                format!("start more of the brokers {}: a majority of the replicas is needed", list(ids))
            }
            false => NO_MAJORITY.to_owned(),
        };
        (count > 0)
            .then(|| Problem { what: format!("{} nobody to write to or read from", partitions_have(count)), remedy })
    }

    /// Shards whose leader is gone, though clients are still sent to it.
    fn leaderless_shards(&self) -> Option<Problem> {
        let leaderless = self.shards.iter().filter(|shard| shard.leader.is_none());
        let ids: Vec<String> = leaderless.map(|shard| shard.group.to_string()).collect();
        let is_told = self.lacking().any(|partition| partition.leader.is_none());
        (!ids.is_empty() && self.cluster.away.is_empty() && !is_told).then(|| Problem {
            what: format!("nobody leads the shards {}: their partitions can't be written to or read from", list(ids)),
            remedy: NO_MAJORITY.to_owned(),
        })
    }

    fn away(&self, broker: &ClusterBroker) -> Problem {
        let ClusterBroker { id, address, .. } = broker;
        let remedy = match (self.drained.contains(id), self.load(*id).1 > 0 || self.votes(*id)) {
            (_, false) => format!(
                "it carries nothing any more: start it again, or, if it is gone for good, `tidelog cluster remove {id}`"
            ),
            (true, true) => format!("it is drained: once it carries nothing, `tidelog cluster remove {id}`"),
            (false, true) => format!(
                "start it again; if it is gone for good, `tidelog cluster drain {id}`, and then `tidelog cluster \
                 remove {id}`"
            ),
        };
        Problem { what: format!("broker {id} ({address}) is away"), remedy }
    }

    /// Brokers that are there and whose replicas are behind.
    fn behind(&self) -> Vec<Problem> {
        let mut counts: BTreeMap<BrokerId, usize> = BTreeMap::new();
        for partition in self.lacking().filter(|partition| partition.leader.is_some()) {
            for id in partition.missing {
                *counts.entry(id).or_default() += 1;
            }
        }
        let is_there = |id: &BrokerId| self.cluster.brokers.iter().any(|broker| broker.id == *id);
        let behind = counts.into_iter().filter(|(id, _)| is_there(id));
        let problem = |(id, count): (BrokerId, usize)| Problem {
            what: format!("broker {id} is behind with {}", partitions(count)),
            remedy: "it catches up by itself; if the lag below does not shrink, look into its log".to_owned(),
        };
        behind.map(problem).collect()
    }

    fn few_controllers(&self) -> Option<Problem> {
        let voters = self.controller.as_ref()?.voters.len();
        let available = self.cluster.brokers.iter().filter(|broker| !self.drained.contains(&broker.id)).count();
        (voters < ENOUGH_CONTROLLERS && available >= ENOUGH_CONTROLLERS).then(|| Problem {
            what: format!("the controller has only {voters} of {ENOUGH_CONTROLLERS} voters"),
            remedy: "more are added by themselves within seconds; if not, look into the log of its leader".to_owned(),
        })
    }

    /// Brokers whose replicas nobody can take over.
    fn stuck_drains(&self) -> Vec<Problem> {
        let stuck = self.drained.iter().filter(|id| !self.has_successors(**id));
        let problem = |id: &BrokerId| Problem {
            what: format!("broker {id} is drained, but there are too few others to take over its replicas"),
            remedy: format!("add a broker (`tidelog cluster add`), or take it back (`tidelog cluster undrain {id}`)"),
        };
        stuck.map(problem).collect()
    }

    /// Whether for each shard that a broker carries there is another that could.
    pub(super) fn has_successors(&self, id: BrokerId) -> bool {
        let is_available = |broker: &&ClusterBroker| broker.id != id && !self.drained.contains(&broker.id);
        let available = self.cluster.brokers.iter().filter(is_available).count();
        let carried = self.shards.iter().filter(|shard| shard.voters.iter().any(|voter| voter.id == id));
        carried.map(|shard| shard.voters.len()).all(|replicas| replicas <= available)
    }

    fn names_away(&self) -> String {
        let ids: Vec<String> = self.cluster.away.iter().map(|broker| broker.id.to_string()).collect();
        if ids.is_empty() { String::new() } else { format!(" ({})", list(ids)) }
    }
}

fn list(ids: impl IntoIterator<Item = String>) -> String {
    ids.into_iter().collect::<Vec<_>>().join(", ")
}

fn partitions(count: usize) -> String {
    if count == 1 { "1 partition".to_owned() } else { format!("{count} partitions") }
}

fn partitions_have(count: usize) -> String {
    format!("{} {}", partitions(count), if count == 1 { "has" } else { "have" })
}

#[cfg(test)]
mod tests {
    use client::{Partition, QuorumMember};
    use model::TopicId;

    use super::*;

    fn broker(id: i32) -> ClusterBroker {
        ClusterBroker { id: BrokerId(id), address: format!("host-{id}:9092").parse().unwrap(), rack: None }
    }

    fn ids(ids: &[i32]) -> Vec<BrokerId> {
        ids.iter().copied().map(BrokerId).collect()
    }

    fn group(group: i32, voters: &[i32]) -> Quorum {
        let member = |id: BrokerId| QuorumMember { id, lag: Some(0), caught_up_ms: Some(1) };
        let voters: Vec<QuorumMember> = ids(voters).into_iter().map(member).collect();
        Quorum { group, leader: Some(BrokerId(1)), term: 1, voters, observers: Vec::new() }
    }

    /// Three brokers, and a topic that all of them keep.
    fn healthy() -> Seen {
        let partition = |index| Partition {
            index,
            leader: Some(BrokerId(1)),
            leader_epoch: 0,
            replicas: ids(&[1, 2, 3]),
            in_sync: ids(&[1, 2, 3]),
        };
        let topic = Topic {
            name: "orders".to_owned(),
            id: TopicId::NIL,
            is_internal: false,
            partitions: (0..2).map(partition).collect(),
        };
        let cluster = Cluster {
            id: "c".to_owned(),
            controller: Some(BrokerId(1)),
            brokers: (1..=3).map(broker).collect(),
            away: Vec::new(),
            features: Vec::new(),
        };
        let controller = Some(group(0, &[1, 2, 3]));
        Seen { cluster, topics: vec![topic], controller, shards: vec![group(1, &[1, 2, 3])], drained: Vec::new() }
    }

    fn whats(seen: &Seen) -> Vec<String> {
        seen.problems().into_iter().map(|problem| problem.what).collect()
    }

    #[test]
    fn nothing_is_wrong_with_a_healthy_cluster() {
        assert_eq!(healthy().problems(), []);
    }

    #[test]
    fn a_broker_that_is_away_is_one_problem_whatever_it_carries() {
        let mut seen = healthy();
        seen.cluster.away.push(seen.cluster.brokers.pop().unwrap());
        seen.topics[0].partitions.iter_mut().for_each(|partition| partition.in_sync = ids(&[1, 2]));
        assert_eq!(whats(&seen), ["broker 3 (host-3:9092) is away"]);
        let remedy = &seen.problems()[0].remedy;
        assert!(remedy.starts_with("start it again; if it is gone for good, `tidelog cluster drain 3`"), "{remedy}");
        seen.drained = ids(&[3]);
        assert!(seen.problems()[0].remedy.starts_with("it is drained"));
        (seen.controller, seen.shards) = (Some(group(0, &[1, 2])), vec![]);
        assert!(seen.problems()[0].remedy.ends_with("if it is gone for good, `tidelog cluster remove 3`"));
    }

    #[test]
    fn a_shard_that_nobody_leads_is_told_once_though_clients_know_of_an_old_leader() {
        let mut seen = healthy();
        seen.shards[0].leader = None;
        assert_eq!(whats(&seen), ["nobody leads the shards 1: their partitions can't be written to or read from"]);
        seen.topics[0].partitions.iter_mut().for_each(|partition| partition.leader = None);
        assert_eq!(whats(&seen), ["2 partitions have nobody to write to or read from"]);
        assert_eq!(seen.problems()[0].remedy, NO_MAJORITY);
    }

    #[test]
    fn one_that_is_there_and_behind_is_told_from_one_that_is_away() {
        let mut seen = healthy();
        seen.topics[0].partitions[0].in_sync = ids(&[1, 2]);
        assert_eq!(whats(&seen), ["broker 3 is behind with 1 partition"]);
    }

    #[test]
    fn what_cannot_be_reached_comes_first() {
        let mut seen = healthy();
        seen.controller = None;
        seen.cluster.away = seen.cluster.brokers.split_off(1);
        for partition in &mut seen.topics[0].partitions {
            (partition.leader, partition.in_sync) = (None, ids(&[1]));
        }
        let problems = seen.problems();
        assert_eq!(problems[0].remedy, "start the brokers that are away (2, 3), a majority of its voters is needed");
        assert_eq!(problems[1].what, "2 partitions have nobody to write to or read from");
        assert_eq!(problems[1].remedy, "start more of the brokers 2, 3: a majority of the replicas is needed");
        assert_eq!(problems.len(), 4);
    }

    #[test]
    fn a_drain_that_cannot_end_and_a_controller_that_has_not_grown_are_told() {
        let mut seen = healthy();
        seen.drained = ids(&[3]);
        assert_eq!(whats(&seen), ["broker 3 is drained, but there are too few others to take over its replicas"]);
        seen.cluster.brokers.push(broker(4));
        assert_eq!(seen.problems(), []);
        seen.controller = Some(group(0, &[1]));
        assert_eq!(whats(&seen), ["the controller has only 1 of 3 voters"]);
    }
}
