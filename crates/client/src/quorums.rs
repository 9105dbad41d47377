//! Raft groups, and steering brokers: DescribeQuorum, UnregisterBroker, and the setting that drains brokers.

use model::{BrokerId, ErrorCode};
use wire::messages::describe_quorum_request::TopicData;
use wire::messages::describe_quorum_response::{Node, PartitionData, ReplicaState};
use wire::messages::{
    DescribeQuorumRequest, DescribeQuorumResponse, TopicName, UnregisterBrokerRequest, describe_quorum_request,
};

use crate::settings::{Change, Resource};
use crate::topics::text;
use crate::{Address, Client, ClientError};

/// The setting of all brokers that names those which are drained.
const DRAINED: &str = "drained.brokers";

/// A Raft group as its leader describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// A shard's number; 0 for the controller.
    pub group: i32,
    /// Nobody during an election.
    pub leader: Option<BrokerId>,
    /// Grows with each election.
    pub term: i32,
    /// Who votes.
    pub voters: Vec<QuorumMember>,
    /// Who only follows: for good (the controller's), or until it has caught up.
    pub observers: Vec<QuorumMember>,
}

/// A member of a Raft group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumMember {
    /// The broker.
    pub id: BrokerId,
    /// Entries that the leader has and it has not, as far as is known.
    pub lag: Option<i64>,
    /// When it last had all that the leader had, in ms since the epoch.
    pub caught_up_ms: Option<i64>,
}

impl Client {
    /// The controller's group.
    ///
    /// # Errors
    /// If no broker can be reached, or the group has no leader.
    pub async fn controller(&self) -> Result<Quorum, ClientError> {
        let found = self.quorums("__cluster_metadata", vec![0]).await?.into_iter().next();
        found.ok_or_else(|| ClientError::Invalid("an empty answer to DescribeQuorum".to_owned()))
    }

    /// The groups of all shards; none from brokers that have no shards.
    ///
    /// # Errors
    /// If no broker can be reached.
    pub async fn shards(&self) -> Result<Vec<Quorum>, ClientError> {
        self.quorums("__shard", Vec::new()).await
    }

    async fn quorums(&self, name: &str, partitions: Vec<i32>) -> Result<Vec<Quorum>, ClientError> {
        let response = self.ask_quorums(name, partitions).await?;
        Ok(response.topics.iter().flat_map(|topic| &topic.partitions).map(quorum).collect())
    }

    async fn ask_quorums(&self, name: &str, partitions: Vec<i32>) -> Result<DescribeQuorumResponse, ClientError> {
        let partition = |index| describe_quorum_request::PartitionData::default().with_partition_index(index);
        let topic = TopicData::default()
            .with_topic_name(TopicName(text(name)))
            .with_partitions(partitions.into_iter().map(partition).collect());
        let request = DescribeQuorumRequest::default().with_topics(vec![topic]);
        let mut retry = self.retry();
        loop {
            let response = self.ask(&request).await?;
            let what = || "describing Raft groups".to_owned();
            match ClientError::check(response.error_code, what, response.error_message.as_ref()) {
                Ok(()) => return Ok(response),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// Where the brokers reach each other, by their ids; nothing of one that has no port for others.
    ///
    /// # Errors
    /// If no broker can be reached.
    pub async fn cluster_ports(&self) -> Result<Vec<(BrokerId, Address)>, ClientError> {
        let response = self.ask_quorums("__cluster_metadata", vec![0]).await?;
        let port = |node: &Node| {
            let place = node.listeners.iter().find(|listener| listener.name.as_str() == "CLUSTER")?;
            Some((BrokerId(node.node_id.0), Address { host: place.host.to_string(), port: place.port }))
        };
        let mut ports: Vec<(BrokerId, Address)> = response.nodes.iter().filter_map(port).collect();
        ports.sort_by_key(|(id, _)| *id);
        Ok(ports)
    }

    /// Forgets a broker for good, which must carry nothing.
    ///
    /// # Errors
    /// What is refused, with what to do about it.
    pub async fn unregister_broker(&self, id: BrokerId) -> Result<(), ClientError> {
        let request = UnregisterBrokerRequest::default().with_broker_id(wire::messages::BrokerId(id.0));
        let response = self.ask(&request).await?;
        ClientError::check(response.error_code, || format!("removing broker {id}"), response.error_message.as_ref())
    }

    /// The brokers that are drained, or on the way there.
    ///
    /// # Errors
    /// If no broker can be reached.
    pub async fn drained_brokers(&self) -> Result<Vec<BrokerId>, ClientError> {
        let settings = self.settings(&Resource::AllBrokers).await?;
        let list = settings.into_iter().find(|setting| setting.name == DRAINED).and_then(|setting| setting.value);
        let ids = list.unwrap_or_default();
        Ok(ids.split(',').filter_map(|id| id.trim().parse().ok()).map(BrokerId).collect())
    }

    /// Has a broker carry nothing, or carry something again. Others take over in the background.
    ///
    /// # Errors
    /// What is refused, such as a broker that is not known.
    pub async fn drain_broker(&self, id: BrokerId, is_drained: bool) -> Result<(), ClientError> {
        let change = if is_drained { Change::Append(id.to_string()) } else { Change::Subtract(id.to_string()) };
        self.alter_settings(&Resource::AllBrokers, &[(DRAINED.to_owned(), change)], false).await
    }
}

fn quorum(described: &PartitionData) -> Quorum {
    let leader = Some(BrokerId(described.leader_id.0))
        .filter(|id| id.0 >= 0 && ErrorCode::from_code(described.error_code) == ErrorCode::None);
    let all = described.current_voters.iter().chain(&described.observers);
    let end = all.filter(|state| Some(BrokerId(state.replica_id.0)) == leader).map(|state| state.log_end_offset).max();
    let members = |states: &[ReplicaState]| {
        let mut members: Vec<QuorumMember> = states.iter().map(|state| member(state, end)).collect();
        members.sort_by_key(|member| member.id);
        members
    };
    Quorum {
        group: described.partition_index,
        leader,
        term: described.leader_epoch,
        voters: members(&described.current_voters),
        observers: members(&described.observers),
    }
}

fn member(state: &ReplicaState, end: Option<i64>) -> QuorumMember {
    let known = |value: i64| Some(value).filter(|value| *value >= 0);
    QuorumMember {
        id: BrokerId(state.replica_id.0),
        lag: end.zip(known(state.log_end_offset)).map(|(end, own)| (end - own).max(0)),
        caught_up_ms: known(state.last_caught_up_timestamp),
    }
}

impl Quorum {
    /// All members, by their ids.
    pub fn members(&self) -> impl Iterator<Item = &QuorumMember> {
        self.voters.iter().chain(&self.observers)
    }
}
