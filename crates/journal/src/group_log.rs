//! The handle of one group's log.

use std::fmt;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use crate::group::{Fence, Found, Group, State};
use crate::journal::Handle;
use crate::queue::{Ask, Checked, Request};
use crate::read::read_entries;
use crate::{Damage, Done, Entry, EntryId, GroupState, lock};

/// The log of one group; clones share it.
///
/// Requests take effect in memory at once and become durable in the order in which they were made;
/// `done` is called when they are. After an error of the disk every later request fails.
#[derive(Clone)]
pub struct GroupLog {
    pub(crate) group: Arc<Group>,
    pub(crate) handle: Arc<Handle>,
}

impl fmt::Debug for GroupLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupLog").field("id", &self.group.id).finish_non_exhaustive()
    }
}

impl GroupLog {
    /// The state that all requests so far lead to, durable or not.
    pub fn state(&self) -> GroupState {
        lock(&self.group.state).told.clone()
    }

    /// Damage that recovery found in this group. It takes no requests any more: what it promised
    /// others may be lost.
    pub fn damage(&self) -> Option<Damage> {
        lock(&self.group.state).fence.as_ref().map(|fence| fence.damage.clone())
    }

    /// The indexes of the entries that can't be read, of a group of which nothing else is damaged. All others can be.
    pub fn damaged_entries(&self) -> Option<Vec<u64>> {
        lock(&self.group.state).fence.as_ref().and_then(|fence| fence.bad_entries.clone())
    }

    /// Gives up the entries of a damaged group from an index on, for good. It takes requests again; those entries that can't
    /// be read and stand below have to be purged by the next of them, or the next start finds the same damage.
    pub fn give_up_from(&self, from: u64, done: Done) {
        let GroupState { vote, committed, .. } = self.state();
        let last = from.checked_sub(1);
        lock(&self.group.state).fence = None;
        // Of a group that is damaged, files that are begun hold nothing: what they would is said now.
        if let Some(vote) = vote {
            self.save_vote(vote, Box::new(|_| {})); // who comes last tells how it went
        }
        let last_id = last.and_then(|last| self.entry_id(last));
        if let Some(last) = last_id.filter(|last| committed.is_some_and(|committed| committed.index > last.index)) {
            self.save_committed(last);
        }
        match last {
            None => self.truncate_after(None, done),
            Some(last) => {
                self.truncate_after(Some(last), Box::new(|_| {}));
                self.request(1, done, |_, _| Ok(Ask::Last(last)));
            }
        }
    }

    /// Forgets the group, its vote too, for good: as if nothing had ever been written to it. For a member that has
    /// left it and is asked nothing any more; synced in relaxed mode too. A damaged group takes requests again.
    pub fn forget(&self, done: Done) {
        lock(&self.group.state).fence = None;
        self.request(1, done, |state, _| {
            state.forget();
            Ok(Ask::Forget)
        });
    }

    /// Appends entries, whose indexes follow on the last one's (`InvalidInput` if not; an empty log
    /// starts at 0, or after what was purged). They can be read at once.
    ///
    /// The bytes that wait to be written are bounded by the caller, who knows when to stop.
    pub fn append(&self, entries: Vec<Entry>, done: Done) {
        if entries.iter().any(|entry| entry.payload.len() > Self::MAX_ENTRY_BYTES) {
            let what = format!("an entry has more than {} bytes: refuse it earlier", Self::MAX_ENTRY_BYTES);
            return done(Err(io::Error::new(ErrorKind::InvalidInput, what)));
        }
        // Here, on the caller's thread, and not on the one that all groups share.
        let crcs: Vec<u32> = entries.iter().map(|entry| crc32fast::hash(&entry.payload)).collect();
        let cache_bytes = self.handle.shared.options.cache_bytes;
        self.request(entries.len().max(1) as u64, done, |state, first_step| {
            state.check_consecutive(&entries)?;
            state.append(&entries, first_step);
            state.evict(cache_bytes);
            let checked: Vec<Checked> =
                entries.into_iter().zip(crcs).map(|(entry, crc)| Checked { entry, crc }).collect();
            Ok(Ask::Append(checked.into_iter()))
        });
    }

    /// The longest payload of an entry. It must fit a file's positions many times over.
    pub const MAX_ENTRY_BYTES: usize = 256 << 20;

