//! Removing the replicas of shards that this broker is no member of any more.
//!
//! Its vote may count until the group's own membership is without it, whatever the image says; so a replica stays,
//! through restarts too, until the group's leader has said so. And it must not be that a leader counts on what is
//! being removed: this broker goes deaf first, and asks then. A leader that has this member no more when nothing can
//! be acknowledged here any longer begins from nothing should it ever become one again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use controller::{ClusterImage, ShardImage};
use journal::Journal;
use model::{BrokerId, GroupId};
use raft::Voter;
use shard::{forget, is_left, mark_left, remove_left};
use tokio::time::timeout;

use super::kinds;
use super::links::Links;
use super::report::{Report, answered, question};
use crate::broker::Broker;
use crate::env::Env;
use crate::start::group_dir;

/// How long a leader may take to say who its members are: others wait behind it.
const ASK: Duration = Duration::from_secs(1);

impl Broker {
    pub(super) fn voter(&self) -> Voter {
        Voter::new(self.id(), self.meta.directory_id)
    }

    /// Whether there is anything here of a shard: a manifest, from its first checkpoint on, or entries.
    pub(super) fn has_traces(&self, group: GroupId) -> bool {
        self.journal.group(group).state() != journal::GroupState::default()
            || self.env.disk.exists(&group_dir(&self.config().data_dir(), group)).unwrap_or(false)
    }

    pub(super) fn is_member(&self, shard: &ShardImage) -> bool {
        shard.members.contains(&self.id())
    }

    /// Goes on with what a crash or a failure has left half removed; whether nothing of it is left.
    pub(super) async fn is_free_of(self: &Arc<Self>, group: GroupId) -> bool {
        let dir = group_dir(&self.config().data_dir(), group);
        match is_left(&*self.env.disk, &dir) {
            Ok(false) => true,
            Ok(true) => self.remove(group, Vec::new()).await,
            Err(why) => {
                tracing::warn!(%group, %why, "cannot look whether a shard was left");
                false
            }
        }
    }

    /// Leaves the shards that have gone on without this broker; whether one of them has stopped and is not removed.
    pub(super) async fn leave_shards(self: &Arc<Self>, image: &ClusterImage) -> bool {
        let running = self.shards.load_full();
        for shard in image.shards().filter(|shard| !running.contains_key(&shard.id) && !self.is_member(shard)) {
            self.is_free_of(shard.id).await;
        }
        let mut is_to_go_on = false;
        for group in running.keys() {
            let is_member = image.shard(*group).is_none_or(|shard| self.is_member(shard));
            if !is_member && self.goes_on_without_me(*group) {
                is_to_go_on |= !self.leave(*group).await;
            }
        }
        is_to_go_on
    }

    /// Whether the leader has told that this broker is no member. What it told may be old.
    fn goes_on_without_me(&self, group: GroupId) -> bool {
        self.links.leaders.of(group).is_some_and(|lead| {
            let is_without = |members: &raft::Members| members.is_settled() && !members.all().contains(&self.voter());
            lead.leader != self.id() && lead.members.is_some_and(|members| is_without(&members))
        })
    }

    /// Whether the replica was given up.
    async fn leave(self: &Arc<Self>, group: GroupId) -> bool {
        self.links.remove(group);
        let mut shards = (*self.shards.load_full()).clone();
        let Some(here) = shards.remove(&group) else { return true };
        self.shards.store(Arc::new(shards));
        here.shard.shutdown().await;
        let known = here.shard.partitions_with_files();
        let known = known.iter().map(|partition| partition.log.dir().to_owned()).collect();
        let leader = self.links.leaders.of(group).map(|lead| lead.leader);
        let report = match leader {
            Some(leader) => self.links.ask_of(leader, kinds::REPORT, &[group]).await.pop(),
            None => None,
        };
        if !report.is_some_and(|(_, report)| report.is_without(self.voter())) {
            return false; // it is started again, and asks again
        }
        tracing::info!(%group, "this broker has left a shard, and removes its replica");
        let dir = group_dir(&self.config().data_dir(), group);
        match mark_left(&*self.env.disk, &dir, b"") {
            Ok(()) => drop(self.remove(group, known).await),
            Err(why) => tracing::warn!(%group, %why, "a replica could not be removed, to be tried again"),
        }
        true
    }

    /// Removes what is marked; whether it is gone.
    async fn remove(self: &Arc<Self>, group: GroupId, known: Vec<PathBuf>) -> bool {
        let shards = self.shards.load_full();
        let all = shards.values().flat_map(|here| here.shard.partitions_with_files());
        let others: BTreeSet<PathBuf> = all.map(|partition| partition.log.dir().to_owned()).collect();
        clear(&self.env, &self.journal, &self.config().data_dir(), group, known, others).await
    }

    /// What the leaders of groups report of them; nothing of one that has none, or does not answer.
    pub(crate) async fn reports(&self, groups: impl IntoIterator<Item = GroupId>) -> Vec<(GroupId, Report)> {
        self.ask_leaders(kinds::REPORT, groups).await
    }

    /// The same, by that kind of question.
    pub(super) async fn ask_leaders(
        &self,
        kind: u8,
        groups: impl IntoIterator<Item = GroupId>,
    ) -> Vec<(GroupId, Report)> {
        let mut by_leader: BTreeMap<BrokerId, Vec<GroupId>> = BTreeMap::new();
        for group in groups {
            if let Some(lead) = self.lead_of(group) {
                by_leader.entry(lead.leader).or_default().push(group);
            }
        }
        let asked = by_leader.iter().map(|(leader, groups)| self.links.ask_of(*leader, kind, groups));
        let mut reports = futures::future::join_all(asked).await.concat();
        reports.sort_by_key(|(group, _)| *group);
        reports
    }
}

impl Links {
    /// What a broker reports of groups that it leads; nothing if it does not answer.
    pub(super) async fn ask_of(
        self: &Arc<Self>,
        leader: BrokerId,
        kind: u8,
        groups: &[GroupId],
    ) -> Vec<(GroupId, Report)> {
        match timeout(ASK, self.ask(leader, kind, question(groups))).await {
            Ok(Ok(answer)) => answered(&answer),
            _ => Vec::new(),
        }
    }
}

/// Removes what is marked as left of a group, but for the partitions that others have; whether it is gone.
pub(super) async fn clear(
    env: &Env,
    journal: &Journal,
    data_dir: &Path,
    group: GroupId,
    known: Vec<PathBuf>,
    others: BTreeSet<PathBuf>,
) -> bool {
    let (dir, topics, disk) = (group_dir(data_dir, group), data_dir.join("topics"), env.disk.clone());
    let removed = match forget(&*disk, &dir, &journal.group(group)).await {
        Ok(()) => env.blocking(move || remove_left(&disk, &dir, &topics, &known, &others)).await,
        Err(why) => Err(why),
    };
    removed.map_err(|why| tracing::warn!(%group, %why, "a replica could not be removed, to be tried again")).is_ok()
}
