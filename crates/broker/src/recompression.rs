//! Batches in the codec that their topic asks for (`compression.type`).
//!
//! It is done before a batch is proposed, so that all replicas store the same bytes, and by threads that may take
//! their time. `producer`, the default, costs nothing.

use std::sync::Arc;

use bytes::Bytes;
use config::{CompressionType, TopicConfig};
use model::ErrorCode;
use record::{BatchInfo, BatchView, Codec, RecompressError, Recompression};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::admission::Refused;
use crate::env::Env;

/// The recompressions of a broker: as many requests at once as there are async threads, each held by its permit until
/// what became of it is proposed.
pub(crate) struct Recompressions {
    at_once: Arc<Semaphore>,
}

impl Recompressions {
    /// To be made within the runtime that serves connections.
    pub(crate) fn new() -> Self {
        let threads = tokio::runtime::Handle::current().metrics().num_workers();
        Recompressions { at_once: Arc::new(Semaphore::new(threads.max(1))) }
    }

    /// Writes batches of one request anew, and gives them back in the same order. Together they take `most_bytes` at
    /// most: little that is sent may unpack to much, many times over.
    pub(crate) async fn run(
        &self,
        env: &Env,
        batches: Vec<(Bytes, Recompression)>,
        most_bytes: usize,
    ) -> (Option<OwnedSemaphorePermit>, Vec<Result<Bytes, Refused>>) {
        let permit = self.at_once.clone().acquire_owned().await.ok(); // it is never closed
        let done = env.blocking(move || {
            let mut left_bytes = most_bytes;
            let anew = |(batch, how): &(Bytes, Recompression)| {
                let how = Recompression { max_batch_bytes: how.max_batch_bytes.min(left_bytes), ..*how };
                let batch = BatchView::new(batch).map_err(RecompressError::from);
                let done = batch.and_then(|batch| record::recompress(&batch, &how));
                left_bytes -= done.as_ref().map_or(0, Bytes::len);
                done.map_err(refused)
            };
            batches.iter().map(anew).collect()
        });
        (permit, done.await)
    }
}

/// What a topic wants done with a batch; none where it stays as it came.
pub(crate) fn wanted(topic: &TopicConfig, batch: &BatchInfo) -> Option<Recompression> {
    let to = match topic.compression_type {
        CompressionType::Producer => return None,
        CompressionType::Uncompressed => Codec::None,
        CompressionType::Gzip => Codec::Gzip(topic.compression_gzip_level),
        CompressionType::Snappy => Codec::Snappy,
        CompressionType::Lz4 => Codec::Lz4(topic.compression_lz4_level),
        CompressionType::Zstd => Codec::Zstd(topic.compression_zstd_level),
    };
    let max_batch_bytes = usize::try_from(topic.max_message_bytes).unwrap_or(0);
    let records_bytes = batch.records_bytes;
    (to.compression() != batch.compression).then_some(Recompression { to, records_bytes, max_batch_bytes })
}

fn refused(error: RecompressError) -> Refused {
    let code = match error {
        RecompressError::TooLarge { .. } => ErrorCode::MessageTooLarge,
        RecompressError::Batch(_) | RecompressError::Build(_) => ErrorCode::InvalidRecord,
    };
    Refused::because(code, error.to_string())
}
