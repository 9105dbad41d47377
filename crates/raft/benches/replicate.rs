//! What an entry costs with three members in one process, over a transport that only hands messages
//! across: `cargo bench -p raft --bench replicate`. A directory as argument (`-- /dev/shm`) takes the disk
//! out of the figures, a number the round trip in microseconds.

mod measure;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use disk::RealDisk;
use journal::{Journal, Options};
use measure::Nothing;
use model::{BrokerId, GroupId, Threads};
use raft::transport::{Call, Request, Transport, Unreachable};
use raft::{Config, Group, Voter};
use uuid::Uuid;

const GROUP: GroupId = GroupId(1);

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
    measure::propose(&leader, proposers, payload).await?;
    for (_, group) in members {
        // All that is behind may be purged: the journals stay small.
        group.checkpoint().await?;
    }
    Ok(())
}
