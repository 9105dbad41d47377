//! Some members in one process, over a transport that hands messages across.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use disk::{Disk, Open, SimDisk};
use futures::future::BoxFuture;
use model::GroupId;
use raft::transport::{
    Call, Request, Transport, Unreachable, decode_reply, decode_request, encode_reply, encode_request,
};
use raft::{CatchUp, ChangeError, Config, Group, Kept, MAX_RETAINED_BYTES, RaftError, Status, Voter};

use crate::support::{Broker, GROUP, History, Recorder, staged, voter};

/// How long a message is on its way.
pub(crate) const LATENCY: Duration = Duration::from_millis(1);
/// How long a call over a line that is cut takes to fail: longer than any wait for it.
const NO_ANSWER: Duration = Duration::from_secs(5);

/// Knows every member that is up, and which lines are cut.
#[derive(Default)]
pub(crate) struct Switchboard {
    members: Mutex<BTreeMap<i32, Group<Recorder>>>,
    histories: Mutex<BTreeMap<i32, Arc<Mutex<History>>>>,
    /// From one to another, not the other way.
    cut: Mutex<BTreeSet<(i32, i32)>>,
    /// How many requests were sent, of each kind, by and to whom.
    calls: Mutex<Vec<(i32, i32, &'static str)>>,
    load: Mutex<Load>,
    /// More than [`LATENCY`].
    delay: Mutex<Duration>,
}

/// What was on its way from one member to another at most.
#[derive(Default, Clone, Copy)]
pub(crate) struct Load {
    /// Appends that carry something, and their bytes, of all members.
    now: (usize, usize),
    pub(crate) most_appends: usize,
    pub(crate) most_bytes: usize,
    /// Bytes and entries of the largest append of several entries.
    pub(crate) largest: usize,
}

/// Counts an append from when it is sent until it is answered, or given up.
struct OnItsWay(Arc<Switchboard>, usize);

impl OnItsWay {
    fn new(board: &Arc<Switchboard>, request: &Request) -> Option<OnItsWay> {
        let Request::Append(append) = request else { return None };
        let bytes: usize = append.entries.iter().map(|entry| entry.payload.len()).sum();
        if bytes == 0 {
            return None;
        }
        let mut load = board.load.lock().unwrap();
        load.now = (load.now.0 + 1, load.now.1 + bytes);
        load.most_appends = load.most_appends.max(load.now.0);
        load.most_bytes = load.most_bytes.max(load.now.1);
        if append.entries.len() > 1 {
            load.largest = load.largest.max(bytes);
        }
        Some(OnItsWay(board.clone(), bytes))
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        let mut load = self.0.load.lock().unwrap();
        load.now = (load.now.0 - 1, load.now.1 - self.1);
    }
}

/// One member's way to the others, and where it puts what it fetches from them.
struct Line(Arc<Switchboard>, Voter, SimDisk);

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}

/// Copies in two steps what the other's state machine offered.
impl CatchUp for Line {
    fn fetch(&self, _: GroupId, from: Voter, offer: Bytes) -> BoxFuture<'static, io::Result<Kept>> {
        let Line(board, me, disk) = self;
        let (board, me, disk) = (board.clone(), me.broker, disk.clone());
        Box::pin(async move {
            let number = u64::from_be_bytes(offer[..].try_into().unwrap()) as usize;
            let file = disk.open(&staged(&offer), Open::Create)?;
            let history = board.histories.lock().unwrap().get(&from.broker).cloned();
            let state = history.and_then(|history| history.lock().unwrap().offers.get(number).cloned());
            let state = state.ok_or(io::ErrorKind::NotFound)?;
            file.set_len(0)?;
            let (first, second) = state.split_at(state.len() / 2);
            for (part, offset) in [(first, 0), (second, first.len() as u64)] {
                tokio::time::sleep(LATENCY * 10).await;
                if board.is_cut(from.broker, me) || !board.members.lock().unwrap().contains_key(&from.broker) {
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
                file.write_all_at(&[IoSlice::new(part)], offset)?;
            }
            file.sync_data()?;
            disk.sync_dir(Path::new(""))?;
            Ok(Box::new(()) as Kept)
        })
    }
}

