//! Consumer groups: who is in them, what they have committed, and moving that.

use std::collections::BTreeMap;

use model::{BrokerId, ErrorCode};
use wire::StrBytes;
use wire::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use wire::messages::list_groups_response::ListedGroup;
use wire::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use wire::messages::offset_fetch_request::OffsetFetchRequestGroup;
use wire::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, FindCoordinatorRequest, GroupId, ListGroupsRequest,
    OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest, Request, TopicName,
};

use crate::connection::Connection;
use crate::member::protocol::read_assignment;
use crate::topics::text;
use crate::{Client, ClientError};

/// The kind of key that FindCoordinator finds a group by.
const GROUP: i8 = 0;

/// A commit by somebody who is no member of the group.
const NO_GENERATION: i32 = -1;

/// A partition by its topic's name and its index.
pub type TopicPartition = (String, i32);

/// A line of the list of groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupListing {
    /// Its `group.id`.
    pub id: String,
    /// Kafka's name of it: `Stable`, `Empty`, ...
    pub state: String,
    /// `classic`, `consumer`, `share`.
    pub kind: String,
}

/// A group and its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its `group.id`.
    pub id: String,
    /// Kafka's name of it: `Stable`, `Empty`, ...
    pub state: String,
    /// The assignor that its members agreed on; empty without members.
    pub assignor: String,
    /// Who is responsible for it.
    pub coordinator: BrokerId,
    /// In the order of their ids.
    pub members: Vec<GroupMember>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// Its id, given by the coordinator.
    pub id: String,
    /// `client.id`
    pub client_id: String,
    /// Where it is, as the coordinator sees it.
    pub host: String,
    /// What it reads, as far as its assignment can be understood.
    pub partitions: Vec<TopicPartition>,
}

impl Client {
    /// All groups of the cluster, by id.
    ///
    /// # Errors
    /// If one of the brokers cannot be reached: its groups would be missing.
    pub async fn groups(&self) -> Result<Vec<GroupListing>, ClientError> {
        self.topics().await?; // which tells where brokers are
        let mut groups = Vec::new();
        for broker in self.describe_cluster().await?.brokers {
            let connection = self.broker(broker.id).await?;
            let response = connection.call(&ListGroupsRequest::default()).await?;
            check(response.error_code, || format!("listing the groups of broker {}", broker.id), None)?;
            groups.extend(response.groups.iter().map(listing));
        }
        groups.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(groups)
    }

    /// One group with its members.
    ///
    /// # Errors
    /// `GROUP_ID_NOT_FOUND` if there is none of this name.
    pub async fn group(&self, id: &str) -> Result<Group, ClientError> {
        let request = DescribeGroupsRequest::default().with_groups(vec![group_id(id)]);
        let what = || format!("describing group {id}");
        self.at_coordinator(id, &request, |coordinator, response| {
            let described = response.groups.into_iter().next().ok_or_else(|| empty("DescribeGroups"))?;
            check(described.error_code, what, described.error_message.as_ref())?;
            // Kafka says so of groups that never were, in versions without an error for it.
            if described.group_state.as_str() == "Dead" {
                return Err(ClientError::refused(what(), ErrorCode::GroupIdNotFound, None));
            }
            Ok(group(coordinator, described))
        })
        .await
    }

    /// What a group has committed, of all topics.
    ///
    /// # Errors
    /// What the coordinator refuses.
    pub async fn committed(&self, id: &str) -> Result<BTreeMap<TopicPartition, i64>, ClientError> {
        let asked = OffsetFetchRequestGroup::default().with_group_id(group_id(id)).with_topics(None);
        let request = OffsetFetchRequest::default().with_groups(vec![asked]);
        let what = || format!("reading the offsets of group {id}");
        self.at_coordinator(id, &request, |_, response| {
            let group = response.groups.into_iter().next().ok_or_else(|| empty("OffsetFetch"))?;
            check(group.error_code, what, None)?;
            let mut committed = BTreeMap::new();
            for topic in group.topics {
                for partition in topic.partitions.iter().filter(|partition| partition.committed_offset >= 0) {
                    let at = (topic.name.to_string(), partition.partition_index);
                    committed.insert(at, partition.committed_offset);
                }
            }
            Ok(committed)
        })
        .await
    }

    /// Commits offsets for a group that nobody is a member of.
    ///
    /// # Errors
    /// `UNKNOWN_MEMBER_ID` while it has members.
    pub async fn commit(&self, id: &str, offsets: &BTreeMap<TopicPartition, i64>) -> Result<(), ClientError> {
        let request = commit_request(id, None, offsets);
        self.at_coordinator(id, &request, |_, response| take_commit(id, &response)).await
    }

