//! Fetching what was offered, piece by piece, and answering who fetches.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, Bytes, BytesMut};
use disk::Disk;
use log::{CompactionHold, LogDescription, PIECE_BYTES, Piece, Transfer};
use model::Executor;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedMutexGuard, oneshot};

use super::Stage;
use super::offer::{Offer, PinId, Replica, State};
use crate::checkpoint::Unsaved;
use crate::view::View;

/// A piece on its way.
pub type Reading = Pin<Box<dyn Future<Output = io::Result<Bytes>> + Send>>;

/// Where pieces come from: the leader's [`Shard::read_offered`](crate::Shard::read_offered), over the network.
pub trait Source: Send + Sync {
    /// Has a request answered. As slow as it wants the whole to be: one is asked for at a time.
    fn read(&self, request: Bytes) -> Reading;
}

/// MessagePack with named fields.
#[derive(Serialize, Deserialize)]
pub(crate) struct Request {
    pin: PinId,
    pub(crate) what: What,
}

#[derive(Serialize, Deserialize)]
pub(crate) enum What {
    /// The description of the state, from a byte on.
    State(u64),
    /// A part of a partition's file.
    File { replica: Replica, piece: Piece },
}

/// Behind each piece: CRC-32 (IEEE), little-endian. Batches have one of their own, indexes and descriptions have not.
const CHECKSUM_BYTES: usize = 4;

/// Answers a request for a piece of what was offered, with so many bytes of it at most.
pub(crate) fn serve(
    disk: &dyn Disk,
    topics: &Path,
    unsaved: &Mutex<Unsaved>,
    request: &[u8],
    most_bytes: usize,
) -> io::Result<Bytes> {
    let Request { pin, what } = rmp_serde::from_slice(request).map_err(io::Error::other)?;
    let state = unsaved.lock().unwrap_or_else(PoisonError::into_inner).garbage.use_pin(pin);
    let gone = || io::Error::new(io::ErrorKind::NotFound, "the offer does not hold any more: ask for another");
    let state = state.ok_or_else(gone)?;
    let most_bytes = most_bytes.min(PIECE_BYTES);
    let mut piece = match what {
        What::State(position) => {
            let rest = usize::try_from(position).ok().and_then(|position| state.get(position..)).unwrap_or_default();
            rest[..rest.len().min(most_bytes)].to_vec()
        }
        What::File { replica, piece } => piece.read(disk, &replica.dir(topics), most_bytes)?,
    };
    piece.extend_from_slice(&crc32fast::hash(&piece).to_le_bytes());
    Ok(piece.into())
}

/// What of a member's own a fetch needs.
pub(crate) struct Here {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) view: Arc<View>,
    pub(crate) stage: Stage,
    /// What has to stay free on the disk.
    pub(crate) reserve_bytes: u64,
}

/// What was fetched, until it is installed or given up: nobody else touches it while this lives.
pub(crate) struct Fetched {
    here: Arc<Here>,
    pin: PinId,
    /// What a compaction would replace now was not fetched.
    _uncompacted: Vec<CompactionHold>,
    _alone: Arc<OwnedMutexGuard<()>>,
}

impl Drop for Fetched {
    fn drop(&mut self) {
        drop(self.here.stage.take_fetched(self.pin));
    }
}

/// Brings all that an offer names, and that is not here, into the stage.
pub(crate) async fn fetch(
    here: Here,
    offer: Bytes,
    source: &dyn Source,
    executor: &dyn Executor,
) -> io::Result<Fetched> {
    let Offer { pin, state_bytes } = Offer::decode(&offer)?;
    let alone = Arc::new(here.stage.lock().await);
    let fetch = Fetch { here: Arc::new(here), pin, alone, source, executor };
    let state = fetch.state(state_bytes).await?;
    let _uncompacted = fetch.partitions(&state).await?;
    let Fetch { here, alone: _alone, .. } = fetch;
    here.stage.put_fetched(pin, state);
    Ok(Fetched { here, pin, _uncompacted, _alone })
}

struct Fetch<'a> {
    here: Arc<Here>,
    pin: PinId,
    alone: Arc<OwnedMutexGuard<()>>,
    source: &'a dyn Source,
    executor: &'a dyn Executor,
}

