//! Random requests of several groups, and what the journal owes after any end.
//!
//! Each group's requests have one order, so what is recovered must be the state after some first part
//! of them that includes all that were acknowledged. (A purge may overtake what was asked before it:
//! what is purged is compared by itself.)

#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use disk::{Disk, SimDisk};
use journal::{Done, Entry, EntryId, GroupLog, Journal, JournalError, Options, Recovery};
use model::{GroupId, Inline};

pub(crate) const DIR: &str = "data/journal";
pub(crate) const IDENTITY: [u8; 16] = *b"0123456789abcdef";
pub(crate) const GROUPS: u32 = 3;

/// Small files, so that a short script fills and recycles several.
pub(crate) fn options(sync: bool) -> Options {
    Options { file_bytes: 64 << 10, first_file_bytes: 32 << 10, spare_files: 2, sync, cache_bytes: 4 << 10 }
}

pub(crate) fn open(disk: &SimDisk, options: Options) -> Result<(Journal, Recovery), JournalError> {
    Journal::open(Arc::new(disk.clone()), Path::new(DIR), IDENTITY, options, Arc::new(Inline))
}

/// An empty disk on which the data directory exists.
pub(crate) fn new_disk(seed: u64) -> SimDisk {
    let disk = SimDisk::new(seed);
    disk.create_dir_all(Path::new("data")).unwrap();
    disk.sync_dir(Path::new("")).unwrap();
    disk
}

/// Runs in one thread in simulated time; when it returns, all tasks are gone, as after `kill -9`.
pub(crate) fn in_one_thread<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(work)
}

/// SplitMix64.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below `n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

#[derive(Clone, Debug)]
enum Op {
    Append(Entry),
    Vote(Bytes),
    Committed(EntryId),
    Purge(EntryId),
    Truncate(Option<u64>),
}

/// What a log is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Contents {
    pub(crate) vote: Option<Bytes>,
    pub(crate) committed: Option<EntryId>,
    pub(crate) purged: Option<EntryId>,
    pub(crate) last: Option<EntryId>,
    pub(crate) entries: BTreeMap<u64, Entry>,
}

impl Contents {
    pub(crate) fn read(log: &GroupLog) -> Contents {
        let state = log.state();
        let mut entries = BTreeMap::new();
        let mut next = state.purged.map_or(0, |id| id.index + 1);
        let end = state.last.map_or(0, |id| id.index + 1);
        while next < end {
            for entry in log.read(next..end, 10_000).unwrap() {
                assert_eq!(entry.id.index, next, "entries come without gaps");
                assert_eq!(log.entry_id(next), Some(entry.id));
                entries.insert(next, entry);
                next += 1;
            }
        }
        let (vote, committed) = (state.vote, state.committed);
        Contents { vote, committed, purged: state.purged, last: state.last, entries }
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Append(entry) => drop(self.entries.insert(entry.id.index, entry.clone())),
            Op::Vote(vote) => self.vote = Some(vote.clone()),
            Op::Committed(id) => self.committed = Some(*id),
            Op::Purge(id) => {
                self.purged = Some(*id);
                self.entries.retain(|index, _| *index > id.index);
            }
            Op::Truncate(index) => self.entries.retain(|i, _| index.is_some_and(|index| *i <= index)),
        }
        self.last = self.entries.values().next_back().map(|entry| entry.id).or(self.purged);
    }

    /// The same, with a later purge.
    fn purged_to(&self, purged: Option<EntryId>) -> Contents {
        let mut contents = self.clone();
        if let Some(id) = purged.filter(|id| self.purged.is_none_or(|own| own.index < id.index)) {
            contents.apply(&Op::Purge(id));
        }
        contents
    }
}

/// One group: what it was at the start, and what was asked for since.
#[derive(Default)]
pub(crate) struct History {
    start: Contents,
    /// After all that was asked for.
    now: Contents,
    ops: Vec<Op>,
    /// So many of them must be there.
    acknowledged: Arc<AtomicUsize>,
    /// Entries below this must be purged. (A purge that is acknowledged says nothing of what it overtook.)
    purged_below: Arc<AtomicU64>,
    term: u64,
}

impl History {
    fn at(&self, ops: usize) -> Contents {
        let mut contents = self.start.clone();
        self.ops[..ops].iter().for_each(|op| contents.apply(op));
        contents
    }

    pub(crate) fn all(&self) -> &Contents {
        &self.now
    }

    fn push(&mut self, op: Op) {
        self.now.apply(&op);
        self.ops.push(op);
    }

    /// Finds how many requests a recovered log shows, and goes on from there.
    fn recovered(&mut self, found: Contents, at_least: usize) {
        let purge_known = found.purged.is_none()
            || found.purged == self.start.purged
            || self.ops.iter().any(|op| matches!(op, Op::Purge(id) if Some(*id) == found.purged));
        assert!(purge_known, "nobody purged to {:?}", found.purged);
        let purged_below = self.purged_below.load(Ordering::Relaxed);
        assert!(found.purged.map_or(0, |id| id.index + 1) >= purged_below, "not purged below {purged_below}");
        let fits = |ops: &usize| {
            let expected = self.at(*ops);
            let purge_is_kept = expected.purged.map(|id| id.index) <= found.purged.map(|id| id.index);
            purge_is_kept && expected.purged_to(found.purged) == found
        };
        let all = self.ops.len();
        let Some(_) = (at_least..=all).rev().find(fits) else {
            let (expected, last) = (self.at(at_least), self.at(all));
            panic!(
                "of {all} requests {at_least} were acknowledged; found {}, expected from {} to {}",
                brief(&found),
                brief(&expected),
                brief(&last)
            );
        };
        *self = History { now: found.clone(), start: found, term: self.term + 1, ..History::default() };
    }
}