impl Transport for Line {
    /// All that is sent goes by its bytes. What is cut is lost: the caller hears nothing.
    fn call(&self, group: GroupId, to: Voter, request: Request) -> Call {
        let Line(board, from, _) = self;
        let (board, from) = (board.clone(), from.broker);
        board.calls.lock().unwrap().push((from, to.broker, kind(&request)));
        let on_its_way = OnItsWay::new(&board, &request);
        let (head, parts) = encode_request(group, to, &request);
        let mut frame = BytesMut::from(head);
        parts.iter().for_each(|part| frame.extend_from_slice(part));
        Box::pin(async move {
            let unreachable = |reason: &str| Unreachable { to, reason: reason.to_owned() };
            let _on_its_way = on_its_way;
            let delay = *board.delay.lock().unwrap();
            tokio::time::sleep(LATENCY + delay).await;
            if board.is_cut(from, to.broker) {
                tokio::time::sleep(NO_ANSWER).await;
                return Err(unreachable("cut off"));
            }
            let member = board.members.lock().unwrap().get(&to.broker).cloned();
            let member = member.ok_or_else(|| unreachable("connection refused"))?;
            let (group, to, request) = decode_request(frame.freeze()).expect("what was sent is understood");
            assert_eq!(group, member.id());
            let reply = member.receive(to, request).await.map_err(|error| unreachable(&error.to_string()))?;
            if board.is_cut(to.broker, from) {
                tokio::time::sleep(NO_ANSWER).await;
                return Err(unreachable("cut off"));
            }
            Ok(decode_reply(encode_reply(&reply)).expect("what was answered is understood"))
        })
    }
}

fn kind(request: &Request) -> &'static str {
    match request {
        Request::PreVote(_) => "pre-vote",
        Request::Vote(_) => "vote",
        Request::Append(append) if append.entries.is_empty() => "heartbeat",
        Request::Append(_) => "append",
        Request::HandOver(_) => "hand over",
        Request::Install(_) => "install",
    }
}

impl Switchboard {
    fn is_cut(&self, from: i32, to: i32) -> bool {
        self.cut.lock().unwrap().contains(&(from, to))
    }

    /// Nothing gets from one to the other any more.
    pub(crate) fn cut(&self, from: i32, to: i32) {
        self.cut.lock().unwrap().insert((from, to));
    }

    /// Neither way.
    pub(crate) fn part(&self, one: i32, other: i32) {
        self.cut(one, other);
        self.cut(other, one);
    }

    pub(crate) fn cut_off(&self, broker: i32) {
        (1..=9).filter(|other| *other != broker).for_each(|other| self.part(broker, other));
    }

    pub(crate) fn heal(&self) {
        self.cut.lock().unwrap().clear();
    }

    pub(crate) fn delay(&self, delay: Duration) {
        *self.delay.lock().unwrap() = delay;
    }

    /// What was on its way since the last call.
    pub(crate) fn load(&self) -> Load {
        let mut load = self.load.lock().unwrap();
        let fresh = Load { now: load.now, ..Load::default() };
        std::mem::replace(&mut *load, fresh)
    }

    /// How many requests were sent to a broker since the last call.
    pub(crate) fn sent_to(&self, broker: i32) -> usize {
        let calls = std::mem::take(&mut *self.calls.lock().unwrap());
        calls.iter().filter(|(_, to, _)| *to == broker).count()
    }

    /// The requests of a kind that were sent since the last call.
    pub(crate) fn sent(&self, kind: &str) -> usize {
        let calls = std::mem::take(&mut *self.calls.lock().unwrap());
        calls.iter().filter(|(_, _, sent)| *sent == kind).count()
    }
}

pub(crate) struct Cluster {
    pub(crate) board: Arc<Switchboard>,
    pub(crate) brokers: BTreeMap<i32, Broker>,
    /// How many lives a broker's process has had.
    lives: BTreeMap<i32, u64>,
    seed: u64,
    founders: i32,
    /// Of brokers that are started from now on.
    pub(crate) max_retained_bytes: u64,
}

impl Cluster {
    pub(crate) async fn start() -> Cluster {
        Cluster::start_with(1).await
    }

    /// Three members, whose directories (and with them their dice) come from a seed.
    pub(crate) async fn start_with(seed: u64) -> Cluster {
        Cluster::found(seed, 3).await
    }

    pub(crate) async fn found(seed: u64, founders: i32) -> Cluster {
        Cluster::retaining(seed, founders, MAX_RETAINED_BYTES).await
    }

