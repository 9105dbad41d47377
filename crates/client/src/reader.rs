//! Reading partitions of a topic from given offsets on.
//!
//! The next fetch from each leader is on its way while the records of the last are looked at, and no more than that:
//! so memory is bounded by [`ReaderOptions::max_bytes`], twice for each leader.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use model::{BrokerId, ErrorCode};
use tokio::task::JoinSet;
use wire::messages::fetch_request::{FetchPartition, FetchTopic};
use wire::messages::fetch_response::PartitionData;
use wire::messages::{FetchRequest, FetchResponse};

mod fetched;

pub use fetched::Fetched;

use crate::connection::Connection;
use crate::retry::Retry;
use crate::topics::text;
use crate::{Client, ClientError, OffsetAt, Topic};

/// How records are fetched.
#[derive(Clone, Copy, Debug)]
pub struct ReaderOptions {
    /// How long a leader waits for records to come.
    pub max_wait: Duration,
    /// Bytes in one answer; one batch may be larger.
    pub max_bytes: i32,
    /// Bytes of one partition in it.
    pub partition_max_bytes: i32,
}

impl Default for ReaderOptions {
    fn default() -> Self {
        ReaderOptions {
            max_wait: Duration::from_millis(500),
            max_bytes: 8 * 1024 * 1024,
            partition_max_bytes: 4 * 1024 * 1024,
        }
    }
}

/// Reads some partitions of one topic.
pub struct Reader {
    client: Client,
    topic: Topic,
    options: ReaderOptions,
    positions: BTreeMap<i32, i64>,
    /// In which order leaders are asked: who gave records goes to the end, so that none starves.
    order: VecDeque<i32>,
    flights: JoinSet<Landed>,
    /// Leaders with a fetch on its way.
    asked: Vec<BrokerId>,
    idle: BTreeMap<BrokerId, Connection>,
    retry: Retry,
}

/// A fetch that came back.
struct Landed {
    leader: BrokerId,
    response: Result<(Connection, FetchResponse), ClientError>,
}

impl Reader {
    /// A reader of the partitions in `positions`, from these offsets on. Asks nobody yet.
    pub fn new(client: Client, topic: Topic, positions: BTreeMap<i32, i64>, options: ReaderOptions) -> Self {
        Reader {
            retry: client.retry(),
            order: positions.keys().copied().collect(),
            client,
            topic,
            options,
            positions,
            flights: JoinSet::new(),
            asked: Vec::new(),
            idle: BTreeMap::new(),
        }
    }

    /// The offset of the next record of each partition.
    pub fn positions(&self) -> &BTreeMap<i32, i64> {
        &self.positions
    }

