//! What an entry costs with three members in one process, over a transport that only hands messages
//! across: `cargo bench -p raft --bench replicate`. A directory as argument (`-- /dev/shm`) takes the disk
//! out of the figures, a number the round trip in microseconds.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use disk::RealDisk;
use journal::{Journal, Options};
use model::{BrokerId, GroupId, Threads};
use raft::transport::{Call, Request, Transport, Unreachable};
use raft::{Applied, Config, EntryId, Group, StateMachine, Voter};
use uuid::Uuid;

const GROUP: GroupId = GroupId(1);
const EACH: Duration = Duration::from_secs(3);

/// Does nothing, so that all cost is ours.
struct Nothing;

impl StateMachine for Nothing {
    type Response = ();

    fn applied(&self) -> Option<Applied> {
        None
    }

    fn apply(&mut self, _id: EntryId, _payload: &Bytes) {}

    fn term_started(&mut self, _id: EntryId) {}

    fn checkpoint(&mut self, _applied: Applied) -> Box<dyn FnOnce() -> io::Result<()> + Send> {
        Box::new(|| Ok(()))
    }
}

/// Calls the other member's handle.
#[derive(Default)]
struct Hand {
    members: OnceLock<BTreeMap<Voter, Group<Nothing>>>,
    round_trip: Duration,
}

impl std::fmt::Debug for Hand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hand")
    }
}

impl Transport for Hand {
    fn call(&self, _: GroupId, to: Voter, request: Request) -> Call {
        let unreachable = move |reason: String| Unreachable { to, reason };
        let Some(member) = self.members.get().and_then(|members| members.get(&to)) else {
            return Box::pin(std::future::ready(Err(unreachable("not there yet".to_owned()))));
        };
        let (answer, round_trip) = (member.receive(to, request), self.round_trip);
        Box::pin(async move {
            if !round_trip.is_zero() {
                tokio::time::sleep(round_trip).await;
            }
            answer.await.map_err(|error| unreachable(error.to_string()))
        })
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let parent = arguments.first().cloned().unwrap_or_else(|| ".".to_owned());
    let round_trip = Duration::from_micros(arguments.get(1).map_or(Ok(0), |text| text.parse())?);
    for (payload, sync) in [(1024, true), (1024, false), (16 * 1024, false)] {
        let dir = tempfile::tempdir_in(&parent)?;
        println!("{payload} bytes, fsync {}, round trip {round_trip:?}:", if sync { "on" } else { "off" });
        let hand = Arc::new(Hand { round_trip, ..Hand::default() });
        let members = start(dir.path(), sync, &hand).await?;
        for proposers in [1, 16, 256] {
            propose(&members, proposers, payload).await?;
        }
        for (journal, group) in members {
            group.shutdown().await;
            journal.shutdown().await;
        }
    }
    Ok(())
}

async fn start(
    dir: &Path,
    sync: bool,
    hand: &Arc<Hand>,
) -> Result<Vec<(Journal, Group<Nothing>)>, Box<dyn std::error::Error>> {
    let voter = |broker: i32| Voter::new(BrokerId(broker), Uuid::from_bytes([broker as u8; 16]));
    let mut members = Vec::new();
    for broker in 1..=3 {
        let options = Options { sync, ..Options::default() };
        let dir = dir.join(broker.to_string());
        let (journal, _) = Journal::open(Arc::new(RealDisk), &dir, [broker as u8; 16], options, Arc::new(Threads))?;
        let bootstrap = if broker == 1 { (1..=3).map(voter).collect() } else { BTreeSet::new() };
        let config = Config { bootstrap, transport: hand.clone(), ..Config::single(GROUP, voter(broker)) };
        let group = Group::start(config, journal.clone(), Nothing, Arc::new(Threads)).await?;
        members.push((journal, group));
    }
    let handles = (1..=3).map(voter).zip(members.iter().map(|(_, group)| group.clone())).collect();
    hand.members.set(handles).map_err(|_| "set twice")?;
    Ok(members)
}

async fn propose(
    members: &[(Journal, Group<Nothing>)],
    proposers: usize,
    payload: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let leader = loop {
        if let Some((_, group)) = members.iter().find(|(_, group)| group.holds_lease()) {
            break group.clone();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    let (before, cpu_before) = (Instant::now(), cpu_time()?);
    let propose = |group: Group<Nothing>| async move {
        let mut latencies = Vec::new();
        while before.elapsed() < EACH {
            let start = Instant::now();
            let proposal = group.propose(Bytes::from(vec![1; payload])).await;
            proposal.expect("the group is ready").await.expect("nothing fails");
            latencies.push(start.elapsed());
        }
        latencies
    };
    let tasks: Vec<_> = (0..proposers).map(|_| tokio::spawn(propose(leader.clone()))).collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await?);
    }
    let (elapsed, cpu) = (before.elapsed(), cpu_time()? - cpu_before);
    latencies.sort_unstable();
    let count = latencies.len();
    println!(
        "  {proposers:3} proposers: {:8.0} a second, p50 {:?}, p99 {:?}, {:.2} us CPU each",
        count as f64 / elapsed.as_secs_f64(),
        latencies[count / 2],
        latencies[count * 99 / 100],
        cpu.as_secs_f64() * 1e6 / count as f64,
    );
    for (_, group) in members {
        // All that is behind may be purged: the journals stay small.
        group.checkpoint().await?;
    }
    Ok(())
}

/// Of all threads, in steps of the kernel's clock tick.
fn cpu_time() -> io::Result<Duration> {
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok());
    Ok(TICK * ticks.sum::<u32>())
}