    /// Their journals keep so many bytes for those who are behind.
    pub(crate) async fn retaining(seed: u64, founders: i32, max_retained_bytes: u64) -> Cluster {
        let (board, brokers, lives) = (Arc::default(), BTreeMap::new(), BTreeMap::new());
        let mut cluster = Cluster { board, brokers, lives, seed, founders, max_retained_bytes };
        for broker in 1..=founders {
            cluster.start_broker(broker, &SimDisk::new(broker as u64)).await;
        }
        cluster
    }

    /// Who a broker is in this cluster.
    pub(crate) fn voter(&self, broker: i32) -> Voter {
        let mut voter = voter(broker);
        let (_, low) = voter.directory.as_u64_pair();
        voter.directory = uuid::Uuid::from_u64_pair(self.seed, low);
        voter
    }

    pub(crate) async fn start_broker(&mut self, broker: i32, disk: &SimDisk) {
        self.start_voter(self.voter(broker), disk).await;
    }

    pub(crate) async fn start_voter(&mut self, me: Voter, disk: &SimDisk) {
        self.try_start_voter(me, disk).await.unwrap();
    }

    /// An error if the disk crashes meanwhile.
    pub(crate) async fn try_start_voter(&mut self, me: Voter, disk: &SimDisk) -> Result<(), RaftError> {
        let broker = me.broker;
        // One of them bootstraps, for all.
        let all = (1..=self.founders).map(|broker| self.voter(broker)).collect();
        let bootstrap = if broker == 1 { all } else { BTreeSet::new() };
        let line = Arc::new(Line(self.board.clone(), me, disk.clone()));
        let life = self.lives.entry(broker).or_default();
        *life += 1;
        let config = Config {
            bootstrap,
            transport: line.clone(),
            catch_up: line,
            incarnation: *life,
            max_retained_bytes: self.max_retained_bytes,
            ..Config::single(GROUP, me)
        };
        let started = Broker::start_with(disk, config).await?;
        self.board.members.lock().unwrap().insert(broker, started.group.clone());
        self.board.histories.lock().unwrap().insert(broker, started.history.clone());
        self.brokers.insert(broker, started);
        Ok(())
    }

    /// These brokers, with the directories that they began with.
    pub(crate) fn voters(&self, brokers: &[i32]) -> BTreeSet<Voter> {
        brokers.iter().map(|broker| self.voter(*broker)).collect()
    }

    /// Asks whoever leads, again and again, until these are the members.
    pub(crate) async fn set_members(&self, voters: &BTreeSet<Voter>, learners: &BTreeSet<Voter>) {
        loop {
            let (leader, _) = self.leader().await;
            match self.group(leader).set_members(voters, learners).await {
                Ok(()) => return,
                Err(ChangeError::NotLeader { .. } | ChangeError::TimedOut { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub(crate) fn life(&self, broker: i32) -> u64 {
        self.lives[&broker]
    }

    pub(crate) fn group(&self, broker: i32) -> &Group<Recorder> {
        &self.brokers[&broker].group
    }

    /// Power goes off at one broker.
    pub(crate) async fn cut_power(&mut self, broker: i32, seed: u64) -> SimDisk {
        self.board.members.lock().unwrap().remove(&broker);
        let broker = self.brokers.remove(&broker).unwrap();
        let disk = broker.disk.restart(seed);
        broker.stop().await;
        disk
    }

    /// Whom each member that is up takes for the leader, of those who are ready to lead.
    pub(crate) fn leading(&self) -> Vec<(i32, Status)> {
        let leading = self.brokers.iter().map(|(broker, it)| (*broker, *it.group.status().borrow()));
        leading.filter(|(broker, status)| status.ready && status.leader.unwrap().0 == *broker).collect()
    }

    /// Waits for a leader that is ready and holds its lease.
    pub(crate) async fn leader(&self) -> (i32, Status) {
        loop {
            let leading = self.leading();
            let mut leading = leading.iter().filter(|(broker, _)| self.group(*broker).holds_lease());
            if let Some(leader) = leading.next() {
                return *leader;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn leader_other_than(&self, old: i32) -> i32 {
        loop {
            match self.leading().into_iter().find(|(broker, _)| *broker != old) {
                Some((new, _)) => return new,
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    pub(crate) async fn applied_everywhere(&self, count: usize) {
        while !self.brokers.values().all(|broker| broker.entries().len() >= count) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Each member must be told to end: they hold one another's handles.
    pub(crate) async fn stop(self) {
        self.board.members.lock().unwrap().clear();
        for broker in self.brokers.into_values() {
            broker.stop().await;
        }
    }
}
