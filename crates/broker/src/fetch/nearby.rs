//! Reading from a follower in the consumer's own rack (KIP-392).
//!
//! The leader names an in-sync replica in the consumer's rack instead of answering with records; the consumer goes there.
//! A follower's log holds nothing but what is committed, so that all of it may be read: its end is its high watermark.
//!
//! Followers serve more cautiously than Kafka's. Only those who say in which rack they are, and so have asked to be sent
//! to a follower, are answered by one, and none whose replica has not had all for `replica.lag.time.max.ms`: everybody
//! else reads from the leader alone, and sees no high watermark go back.

use std::sync::Arc;
use std::time::Duration;

use controller::ClusterImage;
use model::{BrokerId, GroupId};
use peer::PeerState;
use raft::Follower;
use wire::StrBytes;

use crate::broker::{Broker, Replica};
use crate::listener::Listener;

/// Nobody is sent to a replica that has not had all for so long: twice the time after which a connection that is dead is
/// known to be, so that a consumer does not wait there for what the leader has already shown it.
const CLOSE_BEHIND: Duration = Duration::from_secs(1);

/// The version from which consumers say where they are.
const RACKS_FROM: i16 = 11;
/// The `replica_id` of one who is no replica.
const CONSUMER: i32 = -1;
/// The `replica_id` of one who wants the answer of the very replica that it asks, whatever that has.
pub(crate) const DEBUGGING_CONSUMER: i32 = -2;

/// Which replicas a request may be answered by.
#[derive(Clone)]
pub(crate) enum Nearness {
    /// The leader alone.
    Leader,
    /// Whichever is asked.
    ThisReplica,
    /// One in this rack, if the consumer reaches it by its listener; else the leader.
    Rack(StrBytes, Arc<Listener>),
}

impl Nearness {
    /// Of a Fetch of that version: by whom, and where that says to be.
    pub(crate) fn of(
        broker: &Broker,
        version: i16,
        replica_id: i32,
        rack: &StrBytes,
        listener: &Arc<Listener>,
    ) -> Self {
        let has_selector = || broker.config().reads_from_followers();
        match replica_id {
            DEBUGGING_CONSUMER => Nearness::ThisReplica,
            CONSUMER if version >= RACKS_FROM && !rack.is_empty() && has_selector() => {
                // A copy: it must not pin the request's frame while the fetch waits.
                Nearness::Rack(StrBytes::from_string(rack.as_str().to_owned()), listener.clone())
            }
            _ => Nearness::Leader,
        }
    }
}

impl Broker {
    /// The replica that a consumer in that rack should read from this offset on; none if that is this one, which leads.
    pub(super) fn preferred_replica(
        &self,
        image: &ClusterImage,
        led: &Replica<'_>,
        offset: i64,
        (rack, listener): (&str, &Listener),
    ) -> Option<BrokerId> {
        let is_near = |id: BrokerId| {
            let broker = image.broker(id).filter(|broker| !broker.fenced && broker.rack.as_deref() == Some(rack));
            broker.is_some_and(|broker| broker.listeners.contains_key(&listener.name))
        };
        let log = &led.partition.log;
        let near = image.replicas(led.place).iter().copied().filter(|id| is_near(*id));
        let near: Vec<BrokerId> = near.collect();
        if near.is_empty() || near.contains(&self.id()) || !(log.log_start()..=log.log_end()).contains(&offset) {
            return None;
        }
        let shard = led.shard.id();
        let followers = led.shard.group().followers().into_iter();
        let may_serve = |it: &Follower| {
            let (id, is_close) = (it.voter.broker(), it.caught_up.is_some_and(|at| at.elapsed() <= CLOSE_BEHIND));
            is_close && near.contains(&id) && self.links.leaders.is_readable(shard, id) && self.reaches(id)
        };
        // As Kafka: the one that has most, then the one that had all last, then the highest id.
        let furthest = followers.filter(may_serve).max_by_key(|it| (it.matched, it.caught_up, it.voter.broker()));
        furthest.map(|it| it.voter.broker())
    }

    /// Whether there is a connection with a broker, whose last word is not old then.
    fn reaches(&self, id: BrokerId) -> bool {
        let Some(peers) = self.links.peers() else { return false };
        peers.states().borrow().get(&id).is_some_and(PeerState::is_up)
    }

    /// The shards that consumers may read here though another broker leads them, as the leaders are told.
    pub(crate) fn readable_shards(&self) -> Vec<GroupId> {
        if !self.config().reads_from_followers() {
            return Vec::new();
        }
        let shards = self.shards.load();
        let readable = shards.iter().filter(|(_, here)| here.following_term(self.id(), CLOSE_BEHIND).is_some());
        readable.map(|(group, _)| *group).collect()
    }
}