    /// Deletes a group that nobody is a member of, with its offsets.
    ///
    /// # Errors
    /// `NON_EMPTY_GROUP` while it has members, `GROUP_ID_NOT_FOUND` if there is none.
    pub async fn delete_group(&self, id: &str) -> Result<(), ClientError> {
        let request = DeleteGroupsRequest::default().with_groups_names(vec![group_id(id)]);
        self.at_coordinator(id, &request, |_, response| {
            let result = response.results.first().ok_or_else(|| empty("DeleteGroups"))?;
            check(result.error_code, || format!("deleting group {id}"), None)
        })
        .await
    }

    /// Asks a group's coordinator, and tries again while it moves.
    async fn at_coordinator<R: Request, T>(
        &self,
        group: &str,
        request: &R,
        take: impl Fn(BrokerId, R::Response) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let mut retry = self.retry();
        loop {
            let answered = async {
                let (coordinator, connection) = self.coordinator(group).await?;
                take(coordinator, connection.call(request).await?)
            };
            match answered.await {
                Ok(taken) => return Ok(taken),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// A connection to a group's coordinator that nobody shares.
    pub(crate) async fn own_coordinator(&self, group: &str) -> Result<Connection, ClientError> {
        let (id, _) = self.coordinator(group).await?;
        self.own_connection(id).await
    }

    async fn coordinator(&self, group: &str) -> Result<(BrokerId, Connection), ClientError> {
        let request = FindCoordinatorRequest::default().with_key_type(GROUP).with_coordinator_keys(vec![text(group)]);
        let response = self.ask(&request).await?;
        let found = response.coordinators.into_iter().next().ok_or_else(|| empty("FindCoordinator"))?;
        check(found.error_code, || format!("finding the coordinator of group {group}"), found.error_message.as_ref())?;
        let id = BrokerId(found.node_id.0);
        if let Ok(connection) = self.broker(id).await {
            return Ok((id, connection));
        }
        self.topics().await?; // which tells where brokers are
        Ok((id, self.broker(id).await?))
    }
}

/// A commit by a member in a generation, or by somebody who is none.
pub(crate) fn commit_request(
    group: &str,
    member: Option<(&str, i32)>,
    offsets: &BTreeMap<TopicPartition, i64>,
) -> OffsetCommitRequest {
    let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
    for ((topic, index), offset) in offsets {
        let partition = OffsetCommitRequestPartition::default()
            .with_partition_index(*index)
            .with_committed_offset(*offset)
            .with_committed_metadata(Some(StrBytes::default()));
        topics.entry(topic).or_default().push(partition);
    }
    let topics = topics.into_iter().map(|(name, partitions)| {
        OffsetCommitRequestTopic::default().with_name(TopicName(text(name))).with_partitions(partitions)
    });
    let (member, generation) = member.unwrap_or(("", NO_GENERATION));
    OffsetCommitRequest::default()
        .with_group_id(group_id(group))
        .with_member_id(text(member))
        .with_generation_id_or_member_epoch(generation)
        .with_topics(topics.collect())
}

/// Whether all was committed.
pub(crate) fn take_commit(group: &str, response: &OffsetCommitResponse) -> Result<(), ClientError> {
    for topic in &response.topics {
        for partition in &topic.partitions {
            let place = || format!("committing {}-{} for group {group}", *topic.name, partition.partition_index);
            check(partition.error_code, place, None)?;
        }
    }
    Ok(())
}

pub(crate) fn group_id(id: &str) -> GroupId {
    GroupId(text(id))
}

fn empty(api: &str) -> ClientError {
    ClientError::Invalid(format!("an empty answer to {api}"))
}

fn check(code: i16, what: impl FnOnce() -> String, message: Option<&StrBytes>) -> Result<(), ClientError> {
    // What the coordinator says to somebody who is no member.
    const HAS_MEMBERS: [ErrorCode; 2] = [ErrorCode::NonEmptyGroup, ErrorCode::UnknownMemberId];
    let remedy = StrBytes::from_static_str("the group has members: stop them first");
    let message = if HAS_MEMBERS.contains(&ErrorCode::from_code(code)) { Some(&remedy) } else { message };
    ClientError::check(code, what, message)
}

fn listing(listed: &ListedGroup) -> GroupListing {
    GroupListing {
        id: listed.group_id.to_string(),
        state: listed.group_state.to_string(),
        kind: listed.group_type.to_string(),
    }
}

fn group(coordinator: BrokerId, described: DescribedGroup) -> Group {
    let mut members: Vec<GroupMember> = described.members.into_iter().map(member).collect();
    members.sort_by(|one, other| one.id.cmp(&other.id));
    Group {
        id: described.group_id.to_string(),
        state: described.group_state.to_string(),
        assignor: described.protocol_data.to_string(),
        coordinator,
        members,
    }
}

fn member(described: DescribedGroupMember) -> GroupMember {
    GroupMember {
        id: described.member_id.to_string(),
        client_id: described.client_id.to_string(),
        host: described.client_host.trim_start_matches('/').to_owned(),
        partitions: read_assignment(described.member_assignment).unwrap_or_default(),
    }
}
