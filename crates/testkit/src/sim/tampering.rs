//! What a test of the checks may put in a broker's way, so that it breaks a promise: at the seams, never
//! in its code.

use std::sync::Arc;

use disk::{Disk, SimDisk};
use wire::{Frame, RequestHeader};

use super::nemesis::Fault;

/// What stands between the broker of this id and its disk.
pub(crate) type Lens = Arc<dyn Fn(i32, SimDisk) -> Arc<dyn Disk> + Send + Sync>;

/// What stands between clients and the broker.
pub(crate) type Meddler = Arc<dyn Fn(&RequestHeader, bytes::Bytes) -> Meddling + Send + Sync>;

/// What becomes of a request on its way.
#[cfg_attr(not(test), allow(dead_code, reason = "only tests meddle"))]
pub(crate) enum Meddling {
    /// It goes on as it is.
    Pass,
    /// Another one goes on in its place.
    Replace(Frame),
    /// The broker never sees it; the client is told this.
    Answer(Frame),
    /// Another one goes on, to which there is no answer; the client is told this.
    Both(Frame, Frame),
}

/// See the module.
#[derive(Clone, Default)]
pub(crate) struct Tampering {
    pub(crate) lens: Option<Lens>,
    pub(crate) meddler: Option<Meddler>,
    /// Whether each start finds the disk as it was when the broker went down the time before.
    pub(crate) restores_backups: bool,
    /// Whether what is cut of the network stays cut.
    pub(crate) never_mends: bool,
    /// The faults that strike, and no others.
    pub(crate) faults: Option<Vec<Fault>>,
}

impl Tampering {
    /// The disk as the broker of this id sees it.
    pub(crate) fn disk(&self, broker: i32, disk: SimDisk) -> Arc<dyn Disk> {
        match &self.lens {
            Some(lens) => lens(broker, disk),
            None => Arc::new(disk),
        }
    }
}
