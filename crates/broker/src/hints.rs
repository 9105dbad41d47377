//! Who leads instead, told to clients that asked the wrong broker (KIP-951): so they need not ask for metadata first.

use std::collections::BTreeMap;

use controller::TopicImage;
use model::{BrokerId, ErrorCode, TopicId};

use crate::dispatch::Context;
use crate::endpoints::BrokerEndpoint;

/// The leaders that an answer names, and where they are.
pub(crate) struct Hints<'a> {
    context: &'a Context,
    /// Whether the answer's version has a place for them.
    are_told: bool,
    leaders: BTreeMap<BrokerId, BrokerEndpoint>,
}

impl<'a> Hints<'a> {
    /// For an answer that has them from that version on.
    pub(crate) fn new(context: &'a Context, from_version: i16) -> Self {
        Hints { context, are_told: context.version >= from_version, leaders: BTreeMap::new() }
    }

    /// The leader and its epoch, if that is what the error is about and it is known to be another broker.
    pub(crate) fn leader(
        &mut self,
        error: ErrorCode,
        name: &str,
        id: TopicId,
        partition: i32,
    ) -> Option<(BrokerId, i32)> {
        if !self.are_told || !matches!(error, ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch) {
            return None;
        }
        let broker = &self.context.broker;
        let image = broker.image();
        let topic: &TopicImage = image.topic_by_id(id).or_else(|| image.topic(name))?;
        let leading = broker.leading(&image, topic, partition).filter(|leading| leading.leader != broker.id())?;
        let endpoint = broker.endpoint(&image, &self.context.peer.listener, leading.leader)?;
        self.leaders.insert(leading.leader, endpoint);
        Some((leading.leader, leading.epoch))
    }

    /// Where those are that were named, each once.
    pub(crate) fn endpoints(self) -> impl Iterator<Item = BrokerEndpoint> {
        self.leaders.into_values()
    }
}