    /// What came next; nothing if there was nothing new for [`ReaderOptions::max_wait`].
    ///
    /// # Errors
    /// What does not pass: the topic is gone, a partition cannot be read, no leader is back in time.
    pub async fn next(&mut self) -> Result<Vec<Fetched>, ClientError> {
        loop {
            match self.step().await {
                Ok(fetched) => {
                    self.retry.succeeded();
                    return Ok(fetched);
                }
                Err(error) => {
                    self.retry.after(error).await?;
                    self.topic = self.client.topic(&self.topic.name).await?;
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Vec<Fetched>, ClientError> {
        let leaderless = self.launch();
        let Some(landed) = self.flights.join_next().await else {
            return Err(leaderless.unwrap_or_else(|| ClientError::Invalid("no partition is to be read".to_owned())));
        };
        let landed = landed.map_err(|why| ClientError::Invalid(format!("a fetch was not sent: {why}")))?;
        self.asked.retain(|leader| *leader != landed.leader);
        let (connection, response) = landed.response?;
        self.idle.insert(landed.leader, connection);
        let fetched = self.take(response).await?;
        self.launch();
        match leaderless {
            Some(error) if fetched.is_empty() => Err(error),
            _ => Ok(fetched),
        }
    }

    /// Sends a fetch to each leader that has none on its way. Partitions without a leader are left out, which is the
    /// error.
    fn launch(&mut self) -> Option<ClientError> {
        let mut wanted: BTreeMap<BrokerId, Vec<FetchPartition>> = BTreeMap::new();
        let mut leaderless = None;
        for partition in &self.order {
            match self.topic.leader(*partition) {
                Ok(leader) if self.asked.contains(&leader) => {}
                Ok(leader) => wanted.entry(leader).or_default().push(self.wanted(*partition)),
                Err(error) => leaderless = Some(error),
            }
        }
        for (leader, partitions) in wanted {
            let request = self.request(partitions);
            let client = self.client.clone();
            let limit = self.options.max_wait + client.options().timeout;
            let idle = self.idle.remove(&leader).filter(Connection::is_open);
            self.asked.push(leader);
            self.flights
                .spawn(async move { Landed { leader, response: fetch(client, leader, idle, request, limit).await } });
        }
        leaderless
    }

    fn wanted(&self, partition: i32) -> FetchPartition {
        FetchPartition::default()
            .with_partition(partition)
            .with_fetch_offset(self.positions[&partition])
            .with_partition_max_bytes(self.options.partition_max_bytes)
    }

    /// Outside of any session (KIP-227), which is the default.
    fn request(&self, partitions: Vec<FetchPartition>) -> FetchRequest {
        let topic = FetchTopic::default()
            .with_topic(wire::messages::TopicName(text(&self.topic.name)))
            .with_topic_id(self.topic.id.0)
            .with_partitions(partitions);
        FetchRequest::default()
            .with_max_wait_ms(i32::try_from(self.options.max_wait.as_millis()).unwrap_or(i32::MAX))
            .with_min_bytes(1)
            .with_max_bytes(self.options.max_bytes)
            .with_topics(vec![topic])
    }

    async fn take(&mut self, response: FetchResponse) -> Result<Vec<Fetched>, ClientError> {
        ClientError::check(response.error_code, || format!("reading {}", self.topic.name), None)?;
        let mut all = Vec::new();
        let mut failed = None;
        for data in response.responses.into_iter().flat_map(|topic| topic.partitions) {
            match self.take_one(data).await {
                Ok(fetched) => all.extend(fetched),
                Err(error) => failed = Some(error),
            }
        }
        // What was read is not read again; an error that lasts will be there next time.
        match failed {
            Some(error) if all.is_empty() => Err(error),
            _ => Ok(all),
        }
    }

    async fn take_one(&mut self, data: PartitionData) -> Result<Option<Fetched>, ClientError> {
        let index = data.partition_index;
        let Some(position) = self.positions.get(&index).copied() else { return Ok(None) };
        match ErrorCode::from_code(data.error_code) {
            ErrorCode::None => {}
            ErrorCode::OffsetOutOfRange => return self.start_over(index).await.map(|()| None),
            code => return Err(ClientError::refused(format!("reading {}-{index}", self.topic.name), code, None)),
        }
        let records = data.records.unwrap_or_default();
        let fetched = Fetched::new(&self.topic.name, index, position, data.high_watermark, records)?;
        if let Some(fetched) = &fetched {
            self.positions.insert(index, fetched.next_offset());
            self.order.retain(|partition| *partition != index);
            self.order.push_back(index);
        }
        Ok(fetched)
    }

    /// Retention was faster than we, or the topic was made anew: what there is begins elsewhere.
    async fn start_over(&mut self, partition: i32) -> Result<(), ClientError> {
        let found = self.client.list_offsets(&self.topic, &[partition], OffsetAt::Start).await?;
        let start = found.get(&partition).copied().unwrap_or(0);
        self.positions.insert(partition, start);
        Ok(())
    }
}

async fn fetch(
    client: Client,
    leader: BrokerId,
    idle: Option<Connection>,
    request: FetchRequest,
    limit: Duration,
) -> Result<(Connection, FetchResponse), ClientError> {
    let connection = match idle {
        Some(connection) => connection,
        None => client.own_connection(leader).await?,
    };
    let response = connection.call_within(&request, limit).await?;
    Ok((connection, response))
}
