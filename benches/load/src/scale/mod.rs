//! How much one node holds: partitions, connections, members of groups; and what it costs while nothing happens.

mod connections;
mod groups;
mod partitions;

use std::future::Future;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use tokio::runtime::Runtime;
use tokio::task::{JoinSet, LocalSet};

use crate::Failure;
use crate::contender::{Contender, Durability, Started};
use crate::exchange::Exchange;
use crate::usage::Usage;

/// Arguments of `load scale`.
#[derive(Args)]
pub(crate) struct Scale {
    /// What to have many of [default: each in turn, with a broker of its own]
    many: Vec<Many>,
    /// For how long to look at a broker that has nothing to do
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    idle: f64,
    /// Executable of Tidelog [default: the release build beside this program]
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Many {
    /// 10,000 partitions in 100 topics
    Partitions,
    /// 2,000 connections of clients that have asked for metadata and then say nothing
    Connections,
    /// 1,000 groups of 10 members, each with a connection of its own and a heartbeat every 3 seconds
    Groups,
}

impl Scale {
    pub(crate) fn measure(&self, runtime: &Runtime) -> Result<(), Failure> {
        let binary = match &self.binary {
            Some(binary) => binary.clone(),
            None => std::env::current_exe()?.with_file_name("tidelog"),
        };
        let idle = Duration::from_secs_f64(self.idle);
        println!("{:<44} {:>12}  {:>12}", "", "measured", "promised");
        for many in if self.many.is_empty() { Many::value_variants() } else { &self.many } {
            let mut broker = Contender::Tidelog(binary.clone()).start(Some(Durability::Fsync))?;
            match many {
                Many::Partitions => partitions::measure(runtime, &mut broker, idle)?,
                Many::Connections => runtime.block_on(connections::measure(&mut broker, idle))?,
                Many::Groups => runtime.block_on(groups::measure(&mut broker, idle))?,
            }
        }
        Ok(())
    }
}

/// A line of the report.
fn line(what: &str, measured: &str, promised: &str) {
    println!("{what:<44} {measured:>12}  {promised:>12}");
}

fn mib(kib: u64) -> String {
    format!("{:.1} MiB", kib as f64 / 1024.0)
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

fn usage(broker: &mut Started) -> Result<Usage, Failure> {
    broker.usage().ok_or_else(|| "the broker is gone".into())
}

/// The share of one core that a broker takes while `wait` goes on, in per cent.
async fn share_of_a_core(broker: &mut Started, wait: impl Future) -> Result<String, Failure> {
    let (begun, before) = (Instant::now(), usage(broker)?);
    wait.await;
    let used = usage(broker)? - before;
    Ok(format!("{:.2} %", used.cpu_seconds / begun.elapsed().as_secs_f64() * 100.0))
}

/// So many connections, of which each has done `first`, a hundred at a time.
async fn connect<F: Future<Output = Result<Exchange, Failure>> + 'static>(
    address: &str,
    count: usize,
    first: impl Fn(usize, Exchange) -> F,
) -> Result<Vec<Exchange>, Failure> {
    const AT_A_TIME: usize = 100;
    let mut connected = Vec::new();
    for start in (0..count).step_by(AT_A_TIME) {
        let mut opened = Vec::new();
        for number in start..count.min(start + AT_A_TIME) {
            opened.push(first(number, Exchange::connect(address).await?));
        }
        connected.extend(all(opened).await?);
    }
    Ok(connected)
}

/// What all of them come to, whichever is first.
async fn all<T: 'static, F: Future<Output = Result<T, Failure>> + 'static>(
    tasks: impl IntoIterator<Item = F>,
) -> Result<Vec<T>, Failure> {
    let work = async {
        let mut set = JoinSet::new();
        for task in tasks {
            set.spawn_local(task);
        }
        let mut done = Vec::new();
        while let Some(ended) = set.join_next().await {
            done.push(ended??);
        }
        Ok(done)
    };
    LocalSet::new().run_until(work).await
}