impl Fetch<'_> {
    async fn state(&self, state_bytes: u64) -> io::Result<State> {
        let mut bytes = BytesMut::new();
        while (bytes.len() as u64) < state_bytes {
            let piece = self.ask(What::State(bytes.len() as u64)).await?;
            if piece.is_empty() || (bytes.len() + piece.len()) as u64 > state_bytes {
                let why = "the description of the leader's state has another length";
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
            bytes.extend_from_slice(&piece);
        }
        self.blocking(move |_| State::decode(&bytes)).await
    }

    async fn partitions(&self, state: &State) -> io::Result<Vec<CompactionHold>> {
        let logs: Vec<(Replica, LogDescription)> =
            state.partitions.iter().map(|offered| (offered.replica(), offered.record.log.clone())).collect();
        let held = self.blocking(move |here| here.prepare(&logs)).await?;
        for offered in &state.partitions {
            let replica = offered.replica();
            let named = |why: io::Error| io::Error::new(why.kind(), format!("{replica}: {why}"));
            self.partition(&replica, offered.record.log.clone()).await.map_err(named)?;
        }
        Ok(held)
    }

    async fn partition(&self, replica: &Replica, log: LogDescription) -> io::Result<()> {
        let (of, pin) = (replica.clone(), self.pin);
        let mut transfer = self.blocking(move |here| here.begin(&of, &log, pin)).await?;
        while let Some(piece) = transfer.next() {
            let bytes = self.ask(What::File { replica: replica.clone(), piece }).await?;
            transfer = self
                .blocking(move |_| {
                    transfer.take(&bytes).map_err(io::Error::other)?;
                    Ok(transfer)
                })
                .await?;
        }
        Ok(())
    }

    async fn ask(&self, what: What) -> io::Result<Bytes> {
        let request = rmp_serde::to_vec_named(&Request { pin: self.pin, what }).map_err(io::Error::other)?;
        let mut piece = self.source.read(request.into()).await?;
        let mut sum = piece.split_off(piece.len().saturating_sub(CHECKSUM_BYTES));
        if sum.len() < CHECKSUM_BYTES || sum.get_u32_le() != crc32fast::hash(&piece) {
            let why = "what the leader sent was damaged on the way: its checksum is another";
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(piece)
    }

    /// Runs a job on files, which the stage is not given away before, even if nobody waits for it any more.
    async fn blocking<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Here) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let (here, alone) = (self.here.clone(), self.alone.clone());
        blocking(self.executor, move || {
            let done = job(&here);
            drop(alone);
            done
        })
        .await
    }
}

impl Here {
    /// Makes room in the stage, looks whether the rest will fit, and keeps compactions away.
    fn prepare(&self, logs: &[(Replica, LogDescription)]) -> io::Result<Vec<CompactionHold>> {
        self.stage.tidy(&*self.disk, logs.iter().map(|(replica, _)| replica))?;
        let (mut held, mut needed) = (Vec::new(), 0);
        for (replica, theirs) in logs {
            let ours = replica.find(&self.view);
            held.extend(ours.as_ref().map(|partition| partition.log.hold_compaction()));
            let log = ours.as_ref().map(|partition| &partition.log);
            needed += log::room_to_take(log, theirs).map_err(io::Error::other)?;
        }
        self.check_room(needed.saturating_sub(self.stage.size_bytes(&*self.disk)?))?;
        Ok(held)
    }

    fn check_room(&self, needed: u64) -> io::Result<()> {
        let free = self.stage.available_bytes(&*self.disk)?.saturating_sub(self.reserve_bytes);
        if needed > free {
            let (needed, free) = (needed.div_ceil(1 << 20), free >> 20);
            let why = format!(
                "it takes {needed} MiB on the disk, of which {free} MiB are free besides disk.reserve.bytes: make room"
            );
            return Err(io::Error::new(io::ErrorKind::StorageFull, why));
        }
        Ok(())
    }

    fn begin(&self, replica: &Replica, theirs: &LogDescription, pin: PinId) -> io::Result<Transfer> {
        let ours = replica.find(&self.view);
        let log = ours.as_ref().map(|partition| &partition.log);
        let transfer = Transfer::begin(self.disk.clone(), log, theirs, &self.stage.of(replica), &pin.tag());
        let transfer = transfer.map_err(io::Error::other)?;
        self.check_room(transfer.room_bytes())?;
        Ok(transfer)
    }
}

/// Runs a job that may block on files where it may.
pub(crate) async fn blocking<T: Send + 'static>(
    executor: &dyn Executor,
    job: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (done, outcome) = oneshot::channel();
    executor.blocking(Box::new(move || drop(done.send(job()))));
    outcome.await.unwrap_or_else(|_| Err(io::Error::other("the broker is being stopped")))
}
