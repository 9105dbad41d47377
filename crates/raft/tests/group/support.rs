//! A state machine that remembers what it was told, on a simulated disk.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use disk::{Disk, Open, SimDisk};
use journal::{Journal, Options};
use manifest::Manifest;
use model::{BrokerId, GroupId, Inline};
use raft::{Applied, Config, EntryId, Group, Proposal, RaftError, StateMachine, Voter};
use uuid::Uuid;

pub(crate) const GROUP: GroupId = GroupId(1);

pub(crate) fn voter(broker: i32) -> Voter {
    Voter::new(BrokerId(broker), Uuid::from_bytes([broker as u8; 16]))
}

/// What happened to the state machine since its broker started.
#[derive(Default, Debug)]
pub(crate) struct History {
    /// What the checkpoint held, then what was applied.
    pub(crate) entries: Vec<Bytes>,
    /// How many of these came from the checkpoint.
    pub(crate) restored: usize,
    /// Ids of what was applied, blank entries too.
    pub(crate) ids: Vec<EntryId>,
    pub(crate) terms: Vec<u64>,
    /// States that were offered.
    pub(crate) offers: Vec<Bytes>,
    /// How many states were installed.
    pub(crate) installed: usize,
}

/// The entries it was told, which it keeps in its manifest.
pub(crate) struct Recorder {
    disk: SimDisk,
    manifest: Arc<Manifest>,
    applied: Option<Applied>,
    history: Arc<Mutex<History>>,
}

impl Recorder {
    pub(crate) fn open(disk: &SimDisk) -> Result<(Recorder, Arc<Mutex<History>>), manifest::ManifestError> {
        let (manifest, mut found) = Manifest::open(Arc::new(disk.clone()), Path::new("groups/1"))?;
        let applied = found.remove(&b"applied"[..]).map(|mut bytes| Applied {
            id: EntryId { term: bytes.get_u64(), node: bytes.get_i32(), index: bytes.get_u64() },
            membership: bytes,
        });
        let entries = unpack(found.remove(&b"entries"[..]).unwrap_or_default());
        let history = Arc::new(Mutex::new(History { restored: entries.len(), entries, ..Default::default() }));
        Ok((Recorder { disk: disk.clone(), manifest: Arc::new(manifest), applied, history: history.clone() }, history))
    }
}

impl StateMachine for Recorder {
    /// How many entries there are now.
    type Response = usize;

    fn applied(&self) -> Option<Applied> {
        self.applied.clone()
    }

    fn apply(&mut self, id: EntryId, payload: &Bytes) -> usize {
        assert!(payload != "panic", "asked to");
        let mut history = self.history.lock().unwrap();
        history.ids.push(id);
        history.entries.push(payload.clone());
        history.entries.len()
    }

    fn term_started(&mut self, id: EntryId) {
        let mut history = self.history.lock().unwrap();
        history.ids.push(id);
        history.terms.push(id.term);
    }

    fn checkpoint(&mut self, applied: Applied) -> Box<dyn FnOnce() -> io::Result<()> + Send> {
        let edits = edits(&applied, pack(&self.history.lock().unwrap().entries));
        let manifest = self.manifest.clone();
        Box::new(move || manifest.commit(edits).map_err(io::Error::other))
    }

    /// The number of a state that is kept.
    fn offer(&mut self) -> io::Result<Bytes> {
        let mut history = self.history.lock().unwrap();
        let state = pack(&history.entries);
        history.offers.push(state);
        Ok((history.offers.len() as u64 - 1).to_be_bytes().to_vec().into())
    }

    fn install(&mut self, applied: Applied, offer: Bytes) -> io::Result<()> {
        let file = self.disk.open(&staged(&offer), Open::Read)?;
        let mut state = vec![0; file.len()? as usize];
        file.read_exact_at(&mut state, 0)?;
        let state = Bytes::from(state);
        self.manifest.commit(edits(&applied, state.clone())).map_err(io::Error::other)?;
        let mut history = self.history.lock().unwrap();
        history.entries = unpack(state);
        history.installed += 1;
        Ok(())
    }
}

