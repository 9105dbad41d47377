//! The live half: the machine of classic groups at their coordinator.
//!
//! It follows Kafka's ClassicGroup: eager and cooperative rebalances are one and the same to a broker, since members
//! assign among themselves. A group is held in memory while it has members (or ids handed out, or writes under way);
//! an empty one is only in the [`GroupStore`].
//!
//! ```text
//!            join                      all joined, or time is up                leader's assignment is durable
//!   Empty ────────▶ PreparingRebalance ────────────────────────▶ CompletingRebalance ────────────▶ Stable
//!     ▲                 │        ▲                                    │ join, leave, silence          │
//!     └─────────────────┘        └────────────────────────────────────┴───────────────────────────────┘
//!       nobody joined
//! ```

mod config;
mod describe;
mod reply;
mod request;

use std::sync::Arc;

use model::{ErrorCode, Random};

pub use config::Config;
pub use describe::{DescribedGroup, DescribedMember, GROUP_TYPE, GroupState, ListFilter, ListedGroup};
pub use reply::{
    CommitReply, CommittedPartition, CommittedTopic, DeleteOffsetsReply, JoinReply, JoinedMember, LeaveReply,
    LeftMember, Reply, SyncReply,
};
pub use request::{
    CommitPartition, CommitRequest, CommitTopic, DeleteOffsetsRequest, HeartbeatRequest, JoinRequest, LeaveRequest,
    LeavingMember, Protocol, Request, SyncRequest,
};

use crate::schema::KeyValue;
use crate::store::{GroupStore, StoredGroup};

/// A request that waits for its answer; the driver maps it to a connection. Each gets exactly one [`Reply`], unless
/// its member is gone with the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallerId(pub u64);

/// A [`Write`], until its outcome is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId(pub u64);

/// Records to append to the groups' partition of `__consumer_offsets`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// To be given back to [`ClassicGroups::written`].
    pub id: WriteId,
    /// The group that it is about.
    pub group: String,
    /// All or none of them are to be applied.
    pub records: Vec<KeyValue>,
}

/// What the driver is to do: send the replies, and propose the writes *in this order*, after those of earlier turns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// Answers that are due now.
    pub replies: Vec<(CallerId, Reply)>,
    /// Records to make durable.
    pub writes: Vec<Write>,
}

/// The classic groups of one partition of `__consumer_offsets`, at its leader.
///
/// Time is the argument of every turn, in ms, and should not go backwards. The store is that of the same partition; it may
/// run ahead of [`ClassicGroups::written`], never behind.
pub struct ClassicGroups {
    config: Config,
    random: Arc<dyn Random>,
}

impl ClassicGroups {
    /// A machine without groups: [`ClassicGroups::load_all`] comes next, where the store has any.
    pub fn new(config: Config, random: Arc<dyn Random>) -> Self {
        ClassicGroups { config, random }
    }

    /// Takes one request. Its answer is among the effects now or of a later call.
    pub fn handle(&mut self, now_ms: i64, store: &GroupStore, caller: CallerId, request: Request) -> Effects {
        let _ = (now_ms, store, &self.random);
        let error = ErrorCode::CoordinatorNotAvailable;
        let reply = match request {
            Request::Join(join) => Reply::Join(JoinReply::error(error, &join.member_id)),
            Request::Sync(_) => Reply::Sync(SyncReply::error(error)),
            Request::Heartbeat(_) => Reply::Heartbeat(error),
            Request::Leave(_) => Reply::Leave(LeaveReply { error, members: Vec::new() }),
            Request::Commit(_) => Reply::Commit(CommitReply::default()),
            Request::DeleteGroup { .. } => Reply::DeleteGroup(error),
            Request::DeleteOffsets(_) => Reply::DeleteOffsets(DeleteOffsetsReply { error, topics: Vec::new() }),
        };
        Effects { replies: vec![(caller, reply)], writes: Vec::new() }
    }

    /// Takes the outcome of a write: applied (the store has it), or refused with the error of the append.
    pub fn written(&mut self, now_ms: i64, write: WriteId, result: Result<(), ErrorCode>) -> Effects {
        drop((now_ms, write, result));
        Effects::default()
    }

    /// Does what is due: sessions, join and sync phases that ran out of time.
    pub fn expire(&mut self, now_ms: i64) -> Effects {
        let _ = now_ms;
        Effects::default()
    }

    /// When [`ClassicGroups::expire`] has something to do, at the earliest. Calling it in vain is harmless.
    pub fn next_deadline(&self) -> Option<i64> {
        None
    }

    /// Writes tombstones for offsets that are past their retention, and for groups that are left with nothing.
    ///
    /// Looks at no more than `groups` groups, those behind `after` in the order of names, and returns the name to go on
    /// behind; `None` when the end was reached. To be called every `offsets.retention.check.interval.ms`.
    pub fn expire_offsets(
        &mut self,
        now_ms: i64,
        store: &GroupStore,
        after: Option<&str>,
        groups: usize,
    ) -> (Effects, Option<String>) {
        let _ = (now_ms, store, after, groups, self.config.offsets_retention_ms);
        (Effects::default(), None)
    }

    /// Writes tombstones for all offsets of a topic that was deleted, whatever their group.
    pub fn topic_deleted(&mut self, store: &GroupStore, topic: &str) -> Effects {
        let _ = (store, topic);
        Effects::default()
    }

    /// Takes over a group at the start of leadership. Its members' sessions start anew.
    pub fn load(&mut self, now_ms: i64, group: &str, stored: &StoredGroup) {
        let _ = (now_ms, group, stored);
    }

    /// Takes over all groups of the store that have members.
    pub fn load_all(&mut self, now_ms: i64, store: &GroupStore) {
        for (name, stored) in store.groups() {
            if let Some(stored) = stored.filter(|stored| !stored.members.is_empty()) {
                self.load(now_ms, name, stored);
            }
        }
    }

    /// Ends the leadership: whoever waits is answered NOT_COORDINATOR, and everything is forgotten. Outcomes of writes that
    /// come in later are passed over.
    pub fn unload(&mut self) -> Effects {
        Effects::default()
    }

    /// Whether no group is held in memory.
    pub fn is_empty(&self) -> bool {
        true
    }
}
