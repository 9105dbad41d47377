//! The write-ahead log of a data directory, shared by all Raft groups on it.
//!
//! One writer merges what queued up from all groups into one write and one fsync, and answers
//! afterwards. Files are written with zeros once and used over and over.
//!
//! It is not: a Raft implementation, and it does not know what is in an entry.
//!
//! (The body is still in memory; the interface is final.)

mod entry;
mod error;
mod options;

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use disk::Disk;
use model::{Executor, GroupId};

pub use entry::{Entry, EntryId};
pub use error::{Damage, JournalError, Recovery};
pub use options::Options;

/// Called once, from the journal's thread, when a request is durable (mode `fsync`; in mode
/// `relaxed`: written), or has failed. It must not block.
pub type Done = Box<dyn FnOnce(io::Result<()>) + Send>;

/// What a group's log is, as the last request left it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GroupState {
    /// The vote, as the caller encoded it.
    pub vote: Option<Bytes>,
    /// The last entry known to be committed.
    pub committed: Option<EntryId>,
    /// The last entry that was purged.
    pub purged: Option<EntryId>,
    /// The last entry; the purged one if nothing follows it.
    pub last: Option<EntryId>,
}

/// Counters since the journal was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Merged writes.
    pub writes: u64,
    /// Calls of fdatasync.
    pub syncs: u64,
    /// Bytes written, with heads and padding.
    pub bytes: u64,
    /// Requests that these writes carried.
    pub requests: u64,
    /// Entries among them.
    pub entries: u64,
    /// Bytes of payload that wait to be written. The callers' budgets bound it.
    pub queued_bytes: u64,
    /// New files written with zeros.
    pub files_zeroed: u64,
    /// Purged files used again.
    pub files_recycled: u64,
}

/// A handle of the journal; clones share it.
#[derive(Clone)]
pub struct Journal {
    groups: Arc<Mutex<BTreeMap<GroupId, GroupLog>>>,
}

impl Journal {
    /// Opens the journal in `dir`, reads what it holds, and starts its writer on a worker of the
    /// executor. `identity` is the directory's UUID. Blocks on the disk.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        identity: [u8; 16],
        options: Options,
        executor: Arc<dyn Executor>,
    ) -> Result<(Journal, Recovery), JournalError> {
        let _ = (disk, dir, identity, options, executor);
        Ok((Journal { groups: Arc::default() }, Recovery::default()))
    }

    /// The log of a group; empty if nothing was ever written to it.
    pub fn group(&self, group: GroupId) -> GroupLog {
        lock(&self.groups).entry(group).or_insert_with(|| GroupLog { log: Arc::default() }).clone()
    }

    /// Ends the journal cleanly: what is queued is written and synced, later requests fail. The
    /// directory may be opened again afterwards.
    pub async fn shutdown(&self) {}

    /// Bytes since the oldest entry that is not purged: what a restart would read.
    pub fn live_bytes(&self) -> u64 {
        0
    }

    /// The group whose unpurged entry holds the oldest file, if more than one file is in use.
    pub fn oldest_group(&self) -> Option<GroupId> {
        None
    }

    /// Whether a write or an fsync failed: nothing is accepted any more; the broker must restart.
    pub fn failed(&self) -> bool {
        false
    }

    /// Whether there is no room for another file. Appends go on into the current one, and wait when
    /// it is full: refuse new work, purge, and it goes on.
    pub fn out_of_room(&self) -> bool {
        false
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        Stats::default()
    }
}

#[derive(Default)]
struct Log {
    state: GroupState,
    entries: BTreeMap<u64, Entry>,
}

/// The log of one group; clones share it.
#[derive(Clone)]
pub struct GroupLog {
    log: Arc<Mutex<Log>>,
}

impl GroupLog {
    /// The state that all requests so far lead to, durable or not.
    pub fn state(&self) -> GroupState {
        lock(&self.log).state.clone()
    }

    /// Damage that recovery found in this group: it takes no requests.
    pub fn damage(&self) -> Option<Damage> {
        None
    }

    /// Appends entries, whose indexes follow on the last one's; they can be read at once.
    pub fn append(&self, entries: Vec<Entry>, done: Done) {
        let mut log = lock(&self.log);
        for entry in entries {
            log.state.last = Some(entry.id);
            log.entries.insert(entry.id.index, entry);
        }
        drop(log);
        done(Ok(()));
    }

    /// Entries of an index range, at least one if the range is not empty, else as many as
    /// `max_bytes` of payload allow. `NotFound` if one was purged or never appended.
    pub fn read(&self, range: Range<u64>, max_bytes: usize) -> io::Result<Vec<Entry>> {
        let log = lock(&self.log);
        let mut entries = Vec::new();
        let mut bytes = 0;
        for index in range {
            let entry = log.entries.get(&index).ok_or(ErrorKind::NotFound)?;
            bytes += entry.payload.len();
            if bytes > max_bytes && !entries.is_empty() {
                break;
            }
            entries.push(entry.clone());
        }
        Ok(entries)
    }

    /// The id of the entry at an index: of one that is there, or the last one purged.
    pub fn entry_id(&self, index: u64) -> Option<EntryId> {
        let log = lock(&self.log);
        log.entries.get(&index).map(|e| e.id).or(log.state.purged.filter(|id| id.index == index))
    }

    /// Removes all entries after an index; all of them for `None`.
    pub fn truncate_after(&self, index: Option<u64>, done: Done) {
        let mut log = lock(&self.log);
        log.entries.retain(|i, _| index.is_some_and(|index| *i <= index));
        log.state.last = log.entries.values().next_back().map(|e| e.id).or(log.state.purged);
        drop(log);
        done(Ok(()));
    }

    /// Removes all entries up to this one, which need not be there: the log goes on after it.
    pub fn purge(&self, upto: EntryId, done: Done) {
        let mut log = lock(&self.log);
        log.entries.retain(|i, _| *i > upto.index);
        log.state.purged = Some(upto);
        log.state.last = log.entries.values().next_back().map(|e| e.id).or(Some(upto));
        drop(log);
        done(Ok(()));
    }

    /// Replaces the vote; synced in relaxed mode too.
    pub fn save_vote(&self, vote: Bytes, done: Done) {
        lock(&self.log).state.vote = Some(vote);
        done(Ok(()));
    }

    /// Notes what is committed. It becomes durable with the next write of any group.
    pub fn save_committed(&self, id: EntryId) {
        lock(&self.log).state.committed = Some(id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
