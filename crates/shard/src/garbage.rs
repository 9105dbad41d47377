//! Files that nothing needs any more. One is unlinked only when a durable manifest has stopped
//! naming it and its delay (`file.delete.delay.ms`) is over. What is still here when the broker
//! stops is found and removed at the next start, since no manifest names it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use disk::Disk;

use crate::catch_up::PinId;
use crate::limits::{MAX_STATE_BYTES, MOST_PINS, PIN_IDLE_MS, PIN_MOST_MS};
use crate::partition::Partition;

#[derive(Default)]
pub(crate) struct Garbage {
    items: Vec<Item>,
    /// Of items that are added now.
    generation: u64,
    /// Items of generations below this are named by no durable manifest.
    released: u64,
    /// While there is one, nothing goes: a member fetches what was offered to it.
    pins: BTreeMap<PinId, Pin>,
}

/// Its times are set when garbage is collected, which brings the clock along.
#[derive(Default)]
struct Pin {
    idle_until_ms: Option<i64>,
    ends_ms: Option<i64>,
    /// What was offered, described.
    state: Bytes,
}

struct Item {
    what: What,
    due_ms: i64,
    generation: u64,
}

enum What {
    Files(Vec<PathBuf>),
    /// All files of a partition that was closed.
    Partition(Arc<Partition>),
}

impl Garbage {
    pub(crate) fn add_files(&mut self, files: Vec<PathBuf>, due_ms: i64) {
        if !files.is_empty() {
            self.items.push(Item { what: What::Files(files), due_ms, generation: self.generation });
        }
    }

    pub(crate) fn add_partition(&mut self, partition: Arc<Partition>, due_ms: i64) {
        self.items.push(Item { what: What::Partition(partition), due_ms, generation: self.generation });
    }

    /// The closed partitions whose files are still here.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = &Arc<Partition>> {
        self.items.iter().filter_map(|item| match &item.what {
            What::Partition(partition) => Some(partition),
            What::Files(_) => None,
        })
    }

    /// A checkpoint begins: what is added from here on is for the next one.
    pub(crate) fn next_generation(&mut self) -> u64 {
        let current = self.generation;
        self.generation += 1;
        current
    }

    /// The checkpoint that began at `generation` is durable.
    pub(crate) fn release(&mut self, generation: u64) {
        self.released = self.released.max(generation + 1);
    }

    /// Whether a checkpoint would release something.
    pub(crate) fn wants_checkpoint(&self) -> bool {
        self.items.iter().any(|item| item.generation >= self.released)
    }

    /// Keeps all files until the pin is not used any more.
    pub(crate) fn pin(&mut self, id: PinId) {
        self.pins.insert(id, Pin::default());
        while self.pins.len() > MOST_PINS {
            self.pins.pop_first();
        }
    }

    /// Keeps the description of what was pinned, and the pins before it as far as theirs have room beside it.
    pub(crate) fn describe(&mut self, id: PinId, state: Bytes) {
        if let Some(pin) = self.pins.get_mut(&id) {
            pin.state = state;
        }
        while self.pins.len() > 1 && self.pins.values().map(|pin| pin.state.len() as u64).sum::<u64>() > MAX_STATE_BYTES
        {
            self.pins.pop_first();
        }
    }

    /// What was described, if the pin still holds; a use keeps it for a while.
    pub(crate) fn use_pin(&mut self, id: PinId) -> Option<Bytes> {
        let pin = self.pins.get_mut(&id)?;
        pin.idle_until_ms = None;
        Some(pin.state.clone())
    }

    /// Takes out what may be removed at `now_ms`.
    pub(crate) fn take_due(&mut self, now_ms: i64) -> Due {
        self.pins.retain(|_, pin| {
            let idle_until = *pin.idle_until_ms.get_or_insert(now_ms.saturating_add(PIN_IDLE_MS));
            let ends = *pin.ends_ms.get_or_insert(now_ms.saturating_add(PIN_MOST_MS));
            now_ms < idle_until && now_ms < ends
        });
        if !self.pins.is_empty() {
            return Due(Vec::new());
        }
        let released = self.released;
        let is_due = |item: &mut Item| item.generation < released && item.due_ms <= now_ms;
        Due(self.items.extract_if(.., is_due).map(|item| item.what).collect())
    }
}

/// What may be removed now.
pub(crate) struct Due(Vec<What>);

impl Due {
    /// Unlinks it all. A file that cannot be removed is logged and left for the next start.
    pub(crate) fn remove(self, disk: &dyn Disk) {
        for what in self.0 {
            match what {
                What::Files(files) => files.iter().for_each(|file| report(file, disk.remove_file(file))),
                What::Partition(partition) => {
                    if let Err(why) = partition.log.delete_all_files() {
                        tracing::warn!(%why, "a deleted partition's files could not be removed");
                    }
                }
            }
        }
    }
}

fn report(path: &Path, removed: io::Result<()>) {
    if let Err(why) = removed
        && why.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %why, "a file that is no longer needed could not be removed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(garbage: &mut Garbage, now_ms: i64) -> usize {
        garbage.take_due(now_ms).0.len()
    }

    #[test]
    fn nothing_goes_before_a_manifest_has_stopped_naming_it() {
        let mut garbage = Garbage::default();
        garbage.add_files(vec!["a".into()], 0);
        assert_eq!(due(&mut garbage, 10), 0);
        let checkpoint = garbage.next_generation();
        garbage.add_files(vec!["b".into()], 0);
        garbage.release(checkpoint);
        assert_eq!(due(&mut garbage, 10), 1, "b was dropped after the checkpoint began");
        assert!(garbage.wants_checkpoint());
    }

    #[test]
    fn nothing_goes_before_its_delay_is_over() {
        let mut garbage = Garbage::default();
        garbage.add_files(vec!["a".into()], 100);
        let checkpoint = garbage.next_generation();
        garbage.release(checkpoint);
        assert_eq!(due(&mut garbage, 99), 0);
        assert_eq!(due(&mut garbage, 100), 1);
        assert!(!garbage.wants_checkpoint());
    }
}
