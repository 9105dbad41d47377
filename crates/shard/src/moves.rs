//! Applying the way of a partition from one shard to another.
//!
//! In the shard that it comes to: it is *expected*, its batches are imported as they are, and it is adopted once all
//! are there. In the shard that it comes from: it departs, which is the moment from which no record is added there,
//! and is closed when the cluster image has it elsewhere. Who moves it is not apply's concern; each step may be
//! proposed again, by a leader that does not know how far the one before it came.

use log::LogError;
use model::{ErrorCode, PartitionId};
use raft::EntryId;
use record::{BatchHead, HEADER_BYTES};

use crate::append::{Interrupted, feed_groups};
use crate::entry::{Adopt, Depart, Departure, Expect, Import};
use crate::machine::{Cell, Machine, Outcome};
use crate::partition::{Arrival, EpochBase, Stage, Standing};

impl Machine {
    /// A copy that was begun for an earlier move is given up; one that was begun for this is gone on with.
    pub(crate) fn expect(&mut self, at: EntryId, expect: Expect) -> Outcome {
        let Expect { id, partition: open, .. } = expect;
        if let Some(cell) = self.cells.get(&open.id) {
            match cell.partition.stage() {
                Stage::Arriving(under_way) if under_way == id => {
                    return Outcome::Arriving(cell.partition.log.log_end());
                }
                Stage::Arriving(_) => self.close_partition(open.id),
                Stage::Serving if cell.partition.standing().arrived_by == Some(id) => {
                    return Outcome::Adopted(cell.partition.epoch_base());
                }
                Stage::Serving | Stage::Leaving(_) => return Outcome::Refused(ErrorCode::InvalidRequest),
            }
        }
        let arrival = Arrival { shard: self.group, entry: at.index };
        let start_offset = open.start_offset;
        self.dirty.insert(open.id);
        self.begin_partition(open, Some(arrival), Stage::Arriving(id));
        Outcome::Arriving(start_offset)
    }

    /// Adds batches with the offsets and epochs that they have; after an interruption passes over those that are done.
    pub(crate) fn import(&mut self, import: Import, done: usize) -> Result<Outcome, Interrupted> {
        let Import { id, log_start, batches } = import;
        let mut last = None;
        for (number, (partition, batch)) in batches.enumerate().skip(done) {
            let Some(cell) = self.cells.get(&partition).filter(|cell| cell.partition.stage() == Stage::Arriving(id))
            else {
                return Ok(Outcome::Refused(ErrorCode::NoReassignmentInProgress));
            };
            let interrupted = |error| Interrupted { error, batches_done: number };
            cell.import(log_start, &batch, self.clock_ms).map_err(interrupted)?;
            last = Some(cell.partition.log.log_end());
            self.dirty.insert(partition);
        }
        Ok(last.map_or(Outcome::Done, Outcome::Arriving))
    }

    pub(crate) fn depart(&mut self, term: u64, depart: Depart) -> Outcome {
        let Depart { id, partition, .. } = depart;
        let Some(cell) = self.cells.get(&partition) else {
            return Outcome::Refused(ErrorCode::UnknownTopicOrPartition);
        };
        if let Stage::Arriving(_) = cell.partition.stage() {
            return Outcome::Refused(ErrorCode::NotLeaderOrFollower);
        }
        let here = &cell.partition;
        here.standing().stage = Stage::Leaving(id);
        self.view.moving(partition, true);
        self.dirty.insert(partition);
        here.changed();
        Outcome::Departed(Box::new(Departure {
            log_start: here.log.log_start(),
            log_end: here.log.log_end(),
            epoch: here.epoch_base().in_term(term),
            producers: cell.producers.clone(),
        }))
    }

    pub(crate) fn stay(&mut self, id: PartitionId) -> Outcome {
        if let Some(cell) = self.cells.get(&id).filter(|cell| matches!(cell.partition.stage(), Stage::Leaving(_))) {
            cell.partition.standing().stage = Stage::Serving;
            self.view.moving(id, false);
            self.view.announce();
            self.dirty.insert(id);
        }
        Outcome::Done
    }

    /// Opens what has arrived whole. The answer to a leader that asks again is the same.
    pub(crate) fn adopt(&mut self, term: u64, adopt: Adopt) -> Outcome {
        let Adopt { id, partition, departure } = adopt;
        let Some(cell) = self.cells.get_mut(&partition) else {
            return Outcome::Refused(ErrorCode::NoReassignmentInProgress);
        };
        let here = &cell.partition;
        match here.stage() {
            Stage::Arriving(under_way) if under_way == id => {}
            Stage::Serving if here.standing().arrived_by == Some(id) => return Outcome::Adopted(here.epoch_base()),
            _ => return Outcome::Refused(ErrorCode::NoReassignmentInProgress),
        }
        if departure.log_start > here.log.log_end() {
            here.log.begin_anew_at(departure.log_start);
        }
        if here.log.log_end() != departure.log_end {
            return Outcome::Refused(ErrorCode::OffsetNotAvailable); // not all of it is here
        }
        here.log.advance_start(departure.log_start);
        let base = EpochBase::after(departure.epoch, term);
        *here.standing() = Standing { epoch_base: base, stage: Stage::Serving, arrived_by: Some(id) };
        cell.producers = departure.producers;
        let due_ms = self.clock_ms.saturating_add(cell.settings.file_delete_delay_ms);
        let dropped = here.log.take_dropped();
        self.unsaved().dropped(dropped, due_ms);
        self.view.moving(partition, false);
        self.view.announce();
        self.dirty.insert(partition);
        Outcome::Adopted(base)
    }
}

impl Cell {
    fn import(&self, log_start: i64, batch: &[u8], now_ms: i64) -> Result<(), LogError> {
        let log = &self.partition.log;
        if log_start > log.log_end() {
            log.begin_anew_at(log_start); // retention was faster than the copy
        }
        match BatchHead::copy_of(batch) {
            Some(head) if head.base_offset() >= log.log_end() => {
                log.append(&head, &batch[HEADER_BYTES..], now_ms)?;
                feed_groups(&self.partition, batch, head.base_offset());
                Ok(())
            }
            _ => Ok(()), // it is here already
        }
    }
}
