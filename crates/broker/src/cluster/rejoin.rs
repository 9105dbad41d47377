//! A member that can't trust what it has of a group comes back as a new one, by itself.
//!
//! What a member has promised (a vote, an entry that it confirmed) counts in majorities, whether or not it remembers. So
//! one that may have forgotten, since its part of the journal or its manifest is damaged, is not started: it is deaf, and
//! its old promises stand. It asks the group's leader to go on without it, by the usual change of members, which takes a
//! majority of the others. Once the leader reports that the group's committed membership is without it, nobody counts on
//! it: what is here is marked as left and removed ([`leave`](super::leave)), the member is started with nothing, the
//! leader, whom nobody asks any more, takes it in again as a learner, and it votes when it has caught up.
//!
//! * **Crashes.** Before the mark: what could not be trusted is still there, and is found again. After it: whoever finds
//!   the mark goes on with the removal. After that: a new member, that the leader adds when it looks next.
//! * **Leaders that change.** The request is kept in the leader's memory only, for seconds, and repeated to whoever leads.
//!   A leader that has not heard of it may take the member in again: as a learner that acknowledges nothing, since it is
//!   not there. What is removed later is nothing that anyone was told of.
//! * **Old messages.** Those to the member find nobody until it is new. It then knows the term in which it was taken out
//!   as its vote, so that it votes in no earlier one, and does not take the group for a new one, which founders begin. A
//!   candidate of the old membership can't win with its help: that membership was ended by a majority without it.
//! * **No majority.** Where too many members are away or in the same state, nobody leads, and it waits, and says so.
//!   Nothing is guessed: `tidelog repair --accept-loss` is for who knows better.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use config::BrokerConfig;
use controller::ClusterImage;
use journal::Journal;
use model::GroupId;
use raft::{Voter, vote_after};
use shard::{ShardError, distrust, distrusted, is_left, mark_left};
use tokio::time::{Instant, sleep};

use super::doubt::IN_DOUBT;
use super::kinds;
use super::leave::clear;
use super::links::Links;
use super::register::meet;
use super::report::Report;
use crate::broker::Broker;
use crate::env::Env;
use crate::error::StartError;
use crate::start::group_dir;

/// Between two requests to go on without a member of the controller.
const PERIOD: Duration = Duration::from_millis(500);

/// How long a broker that knows of no other waits for one that knows of it.
const NOBODY_ELSE: Duration = Duration::from_secs(10);

/// Why a member must not be started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Why {
    /// Its bytes are damaged.
    Damaged,
    /// It may have lost what it confirmed, see [`doubt`](super::doubt).
    InDoubt,
    /// Others have decided otherwise about what was committed here.
    Contradicted,
}

/// The members of shards here that must not be started.
#[derive(Default)]
pub(crate) struct Distrust {
    members: Mutex<BTreeMap<GroupId, (Why, String)>>,
    /// Those that were in doubt, and go on with what they have.
    pub(super) forgiven: Mutex<BTreeSet<GroupId>>,
}

impl Distrust {
    fn members(&self) -> std::sync::MutexGuard<'_, BTreeMap<GroupId, (Why, String)>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, group: GroupId, why: Why) {
        self.members().insert(group, (why, String::new()));
    }

    pub(super) fn why(&self, group: GroupId) -> Option<Why> {
        self.members().get(&group).map(|(why, _)| why.clone())
    }

    pub(super) fn remove(&self, group: GroupId) {
        self.members().remove(&group);
    }

    pub(super) fn all(&self) -> BTreeMap<GroupId, Why> {
        self.members().iter().map(|(group, (why, _))| (*group, why.clone())).collect()
    }

    /// Says how it stands, and the same only once.
    fn tell(&self, group: GroupId, how: &str) {
        if let Some((_, told)) = self.members().get_mut(&group)
            && told != how
        {
            how.clone_into(told);
            tracing::warn!(%group, "this broker's member can't be trusted: {how}");
        }
    }
}

impl Broker {
    /// Whether the member of a shard that is about to be started must not be: it was marked so.
    pub(super) fn is_distrusted(&self, group: GroupId) -> bool {
        if self.links.peers().is_none() || self.distrust.why(group).is_some() {
            return self.links.peers().is_some();
        }
        let why = match distrusted(&*self.env.disk, &group_dir(&self.config().data_dir(), group)) {
            Ok(None) => return false,
            Ok(Some(why)) if why == IN_DOUBT => Why::InDoubt,
            Ok(Some(_)) => Why::Contradicted,
            Err(why) => {
                tracing::error!(%group, %why, "a mark can't be read");
                Why::Damaged
            }
        };
        self.distrust.add(group, why);
        true
    }

    /// A member could not be started.
    pub(super) fn is_damaged(&self, group: GroupId, why: &ShardError) {
        tracing::error!(%group, %why, "a shard is damaged; its partitions are not served");
        if self.links.peers().is_some() {
            self.distrust.add(group, Why::Damaged);
        }
    }

