//! The task that brings batches to the leaders of their partitions.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use model::{BrokerId, ErrorCode};
use tokio::task::JoinSet;
use wire::StrBytes;
use wire::messages::produce_request::{PartitionProduceData, TopicProduceData};
use wire::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use wire::messages::{ProduceRequest, ProduceResponse};

use super::Acks;
use super::batch::Batch;
use super::buffer::Shared;
use crate::topics::text;
use crate::{Client, ClientError, Topic};

/// Bytes of batches in one round of requests: far below what brokers refuse (`socket.request.max.bytes`).
const MAX_ROUND_BYTES: usize = 8 * 1024 * 1024;

/// Delivers until something fails for good.
pub(super) async fn run(client: Client, topic: Topic, acks: Acks, shared: Arc<Shared>) {
    let mut delivery = Delivery { client, topic, acks, shared, pending: BTreeMap::new() };
    loop {
        let delivered = match delivery.take() {
            Ok(false) => {
                delivery.shared.work.notified().await;
                continue;
            }
            Ok(true) => delivery.deliver().await,
            Err(why) => Err(why),
        };
        if let Err(why) = delivered {
            return delivery.shared.failed(why);
        }
    }
}

struct Delivery {
    client: Client,
    topic: Topic,
    acks: Acks,
    shared: Arc<Shared>,
    /// By partition, in the order in which they must arrive.
    pending: BTreeMap<i32, VecDeque<Batch>>,
}

impl Delivery {
    /// Takes what is to be sent next, if there is anything.
    fn take(&mut self) -> Result<bool, ClientError> {
        let (closed, open) = self.shared.lock().take(MAX_ROUND_BYTES);
        for batch in closed {
            self.pending.entry(batch.partition).or_default().push_back(batch);
        }
        for open in open {
            let batch = open.build()?;
            self.pending.entry(batch.partition).or_default().push_back(batch);
        }
        Ok(!self.pending.is_empty())
    }

    /// Sends until all that was taken is acknowledged.
    async fn deliver(&mut self) -> Result<(), ClientError> {
        let mut retry = self.client.retry();
        while !self.pending.is_empty() {
            match self.round().await {
                Ok(()) => retry.succeeded(),
                Err(error) => {
                    retry.after(error).await?;
                    self.topic = self.client.topic(&self.topic.name).await?;
                }
            }
        }
        Ok(())
    }

    /// Sends the first batch of each partition to its leader.
    async fn round(&mut self) -> Result<(), ClientError> {
        let mut leaders: BTreeMap<BrokerId, Vec<PartitionProduceData>> = BTreeMap::new();
        for (partition, batches) in &self.pending {
            let Some(first) = batches.front() else { continue };
            let data = PartitionProduceData::default().with_index(*partition).with_records(Some(first.bytes.clone()));
            leaders.entry(self.topic.leader(*partition)?).or_default().push(data);
        }
        let mut answers = JoinSet::new();
        for (leader, data) in leaders {
            let (client, request, is_answered) = (self.client.clone(), self.request(data), self.acks != Acks::None);
            answers.spawn(async move {
                let connection = client.broker(leader).await?;
                match is_answered {
                    true => connection.call(&request).await,
                    false => connection.post(&request).await.map(|()| as_if_written(&request)),
                }
            });
        }
        let mut failed = None;
        while let Some(answer) = answers.join_next().await {
            let answer = answer.map_err(|why| ClientError::Invalid(format!("a request was not sent: {why}")))?;
            if let Err(why) = answer.and_then(|response| self.settle(response)) {
                failed = Some(why);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn request(&self, partitions: Vec<PartitionProduceData>) -> ProduceRequest {
        let topic = TopicProduceData::default()
            .with_name(wire::messages::TopicName(text(&self.topic.name)))
            .with_topic_id(self.topic.id.0)
            .with_partition_data(partitions);
        ProduceRequest::default()
            .with_acks(self.acks.on_the_wire())
            .with_timeout_ms(self.client.timeout_ms())
            .with_topic_data(vec![topic])
    }

    /// Takes the answer for each partition; the last error, if there is one.
    fn settle(&mut self, response: ProduceResponse) -> Result<(), ClientError> {
        let answers = response.responses.into_iter().flat_map(|topic| topic.partition_responses);
        let failed = answers.filter_map(|answer| self.settle_one(&answer).err()).last();
        failed.map_or(Ok(()), Err)
    }

    fn settle_one(&mut self, answer: &PartitionProduceResponse) -> Result<(), ClientError> {
        let Some(batches) = self.pending.get_mut(&answer.index) else { return Ok(()) };
        let Some(batch) = batches.front() else { return Ok(()) };
        match ErrorCode::from_code(answer.error_code) {
            // A duplicate is what was sent before and not heard of.
            ErrorCode::None | ErrorCode::DuplicateSequenceNumber => {
                self.shared.acknowledged(batch, answer.base_offset);
                batches.pop_front();
            }
            code => {
                let halves = if code == ErrorCode::MessageTooLarge { batch.split()? } else { None };
                let Some(halves) = halves else { return Err(self.refused(answer, code)) };
                batches.pop_front();
                halves.into_iter().rev().for_each(|half| batches.push_front(half));
            }
        }
        if batches.is_empty() {
            self.pending.remove(&answer.index);
        }
        Ok(())
    }

    fn refused(&self, answer: &PartitionProduceResponse, code: ErrorCode) -> ClientError {
        let message = answer.error_message.as_ref().map(StrBytes::to_string);
        ClientError::refused(format!("producing to {}-{}", self.topic.name, answer.index), code, message)
    }
}

/// The answer that nobody gives: each partition has all of it, at no known offset.
fn as_if_written(request: &ProduceRequest) -> ProduceResponse {
    let topics = request.topic_data.iter().map(|topic| {
        let partitions = topic
            .partition_data
            .iter()
            .map(|data| PartitionProduceResponse::default().with_index(data.index).with_base_offset(-1));
        TopicProduceResponse::default().with_name(topic.name.clone()).with_partition_responses(partitions.collect())
    });
    ProduceResponse::default().with_responses(topics.collect())
}
