//! Changes to topics.

use std::sync::Arc;

use model::TopicId;

use super::plans::Plans;
use super::{Controller, unexpected};
use crate::apply::{Outcome, Refusal};
use crate::command::{Command, CreatePartitions, CreateTopics, DeleteTopics, ShardWish};
use crate::error::SubmitError;
use crate::image::{ClusterImage, TopicImage};
use crate::placement::{Growth, Layout, Planner, TopicSpec, missing_shards, replication_factor};

/// What became of one topic of a request.
pub type TopicResult = Result<Arc<TopicImage>, Refusal>;

impl Controller {
    /// Creates topics, and the shards that they need; each topic stands or falls by itself.
    pub async fn create_topics(&self, specs: Vec<TopicSpec>) -> Result<Vec<TopicResult>, SubmitError> {
        let plans = Plans {
            shards: |image: &ClusterImage, specs: &[&TopicSpec]| {
                self.missing_shards(image, specs.iter().map(|spec| spec.layout.clone()).collect())
            },
            plan: |image: &ClusterImage, specs: &[&TopicSpec]| {
                let mut planner = Planner::new(image);
                specs.iter().map(|spec| planner.topic(spec, self.new_topic_id())).collect()
            },
            command: |topics| Command::CreateTopics(CreateTopics { topics }),
            done: topics_changed,
        };
        self.carry_out(&specs, plans).await
    }

    /// Appends partitions to topics; each topic by itself.
    pub async fn create_partitions(&self, growths: Vec<Growth>) -> Result<Vec<TopicResult>, SubmitError> {
        let layout = |image: &ClusterImage, growth: &Growth| {
            let topic = image.topic(growth.topic.as_str())?;
            growth.layout(image, topic, replication_factor(image, topic).ok()?).ok()
        };
        let plans = Plans {
            shards: |image: &ClusterImage, growths: &[&Growth]| {
                self.missing_shards(image, growths.iter().filter_map(|growth| layout(image, growth)).collect())
            },
            plan: |image: &ClusterImage, growths: &[&Growth]| {
                let mut planner = Planner::new(image);
                growths.iter().map(|growth| planner.growth(growth)).collect()
            },
            command: |topics| Command::CreatePartitions(CreatePartitions { topics }),
            done: topics_changed,
        };
        self.carry_out(&growths, plans).await
    }

    /// Deletes topics by id; each by itself. The results are the topics as they were.
    pub async fn delete_topics(&self, topics: Vec<TopicId>) -> Result<Vec<TopicResult>, SubmitError> {
        match self.submit(Command::DeleteTopics(DeleteTopics { topics })).await? {
            Outcome::TopicsDeleted(deleted) => Ok(deleted),
            other => Err(unexpected(&other)),
        }
    }

    fn missing_shards(&self, image: &ClusterImage, layouts: Vec<Layout>) -> Vec<ShardWish> {
        missing_shards(image, &layouts, self.inner.config.shards_per_broker)
    }

    fn new_topic_id(&self) -> TopicId {
        TopicId::from_random(self.inner.random.bytes())
    }
}

fn topics_changed(outcome: Outcome) -> Result<Vec<TopicResult>, SubmitError> {
    match outcome {
        Outcome::TopicsCreated(done) | Outcome::PartitionsCreated(done) => Ok(done),
        other => Err(unexpected(&other)),
    }
}
