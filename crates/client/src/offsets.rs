//! Offsets by place and time (ListOffsets).

use std::collections::BTreeMap;

use model::BrokerId;
use wire::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use wire::messages::{ListOffsetsRequest, ListOffsetsResponse};

use crate::topics::text;
use crate::{Client, ClientError, Topic};

/// What offset is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OffsetAt {
    /// The first that is there.
    Start,
    /// That of the next record to come.
    End,
    /// That of the first record at or after this time, in ms since the epoch.
    Timestamp(i64),
}

impl OffsetAt {
    fn on_the_wire(self) -> i64 {
        match self {
            OffsetAt::End => -1,
            OffsetAt::Start => -2,
            OffsetAt::Timestamp(timestamp) => timestamp.max(0),
        }
    }
}

impl Client {
    /// The offset in each of the partitions. Those where no record is so young are left out.
    ///
    /// # Errors
    /// An unknown partition, or a leader that cannot be reached.
    pub async fn list_offsets(
        &self,
        topic: &Topic,
        partitions: &[i32],
        at: OffsetAt,
    ) -> Result<BTreeMap<i32, i64>, ClientError> {
        let mut topic = topic.clone();
        let mut retry = self.retry();
        loop {
            match self.try_list_offsets(&topic, partitions, at).await {
                Ok(found) => return Ok(found),
                Err(error) => retry.after(error).await?,
            }
            topic = self.topic(&topic.name).await?;
        }
    }

    async fn try_list_offsets(
        &self,
        topic: &Topic,
        partitions: &[i32],
        at: OffsetAt,
    ) -> Result<BTreeMap<i32, i64>, ClientError> {
        let mut leaders: BTreeMap<BrokerId, Vec<ListOffsetsPartition>> = BTreeMap::new();
        for &index in partitions {
            let asked = ListOffsetsPartition::default().with_partition_index(index).with_timestamp(at.on_the_wire());
            leaders.entry(topic.leader(index)?).or_default().push(asked);
        }
        let mut found = BTreeMap::new();
        for (leader, partitions) in leaders {
            let asked = ListOffsetsTopic::default()
                .with_name(wire::messages::TopicName(text(&topic.name)))
                .with_partitions(partitions);
            let request =
                ListOffsetsRequest::default().with_replica_id(wire::messages::BrokerId(-1)).with_topics(vec![asked]);
            let response = self.broker(leader).await?.call(&request).await?;
            take(topic, response, &mut found)?;
        }
        Ok(found)
    }
}

fn take(topic: &Topic, response: ListOffsetsResponse, found: &mut BTreeMap<i32, i64>) -> Result<(), ClientError> {
    for partition in response.topics.into_iter().flat_map(|topic| topic.partitions) {
        let index = partition.partition_index;
        ClientError::check(partition.error_code, || format!("finding offsets of {}-{index}", topic.name), None)?;
        if partition.offset >= 0 {
            found.insert(index, partition.offset);
        }
    }
    Ok(())
}
