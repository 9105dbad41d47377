//! A running broker: what all handlers share.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use controller::{ClusterImage, Controller, PartitionImage, ShardImage, TopicImage};
use journal::Journal;
use log::FileCache;
use model::{BrokerId, ErrorCode, GroupId, PartitionId};
use raft::Status;
use shard::{Partition, Shard, Stage};
use tokio::sync::watch;

use crate::background::compaction::Compactions;
use crate::budget::Budget;
use crate::cluster::mending::Mending;
use crate::cluster::rejoin::Distrust;
use crate::cluster::{Lead, Links};
use crate::connections::Connections;
use crate::env::Env;
use crate::fetch::Sessions;
use crate::groups::Groups;
use crate::listener::Listener;
use crate::meta::Meta;
use crate::pace::Pace;
use crate::recompression::Recompressions;
use crate::room::Room;
use crate::settings::{LiveConfig, Loggers};
use crate::sizes::Sizes;
use crate::telemetry::{PushedMetrics, Telemetry};
use crate::topics::Topics;

/// See the module's page.
pub struct Broker {
    pub(crate) env: Env,
    pub(crate) settings: Arc<LiveConfig>,
    pub(crate) meta: Meta,
    pub(crate) journal: Journal,
    pub(crate) controller: Controller,
    pub(crate) shards: ArcSwap<BTreeMap<GroupId, ShardHere>>,
    pub(crate) topics: Topics,
    pub(crate) groups: Groups,
    pub(crate) sessions: Sessions,
    pub(crate) sizes: Sizes,
    pub(crate) telemetry: Telemetry,
    pub(crate) loggers: OnceLock<Arc<dyn Loggers>>,
    pub(crate) room: Room,
    pub(crate) compactions: Compactions,
    pub(crate) listeners: Vec<Arc<Listener>>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) pace: Pace,
    pub(crate) budget: Arc<Budget>,
    pub(crate) recompressions: Recompressions,
    pub(crate) stop: Stop,
    /// Open files and maps, shared by all shards.
    pub(crate) files: Arc<FileCache>,
    /// What other brokers reach, and the way to them.
    pub(crate) links: Arc<Links>,
    /// Members of shards here that must not be started.
    pub(crate) distrust: Distrust,
    /// Damage that was found in partitions here.
    pub(crate) mending: Mending,
}

/// A shard with a replica on this broker.
#[derive(Clone)]
pub(crate) struct ShardHere {
    pub(crate) shard: Shard,
    pub(crate) status: watch::Receiver<Status>,
}

impl ShardHere {
    pub(crate) fn new(shard: Shard) -> Self {
        let status = shard.status();
        ShardHere { shard, status }
    }

    /// Whether nobody else can have been elected meanwhile.
    fn holds_lease(&self) -> bool {
        self.shard.group().holds_lease() || self.has_failed_alone()
    }

    /// Whether the journal has failed, and nobody else can have taken over from the only replica: what is committed
    /// can be read.
    fn has_failed_alone(&self) -> bool {
        self.status.borrow().failed && self.is_alone()
    }

    fn is_alone(&self) -> bool {
        self.shard.group().members().all().len() <= 1
    }

    /// The current term, if this broker leads the shard, or did when its journal failed and it was alone. A leader that
    /// could not write all yet that was committed before may know less than clients were told; one that is alone can't.
    pub(crate) fn leading_term(&self, me: BrokerId) -> Option<u64> {
        let status = *self.status.borrow();
        let has_all = self.shard.health().has_begun(status.term) || self.is_alone();
        let may_answer = (status.ready && has_all) || self.has_failed_alone();
        (may_answer && status.leader == Some(me)).then_some(status.term)
    }

    /// The same, if nobody else can have been elected meanwhile: who reads here reads the newest.
    fn leased_term(&self, me: BrokerId) -> Option<u64> {
        self.leading_term(me).filter(|_| self.holds_lease())
    }

