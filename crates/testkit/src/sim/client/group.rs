//! What members and onlookers ask of a group's coordinator.

use std::collections::BTreeMap;

use model::ErrorCode;
use wire::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use wire::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use wire::messages::{GroupId, OffsetCommitRequest, OffsetFetchRequest, OffsetFetchResponse, TopicName};
use wire::{ApiKey, StrBytes};

use super::Habitat;
use super::connection::{Connection, Gone};
use crate::sim::promises::Rule;
use crate::sim::topics::Place;

/// What tells a member that it has to join again.
pub(super) const REJOIN: [ErrorCode; 5] = [
    ErrorCode::RebalanceInProgress,
    ErrorCode::IllegalGeneration,
    ErrorCode::UnknownMemberId,
    ErrorCode::NotCoordinator,
    ErrorCode::FencedInstanceId,
];

pub(super) fn group_id(group: &str) -> GroupId {
    GroupId(text(group))
}

pub(super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// Who commits: nobody in particular (a group without members), or a member in a generation.
pub(super) struct Committer<'a> {
    pub(super) habitat: &'a Habitat,
    pub(super) group: &'a str,
    pub(super) member: &'a str,
    pub(super) generation: i32,
}

impl Committer<'_> {
    /// Commits positions; an error is what the coordinator said to one of them.
    pub(super) async fn commit(
        &self,
        connection: &mut Connection,
        positions: &[(Place, i64)],
    ) -> Result<Result<(), ErrorCode>, Gone> {
        let world = &self.habitat.world;
        let commit = world.number();
        // Version 10 knows topics by id alone.
        let version = connection.version(ApiKey::OffsetCommit, 2, 9);
        let topics = positions.iter().map(|(place, offset)| {
            world.promises(|promises| promises.commits.asked(self.group, &place.at, commit, *offset));
            let partition = OffsetCommitRequestPartition::default()
                .with_partition_index(place.index)
                .with_committed_offset(*offset)
                .with_committed_leader_epoch(-1)
                .with_committed_metadata(Some(text(&commit.to_string())));
            let name = TopicName(text(&place.topic.name));
            OffsetCommitRequestTopic::default().with_name(name).with_partitions(vec![partition])
        });
        let request = OffsetCommitRequest::default()
            .with_group_id(group_id(self.group))
            .with_generation_id_or_member_epoch(self.generation)
            .with_member_id(text(self.member))
            .with_retention_time_ms(-1)
            .with_topics(topics.collect());
        let response = connection.call(version, &request).await?;
        let mut outcome = Ok(());
        for topic in response.topics {
            for answer in topic.partitions {
                let asked = |(place, _): &&(Place, i64)| {
                    place.index == answer.partition_index && place.topic.name == *topic.name.0
                };
                let Some((place, _)) = positions.iter().find(asked) else { continue };
                let judged = connection.judge(ApiKey::OffsetCommit, answer.error_code, &REJOIN);
                match judged {
                    Ok(()) => world.count("offsets committed"),
                    Err(error) => outcome = Err(error),
                }
                if judged.is_ok() || is_refusal(answer.error_code) {
                    let done = judged.is_ok();
                    world.promises(|promises| promises.commits.answered(self.group, &place.at, commit, done));
                }
            }
        }
        Ok(outcome)
    }
}

/// Whether an error says that nothing was written; after others it may have been.
fn is_refusal(code: i16) -> bool {
    use ErrorCode::{IllegalGeneration, RebalanceInProgress, UnknownMemberId};
    matches!(ErrorCode::from_code(code), IllegalGeneration | RebalanceInProgress | UnknownMemberId)
}

/// What a group has committed of some partitions: -1 where it has not. None if the coordinator can't tell now.
pub(crate) async fn committed(
    habitat: &Habitat,
    connection: &mut Connection,
    group: &str,
    places: &[Place],
) -> Result<Option<Vec<i64>>, Gone> {
    let world = &habitat.world;
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    places.iter().for_each(|place| topics.entry(&place.topic.name).or_default().push(place.index));
    let topics = topics.into_iter().map(|(name, indexes)| {
        OffsetFetchRequestTopics::default().with_name(TopicName(text(name))).with_partition_indexes(indexes)
    });
    let asked = OffsetFetchRequestGroup::default()
        .with_group_id(group_id(group))
        .with_member_epoch(-1)
        .with_topics(Some(topics.collect()));
    let request = OffsetFetchRequest::default().with_groups(vec![asked]);
    let version = connection.version(ApiKey::OffsetFetch, 1, 9);
    let since = world.promises(|promises| promises.commits.looking());
    let response = connection.call(version, &request).await?;
    let Some(found) = offsets(connection, &response) else { return Ok(None) };
    let mut positions = Vec::with_capacity(places.len());
    for place in places {
        let Some((offset, metadata)) = found.get(&(place.topic.name.clone(), place.index)) else {
            world.found(Rule::UnexpectedAnswer, format!("an offset fetch of {group} left out {}", place.at));
            return Ok(None);
        };
        let shown = (*offset >= 0).then(|| (metadata.parse().unwrap_or(u64::MAX), *offset));
        world.hold(|promises| promises.commits.shown(group, &place.at, since, shown));
        positions.push(*offset);
    }
    Ok(Some(positions))
}

type Offsets = BTreeMap<(String, i32), (i64, String)>;

fn offsets(connection: &Connection, response: &OffsetFetchResponse) -> Option<Offsets> {
    let group = response.groups.first()?;
    connection.judge(ApiKey::OffsetFetch, group.error_code, &[ErrorCode::NotCoordinator]).ok()?;
    let mut found = Offsets::new();
    for topic in &group.topics {
        for answer in &topic.partitions {
            connection.judge(ApiKey::OffsetFetch, answer.error_code, &[ErrorCode::NotCoordinator]).ok()?;
            let metadata = answer.metadata.as_ref().map_or_else(String::new, ToString::to_string);
            found.insert((topic.name.to_string(), answer.partition_index), (answer.committed_offset, metadata));
        }
    }
    Some(found)
}
