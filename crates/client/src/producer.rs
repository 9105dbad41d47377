//! Sending records: batched by partition while a request is in flight, acknowledged by all in-sync replicas (unless
//! [`Acks`] says otherwise), and in the partition once however often they had to be sent (KIP-98).
//!
//! One request to each leader is in flight at a time, so order needs no further care. What comes in meanwhile makes
//! the next batches: a single line goes out at once, a flood in batches of [`ProducerOptions::batch_bytes`].

use std::sync::Arc;

use model::{Clock, ErrorCode, SystemClock};
use record::{Compression, Header};
use wire::messages::InitProducerIdRequest;

mod batch;
mod buffer;
mod delivery;

use batch::Identity;
use buffer::{Buffer, Shared};

use crate::{Client, ClientError, Topic};

/// The largest record that is sent. Brokers allow a MiB unless told otherwise; this only bounds our memory.
const MAX_RECORD_BYTES: usize = 64 * 1024 * 1024;

/// Who has to have a record before it counts as written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acks {
    /// Nobody: it has left this machine, and may be lost or written out of order.
    None,
    /// The leader of its partition.
    Leader,
    /// All in-sync replicas. Only then is what has to be sent again in the log once (KIP-98).
    All,
}

impl Acks {
    fn on_the_wire(self) -> i16 {
        match self {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }
}

/// Told of each batch that was acknowledged: the partition, and how many records. Those of a partition are
/// acknowledged in the order in which they were sent.
pub type OnWritten = Arc<dyn Fn(i32, u32) + Send + Sync>;

/// How records are batched.
#[derive(Clone)]
pub struct ProducerOptions {
    /// When a record counts as written.
    pub acks: Acks,
    /// The codec of batches.
    pub compression: Compression,
    /// Bytes of records in a batch, before compression. The default fits the default of `max.message.bytes`.
    pub batch_bytes: usize,
    /// Bytes of records that are not acknowledged yet, before sending waits.
    pub buffer_bytes: usize,
    /// Which partition records without a key begin with (modulo their number): give a random one, lest many short
    /// producers all write to the first.
    pub first_partition: u32,
    /// Stamps records that have no timestamp.
    pub clock: Arc<dyn Clock>,
    /// Told of what is written.
    pub on_written: Option<OnWritten>,
}

impl Default for ProducerOptions {
    fn default() -> Self {
        ProducerOptions {
            acks: Acks::All,
            compression: Compression::None,
            batch_bytes: 1_000_000,
            buffer_bytes: 16 * 1024 * 1024,
            first_partition: 0,
            clock: Arc::new(SystemClock),
            on_written: None,
        }
    }
}

/// A record to be sent.
#[derive(Clone, Copy, Default, Debug)]
pub struct Record<'a> {
    /// Where to; by the key's hash if not said, and without a key batch by batch in turn (KIP-480).
    pub partition: Option<i32>,
    /// In ms since the epoch; now, if not said.
    pub timestamp: Option<i64>,
    /// What partitioning and compaction go by.
    pub key: Option<&'a [u8]>,
    /// The payload; none is a tombstone.
    pub value: Option<&'a [u8]>,
    /// In order; keys may repeat.
    pub headers: &'a [Header<'a>],
}

impl Record<'_> {
    /// At least what it takes in a batch.
    fn size_bytes(&self) -> usize {
        const OVERHEAD_BYTES: usize = 32;
        let headers = self.headers.iter().map(|header| 10 + header.key.len() + header.value.map_or(0, <[u8]>::len));
        OVERHEAD_BYTES + self.key.map_or(0, <[u8]>::len) + self.value.map_or(0, <[u8]>::len) + headers.sum::<usize>()
    }
}

/// What was acknowledged.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Written {
    /// Records.
    pub records: u64,
    /// Partition and offset of the last record of the latest batch, if the broker said.
    pub last: Option<(i32, i64)>,
}

/// Sends records to one topic. Dropping it gives up what is not acknowledged: [`flush`](Producer::flush) first.
pub struct Producer {
    topic: String,
    options: ProducerOptions,
    partitions: usize,
    shared: Arc<Shared>,
    delivery: tokio::task::JoinHandle<()>,
}

impl Producer {
    /// A producer for `topic`. Asks the broker for a producer id.
    ///
    /// # Errors
    /// If no broker can be reached.
    pub async fn start(client: Client, topic: Topic, options: ProducerOptions) -> Result<Self, ClientError> {
        let identity = match options.acks {
            Acks::All => identity(&client).await?,
            Acks::None | Acks::Leader => Identity::NONE,
        };
        let partitions = topic.partitions.len().max(1);
        let buffer = Buffer::new(identity, &options, partitions);
        let shared = Arc::new(Shared::new(buffer, options.on_written.clone()));
        let name = topic.name.clone();
        let delivery = tokio::spawn(delivery::run(client, topic, options.acks, shared.clone()));
        Ok(Producer { topic: name, options, partitions, shared, delivery })
    }

    /// Takes a record; waits while the buffer is full.
    ///
    /// # Errors
    /// A partition that is not there, a record beyond all bounds, or why an earlier record could not be written: then
    /// nothing more is sent.
    pub async fn send(&mut self, record: Record<'_>) -> Result<(), ClientError> {
        self.check(&record)?;
        let partition =
            record.partition.or_else(|| record.key.map(|key| crate::partition_for_key(key, self.partitions)));
        let timestamp = record.timestamp.unwrap_or_else(|| self.options.clock.now_ms());
        let size = record.size_bytes();
        self.shared.room(self.options.buffer_bytes).await?;
        loop {
            let full = self.shared.lock().push(partition, timestamp, &record, size);
            let Some(full) = full else { break };
            // Compresses outside of the lock. Nothing of its partition is open meanwhile, so order is kept.
            let batch = full.build()?;
            self.shared.lock().close(batch);
        }
        self.shared.work.notify_one();
        Ok(())
    }

    /// Waits until all that was sent is acknowledged.
    ///
    /// # Errors
    /// Why a record could not be written.
    pub async fn flush(&mut self) -> Result<Written, ClientError> {
        self.shared.room(1).await?;
        Ok(self.written())
    }

    /// What has been acknowledged so far.
    pub fn written(&self) -> Written {
        self.shared.lock().written()
    }

    fn check(&self, record: &Record<'_>) -> Result<(), ClientError> {
        if let Some(partition) = record.partition
            && !usize::try_from(partition).is_ok_and(|partition| partition < self.partitions)
        {
            return Err(ClientError::UnknownPartition { topic: self.topic.clone(), partition, count: self.partitions });
        }
        match record.size_bytes() {
            size if size > MAX_RECORD_BYTES => Err(ClientError::Invalid(format!(
                "a record of {size} bytes is more than this client sends: {MAX_RECORD_BYTES} at most"
            ))),
            _ => Ok(()),
        }
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.delivery.abort();
    }
}

/// A producer id; none from brokers that give none.
async fn identity(client: &Client) -> Result<Identity, ClientError> {
    let request = InitProducerIdRequest::default().with_transactional_id(None).with_transaction_timeout_ms(i32::MAX);
    let mut retry = client.retry();
    loop {
        let error = match client.ask(&request).await {
            Ok(given) if given.error_code == 0 => return Ok(Identity::new(given.producer_id.0, given.producer_epoch)),
            Ok(refused) => {
                ClientError::refused("asking for a producer id", ErrorCode::from_code(refused.error_code), None)
            }
            Err(ClientError::Unsupported { .. }) => return Ok(Identity::NONE),
            Err(error) => error,
        };
        retry.after(error).await?;
    }
}
