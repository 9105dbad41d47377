//! Changes to topics: planned on the newest image, applied, and planned again where another
//! change came first.

use std::sync::Arc;

use model::{ErrorCode, TopicId};

use super::{Controller, unexpected};
use crate::apply::{Outcome, Refusal};
use crate::command::{Command, CreatePartitions, CreateShards, CreateTopics, DeleteTopics};
use crate::error::SubmitError;
use crate::image::{ClusterImage, TopicImage};
use crate::placement::{Growth, Layout, Planner, TopicSpec, missing_shards, replication_factor};

/// How often a plan is made anew when what it was based on changed meanwhile. Each time another
/// proposer got through, so this only runs out under a storm of changes to one and the same thing.
const MAX_PLANS: usize = 10;

/// What became of one topic of a request.
pub type TopicResult = Result<Arc<TopicImage>, Refusal>;

impl Controller {
    /// Creates topics, and the shards that they need; each topic stands or falls by itself.
    pub async fn create_topics(&self, specs: Vec<TopicSpec>) -> Result<Vec<TopicResult>, SubmitError> {
        let layout = |_: &ClusterImage, spec: &TopicSpec| Some(spec.layout.clone());
        let plan = |planner: &mut Planner<'_>, spec: &TopicSpec| planner.topic(spec, self.new_topic_id());
        let command = |topics| Command::CreateTopics(CreateTopics { topics });
        self.change_topics(&specs, layout, plan, command).await
    }

    /// Appends partitions to topics; each topic by itself.
    pub async fn create_partitions(&self, growths: Vec<Growth>) -> Result<Vec<TopicResult>, SubmitError> {
        let layout = |image: &ClusterImage, growth: &Growth| {
            let topic = image.topic(growth.topic.as_str())?;
            growth.layout(image, topic, replication_factor(image, topic).ok()?).ok()
        };
        let plan = |planner: &mut Planner<'_>, growth: &Growth| planner.growth(growth);
        let command = |topics| Command::CreatePartitions(CreatePartitions { topics });
        self.change_topics(&growths, layout, plan, command).await
    }

    /// Deletes topics by id; each by itself. The results are the topics as they were.
    pub async fn delete_topics(&self, topics: Vec<TopicId>) -> Result<Vec<TopicResult>, SubmitError> {
        match self.submit(Command::DeleteTopics(DeleteTopics { topics })).await? {
            Outcome::TopicsDeleted(deleted) => Ok(deleted),
            other => Err(unexpected(&other)),
        }
    }

    async fn change_topics<Item, Planned>(
        &self,
        items: &[Item],
        layout: impl Fn(&ClusterImage, &Item) -> Option<Layout>,
        plan: impl Fn(&mut Planner<'_>, &Item) -> Result<Planned, Refusal>,
        command: impl Fn(Vec<Planned>) -> Command,
    ) -> Result<Vec<TopicResult>, SubmitError> {
        let mut results: Vec<TopicResult> = items.iter().map(|_| Err(Refusal::stale("not planned yet"))).collect();
        for _ in 0..MAX_PLANS {
            let open: Vec<usize> = (0..items.len()).filter(|at| is_open(&results[*at])).collect();
            if open.is_empty() {
                break;
            }
            let image = self.image();
            self.create_missing_shards(open.iter().filter_map(|at| layout(&image, &items[*at])).collect()).await?;
            let (places, planned) = self.plan(items, &open, &plan, &mut results);
            if planned.is_empty() {
                continue;
            }
            let done = match self.submit(command(planned)).await? {
                Outcome::TopicsCreated(done) | Outcome::PartitionsCreated(done) => done,
                other => return Err(unexpected(&other)),
            };
            for (at, result) in places.into_iter().zip(done) {
                results[at] = result;
            }
        }
        results.iter_mut().filter(|result| is_open(result)).for_each(|result| *result = Err(overtaken()));
        Ok(results)
    }

    /// Plans the items that are still open; one that is refused already has its result.
    fn plan<Item, Planned>(
        &self,
        items: &[Item],
        open: &[usize],
        plan: &impl Fn(&mut Planner<'_>, &Item) -> Result<Planned, Refusal>,
        results: &mut [TopicResult],
    ) -> (Vec<usize>, Vec<Planned>) {
        let image = self.image();
        let mut planner = Planner::new(&image);
        let (mut places, mut planned) = (Vec::new(), Vec::new());
        for at in open {
            match plan(&mut planner, &items[*at]) {
                Ok(item) => {
                    places.push(*at);
                    planned.push(item);
                }
                Err(refusal) => results[*at] = Err(refusal),
            }
        }
        (places, planned)
    }

    async fn create_missing_shards(&self, layouts: Vec<Layout>) -> Result<(), SubmitError> {
        let wishes = missing_shards(&self.image(), &layouts, self.inner.config.shards_per_broker);
        if wishes.is_empty() {
            return Ok(());
        }
        match self.submit(Command::CreateShards(CreateShards { wishes })).await {
            // Members that do not exist: the planner says so, topic by topic, in Kafka's words.
            Ok(_) | Err(SubmitError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn new_topic_id(&self) -> TopicId {
        TopicId::from_random(self.inner.random.bytes())
    }
}

fn is_open(result: &TopicResult) -> bool {
    matches!(result, Err(refusal) if refusal.is_stale())
}

fn overtaken() -> Refusal {
    Refusal::new(ErrorCode::RequestTimedOut, "The cluster's metadata keeps changing, try again.")
}
