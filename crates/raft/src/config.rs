//! Who is in a group, and the settings of one member.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use model::{BrokerId, GroupId};
use uuid::Uuid;

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

impl fmt::Display for Voter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.broker, self.directory.as_simple())
    }
}

/// Bytes of proposals that wait for their answer, in one group: a proposer waits above it. Enough
/// to keep a disk of 1 GB/s busy for 64 ms; small enough that all groups of a broker fit in memory.
pub const MAX_PROPOSED_BYTES: usize = 64 * 1024 * 1024;

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
}

impl Config {
    /// A group whose only voter is this broker.
    pub fn single(group: GroupId, me: Voter) -> Self {
        let bootstrap = BTreeSet::from([me]);
        Config { group, me, bootstrap, max_proposed_bytes: MAX_PROPOSED_BYTES, transport: Arc::new(Alone) }
    }
}
