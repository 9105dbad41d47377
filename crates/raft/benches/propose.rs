//! What a proposal costs, and how fast a journal is applied again: `cargo bench -p raft`. A directory
//! as argument (`-- /dev/shm`) takes the disk out of the figures, or another one in.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use disk::RealDisk;
use journal::{Journal, Options};
use model::{BrokerId, GroupId, Threads};
use raft::{Applied, Config, EntryId, Group, StateMachine, Voter};
use uuid::Uuid;

const GROUP: GroupId = GroupId(1);
const PAYLOAD_BYTES: usize = 1024;
const EACH: Duration = Duration::from_secs(3);
const REPLAYED_ENTRIES: usize = 8192;
const REPLAYED_BYTES: usize = 16 * 1024;

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

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let parent = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let dir = tempfile::tempdir_in(parent.unwrap_or_else(|| ".".to_owned()))?;
    for sync in [true, false] {
        println!("fsync {}:", if sync { "on" } else { "off" });
        let (journal, group) = start(&dir.path().join(format!("sync-{sync}")), sync).await?;
        for proposers in [1, 16, 256] {
            propose(&group, proposers).await?;
            group.checkpoint().await?;
        }
        stop(journal, group).await;
    }
    replay(&dir.path().join("replay")).await
}

async fn start(dir: &Path, sync: bool) -> Result<(Journal, Group<Nothing>), Box<dyn std::error::Error>> {
    let options = Options { sync, ..Options::default() };
    let (journal, _) = Journal::open(Arc::new(RealDisk), dir, [7; 16], options, Arc::new(Threads))?;
    let me = Voter::new(BrokerId(1), Uuid::from_bytes([7; 16]));
    let before = Instant::now();
    let group = Group::start(Config::single(GROUP, me), journal.clone(), Nothing, Arc::new(Threads)).await?;
    group.status().wait_for(|status| status.ready).await?;
    println!("  ready after {:?}", before.elapsed());
    Ok((journal, group))
}

async fn stop(journal: Journal, group: Group<Nothing>) {
    group.shutdown().await;
    journal.shutdown().await;
}

async fn propose(group: &Group<Nothing>, proposers: usize) -> Result<(), Box<dyn std::error::Error>> {
    let (before, cpu_before) = (Instant::now(), cpu_time()?);
    let propose = |group: Group<Nothing>| async move {
        let mut latencies = Vec::new();
        while before.elapsed() < EACH {
            let start = Instant::now();
            let proposal = group.propose(Bytes::from(vec![1; PAYLOAD_BYTES])).await;
            proposal.expect("the group is ready").await.expect("the disk is sound");
            latencies.push(start.elapsed());
        }
        latencies
    };
    let tasks: Vec<_> = (0..proposers).map(|_| tokio::spawn(propose(group.clone()))).collect();
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
    Ok(())
}

async fn replay(dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    println!("{} MiB written:", (REPLAYED_ENTRIES * REPLAYED_BYTES) >> 20);
    let (journal, group) = start(dir, true).await?;
    let mut proposals = Vec::new();
    for _ in 0..REPLAYED_ENTRIES {
        proposals.push(group.propose(Bytes::from(vec![3; REPLAYED_BYTES])).await?);
    }
    futures::future::try_join_all(proposals).await?;
    stop(journal, group).await;
    println!("and applied again:");
    let (journal, group) = start(dir, true).await?;
    stop(journal, group).await;
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
