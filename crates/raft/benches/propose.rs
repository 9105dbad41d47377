//! What a proposal costs, and how fast a journal is applied again: `cargo bench -p raft`. A directory
//! as argument (`-- /dev/shm`) takes the disk out of the figures, or another one in.

mod measure;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use disk::RealDisk;
use journal::{Journal, Options};
use measure::{Nothing, propose};
use model::{BrokerId, GroupId, Threads};
use raft::{Config, Group, Voter};
use uuid::Uuid;

const GROUP: GroupId = GroupId(1);
const PAYLOAD_BYTES: usize = 1024;
const REPLAYED_ENTRIES: usize = 8192;
const REPLAYED_BYTES: usize = 16 * 1024;

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let parent = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let dir = tempfile::tempdir_in(parent.unwrap_or_else(|| ".".to_owned()))?;
    for sync in [true, false] {
        println!("fsync {}:", if sync { "on" } else { "off" });
        let (journal, group) = start(&dir.path().join(format!("sync-{sync}")), sync).await?;
        for proposers in [1, 16, 256] {
            propose(&group, proposers, PAYLOAD_BYTES).await?;
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
