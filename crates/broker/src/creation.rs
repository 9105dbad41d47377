//! Creating topics, so that they can be used as soon as the creator hears of it.

use std::sync::Arc;
use std::time::Duration;

use controller::{Defaults, Growth, Layout, Refusal, Settings, SubmitError, TopicImage, TopicSpec};
use model::{ErrorCode, TopicName};
use tokio::time::{sleep, timeout};

use crate::broker::Broker;

/// How long a creator waits for the new partitions to open before it answers all the same.
const OPENING_TIMEOUT: Duration = Duration::from_secs(10);

/// How often to look without being told.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Broker {
    /// Creates topics and waits until their partitions are open here; each stands or falls by itself.
    pub(crate) async fn create(
        &self,
        specs: Vec<TopicSpec>,
    ) -> Result<Vec<Result<Arc<TopicImage>, Refusal>>, SubmitError> {
        let created = self.controller.create_topics(specs).await?;
        let topics: Vec<Arc<TopicImage>> = created.iter().flatten().cloned().collect();
        if timeout(OPENING_TIMEOUT, self.opened(&topics)).await.is_err() {
            tracing::warn!(topics = topics.len(), "new topics are not open yet");
        }
        Ok(created)
    }

    /// Adds partitions to topics and waits until they are open here; each topic by itself.
    pub(crate) async fn grow(
        &self,
        growths: Vec<Growth>,
    ) -> Result<Vec<Result<Arc<TopicImage>, Refusal>>, SubmitError> {
        let grown = self.controller.create_partitions(growths).await?;
        let topics: Vec<Arc<TopicImage>> = grown.iter().flatten().cloned().collect();
        if timeout(OPENING_TIMEOUT, self.opened(&topics)).await.is_err() {
            tracing::warn!(topics = topics.len(), "new partitions are not open yet");
        }
        Ok(grown)
    }

    /// Creates topics that a client merely named, with the broker's defaults. Failures show when the
    /// client asks for the topic: it is not there.
    pub(crate) async fn create_automatically(&self, names: Vec<TopicName>) {
        let specs = names.into_iter().map(|name| self.default_spec(name)).collect();
        match self.create(specs).await {
            Ok(results) => results.into_iter().filter_map(Result::err).for_each(|refusal| {
                if refusal.code != ErrorCode::TopicAlreadyExists {
                    tracing::warn!(why = %refusal.message, "a topic was not created");
                }
            }),
            Err(why) => tracing::warn!(%why, "topics were not created"),
        }
    }

    /// What -1 in a request stands for.
    pub(crate) fn layout_defaults(&self) -> Defaults {
        let count = |value: i32| usize::try_from(value).unwrap_or(1);
        Defaults {
            partitions: count(self.config().num_partitions()),
            replication_factor: count(self.config().default_replication_factor()),
        }
    }

    fn default_spec(&self, name: TopicName) -> TopicSpec {
        if !name.is_internal() {
            let Defaults { partitions, replication_factor } = self.layout_defaults();
            return TopicSpec {
                name,
                layout: Layout::Spread { partitions, replication_factor },
                configs: Settings::new(),
            };
        }
        // Internal topics follow the cluster: as many replicas as there are brokers, at most what is asked for.
        let brokers = self.image().live_brokers().count();
        let wanted = usize::try_from(self.config().offsets_topic_replication_factor()).unwrap_or(1);
        let partitions = usize::try_from(self.config().offsets_topic_num_partitions()).unwrap_or(1);
        let layout = Layout::Spread { partitions, replication_factor: wanted.min(brokers) };
        let configs = Settings::from([
            ("cleanup.policy".to_owned(), "compact".to_owned()),
            ("compression.type".to_owned(), "producer".to_owned()),
            ("segment.bytes".to_owned(), self.config().offsets_topic_segment_bytes().to_string()),
        ]);
        TopicSpec { name, layout, configs }
    }

    /// Waits until each partition has a leader, and is open where that is this broker.
    async fn opened(&self, topics: &[Arc<TopicImage>]) {
        let mut heard = self.links.leaders.changes();
        for topic in topics {
            for (index, place) in topic.numbered() {
                while self.leading(&self.image(), topic, index).is_none() {
                    let here = self.shards.load().get(&place.shard).cloned();
                    let opened = async {
                        match here {
                            Some(mut here) => {
                                let mut changes = here.shard.view().changes();
                                // A clone has seen nothing yet, and would not wait at all.
                                here.status.mark_unchanged();
                                // A group that has ended changes no more: that is not news again and again.
                                tokio::select! {
                                    biased;
                                    Ok(()) = changes.changed() => {}
                                    Ok(()) = here.status.changed() => {}
                                    else => std::future::pending().await,
                                }
                            }
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        biased;
                        () = opened => {}
                        _ = heard.changed() => {}
                        // What happened between looking and waiting.
                        () = sleep(LOOK_AGAIN) => {}
                    }
                }
            }
        }
    }
}
