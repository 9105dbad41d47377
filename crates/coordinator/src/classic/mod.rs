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

mod commit;
mod config;
mod delete;
mod describe;
mod group;
mod heartbeat;
#[cfg(test)]
mod invariants;
mod join;
mod leave;
mod member;
mod rebalance;
mod reply;
mod request;
mod retention;
mod static_join;
mod sync;
#[cfg(test)]
mod tests;
mod timers;
mod turn;
mod writes;

use std::collections::BTreeMap;
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

use commit::commit_error;
use group::Group;
use leave::leave_unknown_group;
use timers::{Timer, Timers};
use turn::Turn;
use writes::{After, UnderWay, Writes, failed, told};

use crate::schema::{KeyValue, MAX_STRING_BYTES};
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
/// Time is the argument of every turn, in ms, and should not go backwards. The store is that of the same partition; it
/// may run ahead of [`ClassicGroups::written`], never behind.
pub struct ClassicGroups {
    config: Config,
    random: Arc<dyn Random>,
    /// Groups with members, with ids handed out, or with writes under way. Of others the store knows all there is.
    groups: BTreeMap<Arc<str>, Group>,
    timers: Timers,
    writes: Writes,
}

impl ClassicGroups {
    /// A machine without groups: [`ClassicGroups::load_all`] comes next, where the store has any.
    pub fn new(config: Config, random: Arc<dyn Random>) -> Self {
        ClassicGroups { config, random, groups: BTreeMap::new(), timers: Timers::default(), writes: Writes::default() }
    }

    /// Notes that a member is alive, and tells how its group stands. It is the request that is frequent: it has no
    /// effects, and need not look at the store, where no member stands that is not live.
    pub fn heartbeat(&mut self, now_ms: i64, request: &HeartbeatRequest) -> ErrorCode {
        if let Err(error) = check_name(&request.group, false) {
            return error;
        }
        let group = self.groups.get_mut(&*request.group);
        group.map_or(ErrorCode::UnknownMemberId, |group| group.heartbeat(now_ms, request))
    }

    /// Takes one request. Its answer is among the effects now or of a later call.
    pub fn handle(&mut self, now_ms: i64, store: &GroupStore, caller: CallerId, request: Request) -> Effects {
        let mut effects = Effects::default();
        if let Err(error) = self.check(&request) {
            effects.replies.push((caller, refused(request, error)));
            return effects;
        }
        let name = request.group().to_owned();
        match request {
            Request::Heartbeat(request) => {
                effects.replies.push((caller, Reply::Heartbeat(self.heartbeat(now_ms, &request))));
            }
            request if self.bring_in(now_ms, store, &name) || begins_a_group(&request) => {
                self.begin(&name);
                self.in_group(now_ms, &name, &mut effects, |turn, group| match request {
                    Request::Join(request) => turn.join(group, caller, request),
                    Request::Sync(request) => turn.sync(group, caller, request),
                    Request::Leave(request) => turn.leave(group, caller, request),
                    Request::Commit(request) => turn.commit(group, caller, request),
                    Request::DeleteOffsets(request) => turn.delete_offsets(group, store, caller, request),
                    Request::DeleteGroup { .. } => turn.delete_group(group, store, caller),
                    Request::Heartbeat(_) => unreachable!("handled above"),
                });
            }
            request => effects.replies.push((caller, unknown_group(request))),
        }
        effects
    }

    /// Takes the outcome of a write: applied (the store has it), or refused with the error of the append.
    pub fn written(&mut self, now_ms: i64, write: WriteId, result: Result<(), ErrorCode>) -> Effects {
        let mut effects = Effects::default();
        let Some(UnderWay { group: name, after, answers }) = self.writes.end(write) else { return effects };
        let outcome = result.map_err(told);
        effects.replies.extend(answers.into_iter().map(|(caller, reply)| match outcome {
            Ok(()) => (caller, reply),
            Err(error) => (caller, failed(reply, error)),
        }));
        self.in_group(now_ms, &name, &mut effects, |turn, group| match after {
            After::Assigned { assignments } => turn.assigned(group, write, assignments, outcome),
            After::Renamed(renamed) => turn.renamed(group, *renamed, outcome),
            After::Emptied => group.unsaved = outcome.is_err(),
            After::Deleted if outcome.is_ok() => group.unsaved = false,
            After::Deleted | After::Nothing => {}
        });
        effects
    }

