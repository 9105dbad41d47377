//! Being a member of a consumer group, by the classic protocol (KIP-62, KIP-394): join, sync, heartbeats, commits,
//! leave. Eager: at a rebalance everything is given up and dealt out again, by Kafka's range assignor.
//!
//! ```text
//! loop {
//!     let assigned = member.join().await?;
//!     until member.rebalance() returns: read what is assigned, then member.commit() it
//! }
//! member.leave()
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use model::ErrorCode;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use wire::StrBytes;
use wire::messages::join_group_request::JoinGroupRequestProtocol;
use wire::messages::leave_group_request::MemberIdentity;
use wire::messages::sync_group_request::SyncGroupRequestAssignment;
use wire::messages::{JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, SyncGroupRequest};

mod heartbeat;
pub(crate) mod protocol;

use heartbeat::Pulse;

use crate::connection::Connection;
use crate::groups::{commit_request, group_id, take_commit};
use crate::retry::Retry;
use crate::topics::text;
use crate::{Client, ClientError, TopicPartition};

/// Kafka's word for groups of consumers.
const PROTOCOL_TYPE: &str = "consumer";

/// The assignor that all of Kafka's own consumers know (`partition.assignment.strategy`).
const RANGE: &str = "range";

/// How a member behaves.
#[derive(Clone, Copy, Debug)]
pub struct MemberOptions {
    /// Who is silent for so long is dead, and its partitions are given to others. Kafka's default.
    pub session_timeout: Duration,
    /// How long the others wait for a member at a rebalance, before they go on without it.
    pub rebalance_timeout: Duration,
    /// How often a member says that it is there, and asks whether the group rebalances.
    pub heartbeat_interval: Duration,
    /// How often the member that deals partitions out looks whether there are more of them by now
    /// (`metadata.max.age.ms` of Kafka's consumers).
    pub topics_interval: Duration,
}

impl Default for MemberOptions {
    fn default() -> Self {
        MemberOptions {
            session_timeout: Duration::from_secs(45),
            rebalance_timeout: Duration::from_secs(60),
            heartbeat_interval: Duration::from_secs(1),
            topics_interval: Duration::from_secs(30),
        }
    }
}

/// A member of a consumer group. Dropping it leaves the others to notice: [`leave`](Member::leave) first.
pub struct Member {
    client: Client,
    group: String,
    topics: Vec<String>,
    options: MemberOptions,
    /// As the coordinator gave it; empty before.
    id: String,
    /// To the coordinator, and nobody else's: a join waits for the other members.
    connection: Option<Connection>,
    session: Option<Session>,
}

/// From one rebalance to the next.
struct Session {
    generation: i32,
    pulse: watch::Receiver<Pulse>,
    heart: JoinHandle<()>,
}

/// What the member that deals partitions out has dealt; nothing, if this is another.
#[derive(Default)]
struct Dealt {
    assignments: Vec<SyncGroupRequestAssignment>,
    /// How many partitions each topic had.
    counts: BTreeMap<String, usize>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.heart.abort();
    }
}

impl Member {
    /// A member-to-be of `group` that wants to read `topics`. Asks nobody yet.
    pub fn new(client: Client, group: &str, topics: Vec<String>, options: MemberOptions) -> Self {
        Member { client, group: group.to_owned(), topics, options, id: String::new(), connection: None, session: None }
    }

    /// Joins, or joins again; what it is to read until [`rebalance`](Member::rebalance) returns. Waits for all other
    /// members, and a new group for `group.initial.rebalance.delay.ms`.
    ///
    /// # Errors
    /// What does not pass, such as a group of another protocol (INCONSISTENT_GROUP_PROTOCOL).
    pub async fn join(&mut self) -> Result<Vec<TopicPartition>, ClientError> {
        self.session = None;
        let mut retry = self.client.retry();
        loop {
            let error = match self.try_join().await {
                Ok(assigned) => return Ok(assigned),
                Err(error) => error,
            };
            match error.code() {
                Some(ErrorCode::MemberIdRequired | ErrorCode::RebalanceInProgress) => {}
                Some(ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration) => {
                    self.id.clear();
                    retry.again(error).await?;
                }
                _ => {
                    self.connection = None;
                    retry.after(error).await?;
                }
            }
        }
    }

    /// Returns when what was assigned is to be given up: the group rebalances, or goes on without this member.
    ///
    /// # Errors
    /// The coordinator refuses for good, or was not reached for as long as a session lasts.
    pub async fn rebalance(&mut self) -> Result<(), ClientError> {
        let Some(session) = &mut self.session else { return Ok(()) };
        let pulse = session.pulse.wait_for(|pulse| !matches!(pulse, Pulse::Steady)).await;
        match pulse.as_deref() {
            Ok(Pulse::Failed(why)) => Err(why.clone()),
            _ => Ok(()),
        }
    }

    /// Commits offsets; false if the group went on without this member, which has to join again: others read the same
    /// records then.
    ///
    /// # Errors
    /// What the coordinator refuses otherwise.
    pub async fn commit(&mut self, offsets: &BTreeMap<TopicPartition, i64>) -> Result<bool, ClientError> {
        let Some(generation) = self.session.as_ref().map(|session| session.generation) else { return Ok(false) };
        let request = commit_request(&self.group, Some((&self.id, generation)), offsets);
        let mut retry = self.client.retry();
        loop {
            let answered = async {
                let connection = self.connection().await?;
                take_commit(&self.group, &connection.call(&request).await?)
            };
            let error = match answered.await {
                Ok(()) => return Ok(true),
                Err(error) => error,
            };
            match error.code() {
                Some(ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration | ErrorCode::RebalanceInProgress) => {
                    return Ok(false);
                }
                _ => self.retry(&mut retry, error).await?,
            }
        }
    }