    /// Entries of an index range, at least one if the range is not empty, and no more than
    /// `max_bytes` of payload otherwise. `NotFound` if the first is not in the log (any more),
    /// `InvalidData` if it is damaged.
    ///
    /// Old entries are read from the files: it may block.
    pub fn read(&self, range: Range<u64>, max_bytes: usize) -> io::Result<Vec<Entry>> {
        let mut entries = self.read_some(range.clone(), max_bytes)?;
        let mut left = max_bytes.saturating_sub(payload_bytes(&entries));
        // Some come from the files, the rest from memory.
        while left > 0 && !entries.is_empty() {
            let next = range.start + entries.len() as u64;
            let Ok(mut more) = self.read_some(next..range.end, left) else { break };
            if more.first().is_none_or(|first| first.payload.len() > left) {
                break;
            }
            left -= payload_bytes(&more);
            entries.append(&mut more);
        }
        Ok(entries)
    }

    fn read_some(&self, range: Range<u64>, max_bytes: usize) -> io::Result<Vec<Entry>> {
        let start = range.start;
        let found = lock(&self.group.state).find(range, max_bytes)?;
        let (writes, range) = match found {
            Found::InMemory(entries) => return Ok(entries),
            Found::InFiles { writes, range } => (writes, range),
        };
        let shared = &self.handle.shared;
        let result = read_entries(&shared.files, &shared.identity, self.group.id, &writes, range, max_bytes);
        // A file may have been recycled under the read, after a purge. That is no damage.
        match result {
            Err(_) if self.is_purged(start) => Err(ErrorKind::NotFound.into()),
            read => read,
        }
    }

    fn is_purged(&self, index: u64) -> bool {
        lock(&self.group.state).told.purged.is_some_and(|id| id.index >= index)
    }

    /// Whether an entry is in memory, so that reading it (and no more than follows it) does not block.
    pub fn is_recent(&self, index: u64) -> bool {
        lock(&self.group.state).is_recent(index)
    }

    /// The index from which on all entries lie in the last so many bytes of the journal, entries of other groups
    /// counted: whole files of it, the one being written included. What is not written yet does not count.
    pub fn first_within(&self, bytes: u64) -> u64 {
        let shared = &self.handle.shared;
        let files = bytes / shared.options.file_bytes;
        let generation = shared.counters.generation.load(Ordering::Relaxed);
        lock(&self.group.state).written.first_from((generation + 1).saturating_sub(files))
    }

    /// The id of the entry at an index, if it is in the log or the last one purged.
    pub fn entry_id(&self, index: u64) -> Option<EntryId> {
        lock(&self.group.state).entry_id(index)
    }

    /// Removes all entries after an index; all of them for `None`.
    pub fn truncate_after(&self, index: Option<u64>, done: Done) {
        let from = index.map_or(0, |index| index.saturating_add(1));
        self.request(1, done, |state, _| {
            state.truncate(from);
            Ok(Ask::Truncate(from))
        });
    }

    /// Removes all entries up to this one, which need not be there: the log goes on after it. A file
    /// of which nothing else is needed is used again.
    pub fn purge(&self, upto: EntryId, done: Done) {
        self.request(1, done, |state, _| {
            state.purge(upto);
            Ok(Ask::Purge(upto))
        });
    }

    /// Replaces the vote; synced in relaxed mode too.
    pub fn save_vote(&self, vote: Bytes, done: Done) {
        self.request(1, done, |state, _| {
            state.told.vote = Some(vote.clone());
            Ok(Ask::Vote(vote))
        });
    }

    /// Notes what is committed. It becomes durable with the next write, of whatever group.
    pub fn save_committed(&self, id: EntryId) {
        self.request(1, Box::new(|_| {}), |state, _| {
            state.told.committed = Some(id);
            Ok(Ask::Committed(id))
        });
    }

    /// Applies a request in memory and queues it, under one lock, so that both have one order.
    fn request(&self, steps: u64, done: Done, apply: impl FnOnce(&mut State, u64) -> io::Result<Ask>) {
        let mut state = lock(&self.group.state);
        if let Some(Fence { damage, .. }) = &state.fence {
            let error = io::Error::new(ErrorKind::InvalidData, damage.to_string());
            drop(state);
            return done(Err(error));
        }
        let step = state.take_steps(steps);
        let ask = match apply(&mut state, step) {
            Ok(ask) => ask,
            Err(error) => {
                drop(state);
                return done(Err(error));
            }
        };
        let request = Request { group: self.group.clone(), step, ask, done: Some(done) };
        let refused = self.handle.shared.queue.push(request);
        drop(state);
        if let Err((Request { done: Some(done), .. }, error)) = refused {
            done(Err(error));
        }
    }
}

fn payload_bytes(entries: &[Entry]) -> usize {
    entries.iter().map(|entry| entry.payload.len()).sum()
}
