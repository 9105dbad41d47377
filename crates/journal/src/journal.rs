//! The handle of the journal as a whole.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use disk::Disk;
use model::{Executor, GroupId};
use tokio::sync::oneshot;

use crate::files::{Dir, Readable};
use crate::group::{Group, State};
use crate::index::Terms;
use crate::queue::Queue;
use crate::recovery::recover;
use crate::stats::Counters;
use crate::writer::Writer;
use crate::written::Written;
use crate::{GroupLog, GroupState, JournalError, Options, Recovery, Stats, lock};

/// A journal; clones share it. When the last handle (of a group, too) is dropped, what is queued is
/// still written, in the background: to wait for it, use [`shutdown`](Journal::shutdown).
#[derive(Clone)]
pub struct Journal {
    handle: Arc<Handle>,
}

/// What all handles share with the writer.
pub(crate) struct Shared {
    pub(crate) dir: Dir,
    pub(crate) identity: [u8; 16],
    pub(crate) options: Options,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) queue: Queue,
    pub(crate) files: Readable,
    pub(crate) groups: Mutex<BTreeMap<GroupId, Arc<Group>>>,
    pub(crate) counters: Counters,
}

/// Tells the writer when nobody can ask for anything any more.
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.queue.abandon();
    }
}

impl Journal {
    /// Opens the journal in `dir` (made if missing), reads what it holds, and starts its writer on a
    /// worker of the executor. `identity` is the directory's UUID: the files of another directory are
    /// refused. Blocks on the disk.
    ///
    /// One journal may be open on a directory at a time, in all processes: who opens it holds the data
    /// directory's lock. In one process, [`shutdown`](Journal::shutdown) comes before opening again.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        identity: [u8; 16],
        options: Options,
        executor: Arc<dyn Executor>,
    ) -> Result<(Journal, Recovery), JournalError> {
        let dir = Dir { disk, path: dir.to_owned() };
        let found = recover(&dir, identity, &options)?;
        let shared = Arc::new(Shared {
            dir,
            identity,
            options,
            executor: executor.clone(),
            queue: Queue::default(),
            files: found.files,
            groups: Mutex::new(found.groups),
            counters: Counters::default(),
        });
        let writer = Writer::new(shared.clone(), found.tail);
        executor.worker("journal", Box::pin(writer.run()));
        Ok((Journal { handle: Arc::new(Handle { shared }) }, found.recovery))
    }

    /// The log of a group; empty if nothing was ever written to it.
    pub fn group(&self, id: GroupId) -> GroupLog {
        let new = || Arc::new(Group::new(id, State::recovered(Written::new(), Terms::new(), None)));
        let group = lock(&self.handle.shared.groups).entry(id).or_insert_with(new).clone();
        GroupLog { group, handle: self.handle.clone() }
    }

    /// The groups of which there is anything.
    pub fn groups(&self) -> Vec<GroupId> {
        let groups = lock(&self.handle.shared.groups);
        let known = groups.values().filter(|group| lock(&group.state).told != GroupState::default());
        known.map(|group| group.id).collect()
    }

    /// Ends the journal cleanly: what is queued is written and synced, later requests fail. The
    /// directory may be opened again afterwards.
    pub async fn shutdown(&self) {
        let (ended, end) = oneshot::channel();
        self.handle.shared.queue.shut_down(ended);
        end.await.unwrap_or_default(); // an error: it had ended before
    }

    /// Bytes since the oldest entry that is not purged: what a restart would read.
    pub fn live_bytes(&self) -> u64 {
        self.handle.shared.counters.live_bytes.load(Ordering::Relaxed)
    }

    /// The group whose unpurged entry holds the oldest file, if that is not the one being written.
    pub fn oldest_group(&self) -> Option<GroupId> {
        let shared = &self.handle.shared;
        let groups = lock(&shared.groups);
        let places = groups.values().filter_map(|group| Some((group.oldest_place()?, group.id)));
        let (oldest, group) = places.min()?;
        let current = shared.counters.generation.load(Ordering::Relaxed);
        (u64::from(oldest.generation()) < current).then_some(group)
    }

    /// Whether a write or an fsync failed: nothing is accepted any more, and the broker must restart.
    pub fn failed(&self) -> bool {
        self.handle.shared.queue.failed()
    }

    /// Whether there is no room for another file. Appends go on into the current one, and wait (they
    /// do not fail) when it is full, until there is room again or a purge frees a file. Who feeds the
    /// journal should refuse new work while this is so.
    pub fn out_of_room(&self) -> bool {
        self.handle.shared.counters.out_of_room.load(Ordering::Relaxed)
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        let shared = &self.handle.shared;
        shared.counters.snapshot(shared.queue.bytes())
    }
}
