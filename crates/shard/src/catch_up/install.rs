//! Making what was fetched the state.

use std::collections::BTreeSet;
use std::io;

use model::PartitionId;
use raft::Applied;

use super::offer::{Offer, Offered, State};
use crate::entry::OpenPartition;
use crate::machine::Machine;

impl Machine {
    /// Takes another member's state in place of this one. It is a checkpoint, whose commit is the one moment of the
    /// change on disk: a crash before finds the old state, with files that it does not know beside it.
    pub(crate) fn install_offer(&mut self, applied: Applied, offer: &[u8]) -> io::Result<()> {
        let Offer { pin, .. } = Offer::decode(offer)?;
        let fetched = self.stage.take_fetched(pin);
        let State { clock_ms, level, image_version, partitions } =
            fetched.ok_or_else(|| io::Error::other("it was not fetched"))?;
        let disk = self.files.disk().clone();
        self.stage.begin_install(&*disk)?;
        if self.stall.take().is_some() {
            self.health.recover(); // what waited for the disk is part of what was fetched
        }
        self.unsaved().replace();
        self.clock_ms = clock_ms;
        self.level = level;
        self.view.set_image_version(image_version);
        self.term = applied.id.term;
        let offered: BTreeSet<PartitionId> = partitions.iter().map(|offered| offered.id).collect();
        let gone = self.cells.keys().filter(|id| !offered.contains(id)).copied().collect();
        self.close_partitions(gone);
        for offered in partitions {
            self.take_partition(offered, &pin.tag())?;
        }
        self.begin_checkpoint(applied)()?;
        self.view.announce();
        if let Err(why) = self.stage.clear(&*disk) {
            tracing::warn!(group = %self.group, %why, "what was fetched could not be cleared away, to be tried again");
        }
        Ok(())
    }

    fn take_partition(&mut self, offered: Offered, tag: &str) -> io::Result<()> {
        let stage = self.stage.installing(&offered.replica());
        let Offered { id, record, groups } = offered;
        if self.cells.get(&id).is_some_and(|cell| cell.partition.arrival != record.arrival) {
            self.close_partition(id); // it went to another shard and came back: its files are others
        }
        let standing = record.standing();
        if !self.cells.contains_key(&id) {
            let open = OpenPartition {
                id,
                topic: record.topic,
                settings: record.settings.clone(),
                epoch_base: standing.epoch_base.epoch,
                start_offset: record.log.log_start,
            };
            self.begin_partition(open, record.arrival, standing.stage);
        }
        let Some(cell) = self.cells.get_mut(&id) else { return Ok(()) };
        let partition = cell.partition.clone();
        partition.log.adopt(&record.log, &stage, tag).map_err(io::Error::other)?;
        partition.configure(record.settings.clone());
        *partition.standing() = standing;
        cell.settings = record.settings;
        cell.producers = record.producers;
        if let Some(mut store) = partition.groups() {
            store.take_over(groups.iter().map(|(key, value)| (&key[..], &value[..]))).map_err(io::Error::other)?;
        }
        let due_ms = self.clock_ms.saturating_add(cell.settings.file_delete_delay_ms);
        self.unsaved().dropped(partition.log.take_dropped(), due_ms);
        self.dirty.insert(id);
        partition.changed();
        self.view.insert(partition); // which tells how it stands
        Ok(())
    }
}
