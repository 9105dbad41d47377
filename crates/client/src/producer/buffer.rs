//! What the sender and the task that delivers share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use record::Compression;
use tokio::sync::Notify;

use super::batch::{Batch, Identity, Open, after};
use super::{OnWritten, ProducerOptions, Record, Written};
use crate::ClientError;

/// The buffer, and who is woken by its changes.
pub(super) struct Shared {
    buffer: Mutex<Buffer>,
    /// There is something to deliver.
    pub(super) work: Notify,
    /// Something was delivered, or failed.
    room: Notify,
    on_written: Option<OnWritten>,
}

impl Shared {
    pub(super) fn new(buffer: Buffer, on_written: Option<OnWritten>) -> Self {
        Shared { buffer: Mutex::new(buffer), work: Notify::new(), room: Notify::new(), on_written }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until less than `bytes` are in the buffer.
    pub(super) async fn room(&self, bytes: usize) -> Result<(), ClientError> {
        if self.lock().has_room(bytes)? {
            return Ok(());
        }
        loop {
            // Before the look, so that no change is missed.
            let changed = self.room.notified();
            if self.lock().has_room(bytes)? {
                return Ok(());
            }
            changed.await;
        }
    }

    /// A batch is in the log.
    pub(super) fn acknowledged(&self, batch: &Batch, base_offset: i64) {
        let records = batch.count.unsigned_abs();
        if let Some(on_written) = &self.on_written {
            on_written(batch.partition, records);
        }
        let mut buffer = self.lock();
        buffer.bytes -= batch.size_bytes;
        buffer.written.records += u64::from(records);
        if base_offset >= 0 {
            buffer.written.last = Some((batch.partition, base_offset + i64::from(batch.count) - 1));
        }
        self.room.notify_waiters();
    }

    /// Nothing more will be delivered.
    pub(super) fn failed(&self, why: ClientError) {
        self.lock().failed = Some(why);
        self.room.notify_waiters();
    }
}

/// Records on their way: open batches that take more, and closed ones that wait.
pub(super) struct Buffer {
    identity: Identity,
    compression: Compression,
    batch_bytes: usize,
    partitions: usize,
    open: BTreeMap<i32, Open>,
    closed: VecDeque<Batch>,
    /// The next sequence number of each partition.
    sequences: BTreeMap<i32, i32>,
    /// Where records without a key go just now.
    sticky: u32,
    /// Of all that is not acknowledged.
    bytes: usize,
    written: Written,
    failed: Option<ClientError>,
}

impl Buffer {
    pub(super) fn new(identity: Identity, options: &ProducerOptions, partitions: usize) -> Self {
        Buffer {
            identity,
            compression: options.compression,
            batch_bytes: options.batch_bytes,
            partitions,
            open: BTreeMap::new(),
            closed: VecDeque::new(),
            sequences: BTreeMap::new(),
            sticky: options.first_partition,
            bytes: 0,
            written: Written::default(),
            failed: None,
        }
    }

    fn has_room(&self, bytes: usize) -> Result<bool, ClientError> {
        match &self.failed {
            Some(why) => Err(why.clone()),
            None => Ok(self.bytes < bytes),
        }
    }

    pub(super) fn written(&self) -> Written {
        self.written
    }

    /// Takes a record, unless the batch of its partition is too full: that is to be built and given to
    /// [`close`](Self::close) before the record comes again.
    pub(super) fn push(
        &mut self,
        partition: Option<i32>,
        timestamp: i64,
        record: &Record<'_>,
        size: usize,
    ) -> Option<Open> {
        let partition = partition.unwrap_or_else(|| self.sticky());
        let is_full = |open: &Open| open.size_bytes() + size > self.batch_bytes;
        if self.open.get(&partition).is_some_and(is_full) {
            return self.take_open(partition);
        }
        let open = self.open.entry(partition).or_insert_with(|| Open::new(partition, self.compression));
        open.push(timestamp, record, size);
        self.bytes += size;
        None
    }

    /// Takes a batch back, behind those closed before it.
    pub(super) fn close(&mut self, batch: Batch) {
        self.closed.push_back(batch);
    }

    /// The next batch of each partition, up to `max_bytes` but at least one. Those still open are to be built.
    pub(super) fn take(&mut self, max_bytes: usize) -> (Vec<Batch>, Vec<Open>) {
        let mut left = max_bytes;
        let mut taken: BTreeMap<i32, Batch> = BTreeMap::new();
        let mut rest = VecDeque::with_capacity(self.closed.len());
        for batch in self.closed.drain(..) {
            let fits = taken.is_empty() || batch.size_bytes <= left;
            if fits && !taken.contains_key(&batch.partition) {
                left = left.saturating_sub(batch.size_bytes);
                taken.insert(batch.partition, batch);
            } else {
                rest.push_back(batch);
            }
        }
        self.closed = rest;
        let is_waiting = |partition: &i32| self.closed.iter().any(|batch| batch.partition == *partition);
        let mut free: Vec<i32> = Vec::new();
        for (partition, open) in &self.open {
            let fits = (taken.is_empty() && free.is_empty()) || open.size_bytes() <= left;
            if fits && !taken.contains_key(partition) && !is_waiting(partition) {
                left = left.saturating_sub(open.size_bytes());
                free.push(*partition);
            }
        }
        let opened = free.into_iter().filter_map(|partition| self.take_open(partition)).collect();
        (taken.into_values().collect(), opened)
    }

    /// Where records without a key go just now.
    fn sticky(&self) -> i32 {
        let partitions = u32::try_from(self.partitions).unwrap_or(u32::MAX);
        i32::try_from(self.sticky % partitions).unwrap_or(0)
    }

    fn take_open(&mut self, partition: i32) -> Option<Open> {
        let open = self.open.remove(&partition)?;
        if partition == self.sticky() {
            self.sticky = self.sticky.wrapping_add(1);
        }
        let sequence = self.sequences.entry(partition).or_insert(0);
        let base_sequence = *sequence;
        *sequence = after(base_sequence, open.count());
        Some(open.numbered(self.identity, base_sequence))
    }
}