    /// The current term, if another broker leads the shard, and this replica had all that it had committed within so
    /// long: in its logs, too.
    pub(crate) fn following_term(&self, me: BrokerId, within: Duration) -> Option<u64> {
        let status = *self.status.borrow();
        let follows = status.ready && status.leader.is_some_and(|leader| leader != me);
        let keeps_up = || self.shard.group().kept_up_ago().is_some_and(|ago| ago <= within);
        (follows && !self.shard.health().is_stalled() && keeps_up()).then_some(status.term)
    }
}

/// Who leads a partition, as clients are told.
pub(crate) struct Leading {
    pub(crate) leader: BrokerId,
    pub(crate) epoch: i32,
    /// The replicas that keep up, in the order of the replicas.
    pub(crate) in_sync: Vec<BrokerId>,
}

/// A partition that this broker answers for.
pub(crate) struct Replica<'a> {
    pub(crate) partition: Arc<Partition>,
    pub(crate) shard: Shard,
    pub(crate) leader_epoch: i32,
    /// Its row in the image.
    pub(crate) place: &'a PartitionImage,
    /// Whether this broker leads it. If not, its log may end a little before the leader's.
    pub(crate) leads: bool,
}

impl Replica<'_> {
    /// The greatest epoch up to `epoch`, and where it ends; none if that is not known. The leader's own epoch is in
    /// its log from the start, as in Kafka, whether or not something was appended in it.
    pub(crate) fn end_of_epoch(&self, epoch: i32) -> Option<(i32, i64)> {
        let log = &self.partition.log;
        if epoch == self.leader_epoch {
            return Some((epoch, log.log_end()));
        }
        if !(0..self.leader_epoch).contains(&epoch) {
            return None;
        }
        match log.end_offset_for_epoch(epoch) {
            (-1, _) => Some((log.epoch_at(log.log_end() - 1).unwrap_or(epoch), log.log_end())),
            known => Some(known),
        }
    }

    /// The epoch in which the first record was appended, or the first one will be.
    pub(crate) fn first_epoch(&self) -> i32 {
        self.partition.log.epoch_at(self.partition.log.log_start()).unwrap_or(self.leader_epoch)
    }
}

impl Broker {
    /// This broker's `node.id`.
    pub fn id(&self) -> BrokerId {
        BrokerId(self.meta.node_id)
    }

    /// Where clients come in.
    pub fn listeners(&self) -> &[Arc<Listener>] {
        &self.listeners
    }

    /// Lets clients see and change the levels of the process that runs the broker; once.
    pub fn set_loggers(&self, loggers: Arc<dyn Loggers>) {
        self.loggers.set(loggers).ok();
    }

    /// The metrics that clients pushed last, as far as they are kept (KIP-714).
    pub fn client_metrics(&self) -> Vec<PushedMetrics> {
        self.telemetry.pushed()
    }

    /// The cluster as this broker knows it.
    pub fn image(&self) -> Arc<ClusterImage> {
        self.controller.image()
    }