    /// Does what is due: sessions, join and sync phases that ran out of time.
    pub fn expire(&mut self, now_ms: i64) -> Effects {
        let mut effects = Effects::default();
        while let Some(timer) = self.timers.pop_due(now_ms) {
            let name = timer.group().clone();
            self.in_group(now_ms, &name, &mut effects, |turn, group| match timer {
                Timer::Session { member, .. } => turn.session_ran_out(group, &member),
                Timer::Join { .. } => turn.join_phase_ran_out(group),
                Timer::Sync { .. } => turn.sync_phase_ran_out(group),
            });
        }
        effects
    }

    /// When [`ClassicGroups::expire`] has something to do, at the earliest. Calling it in vain is harmless.
    pub fn next_deadline(&self) -> Option<i64> {
        self.timers.next_ms()
    }

    /// Takes over a group at the start of leadership. Its members' sessions start anew; one that is larger than
    /// `group.max.size` by now starts a rebalance, so that its members commit before some of them have to go.
    pub fn load(&mut self, now_ms: i64, group: &str, stored: &StoredGroup) {
        self.take_over(now_ms, group, stored);
        self.forget_if_idle(group);
    }

    fn take_over(&mut self, now_ms: i64, group: &str, stored: &StoredGroup) {
        let live = Group::load(group, stored);
        let too_large = live.members.len() > self.config.max_size;
        self.groups.insert(live.name.clone(), live);
        let mut effects = Effects::default();
        self.step(now_ms, group, &mut effects, |turn, group| {
            for member in group.members.values() {
                turn.start_session(group, &member.id, turn.in_ms(member.session_timeout_ms));
            }
            if too_large {
                turn.prepare_rebalance(group);
            }
        });
        assert_eq!(effects, Effects::default(), "nobody waits for a group that was just loaded");
    }

    /// Takes over all groups of the store that have members.
    pub fn load_all(&mut self, now_ms: i64, store: &GroupStore) {
        for (name, stored) in store.groups() {
            if let Some(stored) = stored.filter(|stored| !stored.members.is_empty()) {
                self.load(now_ms, name, stored);
            }
        }
    }

    /// Ends the leadership: whoever waits is answered NOT_COORDINATOR, and everything is forgotten. Outcomes of writes
    /// that come in later are passed over.
    pub fn unload(&mut self) -> Effects {
        const ERROR: ErrorCode = ErrorCode::NotCoordinator;
        let mut effects = Effects::default();
        for write in self.writes.take_all() {
            let replies = write.answers.into_iter().map(|(caller, reply)| (caller, failed(reply, ERROR)));
            effects.replies.extend(replies);
        }
        for member in std::mem::take(&mut self.groups).into_values().flat_map(|group| group.members.into_values()) {
            let joining = member.joining.map(|caller| (caller, Reply::Join(JoinReply::error(ERROR, &member.id))));
            let syncing = member.syncing.map(|caller| (caller, Reply::Sync(SyncReply::error(ERROR))));
            effects.replies.extend(joining.into_iter().chain(syncing));
        }
        self.timers.clear();
        effects
    }

    /// Whether no group is held in memory.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Holds a group in memory for this turn. False if there is none of this name.
    fn bring_in(&mut self, now_ms: i64, store: &GroupStore, name: &str) -> bool {
        if self.groups.contains_key(name) {
            return true;
        }
        match store.group(name) {
            Some(stored) => self.take_over(now_ms, name, stored),
            None if store.contains(name) => self.begin(name),
            None => return false,
        }
        true
    }

    fn begin(&mut self, name: &str) {
        self.groups.entry(name.into()).or_insert_with(|| Group::new(name));
    }

