//! Members that may have lost what they confirmed: with `durability` `relaxed` that is in memory only for a while, and
//! the machine was started anew.
//!
//! They are not started, and come back [as new ones](super::rejoin), where the others can go on without them. Where these
//! can't, since too many are in the same state (all machines lost power at once), they have to make do with what is left:
//! once every broker with a member has been heard, and those that have no doubt are no majority, the members in doubt go on
//! with what they have. More is not promised in this mode. It may turn out that another member applied what nobody else
//! has kept: it is contradicted by the next leader then, and comes back as a new one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use config::{BrokerConfig, Durability};
use controller::ClusterImage;
use futures::future::join_all;
use journal::Journal;
use model::{BrokerId, GroupId};
use serde::{Deserialize, Serialize};
use shard::{distrust, trust};
use tokio::time::timeout;

use super::kinds;
use super::rejoin::Why;
use super::report::question;
use crate::boot;
use crate::broker::Broker;
use crate::env::Env;
use crate::error::StartError;
use crate::start::group_dir;

/// What stands in the mark of a member in doubt.
pub(super) const IN_DOUBT: &str = "the machine was started anew while durability was relaxed";

/// How long a broker may take to say how its members stand.
const ASK: Duration = Duration::from_secs(1);

/// What a broker thinks of its own member of a shard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Standing {
    /// It runs, and never had a reason to doubt.
    Trusted,
    /// It waits.
    InDoubt,
    /// It was in doubt, and runs.
    GoesOn,
    /// It is damaged, or new.
    Nothing,
}

/// Marks the members that may have lost what they confirmed. Before anything is confirmed in this life of the process.
pub(crate) fn note_lost_power(
    env: &Env,
    config: &BrokerConfig,
    dir: &Path,
    journal: &Journal,
    has_peers: bool,
) -> Result<(), StartError> {
    let disk = &*env.disk;
    let note = || {
        if has_peers && boot::has_lost_power(disk, dir, &env.boot)? {
            let mut groups: BTreeSet<GroupId> = journal.groups().into_iter().collect();
            let names = disk.list(&dir.join("groups"))?;
            groups.extend(names.iter().filter_map(|entry| Some(GroupId(entry.name.parse().ok()?))));
            groups.remove(&GroupId::CONTROLLER); // what it confirms is synced in this mode, too
            tracing::warn!(members = groups.len(), "{IN_DOUBT}: what this broker confirmed last may be lost");
            groups.iter().try_for_each(|group| distrust(disk, &group_dir(dir, *group), IN_DOUBT))?;
        }
        match config.durability() {
            Durability::Relaxed if has_peers => boot::begin(disk, dir, &env.boot),
            Durability::Relaxed | Durability::Fsync => boot::end(disk, dir),
        }
    };
    note().map_err(|why| StartError::DataDirectory { path: dir.to_owned(), why })
}

impl Broker {
    /// Has members in doubt go on with what they have where there are too few others; whether there is one.
    pub(super) async fn settle_doubts(self: &Arc<Self>, image: &ClusterImage) -> bool {
        let mut in_doubt = self.distrust.all();
        in_doubt.retain(|group, why| *why == Why::InDoubt && image.shard(*group).is_some());
        if in_doubt.is_empty() {
            return false;
        }
        let groups: Vec<GroupId> = in_doubt.into_keys().collect();
        let members = |group: &GroupId| image.shard(*group).map(|shard| shard.members.clone()).unwrap_or_default();
        let mut others: BTreeSet<BrokerId> = groups.iter().flat_map(members).collect();
        others.remove(&self.id());
        let asked = others.iter().map(|broker| async { (*broker, self.ask_standings(*broker, &groups).await) });
        let heard: BTreeMap<BrokerId, BTreeMap<GroupId, Standing>> = join_all(asked).await.into_iter().collect();
        let mut is_to_go_on = false;
        for group in groups {
            let others = members(&group).into_iter().filter(|member| *member != self.id());
            let standings: Option<Vec<Standing>> =
                others.map(|broker| heard.get(&broker)?.get(&group).copied()).collect();
            if standings.is_some_and(|others| must_go_on(&others)) {
                is_to_go_on |= self.trust_again(group);
            }
        }
        is_to_go_on
    }

    fn trust_again(&self, group: GroupId) -> bool {
        if let Err(why) = trust(&*self.env.disk, &group_dir(&self.config().data_dir(), group)) {
            tracing::warn!(%group, %why, "a mark could not be removed, to be tried again");
            return false;
        }
        tracing::warn!(
            %group,
            "too few members of a shard can be sure to have all that they confirmed, since machines lost power while \
             durability was relaxed; this one goes on with what it has, and records may be lost"
        );
        self.distrust.forgiven.lock().unwrap_or_else(PoisonError::into_inner).insert(group);
        self.distrust.remove(group);
        true
    }

    /// How another broker's members stand; nothing if it does not answer.
    async fn ask_standings(&self, broker: BrokerId, groups: &[GroupId]) -> BTreeMap<GroupId, Standing> {
        match timeout(ASK, self.links.ask(broker, kinds::STANDING_OF, question(groups))).await {
            Ok(Ok(answer)) => {
                let rows: Vec<(u32, Standing)> = rmp_serde::from_slice(&answer).unwrap_or_default();
                rows.into_iter().map(|(group, standing)| (GroupId(group), standing)).collect()
            }
            _ => BTreeMap::new(),
        }
    }

    /// The answer to that.
    pub(super) fn standings(&self, groups: &[GroupId]) -> Bytes {
        let rows = groups.iter().filter_map(|group| Some((group.0, self.standing(*group)?)));
        let rows: Vec<(u32, Standing)> = rows.collect();
        rmp_serde::to_vec(&rows).expect("writing numbers to memory cannot fail").into()
    }

    /// None of a member that is not started yet.
    fn standing(&self, group: GroupId) -> Option<Standing> {
        let is_forgiven = || self.distrust.forgiven.lock().unwrap_or_else(PoisonError::into_inner).contains(&group);
        match self.distrust.why(group) {
            Some(Why::InDoubt) => return Some(Standing::InDoubt),
            Some(_) => return Some(Standing::Nothing),
            None => {}
        }
        let voters = self.shards.load().get(&group)?.shard.group().members().all_voters();
        Some(match voters.contains(&self.voter()) {
            false => Standing::Nothing,
            true if is_forgiven() => Standing::GoesOn,
            true => Standing::Trusted,
        })
    }
}

/// Whether a member in doubt must make do with what it has: those of the others that have no doubt are no majority.
fn must_go_on(others: &[Standing]) -> bool {
    let trusted = others.iter().filter(|standing| **standing == Standing::Trusted).count();
    let members = others.len() + 1;
    trusted < members / 2 + 1
}

#[cfg(test)]
mod tests {
    use super::Standing::{GoesOn, InDoubt, Nothing, Trusted};
    use super::*;

    #[test]
    fn a_member_in_doubt_makes_do_with_what_it_has_only_where_the_others_are_no_majority() {
        assert!(must_go_on(&[]), "the only one");
        assert!(must_go_on(&[Trusted]), "one of two");
        assert!(!must_go_on(&[Trusted, Trusted]));
        for other in [InDoubt, GoesOn, Nothing] {
            assert!(must_go_on(&[Trusted, other]), "{other:?}");
            assert!(must_go_on(&[other, other]), "{other:?}");
            assert!(!must_go_on(&[Trusted, Trusted, Trusted, other]), "{other:?}");
        }
        assert!(must_go_on(&[Trusted, Trusted, InDoubt]), "two of four");
    }
}
