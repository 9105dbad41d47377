//! Who is in a group, and the settings of one member.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use model::{BrokerId, GroupId};
use uuid::Uuid;

use crate::CatchUp;
use crate::transport::{Alone, Transport};

/// One member of a Raft group.
///
/// It is a broker *with* its data directory: a broker that comes back with an empty directory has
/// lost its votes and its acknowledged entries, so it is another voter, which a membership change
/// has to admit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Voter {
    /// `node.id` of the broker.
    pub broker: i32,
    /// The identity of its data directory.
    pub directory: Uuid,
}

impl Voter {
    /// The member that `broker` is as long as it keeps `directory`.
    pub fn new(broker: BrokerId, directory: Uuid) -> Self {
        Voter { broker: broker.0, directory }
    }

    /// The broker.
    pub fn broker(self) -> BrokerId {
        BrokerId(self.broker)
    }
}

/// What the [journal](journal::GroupLog::save_vote) has to hold of a group for a member that begins from nothing, and
/// must not take the group for a new one: that it heard of this leader.
pub fn vote_after(term: u64, leader: Voter) -> bytes::Bytes {
    crate::core::encode_followed(term, leader)
}

impl fmt::Display for Voter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.broker, self.directory.as_simple())
    }
}

/// Bytes of proposals that wait for their answer, in one group: a proposer waits above it. Enough
/// to keep a disk of 1 GB/s busy for 64 ms; small enough that all groups of a broker fit in memory.
pub const MAX_PROPOSED_BYTES: usize = 64 * 1024 * 1024;

/// Bytes of the journal within which entries stay for members that lack them. One that is behind it
/// takes the state, which costs more, but a journal that kept all of a long absence would fill the disk.
pub const MAX_RETAINED_BYTES: u64 = 512 * 1024 * 1024;

/// How long members wait for one another. All members of a group should have the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timings {
    /// Between two signs of life of a leader.
    pub heartbeat_ms: u64,
    /// A follower stands for election when the lease of the leader it heard last has ended, and a
    /// random time from here...
    pub election_min_ms: u64,
    /// ... up to here has passed too. It is also how long a lease lasts.
    pub election_max_ms: u64,
}

impl Timings {
    /// How long after sending what a majority answered a leader may answer by itself: a tenth less
    /// than the others wait, since their clocks need not run as fast as ours.
    pub(crate) fn lease(&self) -> Duration {
        Duration::from_millis(self.election_max_ms * 9 / 10)
    }
}

impl Default for Timings {
    /// A new leader is elected 0.9 to 1.2 s after the last sign of life, if nobody says earlier that
    /// its process is gone ([`crate::Group::leader_gone`]), and within 1.8 s if the first election
    /// comes to nothing. It takes nine heartbeats lost in a row to miss a leader that lives.
    fn default() -> Self {
        Timings { heartbeat_ms: 100, election_min_ms: 300, election_max_ms: 600 }
    }
}

/// What starting a group needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which group.
    pub group: GroupId,
    /// Who we are in it.
    pub me: Voter,
    /// The first members, used only while the group has no history at all.
    pub bootstrap: BTreeSet<Voter>,
    /// Bytes of unanswered proposals above which [`crate::Group::propose`] waits.
    pub max_proposed_bytes: usize,
    /// The way to the other members.
    pub transport: Arc<dyn Transport>,
    /// A number that no other life of this broker's process has, by which others can tell whether the
    /// one that led is the one that is gone.
    pub incarnation: u64,
    /// How long members wait for one another.
    pub timings: Timings,
    /// Bytes of the journal, of all groups, within which a checkpoint leaves entries that a member
    /// lacks.
    pub max_retained_bytes: u64,
    /// The way to bring other members' state here.
    pub catch_up: Arc<dyn CatchUp>,
}

impl Config {
    /// A group whose only voter is this broker.
    pub fn single(group: GroupId, me: Voter) -> Self {
        let bootstrap = BTreeSet::from([me]);
        Config {
            group,
            me,
            bootstrap,
            max_proposed_bytes: MAX_PROPOSED_BYTES,
            transport: Arc::new(Alone),
            incarnation: 0,
            timings: Timings::default(),
            max_retained_bytes: MAX_RETAINED_BYTES,
            catch_up: Arc::new(Alone),
        }
    }
}
