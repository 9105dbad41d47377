//! Writes under way: what each is for, and what is to be answered when its outcome is known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use model::ErrorCode;

use super::group::Contract;
use super::{CallerId, DeleteOffsetsReply, JoinReply, LeaveReply, Reply, SyncReply, WriteId};

/// What comes after a write, besides its answers.
pub(super) enum After {
    /// The leader's assignment: hand it out.
    Assigned { assignments: BTreeMap<String, Bytes> },
    /// A static member that came back into a stable group: let it in under its new id, or put the old one back.
    Renamed(Box<Renamed>),
    /// The group has no members any more.
    Emptied,
    /// The group is gone.
    Deleted,
    /// Nothing.
    Nothing,
}

/// See [`After::Renamed`].
pub(super) struct Renamed {
    pub(super) caller: CallerId,
    pub(super) old_id: Arc<str>,
    pub(super) new_id: Arc<str>,
    pub(super) old_contract: Contract,
    /// Who led under the old ids.
    pub(super) old_leader: Option<Arc<str>>,
    pub(super) generation: i32,
    pub(super) can_skip_assignment: bool,
}

pub(super) struct UnderWay {
    pub(super) group: Arc<str>,
    pub(super) after: After,
    /// Due when the write is applied; if it is not, the same replies with its error.
    pub(super) answers: Vec<(CallerId, Reply)>,
}

/// Bounded by the callers that wait, since a connection has few requests under way, and by the driver's queue.
#[derive(Default)]
pub(super) struct Writes {
    last: u64,
    by_id: BTreeMap<WriteId, UnderWay>,
    by_group: BTreeMap<Arc<str>, BTreeSet<WriteId>>,
}

impl Writes {
    pub(super) fn begin(&mut self, group: &Arc<str>, after: After) -> WriteId {
        self.last += 1;
        let id = WriteId(self.last);
        self.by_id.insert(id, UnderWay { group: group.clone(), after, answers: Vec::new() });
        self.by_group.entry(group.clone()).or_default().insert(id);
        id
    }

    pub(super) fn end(&mut self, id: WriteId) -> Option<UnderWay> {
        let write = self.by_id.remove(&id)?;
        let of_group = self.by_group.get_mut(&write.group).expect("each write is listed under its group");
        of_group.remove(&id);
        if of_group.is_empty() {
            self.by_group.remove(&write.group);
        }
        Some(write)
    }

    /// Lets a caller wait for a write that was begun in this turn.
    pub(super) fn answer_after(&mut self, id: WriteId, caller: CallerId, reply: Reply) {
        self.by_id.get_mut(&id).expect("the write was begun in this turn").answers.push((caller, reply));
    }

    pub(super) fn any_for(&self, group: &str) -> bool {
        self.by_group.contains_key(group)
    }

    /// Partitions whose offsets are being committed for a group, and are not yet in the store.
    pub(super) fn committing(&self, group: &str) -> impl Iterator<Item = (&str, i32)> {
        let writes = self.by_group.get(group).into_iter().flatten();
        let answers = writes.filter_map(|id| self.by_id.get(id)).flat_map(|write| &write.answers);
        let commits =
            answers.filter_map(|(_, reply)| if let Reply::Commit(reply) = reply { Some(reply) } else { None });
        let topics = commits.flat_map(|reply| &reply.topics);
        topics.flat_map(|topic| topic.partitions.iter().map(|partition| (topic.name.as_str(), partition.partition)))
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_group.keys()
    }

    /// Everything under way, in order; then nothing is.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = UnderWay> + use<> {
        self.by_group.clear();
        std::mem::take(&mut self.by_id).into_values()
    }
}

/// The error of an append, as it is told to a client of the coordinator (as Kafka translates it).
pub(super) fn told(append: ErrorCode) -> ErrorCode {
    match append {
        ErrorCode::UnknownTopicOrPartition | ErrorCode::NotEnoughReplicas | ErrorCode::RequestTimedOut => {
            ErrorCode::CoordinatorNotAvailable
        }
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge | ErrorCode::InvalidFetchSize => {
            ErrorCode::UnknownServerError
        }
        other => other,
    }
}

/// The same reply, failed.
pub(super) fn failed(reply: Reply, error: ErrorCode) -> Reply {
    match reply {
        Reply::Join(join) => Reply::Join(JoinReply::error(error, &join.member_id)),
        Reply::Sync(_) => Reply::Sync(SyncReply::error(error)),
        Reply::Heartbeat(_) => Reply::Heartbeat(error),
        Reply::Leave(_) => Reply::Leave(LeaveReply { error, members: Vec::new() }),
        Reply::Commit(mut commit) => {
            for partition in commit.topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
                partition.error = error;
            }
            Reply::Commit(commit)
        }
        Reply::DeleteGroup(_) => Reply::DeleteGroup(error),
        Reply::DeleteOffsets(_) => Reply::DeleteOffsets(DeleteOffsetsReply { error, topics: Vec::new() }),
    }
}