    /// Lets one group take a step; afterwards it is forgotten if the store knows all there is to know.
    fn in_group<R>(
        &mut self,
        now_ms: i64,
        name: &str,
        effects: &mut Effects,
        step: impl FnOnce(&mut Turn<'_>, &mut Group) -> R,
    ) -> Option<R> {
        let result = self.step(now_ms, name, effects, step);
        self.forget_if_idle(name);
        result
    }

    fn step<R>(
        &mut self,
        now_ms: i64,
        name: &str,
        effects: &mut Effects,
        step: impl FnOnce(&mut Turn<'_>, &mut Group) -> R,
    ) -> Option<R> {
        let group = self.groups.get_mut(name)?;
        let Self { config, random, timers, writes, .. } = self;
        Some(step(&mut Turn { now_ms, config, random: &**random, timers, writes, effects }, group))
    }

    fn forget_if_idle(&mut self, name: &str) {
        if self.groups.get(name).is_some_and(|group| group.is_idle() && !self.writes.any_for(name)) {
            self.groups.remove(name);
        }
    }

    /// What Kafka checks at the door, and that all that may be stored fits into a record.
    fn check(&self, request: &Request) -> Result<(), ErrorCode> {
        check_name(request.group(), matches!(request, Request::Commit(_) | Request::DeleteGroup { .. }))?;
        let Request::Join(join) = request else { return Ok(()) };
        let session = self.config.min_session_timeout_ms..=self.config.max_session_timeout_ms;
        if !session.contains(&join.session_timeout_ms) {
            return Err(ErrorCode::InvalidSessionTimeout);
        }
        let names = [&join.client_id, &join.client_host, &join.protocol_type].into_iter().chain(&join.instance_id);
        let mut names = names.chain(join.protocols.iter().map(|protocol| &protocol.name));
        match names.all(|name| name.len() + MEMBER_ID_SUFFIX_BYTES <= MAX_STRING_BYTES) {
            true => Ok(()),
            false => Err(ErrorCode::InvalidRequest),
        }
    }
}

fn check_name(group: &str, may_be_nameless: bool) -> Result<(), ErrorCode> {
    let is_fine = group.len() <= MAX_STRING_BYTES && (may_be_nameless || !group.is_empty());
    if is_fine { Ok(()) } else { Err(ErrorCode::InvalidGroupId) }
}

/// A dash and a uuid, which make a member id of a client id.
const MEMBER_ID_SUFFIX_BYTES: usize = 37;

/// Whether a group comes into being where there was none: by a new member, or a consumer that only wants its offsets kept.
fn begins_a_group(request: &Request) -> bool {
    match request {
        Request::Join(join) => join.member_id.is_empty(),
        Request::Commit(commit) => commit.generation < 0,
        _ => false,
    }
}

fn unknown_group(request: Request) -> Reply {
    let error = match &request {
        Request::Commit(commit) if !commit.group_not_found_known => ErrorCode::IllegalGeneration,
        Request::Commit(_) | Request::DeleteGroup { .. } | Request::DeleteOffsets(_) => ErrorCode::GroupIdNotFound,
        Request::Leave(_) | Request::Join(_) | Request::Sync(_) | Request::Heartbeat(_) => ErrorCode::UnknownMemberId,
    };
    match request {
        Request::Leave(leave) => Reply::Leave(leave_unknown_group(leave)),
        request => refused(request, error),
    }
}

/// The answer to a request that failed as a whole.
fn refused(request: Request, error: ErrorCode) -> Reply {
    match request {
        Request::Join(join) => Reply::Join(JoinReply::error(error, &join.member_id)),
        Request::Sync(_) => Reply::Sync(SyncReply::error(error)),
        Request::Heartbeat(_) => Reply::Heartbeat(error),
        Request::Leave(_) => Reply::Leave(LeaveReply { error, members: Vec::new() }),
        Request::Commit(commit) => Reply::Commit(commit_error(&commit, error)),
        Request::DeleteGroup { .. } => Reply::DeleteGroup(error),
        Request::DeleteOffsets(_) => Reply::DeleteOffsets(DeleteOffsetsReply { error, topics: Vec::new() }),
    }
}
