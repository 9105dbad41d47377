//! The write-ahead log of a data directory, shared by all Raft groups on it.
//!
//! One writer merges what queued up from all groups into one write and one fsync, and answers
//! afterwards. Files are written with zeros once and, when all that they hold is purged, used again.
//! After a crash, what was answered is there: recovery tells a write that was never finished (cut
//! off) from bytes that were synced and are bad now (damage).
//!
//! It is not: a Raft implementation, a state machine's storage, or a reader of payloads.
//!
//! ```
//! # use std::{path::Path, sync::Arc};
//! use bytes::Bytes;
//! use journal::{Entry, EntryId, Journal, Options};
//! use model::{GroupId, Inline};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
//! # runtime.block_on(async {
//! let disk = disk::SimDisk::new(1);
//! let identity = [7; 16];
//! let open = |disk| {
//!     Journal::open(Arc::new(disk), Path::new("journal"), identity, Options::default(), Arc::new(Inline))
//! };
//! let (journal, _) = open(disk.clone())?;
//! let id = EntryId { term: 1, node: 1, index: 0 };
//! let entry = Entry { id, kind: Entry::NORMAL, payload: Bytes::from_static(b"hello") };
//! let (done, durable) = tokio::sync::oneshot::channel();
//! journal.group(GroupId(1)).append(vec![entry.clone()], Box::new(|result| done.send(result).unwrap()));
//! durable.await??;
//!
//! let (journal, _) = open(disk.restart(2))?; // a power cut
//! assert_eq!(journal.group(GroupId(1)).read(0..1, 1000)?, [entry]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! | module | what |
//! |---|---|
//! | `format` | the bytes of a file |
//! | `group_log`, `group` | a group's log as its user sees it, and its state |
//! | `recent`, `index`, `written` | the newest entries; where the others lie; what the files tell |
//! | `queue`, `writer` | requests, and the one thread that writes them |
//! | `files` | names, zeroed and recycled files |
//! | `read` | entries from the files |
//! | `recovery` | what a start finds |

mod entry;
mod error;
mod files;
mod format;
mod group;
mod group_log;
mod index;
mod journal;
mod options;
mod queue;
mod read;
mod recent;
mod recovery;
mod stats;
mod writer;
mod written;

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use entry::{Entry, EntryId, GroupState};
pub use error::{Damage, JournalError, Recovery};
pub use group_log::GroupLog;
pub use journal::Journal;
pub use options::Options;
pub use stats::Stats;

/// Called once, from the journal's thread, when a request is durable (mode `fsync`; in mode
/// `relaxed`: written), or has failed. It must not block.
pub type Done = Box<dyn FnOnce(io::Result<()>) + Send>;

/// No code panics while it holds one of the journal's locks; if it did, the others go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
