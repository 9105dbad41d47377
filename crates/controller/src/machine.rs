//! The controller's state machine: applies entries and publishes each new image.

use std::sync::Arc;

use arc_swap::ArcSwap;
use model::ErrorCode;
use tokio::sync::watch;

use crate::apply::{Outcome, Refusal, apply};
use crate::command::Command;
use crate::image::{ClusterImage, Draft};

/// Where the newest image is found: read without a lock, or watched.
#[derive(Debug)]
pub(crate) struct Published {
    newest: ArcSwap<ClusterImage>,
    changes: watch::Sender<Arc<ClusterImage>>,
}

impl Published {
    pub(crate) fn new(image: ClusterImage) -> Arc<Self> {
        let image = Arc::new(image);
        let newest = ArcSwap::new(Arc::clone(&image));
        Arc::new(Published { newest, changes: watch::Sender::new(image) })
    }

    pub(crate) fn image(&self) -> Arc<ClusterImage> {
        self.newest.load_full()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Arc<ClusterImage>> {
        self.changes.subscribe()
    }

    fn publish(&self, image: ClusterImage) {
        let image = Arc::new(image);
        self.newest.store(Arc::clone(&image));
        self.changes.send_replace(image);
    }
}

/// Applies entries in order.
#[derive(Debug)]
pub(crate) struct Machine {
    draft: Draft,
    published: Arc<Published>,
}

impl Machine {
    pub(crate) fn new(draft: Draft) -> Self {
        let published = Published::new(draft.image().clone());
        Machine { draft, published }
    }

    pub(crate) fn published(&self) -> Arc<Published> {
        Arc::clone(&self.published)
    }

    /// The image is published before the proposer hears of it, so that whoever was answered finds
    /// in the image what it asked for.
    pub(crate) fn apply_entry(&mut self, index: u64, entry: &[u8]) -> Result<Outcome, Refusal> {
        let command =
            Command::decode(entry).map_err(|error| Refusal::new(ErrorCode::UnsupportedVersion, error.to_string()))?;
        let outcome = apply(&mut self.draft, command, index);
        self.published.publish(self.draft.image().clone());
        outcome
    }
}
