//! The broker that a scenario is played on.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use model::ErrorCode;
use uuid::Uuid;
use wire::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use wire::messages::delete_topics_request::DeleteTopicState;
use wire::messages::{CreateTopicsRequest, DeleteTopicsRequest, FindCoordinatorRequest, TopicName};

use super::requests::{list_offsets, str_bytes};
use super::{Connection, Stream, Transcript, error};

/// How to connect.
type Dial = dyn Fn() -> Pin<Box<dyn Future<Output = Box<dyn Stream>>>>;

/// A broker, a name that is the scenario's own, and what was answered so far.
#[derive(Clone)]
pub(crate) struct Target {
    name: String,
    dial: Rc<Dial>,
    pub(crate) transcript: Transcript,
}

/// A topic, by both of its names.
#[derive(Clone, Debug)]
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) id: Uuid,
}

impl Target {
    /// A broker that `dial` connects to. Its topics and groups are named after the scenario (`file::function`) and the
    /// run, which the transcript leaves out.
    pub(crate) fn new(scenario: &str, run: u32, dial: Rc<Dial>) -> Self {
        let run = format!("-r{run:06}");
        let name = format!("{}{run}", scenario.replace("::", "-"));
        Target { name, dial, transcript: Transcript::without(&run) }
    }

    /// A name that no other scenario uses.
    pub(crate) fn name(&self, suffix: &str) -> String {
        format!("{}-{suffix}", self.name)
    }

    pub(crate) async fn connect(&self) -> Connection {
        Connection::new((self.dial)().await, self.transcript.clone())
    }

    /// A topic with one partition and the settings of the broker.
    pub(crate) async fn topic(&self, suffix: &str) -> Topic {
        self.topic_with(suffix, 1, &[]).await
    }

    /// A topic that may be written to and read.
    pub(crate) async fn topic_with(&self, suffix: &str, partitions: i32, settings: &[(&str, &str)]) -> Topic {
        let name = self.name(suffix);
        let configs = settings.iter().map(|(key, value)| {
            CreatableTopicConfig::default().with_name(str_bytes(key)).with_value(Some(str_bytes(value)))
        });
        let wanted = CreatableTopic::default()
            .with_name(TopicName(str_bytes(&name)))
            .with_num_partitions(partitions)
            .with_replication_factor(1)
            .with_configs(configs.collect());
        let request = CreateTopicsRequest::default().with_topics(vec![wanted]).with_timeout_ms(30_000);
        let mut connection = self.connect().await;
        let created = connection.ask(7, &request).await.topics.remove(0);
        assert_eq!(error(created.error_code), ErrorCode::None, "{name}: {:?}", created.error_message);
        // Kafka answers before all of its parts have heard of the topic.
        for partition in 0..partitions {
            while connection.ask(7, &list_offsets(&name, partition, -1)).await.topics[0].partitions[0].error_code != 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        Topic { name, id: created.topic_id }
    }

    /// Deletes a topic, and waits until it is gone.
    pub(crate) async fn delete(&self, topic: &Topic) {
        let state = DeleteTopicState::default().with_name(None).with_topic_id(topic.id);
        let request = DeleteTopicsRequest::default().with_topics(vec![state]).with_timeout_ms(30_000);
        let mut connection = self.connect().await;
        assert_eq!(connection.ask(6, &request).await.responses[0].error_code, 0);
        let is_gone = ErrorCode::UnknownTopicOrPartition.code();
        while connection.ask(7, &list_offsets(&topic.name, 0, -1)).await.topics[0].partitions[0].error_code != is_gone {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A connection to the coordinator of a group, which is ready for it.
    pub(crate) async fn coordinator(&self, group: &str) -> Connection {
        let mut connection = self.connect().await;
        let request = FindCoordinatorRequest::default().with_coordinator_keys(vec![str_bytes(group)]);
        while connection.ask(4, &request).await.coordinators[0].error_code != 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        while super::requests::is_loading(&mut connection, group).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        connection
    }
}
