//! Who is in a group, and how far each has come.

use std::collections::BTreeSet;

use journal::EntryId;
use tokio::time::Instant;

use crate::Voter;

/// The members of a group, as the last membership in its log has them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Members {
    /// Who votes. While the voters change there are two sets: a majority of each is needed. Empty on
    /// a broker that has not heard of the group yet.
    pub voters: Vec<BTreeSet<Voter>>,
    /// Who only follows.
    pub learners: BTreeSet<Voter>,
    /// Whether that membership is committed; if not, another leader may undo it.
    pub committed: bool,
}

impl Members {
    /// All of them.
    pub fn all(&self) -> BTreeSet<Voter> {
        self.voters.iter().flatten().chain(&self.learners).copied().collect()
    }

    /// Whether no change of them is under way.
    pub fn is_settled(&self) -> bool {
        self.committed && self.voters.len() == 1
    }

    /// The voters, of both sets while they change.
    pub fn all_voters(&self) -> BTreeSet<Voter> {
        self.voters.iter().flatten().copied().collect()
    }
}

/// How far a member's log goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reach {
    /// The index after its last entry.
    pub end: u64,
    /// The index after the last one that it has applied, so that it is known to be committed.
    pub applied: u64,
}

/// Another member, as the leader knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Follower {
    /// Who.
    pub voter: Voter,
    /// The last entry that it is known to have on its disk.
    pub matched: Option<EntryId>,
    /// When it last had all that the leader had at that time; `None` if never since this leader was
    /// elected. Kafka's measure of who is in sync, which `replica.lag.time.max.ms` is held against.
    pub caught_up: Option<Instant>,
    /// When the last message was sent that it answered.
    pub heard: Option<Instant>,
}
