//! OffsetCommit: by members, and by consumers that use a group for nothing but their offsets.

use model::ErrorCode;

use super::group::Group;
use super::request::{CommitPartition, CommitRequest, CommitTopic};
use super::turn::Turn;
use super::writes::After;
use super::{CallerId, CommitReply, CommittedPartition, CommittedTopic, GroupState, Reply};
use crate::schema::{Key, KeyValue, MAX_STRING_BYTES, encode_offset};
use crate::store::CommittedOffset;

impl Turn<'_> {
    pub(super) fn commit(&mut self, group: &mut Group, caller: CallerId, request: CommitRequest) {
        if let Err(error) = validate(group, &request) {
            return self.reply(caller, Reply::Commit(commit_error(&request, error)));
        }
        // A commit shows that the member lives.
        if matches!(group.state, GroupState::Stable | GroupState::PreparingRebalance) {
            self.keep_alive(group, &request.member_id);
        }
        let mut records = Vec::new();
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in &request.topics {
            let results = topic.partitions.iter().map(|partition| {
                let error = match self.record(&request, topic, partition) {
                    Ok(record) => {
                        records.push(record);
                        ErrorCode::None
                    }
                    Err(error) => error,
                };
                CommittedPartition { partition: partition.partition, error }
            });
            topics.push(CommittedTopic { name: topic.name.clone(), id: topic.id, partitions: results.collect() });
        }
        let reply = CommitReply { topics };
        if records.is_empty() {
            return self.reply(caller, Reply::Commit(reply));
        }
        let write = self.write(&group.name, records, After::Nothing);
        self.writes.answer_after(write, caller, Reply::Commit(reply));
    }

    fn record(
        &self,
        request: &CommitRequest,
        topic: &CommitTopic,
        partition: &CommitPartition,
    ) -> Result<KeyValue, ErrorCode> {
        let metadata = partition.metadata.as_deref().unwrap_or_default();
        let too_long = metadata.encode_utf16().count() > self.config.offset_metadata_max_chars;
        if too_long || metadata.len() > MAX_STRING_BYTES {
            return Err(ErrorCode::OffsetMetadataTooLarge);
        }
        if topic.name.len() > MAX_STRING_BYTES {
            return Err(ErrorCode::InvalidTopicException);
        }
        let key = Key::Offset { group: &request.group, topic: &topic.name, partition: partition.partition };
        let value = CommittedOffset {
            offset: partition.offset,
            leader_epoch: partition.leader_epoch,
            metadata: metadata.into(),
            commit_timestamp: self.now_ms,
            expire_timestamp: request.retention_ms.map(|retention_ms| self.now_ms.saturating_add(retention_ms)),
            topic_id: topic.id,
            record_offset: -1,
        };
        Ok((key.encode(), Some(encode_offset(&value))))
    }
}

fn validate(group: &Group, request: &CommitRequest) -> Result<(), ErrorCode> {
    // Without a generation it is a consumer that assigns to itself, or an administrator: only as long as there are no members.
    if request.generation < 0 && group.state == GroupState::Empty {
        return Ok(());
    }
    group.validate(&request.member_id, request.instance_id.as_deref())?;
    if request.generation != group.generation {
        return Err(ErrorCode::IllegalGeneration);
    }
    // The member has joined the new generation and must not commit what it owned in the one before.
    if group.state == GroupState::CompletingRebalance {
        return Err(ErrorCode::RebalanceInProgress);
    }
    Ok(())
}

/// The same error for every partition.
pub(super) fn commit_error(request: &CommitRequest, error: ErrorCode) -> CommitReply {
    let refused = |partition: &CommitPartition| CommittedPartition { partition: partition.partition, error };
    let topic = |topic: &CommitTopic| CommittedTopic {
        name: topic.name.clone(),
        id: topic.id,
        partitions: topic.partitions.iter().map(refused).collect(),
    };
    CommitReply { topics: request.topics.iter().map(topic).collect() }
}