fn edits(applied: &Applied, entries: Bytes) -> Vec<(Bytes, Option<Bytes>)> {
    let mut head = BytesMut::new();
    head.put_u64(applied.id.term);
    head.put_i32(applied.id.node);
    head.put_u64(applied.id.index);
    head.put_slice(&applied.membership);
    vec![("applied".into(), Some(head.freeze())), ("entries".into(), Some(entries))]
}

fn pack(entries: &[Bytes]) -> Bytes {
    let mut packed = BytesMut::new();
    for entry in entries {
        packed.put_u32(entry.len() as u32);
        packed.put_slice(entry);
    }
    packed.freeze()
}

fn unpack(mut packed: Bytes) -> Vec<Bytes> {
    let mut entries = Vec::new();
    while packed.has_remaining() {
        let length = packed.get_u32() as usize;
        entries.push(packed.split_to(length));
    }
    entries
}

/// Where a state lies that was fetched.
pub(crate) fn staged(offer: &[u8]) -> PathBuf {
    PathBuf::from(format!("staged-{}", offer[7]))
}

/// A broker with one group, on a simulated disk.
pub(crate) struct Broker {
    pub(crate) disk: SimDisk,
    pub(crate) journal: Journal,
    pub(crate) group: Group<Recorder>,
    pub(crate) history: Arc<Mutex<History>>,
}

impl Broker {
    /// Starts, and waits until the group is ready.
    pub(crate) async fn start(disk: &SimDisk) -> Broker {
        let broker = Broker::try_start(disk).await.unwrap();
        broker.group.status().wait_for(|status| status.ready).await.unwrap();
        broker
    }

    pub(crate) async fn try_start(disk: &SimDisk) -> Result<Broker, RaftError> {
        Broker::start_with(disk, Config::single(GROUP, voter(1))).await
    }

    pub(crate) async fn start_with(disk: &SimDisk, config: Config) -> Result<Broker, RaftError> {
        // Small files, so that some thousand entries fill, purge and reuse several of them.
        let options =
            Options { file_bytes: 64 << 10, first_file_bytes: 16 << 10, cache_bytes: 64 << 10, ..Options::default() };
        let shared = Arc::new(disk.clone());
        let (journal, _) =
            Journal::open(shared, Path::new("journal"), [1; 16], options, Arc::new(Inline)).map_err(failed)?;
        let (machine, history) = Recorder::open(disk).map_err(failed)?;
        let group = Group::start(config, journal.clone(), machine, Arc::new(Inline)).await?;
        Ok(Broker { disk: disk.clone(), journal, group, history })
    }

    /// Stops cleanly, without a checkpoint.
    pub(crate) async fn stop(self) {
        self.group.shutdown().await;
        self.journal.shutdown().await;
    }

    /// Stops cleanly, and starts again.
    pub(crate) async fn restart(self) -> Broker {
        let disk = self.disk.clone();
        self.stop().await;
        Broker::start(&disk).await
    }

    /// Queues one entry for each number.
    pub(crate) async fn propose(&self, numbers: std::ops::Range<usize>) -> Vec<Proposal<usize>> {
        let mut proposals = Vec::new();
        for number in numbers {
            proposals.push(self.group.propose(entry(number)).await.unwrap());
        }
        proposals
    }

    /// Queues entries and waits for all answers.
    pub(crate) async fn write(&self, numbers: std::ops::Range<usize>) -> Vec<(EntryId, usize)> {
        let mut answers = Vec::new();
        for proposal in self.propose(numbers).await {
            answers.push(proposal.await.unwrap());
        }
        answers
    }

    pub(crate) fn entries(&self) -> Vec<Bytes> {
        self.history.lock().unwrap().entries.clone()
    }
}

pub(crate) fn entry(number: usize) -> Bytes {
    format!("entry {number}").into()
}

pub(crate) fn entries(numbers: std::ops::Range<usize>) -> Vec<Bytes> {
    numbers.map(entry).collect()
}

fn failed(error: impl std::fmt::Display) -> RaftError {
    RaftError::Storage { group: GROUP, reason: error.to_string().into() }
}

/// A group of which only broker 1 can be reached.
pub(crate) fn three_voters() -> Config {
    Config { bootstrap: BTreeSet::from([voter(1), voter(2), voter(3)]), ..Config::single(GROUP, voter(1)) }
}