    /// The partition, if this broker may answer for it: it leads the shard, and the partition's
    /// opening is applied.
    pub(crate) fn led<'a>(
        &self,
        image: &'a ClusterImage,
        topic: &'a TopicImage,
        index: i32,
    ) -> Result<Replica<'a>, ErrorCode> {
        self.replica(image, topic, index, |here| Some((here.leased_term(self.id())?, true)))
    }

    /// The partition, if this broker may answer those who take a follower's word for it: it leads the shard, or has
    /// not fallen behind its leader for long.
    pub(crate) fn led_or_followed<'a>(
        &self,
        image: &'a ClusterImage,
        topic: &'a TopicImage,
        index: i32,
    ) -> Result<Replica<'a>, ErrorCode> {
        self.replica(image, topic, index, |here| {
            let leading = here.leased_term(self.id()).map(|term| (term, true));
            leading.or_else(|| Some((here.following_term(self.id(), self.links.lag())?, false)))
        })
    }

    /// The partition, if the shard's replica here answers, by its term and whether it leads.
    fn replica<'a>(
        &self,
        image: &'a ClusterImage,
        topic: &'a TopicImage,
        index: i32,
        answers: impl FnOnce(&ShardHere) -> Option<(u64, bool)>,
    ) -> Result<Replica<'a>, ErrorCode> {
        let place = topic.partition(index).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        debug_assert!(image.shard(place.shard).is_some(), "a partition's shard is in its image");
        let shards = self.shards.load();
        let not_here = || match image.shard(place.shard) {
            Some(shard) if self.is_left_out(shard) => ErrorCode::KafkaStorageError,
            _ => ErrorCode::NotLeaderOrFollower,
        };
        let here = shards.get(&place.shard).ok_or_else(not_here)?;
        let (term, leads) = answers(here).ok_or(ErrorCode::NotLeaderOrFollower)?;
        let id = PartitionId { topic: topic.id, index };
        let partition = here.shard.view().get(id).ok_or(ErrorCode::NotLeaderOrFollower)?;
        if partition.stage() != Stage::Serving {
            return Err(ErrorCode::NotLeaderOrFollower); // it goes elsewhere, or is not all here
        }
        let leader_epoch = partition.epoch_base().in_term(term);
        Ok(Replica { partition, shard: here.shard.clone(), leader_epoch, place, leads })
    }

    /// Whether a shard has a replica on this broker that could not be started.
    pub(crate) fn is_left_out(&self, shard: &ShardImage) -> bool {
        shard.members.contains(&self.id()) && !self.shards.load().contains_key(&shard.id)
    }

    /// Who leads a partition, as far as this broker knows. Where it leads itself, only once the partition's opening is
    /// applied, and as long as nobody else can have been elected: one that is cut off from the others must not have clients
    /// come back to it again and again.
    pub(crate) fn leading(&self, image: &ClusterImage, topic: &TopicImage, index: i32) -> Option<Leading> {
        let place = topic.partition(index)?;
        let Lead { term, leader, in_sync, .. } = self.lead_of(place.shard)?;
        image.broker(leader).filter(|broker| !broker.fenced)?;
        if leader == self.id() {
            let id = PartitionId { topic: topic.id, index };
            let shards = self.shards.load();
            shards.get(&place.shard).filter(|here| here.holds_lease())?.shard.view().get(id)?;
        }
        // As in Kafka, one that is fenced is in sync with nothing, from that moment on.
        let is_fenced = |id: &BrokerId| image.broker(*id).is_none_or(|broker| broker.fenced);
        let keeps_up = |id: &&BrokerId| **id == leader || (in_sync.contains(*id) && !is_fenced(id));
        let in_sync = image.replicas(place).iter().filter(keeps_up).copied().collect();
        Some(Leading { leader, epoch: place.leader_epoch(term), in_sync })
    }

    /// The broker that leads a partition, if one is known to.
    pub(crate) fn leader_of(&self, image: &ClusterImage, topic: &TopicImage, index: i32) -> Option<BrokerId> {
        self.leading(image, topic, index).map(|leading| leading.leader)
    }

    /// Who leads a shard: as its member here knows, or as was heard, whichever is newer.
    pub(crate) fn lead_of(&self, shard: GroupId) -> Option<Lead> {
        let heard = self.links.leaders.of(shard);
        let shards = self.shards.load();
        let own = shards.get(&shard).and_then(|here| {
            let status = *here.status.borrow();
            let leader = status.leader.filter(|_| status.ready || here.has_failed_alone())?;
            // Once told, it is remembered: the member here may know of no leader a moment later.
            self.links.leaders.saw(shard, status.term, leader);
            Some(Lead { term: status.term, leader, in_sync: [].into(), members: None })
        });
        // What a leader says of itself is fuller than what its follower knows.
        own.into_iter().chain(heard).max_by_key(|lead| (lead.term, lead.in_sync.len()))
    }
}

/// Tells background work to end.
#[derive(Default)]
pub(crate) struct Stop {
    stopped: watch::Sender<bool>,
}

impl Stop {
    /// Asks everybody to end.
    pub(crate) fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// Whether the broker is stopping.
    pub(crate) fn is_requested(&self) -> bool {
        *self.stopped.borrow()
    }

    /// Returns when the broker is stopping.
    pub(crate) async fn requested(&self) {
        let mut stopped = self.stopped.subscribe();
        // The sender lives as long as the broker, which the caller holds.
        stopped.wait_for(|stopped| *stopped).await.ok();
    }
}
