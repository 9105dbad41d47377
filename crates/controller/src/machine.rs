//! The controller's state machine: applies entries, publishes each new image, and writes what
//! changed into the manifest at checkpoints.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use bytes::Bytes;
use manifest::Manifest;
use model::ErrorCode;
use raft::{Applied, EntryId, StateMachine};
use tokio::sync::watch;

use crate::apply::{Outcome, Refusal, apply};
use crate::command::Command;
use crate::format::FormatError;
use crate::image::{ClusterImage, Draft, Key};
use crate::store;

/// What the machine shows to the broker around it.
#[derive(Debug)]
pub(crate) struct Published {
    newest: ArcSwap<ClusterImage>,
    changes: watch::Sender<Arc<ClusterImage>>,
    halted: OnceLock<FormatError>,
}

impl Published {
    fn new(image: ClusterImage) -> Arc<Self> {
        let image = Arc::new(image);
        let newest = ArcSwap::new(Arc::clone(&image));
        Arc::new(Published { newest, changes: watch::Sender::new(image), halted: OnceLock::new() })
    }

    pub(crate) fn image(&self) -> Arc<ClusterImage> {
        self.newest.load_full()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Arc<ClusterImage>> {
        self.changes.subscribe()
    }

    /// The entry that this build could not read, if it came upon one.
    pub(crate) fn halted(&self) -> Option<&FormatError> {
        self.halted.get()
    }

    /// Wakes those who wait for an image that will not come.
    fn halt(&self, error: FormatError) {
        self.halted.set(error).ok();
        self.changes.send_modify(|_| {});
    }

    fn publish(&self, image: ClusterImage) {
        let image = Arc::new(image);
        self.newest.store(Arc::clone(&image));
        self.changes.send_replace(image);
    }
}

/// What the controller's group applies its entries to.
pub struct Machine {
    draft: Draft,
    applied: Option<Applied>,
    published: Arc<Published>,
    saver: Arc<Saver>,
}

/// Writes checkpoints.
struct Saver {
    manifest: Manifest,
    pending: Mutex<Pending>,
}

#[derive(Default)]
struct Pending {
    /// What a failed checkpoint was to write: the next one writes it.
    unsaved: BTreeSet<Key>,
    /// How often the whole image was replaced: a checkpoint of one before must not be written.
    replaced: u64,
}

impl Machine {
    /// The machine as its last checkpoint left it.
    pub(crate) fn open(manifest: Manifest, content: &BTreeMap<Bytes, Bytes>) -> Result<Self, FormatError> {
        let (draft, applied) = store::load(content)?;
        let published = Published::new(draft.image().clone());
        let saver = Arc::new(Saver { manifest, pending: Mutex::default() });
        Ok(Machine { draft, applied, published, saver })
    }

    pub(crate) fn published(&self) -> Arc<Published> {
        Arc::clone(&self.published)
    }

    /// Stops at an entry that this build can't read: to skip it would make this replica differ
    /// from the others for ever. Nothing is applied or stored from here on, so that a newer build
    /// finds the log as it was.
    fn halt(&mut self, id: EntryId, error: FormatError) -> Refusal {
        tracing::error!(index = id.index, %error, "the controller stops applying");
        let refusal = unreadable(&error);
        self.published.halt(error);
        refusal
    }
}

/// What a command is answered with once the log holds what this build can't read.
pub(crate) fn unreadable(error: &FormatError) -> Refusal {
    Refusal::new(ErrorCode::UnsupportedVersion, error.to_string())
}

impl StateMachine for Machine {
    type Response = Result<Outcome, Refusal>;

    fn applied(&self) -> Option<Applied> {
        self.applied.clone()
    }

    /// The image is published before the proposer hears of it, so that whoever was answered finds
    /// in the image what it asked for.
    fn apply(&mut self, id: EntryId, payload: &Bytes) -> Self::Response {
        if let Some(error) = self.published.halted() {
            return Err(unreadable(error));
        }
        let command = Command::decode(payload).map_err(|error| self.halt(id, error))?;
        let outcome = apply(&mut self.draft, command, id.index);
        self.published.publish(self.draft.image().clone());
        outcome
    }

    fn term_started(&mut self, _id: EntryId) {}

    fn checkpoint(&mut self, applied: Applied) -> Box<dyn FnOnce() -> io::Result<()> + Send> {
        if let Some(error) = self.published.halted() {
            let error = io::Error::other(error.to_string());
            return Box::new(move || Err(error));
        }
        let image = self.draft.image().clone();
        let changed = self.draft.take_changed();
        let saver = Arc::clone(&self.saver);
        let replaced = saver.pending().replaced;
        Box::new(move || saver.save(&image, changed, &applied, replaced))
    }

    /// The whole image: it is small enough to be sent at once.
    fn offer(&mut self) -> io::Result<Bytes> {
        match self.published.halted() {
            Some(error) => Err(io::Error::other(error.to_string())),
            None => Ok(store::pack(self.draft.image())),
        }
    }

    fn install(&mut self, applied: Applied, offer: Bytes) -> io::Result<()> {
        let draft = store::unpack(&offer).map_err(|error| {
            let reason = error.to_string();
            self.halt(applied.id, error);
            io::Error::other(reason)
        })?;
        // Parts that the manifest holds, and that are in neither image, changed since the last checkpoint.
        let changed = self.draft.take_changed();
        self.saver.replace(self.draft.image(), draft.image(), changed, &applied)?;
        self.draft = draft;
        self.published.publish(self.draft.image().clone());
        Ok(())
    }
}

impl Saver {
    fn save(&self, image: &ClusterImage, changed: BTreeSet<Key>, applied: &Applied, replaced: u64) -> io::Result<()> {
        let mut pending = self.pending();
        if pending.replaced != replaced {
            return Err(io::Error::other("the image was replaced by another member's meanwhile"));
        }
        pending.unsaved.extend(changed);
        self.manifest.commit(store::edits(image, &pending.unsaved, applied)).map_err(io::Error::other)?;
        pending.unsaved.clear();
        Ok(())
    }

    /// Writes `new` in place of `old`, whatever of it was checkpointed, in one commit.
    fn replace(
        &self,
        old: &ClusterImage,
        new: &ClusterImage,
        changed: BTreeSet<Key>,
        applied: &Applied,
    ) -> io::Result<()> {
        let mut pending = self.pending();
        pending.unsaved.extend(changed);
        let all = &(&store::keys(old) | &store::keys(new)) | &pending.unsaved;
        self.manifest.commit(store::edits(new, &all, applied)).map_err(io::Error::other)?;
        pending.unsaved.clear();
        pending.replaced += 1;
        Ok(())
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
