//! What the benchmarks of this crate share: a state machine that costs nothing, and proposers that are timed.

use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use raft::{Applied, EntryId, Group, StateMachine};

/// How long proposers are at work.
const EACH: Duration = Duration::from_secs(3);

/// Does nothing, so that all cost is ours.
pub(crate) struct Nothing;

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

/// Proposes from so many tasks, and prints how fast that was and what it cost.
pub(crate) async fn propose(
    group: &Group<Nothing>,
    proposers: usize,
    payload_bytes: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let (before, cpu_before) = (Instant::now(), cpu_time()?);
    let propose = |group: Group<Nothing>| async move {
        let mut latencies = Vec::new();
        while before.elapsed() < EACH {
            let start = Instant::now();
            let proposal = group.propose(Bytes::from(vec![1; payload_bytes])).await;
            proposal.expect("the group is ready").await.expect("nothing fails");
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

/// Of all threads, in steps of the kernel's clock tick.
fn cpu_time() -> io::Result<Duration> {
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok());
    Ok(TICK * ticks.sum::<u32>())
}
