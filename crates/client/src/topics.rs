//! Topics: asking for them, making and deleting them.

use std::time::Duration;

use model::{BrokerId, ErrorCode, TopicId};
use wire::StrBytes;
use wire::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use wire::messages::delete_topics_request::DeleteTopicState;
use wire::messages::metadata_request::MetadataRequestTopic;
use wire::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use wire::messages::{CreateTopicsRequest, DeleteTopicsRequest, MetadataRequest, MetadataResponse};

use crate::retry::Retry;
use crate::{Client, ClientError};

/// How long a topic that was asked to be made is waited for. Brokers that make it answer before it is there, and those
/// that may not (`auto.create.topics.enable=false`) answer alike.
const CREATION_LIMIT: Duration = Duration::from_secs(2);

/// A topic as Metadata describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its identity; [`TopicId::NIL`] from brokers before Kafka 2.8.
    pub id: TopicId,
    /// Whether the broker writes it.
    pub is_internal: bool,
    /// By their numbers, from 0.
    pub partitions: Vec<Partition>,
}

/// A partition as Metadata describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number.
    pub index: i32,
    /// Who answers for it; nobody during an election.
    pub leader: Option<BrokerId>,
    /// Changes with each election; -1 if unknown.
    pub leader_epoch: i32,
    /// Who keeps it.
    pub replicas: Vec<BrokerId>,
    /// Those of them that have all of it.
    pub in_sync: Vec<BrokerId>,
}

/// A topic to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions; the broker's `num.partitions` if not said.
    pub partitions: Option<i32>,
    /// How many replicas of each; the broker's `default.replication.factor` if not said.
    pub replication_factor: Option<i16>,
    /// Settings by Kafka's names.
    pub settings: Vec<(String, String)>,
}

impl Topic {
    /// One of its partitions.
    ///
    /// # Errors
    /// [`ClientError::UnknownPartition`].
    pub fn partition(&self, index: i32) -> Result<&Partition, ClientError> {
        let found = usize::try_from(index).ok().and_then(|index| self.partitions.get(index));
        found.ok_or_else(|| ClientError::UnknownPartition {
            topic: self.name.clone(),
            partition: index,
            count: self.partitions.len(),
        })
    }

    /// The partitions of these numbers; all, if none is given.
    ///
    /// # Errors
    /// [`ClientError::UnknownPartition`].
    pub fn choose(&self, wanted: &[i32]) -> Result<Vec<i32>, ClientError> {
        if wanted.is_empty() {
            return Ok(self.partitions.iter().map(|partition| partition.index).collect());
        }
        let mut wanted: Vec<i32> =
            wanted.iter().map(|index| Ok(self.partition(*index)?.index)).collect::<Result<_, _>>()?;
        wanted.sort_unstable();
        wanted.dedup();
        Ok(wanted)
    }

    /// The leader of a partition.
    pub(crate) fn leader(&self, index: i32) -> Result<BrokerId, ClientError> {
        let nobody =
            || ClientError::refused(format!("reaching {}-{index}", self.name), ErrorCode::LeaderNotAvailable, None);
        self.partition(index)?.leader.ok_or_else(nobody)
    }
}

impl Client {
    /// All topics, by name.
    ///
    /// # Errors
    /// If no broker can be reached.
    pub async fn topics(&self) -> Result<Vec<Topic>, ClientError> {
        let response = self.metadata(None, false).await?;
        let topics = response.topics.into_iter().filter(|topic| topic.error_code == 0);
        let mut topics: Vec<Topic> = topics.map(topic).collect();
        topics.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(topics)
    }

    /// One topic.
    ///
    /// # Errors
    /// [`ClientError::UnknownTopic`] with the nearest name there is.
    pub async fn topic(&self, name: &str) -> Result<Topic, ClientError> {
        let mut retry = self.retry();
        loop {
            match self.describe(name, false).await {
                Ok(topic) => return Ok(topic),
                Err(error) if is_unknown_topic(&error) => return Err(self.unknown(name).await),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// One topic, made by the broker if there is none and it may (`auto.create.topics.enable`).
    ///
    /// # Errors
    /// [`ClientError::UnknownTopic`] if it may not.
    pub async fn topic_or_create(&self, name: &str) -> Result<Topic, ClientError> {
        let mut retry = Retry::within(CREATION_LIMIT);
        loop {
            let error = match self.describe(name, true).await {
                Ok(topic) => return Ok(topic),
                Err(error) => error,
            };
            if let Err(last) = retry.after(error).await {
                return Err(if is_unknown_topic(&last) { self.unknown(name).await } else { last });
            }
        }
    }

    /// Makes a topic; it can be used when this returns. Its partitions and replicas are told, if the broker says.
    ///
    /// # Errors
    /// What the broker refuses, such as a name that is taken (TOPIC_ALREADY_EXISTS).
    pub async fn create_topic(&self, new: &NewTopic) -> Result<(i32, i16), ClientError> {
        let settings = new
            .settings
            .iter()
            .map(|(name, value)| CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value))));
        let wanted = CreatableTopic::default()
            .with_name(wire::messages::TopicName(text(&new.name)))
            .with_num_partitions(new.partitions.unwrap_or(-1))
            .with_replication_factor(new.replication_factor.unwrap_or(-1))
            .with_configs(settings.collect());
        let request = CreateTopicsRequest::default().with_topics(vec![wanted]).with_timeout_ms(self.timeout_ms());
        let what = || format!("creating {}", new.name);
        let mut retry = self.retry();
        loop {
            let results = self.ask(&request).await?.topics;
            let result =
                results.first().ok_or_else(|| ClientError::Invalid("an empty answer to CreateTopics".into()))?;
            if result.error_code == 0 {
                return Ok((result.num_partitions, result.replication_factor));
            }
            let message = result.error_message.as_ref().map(StrBytes::to_string);
            retry.after(ClientError::refused(what(), ErrorCode::from_code(result.error_code), message)).await?;
        }
    }

