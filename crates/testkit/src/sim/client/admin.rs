//! Making and deleting topics, and deleting records.

use std::sync::Arc;

use model::{ErrorCode, TopicId};
use tokio::time::sleep;
use wire::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use wire::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use wire::messages::delete_topics_request::DeleteTopicState;
use wire::messages::{CreateTopicsRequest, DeleteRecordsRequest, DeleteTopicsRequest, TopicName};
use wire::{ApiKey, StrBytes};

use super::Habitat;
use super::connection::{Gone, REQUEST_TIMEOUT};
use super::contacts::{Contacts, describing};
use crate::sim::promises::Rule;
use crate::sim::rng::Rng;
use crate::sim::topics::{Place, Topic};

/// A topic to be made.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) partitions: i32,
    pub(crate) replicas: i16,
    pub(crate) configs: Vec<(String, String)>,
    /// How many of this name there were before.
    pub(crate) nth: usize,
}

/// See the module.
pub(crate) struct Admin {
    habitat: Habitat,
    name: String,
    rng: Rng,
    contacts: Contacts,
}

impl Admin {
    pub(crate) fn new(habitat: &Habitat, name: &str) -> Admin {
        let contacts = Contacts::new(habitat, name);
        Admin { habitat: habitat.clone(), name: name.to_owned(), rng: habitat.world.rng(), contacts }
    }

    /// Makes a topic; tries until it is there.
    pub(crate) async fn create(&mut self, wanted: &Wanted) -> Arc<Topic> {
        loop {
            if let Ok(Some(topic)) = self.try_create(wanted).await {
                self.habitat.world.count("topics created");
                return topic;
            }
            sleep(self.rng.millis(20..200)).await;
        }
    }

    /// Deletes a topic; tries until it is gone.
    pub(crate) async fn delete(&mut self, topic: &Topic) {
        for place in Arc::new(topic.clone()).places() {
            self.habitat.world.history.removed(&place.at, i64::MAX);
        }
        loop {
            if let Ok(true) = self.try_delete(topic).await {
                self.habitat.world.count("topics deleted");
                return;
            }
            sleep(self.rng.millis(20..200)).await;
        }
    }

    /// Deletes the records below an offset; tries once.
    pub(crate) async fn delete_records(&mut self, place: &Place, offset: i64) {
        self.habitat.world.history.removed(&place.at, offset);
        self.habitat.world.promises(|promises| promises.bounds.deleting(&place.at, offset));
        self.try_delete_records(place, offset).await.ok(); // whether it was done will be seen
    }

    /// Asks for the leaders of a topic, whose epochs only grow.
    pub(crate) async fn look(&mut self, topic: &Arc<Topic>) {
        self.contacts.look_up(topic).await.ok();
    }

    fn judge(&self, api: ApiKey, code: i16, expected: &[ErrorCode]) -> Result<(), ErrorCode> {
        self.habitat.judge(&self.name, api, code, expected)
    }

    async fn try_create(&mut self, wanted: &Wanted) -> Result<Option<Arc<Topic>>, Gone> {
        let configs = wanted
            .configs
            .iter()
            .map(|(name, value)| CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value))));
        let topic = CreatableTopic::default()
            .with_name(TopicName(text(&wanted.name)))
            .with_num_partitions(wanted.partitions)
            .with_replication_factor(wanted.replicas)
            .with_configs(configs.collect());
        let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000);
        let address = self.contacts.any().await;
        let (_, response) = self.contacts.ask(&address, (4, i16::MAX), |_| request, REQUEST_TIMEOUT).await?;
        let Some(result) = response.topics.first() else { return Ok(None) };
        // An earlier try may have succeeded.
        let judged = self.judge(ApiKey::CreateTopics, result.error_code, &[ErrorCode::TopicAlreadyExists]);
        if !matches!(judged, Ok(()) | Err(ErrorCode::TopicAlreadyExists)) {
            return Ok(None);
        }
        let describing = |_| describing(&wanted.name);
        let (_, described) = self.contacts.ask(&address, (10, i16::MAX), describing, REQUEST_TIMEOUT).await?;
        let Some(topic) = described.topics.first().filter(|topic| topic.error_code == 0) else { return Ok(None) };
        let shape =
            (topic.partitions.len() as i32, topic.partitions.first().map_or(0, |it| it.replica_nodes.len() as i16));
        // In a cluster, a request for an earlier topic of this name may have come late, by way of another broker.
        let may_be_late = wanted.nth > 0 && !self.habitat.fleet.is_alone();
        if shape != (wanted.partitions, wanted.replicas) && !may_be_late {
            let wanted_shape = (wanted.partitions, wanted.replicas);
            let what = format!("{} has {shape:?} partitions and replicas, not {wanted_shape:?}", wanted.name);
            self.habitat.world.found(Rule::UnexpectedAnswer, what);
        }
        Ok(Some(Topic::new(&wanted.name, TopicId(topic.topic_id), shape, wanted.nth)))
    }

    async fn try_delete(&mut self, topic: &Topic) -> Result<bool, Gone> {
        let state = DeleteTopicState::default().with_name(None).with_topic_id(topic.id.0);
        let request = DeleteTopicsRequest::default().with_topics(vec![state]).with_timeout_ms(10_000);
        let address = self.contacts.any().await;
        let (_, response) = self.contacts.ask(&address, (6, i16::MAX), |_| request, REQUEST_TIMEOUT).await?;
        let code = response.responses.first().map_or(-1, |result| result.error_code);
        let judged = self.judge(ApiKey::DeleteTopics, code, &[]);
        // An earlier try may have succeeded.
        Ok(matches!(judged, Ok(()) | Err(ErrorCode::UnknownTopicId)))
    }

    async fn try_delete_records(&mut self, place: &Place, offset: i64) -> Result<(), Gone> {
        let world = self.habitat.world.clone();
        let leader = self.contacts.leader(place).await.ok_or(Gone)?;
        let known = world.promises(|promises| promises.bounds.asked(&place.at));
        let partition = DeleteRecordsPartition::default().with_partition_index(place.index).with_offset(offset);
        let name = TopicName(text(&place.topic.name));
        let topic = DeleteRecordsTopic::default().with_name(name).with_partitions(vec![partition]);
        let request = DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(5_000);
        let asked = self.contacts.ask(&leader.address, (0, i16::MAX), |_| request, REQUEST_TIMEOUT);
        let (_, response) = asked.await?;
        let Some(result) = response.topics.first().and_then(|topic| topic.partitions.first()) else { return Ok(()) };
        if self.judge(ApiKey::DeleteRecords, result.error_code, &[]).is_ok() {
            world.count("deletions of records");
            world.hold(|promises| promises.bounds.told_start(&place.at, known, result.low_watermark));
            if result.low_watermark < offset {
                let what = format!(
                    "records of {} below {offset} were deleted, but it starts at {}",
                    place.at, result.low_watermark
                );
                world.found(Rule::StartMoved, what);
            }
        } else {
            self.contacts.forget(place);
        }
        Ok(())
    }
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}
