//! The one writer: merges what waits into one write and one fsync, then tells who asked.

mod batch;
mod space;

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::format::file_header::FileHeader;
use crate::format::write::{WriteHead, encode};
use crate::format::{PAGE_BYTES, Position};
use crate::journal::Shared;
use crate::lock;
use crate::queue::{Ask, Request};
use crate::recovery::Tail;
use crate::stats::count;
use batch::Batch;
use space::Space;

/// How long to wait before asking a full disk again.
const RETRY: Duration = Duration::from_secs(1);

/// In relaxed mode, unsynced bytes after which the kernel is asked to start writing back: the sync
/// when the file is full must not take long.
const WRITE_BACK_BYTES: u64 = 4 << 20;

const PADDING: &[u8] = &[0; PAGE_BYTES as usize];

/// See the module.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    /// Taken from the queue, in order.
    waiting: VecDeque<Request>,
    /// Found no room on the disk, to be tried again then.
    unwritten: Option<(Batch, Instant)>,
    space: Space,
    /// Where the last write ended.
    previous: Position,
    /// All before this is synced.
    synced: Position,
    /// All before this the kernel was asked to write back.
    write_back_from: Position,
    life: u32,
    /// Whether anything was written in this life.
    wrote: bool,
    control: Vec<u8>,
    shutdown: Option<oneshot::Sender<()>>,
}

