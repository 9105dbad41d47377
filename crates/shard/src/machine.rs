//! The state machine of a shard: committed entries in, records in partition logs out.
//!
//! Apply reads the shard's state and the entry, and nothing else: no clock, no cluster image, no
//! configuration. Two replicas that applied the same entries have the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use log::FileCache;
use manifest::Manifest;
use model::{ErrorCode, GroupId, PartitionId};
use raft::{Applied, EntryId, StateMachine};

use crate::append::{AppendResult, Interrupted};
use crate::catch_up;
use crate::checkpoint::Unsaved;
use crate::entry::{self, Appends, Command, Departure, PartitionSettings};
use crate::health::Health;
use crate::partition::{EpochBase, Partition};
use crate::producers::Producers;
use crate::questions::Questions;
use crate::stall::Stall;
use crate::view::View;

/// What became of an entry.
#[derive(Debug)]
pub enum Outcome {
    /// Of each batch of an append, in order.
    Appended(Vec<AppendResult>),
    /// The partition is on its way here, and has come so far.
    Arriving(i64),
    /// The partition lives here from now on, with these leader epochs.
    Adopted(EpochBase),
    /// Nothing is added to the partition here any more.
    Departed(Box<Departure>),
    /// It is done; what was done already counts as done.
    Done,
    /// It cannot be done.
    Refused(ErrorCode),
}

/// What apply alone knows of a partition.
pub(crate) struct Cell {
    pub(crate) partition: Arc<Partition>,
    pub(crate) settings: PartitionSettings,
    pub(crate) producers: Producers,
}

/// See the module's page.
pub struct Machine {
    pub(crate) group: GroupId,
    pub(crate) files: Arc<FileCache>,
    /// The directory of all topics.
    pub(crate) topics: PathBuf,
    pub(crate) manifest: Arc<Mutex<Manifest>>,
    pub(crate) applied: Option<Applied>,
    /// The shard's clock: the greatest that any leader brought along.
    pub(crate) clock_ms: i64,
    /// The feature level of apply.
    pub(crate) level: u16,
    pub(crate) cells: BTreeMap<PartitionId, Cell>,
    pub(crate) view: Arc<View>,
    pub(crate) health: Arc<Health>,
    pub(crate) unsaved: Arc<Mutex<Unsaved>>,
    pub(crate) dirty: BTreeSet<PartitionId>,
    pub(crate) stall: Option<Stall>,
    pub(crate) questions: Arc<Questions>,
    /// Where another member's state is fetched to.
    pub(crate) stage: catch_up::Stage,
    /// The term of the last entry.
    pub(crate) term: u64,
    /// How many offers were made.
    pub(crate) offers: u64,
}

impl StateMachine for Machine {
    type Response = Outcome;

    fn applied(&self) -> Option<Applied> {
        self.applied.clone()
    }

    fn apply(&mut self, id: EntryId, payload: &Bytes) -> Outcome {
        self.term = id.term;
        let outcome = match &mut self.stall {
            None => self.apply_entry(id, payload, 0),
            Some(stall) => {
                stall.defer(id, payload.clone());
                self.resume();
                Outcome::Refused(ErrorCode::KafkaStorageError)
            }
        };
        self.questions.answer(|id| {
            let cell = self.cells.get(&id)?;
            Some(cell.producers.active(self.clock_ms, cell.settings.producer_expiration_ms))
        });
        outcome
    }

    fn term_started(&mut self, id: EntryId) {
        self.term = id.term;
        tracing::debug!(group = %self.group, term = id.term, index = id.index, "term started");
        match &mut self.stall {
            None => self.health.begin_term(id.term),
            Some(stall) => stall.defer_term(id.term),
        }
    }

    fn checkpoint(&mut self, applied: Applied) -> Box<dyn FnOnce() -> std::io::Result<()> + Send> {
        self.begin_checkpoint(applied)
    }

    fn offer(&mut self) -> io::Result<Bytes> {
        self.make_offer()
    }

    fn install(&mut self, applied: Applied, offer: Bytes) -> io::Result<()> {
        self.install_offer(applied, &offer)
    }
}

impl Machine {
    /// Applies an entry, passing over the first `done` of its batches.
    fn apply_entry(&mut self, id: EntryId, payload: &Bytes, done: usize) -> Outcome {
        let (clock_ms, command) = match entry::decode(payload) {
            Ok(decoded) => decoded,
            Err(why) => {
                // The same on every replica: refused here, refused everywhere.
                tracing::error!(group = %self.group, index = id.index, %why, "an entry was not applied");
                return Outcome::Refused(ErrorCode::UnknownServerError);
            }
        };
        self.clock_ms = self.clock_ms.max(clock_ms);
        match command {
            Command::Append(appends) => self.append_or_stall(id, payload, appends, done),
            Command::AppendInTerm(term, _) if term != id.term => Outcome::Refused(ErrorCode::NotCoordinator),
            Command::AppendInTerm(_, appends) => self.append_or_stall(id, payload, appends, done),
            Command::Open(open) => self.as_of(open.as_of, |machine| machine.open_partitions(open.partitions)),
            Command::Close(close) => self.as_of(close.as_of, |machine| machine.close_partitions(close.ids)),
            Command::Expect(expect) => self.as_of(expect.as_of, |machine| machine.expect(id, expect)),
            Command::Import(import) => match self.import(import, done) {
                Ok(outcome) => outcome,
                Err(interrupted) => self.stall(id, payload, &interrupted),
            },
            Command::Adopt(adopt) => self.adopt(id.term, adopt),
            Command::Depart(depart) => self.as_of(depart.as_of, |machine| machine.depart(id.term, depart)),
            Command::Stay(stay) => self.as_of(stay.as_of, |machine| machine.stay(stay.partition)),
            Command::Configure(changes) => self.configure(changes),
            Command::AdvanceStart(moves) => self.advance_start(moves),
            Command::FeatureLevel(feature) => {
                self.level = self.level.max(feature.level);
                Outcome::Done
            }
        }
    }

    /// Does what a leader found in a cluster image, unless that is older than one which was acted on before: a new
    /// leader may know less than the one before it, and would close partitions that it has not heard of yet.
    fn as_of(&mut self, version: u64, act: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        if version < self.view.image_version() {
            return Outcome::Refused(ErrorCode::StaleControllerEpoch);
        }
        self.view.set_image_version(version);
        act(self)
    }

    fn append_or_stall(&mut self, id: EntryId, payload: &Bytes, appends: Appends, done: usize) -> Outcome {
        match self.append(id.term, appends, done) {
            Ok(results) => Outcome::Appended(results),
            Err(interrupted) => self.stall(id, payload, &interrupted),
        }
    }

    fn stall(&mut self, id: EntryId, payload: &Bytes, interrupted: &Interrupted) -> Outcome {
        self.health.stall(&interrupted.error);
        self.stall = Some(Stall::new(id, payload.clone(), interrupted.batches_done));
        Outcome::Refused(ErrorCode::KafkaStorageError)
    }

    /// Applies what had to wait for the disk, in order, as far as the disk allows.
    pub(crate) fn resume(&mut self) {
        while let Some(mut stall) = self.stall.take() {
            let Some((id, payload, done)) = stall.next() else {
                self.health.recover();
                if let Some(term) = stall.deferred_term() {
                    self.health.begin_term(term);
                }
                return;
            };
            self.apply_entry(id, &payload, done);
            if let Some(again) = &mut self.stall {
                again.append_queue(stall);
                return;
            }
            self.stall = Some(stall);
        }
    }

    pub(crate) fn unsaved(&self) -> std::sync::MutexGuard<'_, Unsaved> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