    /// Leaves, so that the others need not wait for the end of the session.
    ///
    /// # Errors
    /// The coordinator cannot be reached.
    pub async fn leave(&mut self) -> Result<(), ClientError> {
        if self.session.take().is_none() {
            // A join may still be waiting there.
            self.connection = None;
        }
        if self.id.is_empty() {
            return Ok(());
        }
        let member = MemberIdentity::default()
            .with_member_id(text(&self.id))
            .with_reason(Some(StrBytes::from_static_str("the command ended")));
        let request = LeaveGroupRequest::default().with_group_id(group_id(&self.group)).with_members(vec![member]);
        let response = self.connection().await?.call(&request).await?;
        self.id.clear();
        ClientError::check(response.error_code, || format!("leaving group {}", self.group), None)
    }

    async fn try_join(&mut self) -> Result<Vec<TopicPartition>, ClientError> {
        let connection = self.connection().await?;
        let what = || format!("joining group {}", self.group);
        let response = connection.call_within(&self.join_request(), self.patience()).await?;
        let code = response.error_code;
        // It comes with MEMBER_ID_REQUIRED, too.
        if !response.member_id.is_empty() {
            self.id = response.member_id.to_string();
        }
        ClientError::check(code, || format!("joining group {}", self.group), None)?;
        let dealt = self.deal(&response).await?;
        let request = SyncGroupRequest::default()
            .with_group_id(group_id(&self.group))
            .with_generation_id(response.generation_id)
            .with_member_id(text(&self.id))
            .with_protocol_type(Some(StrBytes::from_static_str(PROTOCOL_TYPE)))
            .with_protocol_name(response.protocol_name.clone())
            .with_assignments(dealt.assignments);
        let synced = connection.call_within(&request, self.patience()).await?;
        ClientError::check(synced.error_code, what, None)?;
        self.session = Some(self.begin(connection, response.generation_id, dealt.counts));
        Ok(protocol::read_assignment(synced.assignment).unwrap_or_default())
    }

    /// As long as the slowest member may take, and then some.
    fn patience(&self) -> Duration {
        self.options.rebalance_timeout + self.client.options().timeout
    }

    fn join_request(&self) -> JoinGroupRequest {
        let ms = |duration: Duration| i32::try_from(duration.as_millis()).unwrap_or(i32::MAX);
        let range = JoinGroupRequestProtocol::default()
            .with_name(StrBytes::from_static_str(RANGE))
            .with_metadata(protocol::write_subscription(&self.topics));
        JoinGroupRequest::default()
            .with_group_id(group_id(&self.group))
            .with_session_timeout_ms(ms(self.options.session_timeout))
            .with_rebalance_timeout_ms(ms(self.options.rebalance_timeout))
            .with_member_id(text(&self.id))
            .with_protocol_type(StrBytes::from_static_str(PROTOCOL_TYPE))
            .with_protocols(vec![range])
    }

    /// Says what each member is to read, if this is the one that does.
    async fn deal(&self, joined: &JoinGroupResponse) -> Result<Dealt, ClientError> {
        if joined.leader.as_str() != self.id || joined.skip_assignment {
            return Ok(Dealt::default());
        }
        let wanted = joined.members.iter().map(|member| {
            let topics = protocol::read_subscription(member.metadata.clone()).unwrap_or_default();
            (member.member_id.to_string(), topics)
        });
        let members: BTreeMap<String, Vec<String>> = wanted.collect();
        let counts = partition_counts(&self.client, members.values().flatten()).await?;
        let assignments = protocol::range(&members, &counts).into_iter().map(|(member, places)| {
            SyncGroupRequestAssignment::default()
                .with_member_id(text(member))
                .with_assignment(protocol::write_assignment(&places))
        });
        Ok(Dealt { assignments: assignments.collect(), counts })
    }

    fn begin(&self, connection: Connection, generation: i32, counts: BTreeMap<String, usize>) -> Session {
        let (beat, pulse) = watch::channel(Pulse::Steady);
        let heart = heartbeat::Heart {
            client: self.client.clone(),
            group: self.group.clone(),
            member: self.id.clone(),
            generation,
            options: self.options,
            counts,
        };
        Session { generation, pulse, heart: tokio::spawn(heart.run(connection, beat)) }
    }

    async fn connection(&mut self) -> Result<Connection, ClientError> {
        if let Some(connection) = self.connection.as_ref().filter(|connection| connection.is_open()) {
            return Ok(connection.clone());
        }
        let connection = self.client.own_coordinator(&self.group).await?;
        self.connection = Some(connection.clone());
        Ok(connection)
    }

    /// Another coordinator may be there then.
    async fn retry(&mut self, retry: &mut Retry, error: ClientError) -> Result<(), ClientError> {
        self.connection = None;
        retry.after(error).await
    }
}

/// How many partitions these topics have; none, if a topic is not there.
async fn partition_counts(
    client: &Client,
    wanted: impl Iterator<Item = &String>,
) -> Result<BTreeMap<String, usize>, ClientError> {
    let mut counts: BTreeMap<String, usize> = wanted.map(|topic| (topic.clone(), 0)).collect();
    for topic in client.topics().await? {
        if let Some(count) = counts.get_mut(&topic.name) {
            *count = topic.partitions.len();
        }
    }
    Ok(counts)
}