fn brief(contents: &Contents) -> String {
    let Contents { vote, committed, purged, last, entries } = contents;
    let indexes = (entries.keys().next(), entries.keys().next_back());
    format!("[vote {vote:?} committed {committed:?} purged {purged:?} last {last:?} entries {indexes:?}]")
}

/// All groups.
pub(crate) struct Histories {
    pub(crate) groups: BTreeMap<GroupId, History>,
    sync: bool,
}

impl Histories {
    pub(crate) fn new(sync: bool) -> Self {
        Histories { groups: (0..GROUPS).map(|id| (GroupId(id), History::default())).collect(), sync }
    }

    /// Asks for random things until so many were asked for, or the disk is dead. Waits now and then.
    pub(crate) async fn run(&mut self, journal: &Journal, disk: &SimDisk, rng: &mut Rng, steps: usize) {
        for _ in 0..steps {
            if disk.crashed() || journal.failed() {
                return;
            }
            let id = GroupId(rng.below(u64::from(GROUPS)) as u32);
            let sync = self.sync;
            let history = self.groups.get_mut(&id).unwrap();
            history.ask(&journal.group(id), rng, sync);
            for _ in 0..rng.below(3) {
                tokio::task::yield_now().await;
            }
            if rng.below(10) == 0 {
                // Long enough for all that was asked for, and for a file to be made.
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        }
    }

    /// Checks what a journal holds after a crash, or after the process alone died.
    pub(crate) fn check(&mut self, journal: &Journal, recovery: &Recovery) {
        assert_eq!(recovery.damage, [], "a crash is no damage");
        for (id, history) in &mut self.groups {
            let at_least = history.acknowledged.load(Ordering::Relaxed);
            history.recovered(Contents::read(&journal.group(*id)), at_least);
        }
    }

    /// Checks that memory tells what was asked for.
    pub(crate) fn check_in_memory(&self, journal: &Journal) {
        for (id, history) in &self.groups {
            assert_eq!(Contents::read(&journal.group(*id)), *history.all());
        }
    }
}

impl History {
    fn ask(&mut self, log: &GroupLog, rng: &mut Rng, sync: bool) {
        let now = &self.now;
        let next = now.last.map_or(0, |id| id.index + 1);
        let first = now.purged.map_or(0, |id| id.index + 1);
        match rng.below(20) {
            0 => {
                self.term += 1;
                let vote = Bytes::from(self.term.to_string());
                self.push(Op::Vote(vote.clone()));
                log.save_vote(vote, self.done(true));
            }
            1 | 2 => {
                if let Some(id) = now.last {
                    self.push(Op::Committed(id));
                    log.save_committed(id);
                }
            }
            3 if next > first => {
                let keep = (first + rng.below(next - first + 1)).checked_sub(1);
                self.push(Op::Truncate(keep));
                log.truncate_after(keep, self.done(sync));
            }
            4..=6 if next > 0 => {
                // Mostly a part of the log; now and then beyond its end, as when a snapshot arrives.
                let index = if rng.below(8) == 0 { next + 3 } else { first + rng.below((next - first).max(1)) };
                let term = now.entries.get(&index).map_or(self.term, |entry| entry.id.term);
                let id = EntryId { term, node: 1, index };
                self.push(Op::Purge(id));
                let purged_below = self.purged_below.clone();
                let done = move |result: io::Result<()>| {
                    if result.is_ok() && sync {
                        purged_below.fetch_max(index + 1, Ordering::Relaxed);
                    }
                };
                log.purge(id, Box::new(done));
            }
            _ => {
                let entries: Vec<Entry> = (0..=rng.below(3)).map(|i| entry(rng, self.term, next + i)).collect();
                // In relaxed mode, what follows on a membership in one append may come in a later write.
                let promised = match entries.iter().rposition(|entry| entry.kind == Entry::MEMBERSHIP) {
                    _ if sync => entries.len(),
                    last_membership => last_membership.map_or(0, |at| at + 1),
                };
                entries[..promised].iter().for_each(|entry| self.push(Op::Append(entry.clone())));
                let done = self.done(promised > 0);
                entries[promised..].iter().for_each(|entry| self.push(Op::Append(entry.clone())));
                log.append(entries, done);
            }
        }
    }

    /// Notes that all so far is acknowledged, if that is a promise in this mode.
    fn done(&self, promise: bool) -> Done {
        let (count, acknowledged) = (self.ops.len(), self.acknowledged.clone());
        Box::new(move |result| {
            if result.is_ok() && promise {
                acknowledged.fetch_max(count, Ordering::Relaxed);
            }
        })
    }
}

fn entry(rng: &mut Rng, term: u64, index: u64) -> Entry {
    let len = match rng.below(30) {
        0 => 0,
        1 => 100_000, // more than a file
        2..=5 => 9_000,
        6..=12 => 1_000,
        _ => rng.below(200) as usize,
    };
    let payload = rng.next().to_le_bytes().repeat(len / 8);
    let kind = if rng.below(30) == 0 { Entry::MEMBERSHIP } else { Entry::NORMAL };
    Entry { id: EntryId { term, node: 1, index }, kind, payload: payload.into() }
}
