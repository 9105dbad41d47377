//! What waits for the writer.
//!
//! The queue itself has no bound: payload bytes in it are bounded by the budgets of the callers (one
//! for each Raft group, see `raft`), votes and purges by their waiting for each other, and notes of
//! what is committed by replacing one another. [`Queue::bytes`] tells what there is.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};

use crate::files::OpenFile;
use crate::group::Group;
use crate::{Done, Entry, EntryId, lock};

/// An entry and the CRC of its payload, computed on the caller's thread.
pub(crate) struct Checked {
    pub(crate) entry: Entry,
    pub(crate) crc: u32,
}

/// What is asked for.
pub(crate) enum Ask {
    Append(std::vec::IntoIter<Checked>),
    Vote(Bytes),
    Committed(EntryId),
    Purge(EntryId),
    Truncate(u64),
    /// The last entry is this one: said anew where newer files may lack it.
    Last(u64),
    /// The group begins anew.
    Forget,
}

/// A request of a group.
pub(crate) struct Request {
    pub(crate) group: Arc<Group>,
    /// The number of its (first) step within the group; an append takes one for each entry.
    pub(crate) step: u64,
    pub(crate) ask: Ask,
    pub(crate) done: Option<Done>,
}

#[derive(Default)]
struct Waiting {
    requests: VecDeque<Request>,
    prepared: Option<io::Result<OpenFile>>,
    shutdown: Option<oneshot::Sender<()>>,
    /// Why nothing is taken any more.
    closed: Option<String>,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    notify: Notify,
    abandoned: AtomicBool,
    stopping: AtomicBool,
    failed: AtomicBool,
    bytes: AtomicU64,
}

/// What the writer takes out at once.
#[derive(Default)]
pub(crate) struct Taken {
    pub(crate) requests: VecDeque<Request>,
    pub(crate) prepared: Option<io::Result<OpenFile>>,
    pub(crate) shutdown: Option<oneshot::Sender<()>>,
}

impl Queue {
    /// Adds a request; hands it back if the journal takes no more.
    pub(crate) fn push(&self, request: Request) -> Result<(), (Request, io::Error)> {
        let mut waiting = lock(&self.waiting);
        if let Some(reason) = &waiting.closed {
            let error = io::Error::other(reason.clone());
            return Err((request, error));
        }
        if let Ask::Append(entries) = &request.ask {
            let bytes: usize = entries.as_slice().iter().map(|checked| checked.entry.payload.len()).sum();
            self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
        // A note of what is committed rides along with the next write; it does not cause one.
        if matches!(request.ask, Ask::Committed(_)) {
            replace_or_push(&mut waiting.requests, request);
            return Ok(());
        }
        waiting.requests.push_back(request);
        drop(waiting);
        self.notify.notify_one();
        Ok(())
    }

    /// A file is ready to be written, or could not be made.
    pub(crate) fn prepared(&self, file: io::Result<OpenFile>) {
        lock(&self.waiting).prepared = Some(file);
        self.notify.notify_one();
    }

    /// Asks for the end; `ended` is told. No request is taken after it.
    pub(crate) fn shut_down(&self, ended: oneshot::Sender<()>) {
        let mut waiting = lock(&self.waiting);
        if waiting.closed.is_none() {
            waiting.closed = Some("the journal was shut down".to_owned());
            waiting.shutdown = Some(ended); // else the writer is gone already, and the receiver learns it
        }
        drop(waiting);
        self.notify.notify_one();
    }

    /// The last handle is gone.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Release);
        self.notify.notify_one();
    }

    pub(crate) fn abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
    }

    /// The writer needs no more files: who makes one may give up.
    pub(crate) fn stop_preparing(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub(crate) fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// A write or a sync failed.
    pub(crate) fn set_failed(&self) {
        self.failed.store(true, Ordering::Release);
    }

    /// Nothing is taken from now on. Returns what was waiting.
    pub(crate) fn close(&self, reason: String) -> Taken {
        let mut waiting = lock(&self.waiting);
        waiting.closed.get_or_insert(reason);
        waiting.take()
    }

    pub(crate) fn failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    pub(crate) fn take(&self) -> Taken {
        lock(&self.waiting).take()
    }

    /// Until something was added since the last call.
    pub(crate) async fn changed(&self) {
        self.notify.notified().await;
    }

    /// Payload bytes of entries that are not yet written.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn written(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Waiting {
    fn take(&mut self) -> Taken {
        Taken {
            requests: std::mem::take(&mut self.requests),
            prepared: self.prepared.take(),
            shutdown: self.shutdown.take(),
        }
    }
}

/// Of the notes that stand last in the queue, one for each group is enough.
fn replace_or_push(requests: &mut VecDeque<Request>, note: Request) {
    for request in requests.iter_mut().rev() {
        if !matches!(request.ask, Ask::Committed(_)) {
            break;
        }
        if Arc::ptr_eq(&request.group, &note.group) {
            *request = note;
            return;
        }
    }
    requests.push_back(note);
}