    /// Does what can be done for members that are not started; whether one may be now.
    pub(super) async fn rejoin_shards(self: &Arc<Self>, image: &ClusterImage) -> bool {
        self.stop_contradicted().await;
        let mut is_to_go_on = self.settle_doubts(image).await;
        let distrusted = self.distrust.all();
        let has_others = |group: &GroupId| image.shard(*group).is_some_and(|shard| shard.members.len() > 1);
        let reports = self.ask_leaders(kinds::REJOIN, distrusted.keys().copied().filter(has_others)).await;
        let reports: BTreeMap<GroupId, Report> = reports.into_iter().collect();
        for group in distrusted.into_keys() {
            match reports.get(&group) {
                _ if !has_others(&group) => {
                    self.distrust.tell(group, "nobody else has what it had; see `tidelog repair`")
                }
                Some(report) if report.is_without(self.voter()) => {
                    is_to_go_on |= self.begin_anew(image, group, report).await
                }
                Some(_) => self
                    .distrust
                    .tell(group, "the leader is asked to go on without it, so that it can come back as a new one"),
                None => self.distrust.tell(
                    group,
                    "it waits for a leader that goes on without it, for which a majority of the members is needed",
                ),
            }
        }
        is_to_go_on
    }

    /// Removes what is here of a member that is none any more; whether the new one may be started.
    async fn begin_anew(self: &Arc<Self>, image: &ClusterImage, group: GroupId, report: &Report) -> bool {
        let dir = group_dir(&self.config().data_dir(), group);
        let comes_back = image.shard(group).is_some_and(|shard| self.is_member(shard));
        let vote = if comes_back { vote_of(report) } else { Vec::new() };
        if !is_left(&*self.env.disk, &dir).unwrap_or(false)
            && let Err(why) = mark_left(&*self.env.disk, &dir, &vote)
        {
            tracing::warn!(%group, %why, "a replica could not be removed, to be tried again");
            return false;
        }
        let is_free = self.is_free_of(group).await;
        if is_free {
            tracing::warn!(%group, "the group went on without this broker's member, which comes back as a new one");
            self.distrust.remove(group);
        }
        is_free
    }

    /// Stops the members that others contradict.
    async fn stop_contradicted(&self) {
        let running = self.shards.load_full();
        for (group, here) in running.iter().filter(|(_, here)| here.shard.group().is_contradicted()) {
            let dir = group_dir(&self.config().data_dir(), *group);
            if let Err(why) =
                distrust(&*self.env.disk, &dir, "others have decided otherwise about what was committed here")
            {
                tracing::warn!(%group, %why, "a replica could not be marked, to be tried again");
                continue;
            }
            self.links.remove(*group);
            let mut shards = BTreeMap::clone(&self.shards.load());
            shards.remove(group);
            self.shards.store(Arc::new(shards));
            here.shard.shutdown().await;
            self.distrust.add(*group, Why::Contradicted);
        }
    }
}

/// With which a member begins that a leader's report is without.
fn vote_of(report: &Report) -> Vec<u8> {
    let leader = report.members.iter().find(|member| member.broker == report.leader);
    leader.map_or_else(Vec::new, |leader| {
        vote_after(report.term, Voter { broker: leader.broker, directory: leader.directory }).to_vec()
    })
}

/// Has the controller's group go on without this broker's member, and removes what is here of it: what this returns for,
/// however long it takes, as long as there may be others. `damage` is what is wrong with it.
pub(crate) async fn rejoin_controller(
    links: &Arc<Links>,
    config: &BrokerConfig,
    env: &Env,
    journal: &Journal,
    damage: StartError,
) -> Result<(), StartError> {
    let Some(peers) = links.peers() else { return Err(damage) };
    tracing::error!(why = %damage, "the controller's part is damaged here; the others are asked to go on without it");
    let cluster = config.cluster_config();
    let knows_others = cluster.is_some_and(|cluster| cluster.nodes.len() > 1 || !cluster.join.is_empty());
    let (begun, mut told) = (Instant::now(), "");
    let asking = async {
        loop {
            let leader = links.leaders.of(GroupId::CONTROLLER).map(|lead| lead.leader);
            let report = match leader {
                Some(leader) => links.ask_of(leader, kinds::REJOIN, &[GroupId::CONTROLLER]).await.pop(),
                None => None,
            };
            let how = match report {
                Some((_, report)) if report.is_without(links.voter()) => return Ok(report),
                Some(_) => "its leader has been asked to go on without this broker's member",
                None if !knows_others && peers.states().borrow().is_empty() && begun.elapsed() > NOBODY_ELSE => {
                    return Err(());
                }
                None => "it waits for a leader, for which a majority of the controller's voters is needed",
            };
            if told != how {
                told = how;
                tracing::warn!("the controller's member here can't be trusted: {how}");
            }
            sleep(PERIOD).await;
        }
    };
    let troubles = tokio::sync::watch::Sender::new(String::new());
    let report = tokio::select! {
        biased;
        report = asking => report,
        never = meet(links, peers, config, &troubles) => match never {},
    };
    let Ok(report) = report else { return Err(damage) };
    let data_dir = config.data_dir();
    let dir = group_dir(&data_dir, GroupId::CONTROLLER);
    let failed = |why| StartError::DataDirectory { path: dir.clone(), why };
    mark_left(&*env.disk, &dir, &vote_of(&report)).map_err(failed)?;
    finish_leaving_controller(env, journal, &data_dir).await.map_err(failed)
}

/// Goes on with the removal of the controller's replica, if a crash has left it half done.
pub(crate) async fn finish_leaving_controller(env: &Env, journal: &Journal, data_dir: &Path) -> std::io::Result<()> {
    let group = GroupId::CONTROLLER;
    if is_left(&*env.disk, &group_dir(data_dir, group))?
        && !clear(env, journal, data_dir, group, Vec::new(), BTreeSet::new()).await
    {
        return Err(std::io::Error::other("the controller's damaged replica could not be removed"));
    }
    Ok(())
}