/// How a step went.
enum Step {
    Wrote,
    /// Nothing to do.
    Idle,
    /// Something to do, but no room for it.
    Stalled,
    Failed,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, tail: Tail) -> Self {
        let mut writer = Writer {
            waiting: VecDeque::new(),
            unwritten: None,
            previous: tail.end,
            synced: tail.end,
            write_back_from: tail.end,
            life: tail.life,
            wrote: false,
            control: Vec::new(),
            shutdown: None,
            space: Space::new(shared.clone(), tail),
            shared,
        };
        writer.space.count_live();
        writer
    }

    /// Runs until the journal is shut down, abandoned, or failed.
    pub(crate) async fn run(mut self) {
        self.space.release();
        loop {
            self.take_in();
            self.space.prepare_next();
            match self.step() {
                // So that, in one thread, more can queue up to be merged.
                Step::Wrote => tokio::task::yield_now().await,
                Step::Failed => break,
                Step::Stalled if self.space.is_preparing() => self.wait().await,
                Step::Idle | Step::Stalled if self.shutdown.is_some() => {
                    self.stop_cleanly().await;
                    break;
                }
                Step::Idle | Step::Stalled if self.shared.queue.abandoned() => break,
                Step::Idle | Step::Stalled => self.wait().await,
            }
        }
        self.shared.queue.stop_preparing();
        self.refuse("the journal has ended");
        if let Some(ended) = self.shutdown {
            ended.send(()).unwrap_or_default(); // nobody waits: fine
        }
    }

    fn take_in(&mut self) {
        let taken = self.shared.queue.take();
        self.waiting.extend(taken.requests);
        self.shutdown = self.shutdown.take().or(taken.shutdown);
        if let Some(prepared) = taken.prepared {
            self.space.prepared(prepared);
        }
    }

    async fn wait(&mut self) {
        let retry_at = self.unwritten.as_ref().map(|(_, at)| *at).into_iter().chain(self.space.retry_at()).min();
        let changed = self.shared.queue.changed();
        match retry_at {
            None => changed.await,
            Some(at) => tokio::select! {
                biased;
                () = changed => {}
                () = tokio::time::sleep_until(at) => {}
            },
        }
    }

    /// Writes once, or makes room for the next write.
    fn step(&mut self) -> Step {
        if let Some((batch, retry_at)) = self.unwritten.take() {
            if Instant::now() < retry_at {
                self.unwritten = Some((batch, retry_at));
                return Step::Stalled;
            }
            return self.write(batch);
        }
        if self.waiting.iter().all(|request| matches!(request.ask, Ask::Committed(_))) {
            return Step::Idle;
        }
        let mut batch = self.new_batch();
        let first = self.waiting.front().map_or(0, |request| batch.bytes_with(request));
        batch.fill(&mut self.waiting, self.space.room(first));
        if batch.is_empty() {
            if self.space.next_is_ready() {
                return self.switch_file();
            }
            batch.fill_purges(&mut self.waiting, self.space.room_with_reserve());
            if batch.is_empty() {
                count(&self.shared.counters.stalls, 1);
                return Step::Stalled;
            }
        }
        self.write(batch)
    }

    fn new_batch(&self) -> Batch {
        let mut batch = Batch::default();
        if self.space.at_start() {
            batch.carry(lock(&self.shared.groups).values());
        }
        batch
    }

    /// Goes on in the next file. All that the old one holds is on the disk by then: a file's first
    /// write proves that the file before it is whole.
    fn switch_file(&mut self) -> Step {
        if self.synced < self.previous
            && let Err(error) = self.sync()
        {
            return self.fail(Batch::default(), &error);
        }
        self.space.switch();
        Step::Wrote
    }

    fn write(&mut self, batch: Batch) -> Step {
        let (position, result) = self.write_out(&batch);
        match result {
            Ok(()) => {}
            Err(error) if is_full(&error) => {
                // Nothing is lost: whatever reached the file is written again at the same place.
                self.shared.counters.out_of_room.store(true, Ordering::Relaxed);
                self.unwritten = Some((batch, Instant::now() + RETRY));
                return Step::Stalled;
            }
            Err(error) => return self.fail(batch, &error),
        }
        self.wrote = true;
        self.previous = self.space.written(position, batch.padded_bytes());
        if (self.shared.options.sync || batch.must_sync)
            && let Err(error) = self.sync()
        {
            return self.fail(batch, &error);
        }
        self.pace_write_back();
        self.publish(&batch, position);
        let frees = self.space.count_live();
        batch.finish(|| Ok(()));
        if frees {
            return self.release_files();
        }
        Step::Wrote
    }

    /// Exactly one write, without a copy of a payload.
    fn write_out(&mut self, batch: &Batch) -> (Position, io::Result<()>) {
        let position = self.space.position();
        let head = WriteHead {
            position,
            previous: self.previous,
            synced: self.synced,
            oldest_generation: self.space.oldest_generation(),
            life: self.life,
            clean_stop: batch.clean_stop,
        };
        encode(&mut self.control, &head, &batch.records, &self.shared.identity);
        let file = self.space.current();
        let header =
            self.space.at_start().then(|| FileHeader::new(self.shared.identity, file.generation, file.len).encode());
        let payload_bytes: usize = batch.payloads.iter().map(|payload| payload.len()).sum();
        let padding = batch.padded_bytes() as usize - self.control.len() - payload_bytes;
        let mut parts = Vec::with_capacity(batch.payloads.len() + 3);
        parts.extend(header.as_ref().map(|page| IoSlice::new(page)));
        parts.push(IoSlice::new(&self.control));
        parts.extend(batch.payloads.iter().map(|payload| IoSlice::new(payload)));
        parts.push(IoSlice::new(&PADDING[..padding]));
        let offset = if header.is_some() { 0 } else { position.offset() };
        (position, file.file.write_all_at(&parts, offset))
    }

    /// Only relaxed mode leaves bytes behind that are not synced.
    fn pace_write_back(&mut self) {
        let from = self.write_back_from.max(self.synced);
        if self.previous.0 - from.0 >= WRITE_BACK_BYTES {
            self.space.start_write_back(from);
            self.write_back_from = self.previous;
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.space.current().file.sync_data()?;
        self.synced = self.previous;
        count(&self.shared.counters.syncs, 1);
        Ok(())
    }

    /// The files now tell what the requests asked for.
    fn publish(&self, batch: &Batch, position: Position) {
        let shared = &self.shared;
        for (group, change, step) in &batch.changes {
            group.written(change, position, *step, shared.options.cache_bytes);
        }
        shared.queue.written(batch.entry_bytes);
        shared.counters.out_of_room.fetch_and(!self.space.next_is_ready(), Ordering::Relaxed);
        count(&shared.counters.writes, 1);
        count(&shared.counters.bytes, batch.padded_bytes());
        count(&shared.counters.requests, batch.dones.len() as u64);
    }

    /// Gives the files of which nothing is needed any more to be used again: not before the purge
    /// that made them so is on the disk.
    fn release_files(&mut self) -> Step {
        if self.synced < self.previous
            && let Err(error) = self.sync()
        {
            return self.fail(Batch::default(), &error);
        }
        self.space.release();
        Step::Wrote
    }

    /// The last write of a clean stop: it carries the notes that wait for one, and proves that all
    /// before it was synced.
    async fn stop_cleanly(&mut self) {
        let only_notes = self.waiting.iter().all(|request| matches!(request.ask, Ask::Committed(_)));
        if only_notes && self.unwritten.is_none() && (self.wrote || !self.waiting.is_empty()) {
            self.write_stop_mark().await;
        }
        self.shared.queue.stop_preparing();
        self.until_prepared().await;
    }

    async fn write_stop_mark(&mut self) {
        if self.space.room_with_reserve() < PAGE_BYTES {
            self.until_prepared().await;
            if !self.space.next_is_ready() || matches!(self.switch_file(), Step::Failed) {
                return;
            }
        }
        let mut batch = self.new_batch();
        batch.clean_stop = true;
        batch.must_sync = true;
        batch.fill(&mut self.waiting, self.space.room_with_reserve());
        self.write(batch);
    }

    async fn until_prepared(&mut self) {
        while self.space.is_preparing() {
            self.shared.queue.changed().await;
            self.take_in();
        }
    }

    /// A write or a sync failed: what it carried may or may not be on the disk, and no later sync
    /// could tell. That is the end of this journal.
    fn fail(&mut self, batch: Batch, error: &io::Error) -> Step {
        let file = self.space.current_path();
        tracing::error!(file = %file.display(), %error, "the journal failed: no append is accepted any more");
        let reason = format!("the journal failed, restart the broker: {}: {error}", file.display());
        self.shared.queue.set_failed();
        self.unwritten = Some((batch, Instant::now()));
        self.refuse(&reason);
        Step::Failed
    }

    /// Takes nothing more, and refuses what waits.
    fn refuse(&mut self, reason: &str) {
        let taken = self.shared.queue.close(reason.to_owned());
        self.shutdown = self.shutdown.take().or(taken.shutdown);
        if let Some((batch, _)) = self.unwritten.take() {
            batch.finish(|| Err(io::Error::other(reason.to_owned())));
        }
        for done in self.waiting.drain(..).chain(taken.requests).filter_map(|request| request.done) {
            done(Err(io::Error::other(reason.to_owned())));
        }
    }
}

/// Whether room is what is missing: no failure, it comes back.
fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}
