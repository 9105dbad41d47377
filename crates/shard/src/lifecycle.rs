//! Applying what happens to partitions as such: opening, closing, settings, log starts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use log::PartitionLog;
use model::{ErrorCode, PartitionId, TopicName};

use crate::entry::{AdvanceStart, Configure, OpenPartition};
use crate::machine::{Cell, Machine, Outcome};
use crate::partition::{Arrival, EpochBase, Partition, Stage, Standing};
use crate::producers::Producers;

/// Where a partition's files are: `topics/<name>/<partition>-<topic id>`. The id keeps a topic that
/// was deleted apart from a new one of its name; the name is there for people. One that came from another shard has
/// `-<shard>-<entry>` at its end: its old replica may be on the same broker.
pub(crate) fn partition_dir(topics: &Path, topic: &TopicName, id: PartitionId, arrival: Option<Arrival>) -> PathBuf {
    let suffix = arrival.map(|it| format!("-{}-{}", it.shard.0, it.entry)).unwrap_or_default();
    topics.join(topic.as_str()).join(format!("{}-{}{suffix}", id.index, id.topic))
}

impl Machine {
    pub(crate) fn open_partitions(&mut self, partitions: Vec<OpenPartition>) -> Outcome {
        for open in partitions {
            if self.cells.contains_key(&open.id) {
                continue; // a reconciler that restarted proposes once more
            }
            self.dirty.insert(open.id);
            self.begin_partition(open, None, Stage::Serving);
        }
        self.view.announce();
        Outcome::Done
    }

    /// A partition without records.
    pub(crate) fn begin_partition(&mut self, open: OpenPartition, arrival: Option<Arrival>, stage: Stage) {
        let OpenPartition { id, topic, settings, epoch_base, start_offset } = open;
        let dir = partition_dir(&self.topics, &topic, id, arrival);
        let log = PartitionLog::create(self.files.clone(), dir, settings.log.clone(), start_offset);
        let standing = Standing { epoch_base: EpochBase { epoch: epoch_base }, stage, arrived_by: None };
        let partition = Partition::new(id, topic, log, settings.clone(), arrival, standing);
        self.hold(Cell { partition: Arc::new(partition), settings, producers: Producers::default() });
    }

    /// Lets a partition be seen. Before its directory is made: a sweep takes what is in no view for nobody's.
    pub(crate) fn hold(&mut self, cell: Cell) {
        self.view.insert(cell.partition.clone());
        self.cells.insert(cell.partition.id, cell);
    }

    pub(crate) fn close_partitions(&mut self, ids: Vec<PartitionId>) -> Outcome {
        for id in ids {
            self.close_partition(id);
        }
        self.view.announce();
        Outcome::Done
    }

    pub(crate) fn close_partition(&mut self, id: PartitionId) {
        if let Some(cell) = self.cells.remove(&id) {
            let due_ms = self.clock_ms.saturating_add(cell.settings.file_delete_delay_ms);
            let groups = cell.partition.groups().map(|mut groups| {
                groups.clear();
                groups.take_dirty()
            });
            self.unsaved().closed(cell.partition, groups.unwrap_or_default(), due_ms);
            self.view.remove(id);
        }
    }

    pub(crate) fn configure(&mut self, changes: Vec<Configure>) -> Outcome {
        for change in changes {
            if let Some(cell) = self.cells.get_mut(&change.id) {
                cell.partition.configure(change.settings.clone());
                cell.settings = change.settings;
                self.dirty.insert(change.id);
            }
        }
        Outcome::Done
    }

    pub(crate) fn advance_start(&mut self, moves: AdvanceStart) -> Outcome {
        let mut outcome = Outcome::Done;
        for start in moves.partitions {
            let Some(cell) = self.cells.get(&start.id) else { continue };
            if cell.partition.stage() != Stage::Serving {
                outcome = Outcome::Refused(ErrorCode::NotLeaderOrFollower);
                continue;
            }
            let log = &cell.partition.log;
            if start.offset > log.log_start() && start.offset <= log.log_end() {
                log.advance_start(start.offset);
                let due_ms = self.clock_ms.saturating_add(cell.settings.file_delete_delay_ms);
                let dropped = log.take_dropped();
                cell.partition.changed();
                self.unsaved().dropped(dropped, due_ms);
                self.dirty.insert(start.id);
            }
        }
        outcome
    }
}
