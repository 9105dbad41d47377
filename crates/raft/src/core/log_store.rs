//! openraft's log, kept in the journal.

use std::fmt::Debug;
use std::io;
use std::marker::PhantomData;
use std::ops::{Bound, Range, RangeBounds, RangeInclusive};
use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use journal::{Entry, GroupLog};
use model::Executor;
use openraft::entry::RaftEntry;
use openraft::errors::LeaderChanged;
use openraft::storage::{
    IOFlushed, LeaderBoundedStreamError, LeaderBoundedStreamResult, LogState, RaftLogReader, RaftLogStorage,
};
use tokio::sync::oneshot;

use super::encoding::{decode_membership, decode_vote, encode_membership, encode_vote};
use super::types::{Candidate, LogEntry, LogId, Payload, Types, Vote, entry_id, log_id};

/// Bytes of payload read from the journal at once. A replay holds this much, and lets the group's
/// other tasks run after each piece: some milliseconds' worth of applying.
pub(super) const READ_BYTES: usize = 1024 * 1024;

/// A cheap handle on the group's part of the journal: openraft has one as the log, and one in each
/// task that reads it.
pub(crate) struct LogStore<R> {
    log: GroupLog,
    executor: Arc<dyn Executor>,
    types: PhantomData<fn() -> R>,
}

impl<R> LogStore<R> {
    pub(super) fn new(log: GroupLog, executor: Arc<dyn Executor>) -> Self {
        LogStore { log, executor, types: PhantomData }
    }

    pub(super) fn log(&self) -> &GroupLog {
        &self.log
    }

    /// The first entries of a range that is not empty.
    fn read(&self, range: Range<u64>) -> io::Result<Vec<LogEntry>> {
        let entries = self.log.read(range, READ_BYTES)?;
        entries.into_iter().map(from_journal).collect()
    }

    fn vote(&self) -> io::Result<Option<Vote>> {
        let Some(bytes) = self.log.state().vote else { return Ok(None) };
        decode_vote(&bytes).map(Some).ok_or_else(|| unreadable("vote"))
    }

    fn bounds(&self, range: impl RangeBounds<u64>) -> Range<u64> {
        let start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(before) => before + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(last) => last + 1,
            Bound::Excluded(end) => *end,
            Bound::Unbounded => u64::MAX,
        };
        let state = self.log.state();
        let next = |id: Option<journal::EntryId>| id.map_or(0, |id| id.index + 1);
        start.max(next(state.purged))..end.min(next(state.last))
    }
}

impl<R: Send + Debug + 'static> RaftLogReader<Types<R>> for LogStore<R> {
    async fn try_get_log_entries<B>(&mut self, range: B) -> io::Result<Vec<LogEntry>>
    where
        B: RangeBounds<u64> + Clone + Debug + Send,
    {
        let mut range = self.bounds(range);
        let mut entries = Vec::new();
        while range.start < range.end {
            entries.extend(self.read(range.clone())?);
            range.start = next_index(&entries);
        }
        Ok(entries)
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> io::Result<Vec<LogEntry>> {
        if start >= end {
            return Ok(Vec::new());
        }
        if self.log.is_recent(start) {
            return self.read(start..end);
        }
        // For a follower that is behind: it must not hold up the others, nor signs of life.
        let (log, (done, read)) = (self.log.clone(), oneshot::channel());
        self.executor.blocking(Box::new(move || drop(done.send(log.read(start..end, READ_BYTES)))));
        let entries = read.await.unwrap_or_else(|_| Err(io::Error::other("the read was given up")))?;
        entries.into_iter().map(from_journal).collect()
    }

    /// What apply reads: piece by piece, so that memory is bounded by bytes however long it is.
    async fn entries_stream<B>(&mut self, range: B) -> impl Stream<Item = io::Result<LogEntry>> + Send
    where
        B: RangeBounds<u64> + Clone + Debug + Send,
    {
        let pieces = Pieces { store: self.clone(), rest: self.bounds(range), piece: Vec::new().into_iter() };
        futures::stream::unfold(pieces, async |mut pieces| Some((pieces.next().await?, pieces)))
    }

    /// What replication reads: as above, while `leader` leads and no longer.
    async fn leader_bounded_stream<B>(
        &mut self,
        leader: Candidate,
        range: B,
    ) -> impl Stream<Item = LeaderBoundedStreamResult<Types<R>>> + Send
    where
        B: RangeBounds<u64> + Clone + Debug + Send,
    {
        let pieces = Pieces { store: self.clone(), rest: self.bounds(range), piece: Vec::new().into_iter() };
        futures::stream::unfold(Some(pieces), move |pieces| async move {
            let mut pieces = pieces?;
            let entry = pieces.next().await?;
            // After the read: who leads now led then.
            match pieces.store.vote() {
                Ok(Some(vote)) if vote.committed && vote.leader_id == leader => {
                    Some((entry.map_err(LeaderBoundedStreamError::IoError), Some(pieces)))
                }
                Ok(vote) => Some((Err(LeaderChanged::new(leader, vote).into()), None)),
                Err(error) => Some((Err(LeaderBoundedStreamError::IoError(error)), None)),
            }
        })
    }

    async fn read_vote(&mut self) -> io::Result<Option<Vote>> {
        self.vote()
    }

    /// The last entry of each term, found by halving, without reading entries.
    async fn get_key_log_ids(&mut self, range: RangeInclusive<LogId>) -> io::Result<Vec<LogId>> {
        let (mut known, last) = range.into_inner();
        let mut ids = Vec::new();
        while known.leader_id != last.leader_id {
            let (mut same, mut later) = (known, last);
            while later.index - same.index > 1 {
                let middle = same.index + (later.index - same.index) / 2;
                let id = self.log.entry_id(middle).map(log_id).ok_or_else(|| unreadable("log"))?;
                if id.leader_id == known.leader_id {
                    same = id;
                } else {
                    later = id;
                }
            }
            ids.push(same);
            known = later;
        }
        ids.push(last);
        Ok(ids)
    }
}

