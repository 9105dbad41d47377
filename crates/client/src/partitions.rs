//! What is done to partitions: adding some to a topic, deleting their first records.

use std::collections::BTreeMap;

use model::{BrokerId, ErrorCode};
use wire::StrBytes;
use wire::messages::create_partitions_request::CreatePartitionsTopic;
use wire::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use wire::messages::{CreatePartitionsRequest, DeleteRecordsRequest, TopicName};

use crate::topics::text;
use crate::{Client, ClientError, Topic};

impl Client {
    /// Adds partitions to a topic, up to `count` in all.
    ///
    /// # Errors
    /// `INVALID_PARTITIONS` unless it has fewer.
    pub async fn add_partitions(&self, topic: &str, count: i32) -> Result<(), ClientError> {
        let wanted =
            CreatePartitionsTopic::default().with_name(TopicName(text(topic))).with_count(count).with_assignments(None);
        let request = CreatePartitionsRequest::default().with_topics(vec![wanted]).with_timeout_ms(self.timeout_ms());
        let mut retry = self.retry();
        loop {
            let result = self.ask(&request).await?.results.into_iter().next();
            let result = result.ok_or_else(|| ClientError::Invalid("an empty answer to CreatePartitions".into()))?;
            match ErrorCode::from_code(result.error_code) {
                ErrorCode::None => return Ok(()),
                ErrorCode::UnknownTopicOrPartition => return Err(self.unknown(topic).await),
                code => {
                    let message = result.error_message.as_ref().map(StrBytes::to_string);
                    retry.after(ClientError::refused(format!("adding partitions to {topic}"), code, message)).await?;
                }
            }
        }
    }

    /// Deletes the records before these offsets (KIP-107); where each partition then begins.
    ///
    /// # Errors
    /// `OFFSET_OUT_OF_RANGE` behind the end, `POLICY_VIOLATION` if the topic is compacted only. Partitions of other
    /// leaders may have lost their records then.
    pub async fn delete_records(
        &self,
        topic: &Topic,
        before: &BTreeMap<i32, i64>,
    ) -> Result<BTreeMap<i32, i64>, ClientError> {
        let (mut topic, mut left, mut starts) = (topic.clone(), before.clone(), BTreeMap::new());
        let mut retry = self.retry();
        loop {
            let failed = match self.try_delete_records(&topic, &left, &mut starts).await {
                Ok(()) => return Ok(starts),
                Err(error) => error,
            };
            retry.after(failed).await?;
            left.retain(|partition, _| !starts.contains_key(partition));
            topic = self.topic(&topic.name).await?;
        }
    }

    async fn try_delete_records(
        &self,
        topic: &Topic,
        before: &BTreeMap<i32, i64>,
        starts: &mut BTreeMap<i32, i64>,
    ) -> Result<(), ClientError> {
        let mut leaders: BTreeMap<BrokerId, Vec<DeleteRecordsPartition>> = BTreeMap::new();
        for (&index, &offset) in before {
            let asked = DeleteRecordsPartition::default().with_partition_index(index).with_offset(offset);
            leaders.entry(topic.leader(index)?).or_default().push(asked);
        }
        for (leader, partitions) in leaders {
            let asked =
                DeleteRecordsTopic::default().with_name(TopicName(text(&topic.name))).with_partitions(partitions);
            let request = DeleteRecordsRequest::default().with_topics(vec![asked]).with_timeout_ms(self.timeout_ms());
            let response = self.broker(leader).await?.call(&request).await?;
            for partition in response.topics.into_iter().flat_map(|topic| topic.partitions) {
                let index = partition.partition_index;
                let what = || format!("deleting records of {}-{index}", topic.name);
                ClientError::check(partition.error_code, what, None)?;
                starts.insert(index, partition.low_watermark);
            }
        }
        Ok(())
    }
}
