//! What ends a connection, and what keeps a broker from starting.

use std::io;
use std::path::PathBuf;

use controller::{ControllerError, SubmitError};
use journal::JournalError;
use log::LogError;
use manifest::ManifestError;
use model::{ErrorCode, GroupId};
use shard::ShardError;
use wire::{Malformed, Unencodable};

/// Why a connection is closed without an answer, as Kafka does.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Close {
    /// The client went away.
    #[error("the client went away")]
    Gone,
    /// Nothing came for `connections.max.idle.ms`.
    #[error("nothing came for connections.max.idle.ms")]
    Idle,
    /// The client takes nothing of its answer for as long.
    #[error("the answer was not read for connections.max.idle.ms")]
    Unread,
    /// The client holds memory that others wait for, and neither goes on sending nor reads its answer.
    #[error("a request or an answer stood still while others waited for its memory (queued.max.request.bytes)")]
    Stalled,
    /// The client sent what no Kafka client sends.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// A produce with acks=0 failed: closing is the only way to tell.
    #[error("a produce request with acks=0 failed: {0}")]
    Unacknowledged(ErrorCode),
    /// Others may have elected leaders without this broker, and a client that is told what was would come back to it
    /// again and again. Clients ask another broker when one goes away.
    #[error("this broker reaches too few of the others to know who leads, the client is to ask another")]
    CutOff,
    /// A response that the version cannot carry.
    #[error(transparent)]
    Unencodable(#[from] Unencodable),
}

/// What a client is told when a log cannot be read.
pub(crate) fn log_error_code(error: &LogError) -> ErrorCode {
    match error {
        LogError::OffsetOutOfRange { .. } => ErrorCode::OffsetOutOfRange,
        LogError::Damaged { .. } => ErrorCode::CorruptMessage,
        LogError::NotAtEnd { .. } => ErrorCode::UnknownServerError,
        LogError::Io { .. } | LogError::SyncFailedBefore { .. } => ErrorCode::KafkaStorageError,
    }
}

impl From<io::Error> for Close {
    fn from(_: io::Error) -> Self {
        Close::Gone
    }
}

/// Why a broker does not start. Each is one line that names the thing and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another broker holds the data directory.
    #[error("{0} is in use by another broker; stop it, or choose another --data-dir")]
    InUse(PathBuf),
    /// The data directory cannot be used.
    #[error("cannot use the data directory {path}: {why}; mend that, or choose another --data-dir")]
    DataDirectory {
        /// It.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// The data directory was written by a version that this one does not know.
    #[error(
        "{path} has format {found}, this version reads up to {known}; start the version that wrote it, or a later one"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: u32,
        /// What we know.
        known: u32,
    },
    /// `tidelog.meta` makes no sense.
    #[error("{path} cannot be read: {why}; restore it from a backup, or choose another --data-dir")]
    Meta {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A part of the data directory is gone.
    #[error(
        "{missing} is missing, but there are files in {holding}; restore it from a backup, or choose another --data-dir"
    )]
    Incomplete {
        /// What is gone.
        missing: PathBuf,
        /// What needs it.
        holding: PathBuf,
    },
    /// The directory belongs to another broker.
    #[error(
        "{path} belongs to node.id {found}, but node.id is {configured}; set node.id={found}, or choose another --data-dir"
    )]
    OtherNode {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        found: i32,
        /// Who we are.
        configured: i32,
    },
    /// There is nothing to repair.
    #[error("there is no {path}; say with --data-dir where the data is")]
    NoData {
        /// What every data directory has.
        path: PathBuf,
    },
    /// What is damaged could not be given up.
    #[error("{group} is as it was, since the journal failed: {why}; mend the disk and try again")]
    Repair {
        /// The shard.
        group: GroupId,
        /// What the journal said.
        why: io::Error,
    },
    /// A listener's address cannot be bound.
    #[error("cannot listen on {address}: {why}")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        why: String,
    },
    /// The cluster's secret is missing, or is none.
    #[error(
        "the cluster's secret can't be used: {0}; set cluster.secret.file to a file with it, the same on each node"
    )]
    Secret(String),
    /// The cluster port's certificates can't be used.
    #[error(transparent)]
    Certificates(#[from] peer::TlsError),
    /// Nobody lets this broker into the cluster.
    #[error("no broker of the cluster answers: {0}; check cluster.join, or set node.id")]
    Join(String),
    /// A manifest was written by a version that this one does not know.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The journal cannot be opened.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The controller cannot start.
    #[error(transparent)]
    Controller(#[from] ControllerError),
    /// The controller refused what a start needs.
    #[error("the cluster's metadata could not be brought up: {0}")]
    Submit(#[from] SubmitError),
    /// A shard cannot start.
    #[error(transparent)]
    Shard(#[from] ShardError),
}