impl<R: Send + Debug + 'static> RaftLogStorage<Types<R>> for LogStore<R> {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> io::Result<LogState<Types<R>>> {
        let state = self.log.state();
        Ok(LogState { last_purged_log_id: state.purged.map(log_id), last_log_id: state.last.map(log_id) })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> io::Result<()> {
        let bytes = encode_vote(vote);
        self.durable(|log, done| log.save_vote(bytes, done)).await
    }

    /// Rides along with the next write; what is lost of it is learnt again after an election.
    async fn save_committed(&mut self, committed: Option<LogId>) -> io::Result<()> {
        if let Some(id) = committed {
            self.log.save_committed(entry_id(id));
        }
        Ok(())
    }

    async fn read_committed(&mut self) -> io::Result<Option<LogId>> {
        Ok(self.log.state().committed.map(log_id))
    }

    async fn append<I>(&mut self, entries: I, flushed: IOFlushed<Types<R>>) -> io::Result<()>
    where
        I: IntoIterator<Item = LogEntry> + Send,
        I::IntoIter: Send,
    {
        let entries = entries.into_iter().map(to_journal).collect();
        self.log.append(entries, Box::new(move |done| flushed.io_completed(done)));
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> io::Result<()> {
        self.durable(|log, done| log.truncate_after(last.map(|id| id.index), done)).await
    }

    /// Not waited for: a purge that a crash undoes is made again after the next checkpoint. Should
    /// it fail, the journal has failed and tells with the next append.
    async fn purge(&mut self, upto: LogId) -> io::Result<()> {
        self.log.purge(entry_id(upto), Box::new(|_| ()));
        Ok(())
    }
}

impl<R> LogStore<R> {
    async fn durable(&self, request: impl FnOnce(&GroupLog, journal::Done)) -> io::Result<()> {
        let (done, outcome) = oneshot::channel();
        // Whoever asked may be gone by then.
        request(&self.log, Box::new(move |result| drop(done.send(result))));
        outcome.await.unwrap_or_else(|_| Err(io::Error::other("the journal has stopped")))
    }
}

impl<R> Clone for LogStore<R> {
    fn clone(&self) -> Self {
        LogStore::new(self.log.clone(), self.executor.clone())
    }
}

/// A range of entries, of which one piece is in memory.
struct Pieces<R> {
    store: LogStore<R>,
    rest: Range<u64>,
    piece: std::vec::IntoIter<LogEntry>,
}

impl<R> Pieces<R> {
    async fn next(&mut self) -> Option<io::Result<LogEntry>> {
        if let Some(entry) = self.piece.next() {
            return Some(Ok(entry));
        }
        if self.rest.is_empty() {
            return None;
        }
        match self.store.read(self.rest.clone()) {
            Ok(entries) => {
                self.rest.start = next_index(&entries);
                self.piece = entries.into_iter();
                if !self.rest.is_empty() {
                    tokio::task::yield_now().await;
                }
                self.piece.next().map(Ok)
            }
            Err(error) => {
                self.rest = 0..0;
                Some(Err(error))
            }
        }
    }
}

fn next_index(entries: &[LogEntry]) -> u64 {
    entries.last().map_or(u64::MAX, |last| last.index() + 1)
}

pub(super) fn to_journal(entry: LogEntry) -> Entry {
    let (kind, payload) = match entry.payload {
        Payload::Blank => (Entry::BLANK, Bytes::new()),
        Payload::Proposed(bytes) => (Entry::NORMAL, bytes),
        Payload::Membership(membership) => (Entry::MEMBERSHIP, encode_membership(&membership)),
    };
    Entry { id: entry_id(entry.id), kind, payload }
}

pub(super) fn from_journal(entry: Entry) -> io::Result<LogEntry> {
    let payload = match entry.kind {
        Entry::BLANK => Payload::Blank,
        Entry::NORMAL => Payload::Proposed(entry.payload),
        Entry::MEMBERSHIP => {
            let membership = decode_membership(&entry.payload).ok_or_else(|| unreadable("membership"))?;
            Payload::Membership(Arc::new(membership))
        }
        _ => return Err(unreadable("entry")),
    };
    Ok(LogEntry { id: log_id(entry.id), payload })
}

fn unreadable(what: &str) -> io::Error {
    let message = format!("the journal holds a {what} that this version can't read; use the version that wrote it");
    io::Error::new(io::ErrorKind::InvalidData, message)
}