    /// Deletes a topic with all its records.
    ///
    /// # Errors
    /// [`ClientError::UnknownTopic`], or what the broker refuses.
    pub async fn delete_topic(&self, name: &str) -> Result<(), ClientError> {
        let state = DeleteTopicState::default().with_name(Some(wire::messages::TopicName(text(name))));
        let request = DeleteTopicsRequest::default().with_topics(vec![state]).with_timeout_ms(self.timeout_ms());
        let mut retry = self.retry();
        loop {
            let results = self.ask(&request).await?.responses;
            let result =
                results.first().ok_or_else(|| ClientError::Invalid("an empty answer to DeleteTopics".into()))?;
            match ErrorCode::from_code(result.error_code) {
                ErrorCode::None => return Ok(()),
                ErrorCode::UnknownTopicOrPartition => return Err(self.unknown(name).await),
                code => {
                    let message = result.error_message.as_ref().map(StrBytes::to_string);
                    retry.after(ClientError::refused(format!("deleting {name}"), code, message)).await?;
                }
            }
        }
    }

    pub(crate) fn timeout_ms(&self) -> i32 {
        i32::try_from(self.options().timeout.as_millis()).unwrap_or(i32::MAX)
    }

    async fn describe(&self, name: &str, create: bool) -> Result<Topic, ClientError> {
        let response = self.metadata(Some(name), create).await?;
        let found = response.topics.into_iter().next();
        let found = found.ok_or_else(|| ClientError::Invalid("an empty answer to Metadata".to_owned()))?;
        ClientError::check(found.error_code, || format!("looking up {name}"), None)?;
        Ok(topic(found))
    }

    async fn metadata(&self, topic: Option<&str>, create: bool) -> Result<MetadataResponse, ClientError> {
        let asked = |name| MetadataRequestTopic::default().with_name(Some(wire::messages::TopicName(text(name))));
        let request = MetadataRequest::default()
            .with_topics(topic.map(|name| vec![asked(name)]))
            .with_allow_auto_topic_creation(create);
        let response = self.ask(&request).await?;
        self.learn(&response.brokers).await;
        Ok(response)
    }

    /// Names the topic that was perhaps meant.
    pub(crate) async fn unknown(&self, name: &str) -> ClientError {
        let topics = self.topics().await.unwrap_or_default();
        let names = topics.iter().map(|topic| topic.name.as_str());
        ClientError::UnknownTopic { topic: name.to_owned(), nearest: nearest(name, names).map(str::to_owned) }
    }
}

fn is_unknown_topic(error: &ClientError) -> bool {
    error.code() == Some(ErrorCode::UnknownTopicOrPartition)
}

/// The name of the least edit distance, if it is near enough to be a slip of the fingers.
pub fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |known: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &known.to_lowercase());
    let best = names.map(|known| (distance(known), known)).min()?;
    (best.0 <= 2.max(name.len() / 4) && best.0 < name.len()).then_some(best.1)
}

fn topic(described: MetadataResponseTopic) -> Topic {
    let mut partitions: Vec<Partition> = described.partitions.iter().map(partition).collect();
    partitions.sort_by_key(|partition| partition.index);
    Topic {
        name: described.name.map(|name| name.to_string()).unwrap_or_default(),
        id: TopicId(described.topic_id),
        is_internal: described.is_internal,
        partitions,
    }
}

fn partition(described: &MetadataResponsePartition) -> Partition {
    let brokers = |ids: &[wire::messages::BrokerId]| ids.iter().map(|id| BrokerId(id.0)).collect();
    Partition {
        index: described.partition_index,
        leader: Some(BrokerId(described.leader_id.0)).filter(|leader| leader.0 >= 0),
        leader_epoch: described.leader_epoch,
        replicas: brokers(&described.replica_nodes),
        in_sync: brokers(&described.isr_nodes),
    }
}

pub(crate) fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_fingers_is_recognized() {
        let names = ["orders", "payments", "order-events"];
        let nearest = |name| nearest(name, names.into_iter());
        assert_eq!(nearest("ordes"), Some("orders"));
        assert_eq!(nearest("Orders"), Some("orders"));
        assert_eq!(nearest("ordre-events"), Some("order-events"));
        assert_eq!(nearest("shipments"), None);
        assert_eq!(nearest("x"), None);
    }
}
