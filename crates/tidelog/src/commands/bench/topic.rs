//! The topic of a run.

use client::{Client, NewTopic, Topic};
use model::{Random, SystemRandom};

use super::super::Failure;
use super::Common;

/// A topic that was given, or one of its own.
pub(super) struct BenchTopic {
    client: Client,
    pub(super) topic: Topic,
    pub(super) is_own: bool,
}

impl BenchTopic {
    pub(super) async fn open(client: &Client, common: &Common) -> Result<Self, Failure> {
        if let Some(name) = &common.topic {
            return Ok(BenchTopic { client: client.clone(), topic: client.topic(name).await?, is_own: false });
        }
        let [a, b, c, d, ..] = SystemRandom.bytes();
        let new = NewTopic {
            name: format!("tidelog-bench-{a:02x}{b:02x}{c:02x}{d:02x}"),
            partitions: Some(common.partitions),
            replication_factor: common.replication_factor,
            settings: Vec::new(),
        };
        client.create_topic(&new).await?;
        Ok(BenchTopic { client: client.clone(), topic: client.topic(&new.name).await?, is_own: true })
    }

    /// Removes its own, whatever became of the run.
    pub(super) async fn close<T>(self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        if !self.is_own {
            return outcome;
        }
        let removed = self.client.delete_topic(&self.topic.name).await;
        let outcome = outcome?;
        removed.map_err(|why| format!("the topic {} is left behind: {why}", self.topic.name))?;
        Ok(outcome)
    }
}

/// Random bytes: the same for each record, and nothing that a codec could make smaller.
pub(super) fn payload(bytes: u32) -> Vec<u8> {
    let [a, b, c, d, e, f, g, h, ..] = SystemRandom.bytes();
    let mut state = u64::from_be_bytes([a, b, c, d, e, f, g, h]) | 1;
    let mut next = || {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..bytes).map(|_| next()).collect()
}
