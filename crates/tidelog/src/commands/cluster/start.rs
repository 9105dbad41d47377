//! `tidelog cluster start`: several brokers as processes on this machine, to try a cluster with.

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use clap::Args;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::commands::Failure;
use crate::commands::output::{Output, Table};
use crate::commands::stop::Stop;

/// How long the brokers may take to find each other.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How often to look whether they serve.
const LOOK: Duration = Duration::from_millis(20);

/// Arguments of `tidelog cluster start`.
#[derive(Args)]
pub(crate) struct Start {
    /// How many brokers
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=9))]
    nodes: u16,
    /// Where each broker gets a data directory and a log
    #[arg(long, value_name = "DIR", default_value = "./tidelog-cluster")]
    dir: PathBuf,
    /// The first broker's port for clients; the others count on
    #[arg(long, value_name = "PORT", default_value_t = 9092)]
    port: u16,
    /// The first broker's port for the others [default: 100 above --port]
    #[arg(long, value_name = "PORT")]
    cluster_port: Option<u16>,
    /// Any setting of all brokers, by Kafka's name; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    output: Output,
}

/// A broker that this command has started.
struct Node {
    id: u16,
    clients: String,
    dir: PathBuf,
    log: PathBuf,
    ready: PathBuf,
}

impl Start {
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.supervise()).map_err(|why| -> Box<dyn Error> { why })
    }

    async fn supervise(self) -> Result<(), Failure> {
        let mut stop = Stop::new()?;
        let nodes = self.nodes()?;
        let mut processes = Vec::new();
        for node in &nodes {
            processes.push(self.spawn(node, &nodes)?);
        }
        let started = tokio::select! {
            () = stop.asked() => Ok(false),
            ready = ready(&nodes, &mut processes) => ready.map(|()| true),
        };
        if let Ok(true) = started {
            print(&nodes, self.output)?;
            tell_of_ends(&nodes, &mut processes, &mut stop).await;
        }
        end(processes).await;
        started.map(drop)
    }

    fn nodes(&self) -> Result<Vec<Node>, Failure> {
        let nodes = (1..=self.nodes).map(|id| {
            let port = self.port.checked_add(id - 1).ok_or("--port is too high for so many brokers")?;
            let dir = self.dir.join(format!("node-{id}"));
            fs::create_dir_all(&dir).map_err(|why| format!("cannot make {}: {why}", dir.display()))?;
            let log = self.dir.join(format!("node-{id}.log"));
            let ready = self.dir.join(format!("node-{id}.ready"));
            Ok(Node { id, clients: format!("localhost:{port}"), dir, log, ready })
        });
        nodes.collect()
    }

    /// The founders' list, the same for all.
    fn founders(&self, nodes: &[Node]) -> Result<String, Failure> {
        let first = self.cluster_port.or_else(|| self.port.checked_add(100));
        let places = nodes.iter().map(|node| {
            let port = first.and_then(|first| first.checked_add(node.id - 1));
            port.map(|port| format!("localhost:{port}")).ok_or("--cluster-port is too high for so many brokers")
        });
        Ok(places.collect::<Result<Vec<_>, _>>()?.join(","))
    }

    fn spawn(&self, node: &Node, nodes: &[Node]) -> Result<Child, Failure> {
        match fs::remove_file(&node.ready) {
            Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(why.into()),
            _ => {}
        }
        let log = File::options().create(true).append(true).open(&node.log)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").args(["--node-id", &node.id.to_string(), "--cluster", &self.founders(nodes)?]);
        command.args(["--listen", &node.clients]).arg("--data-dir").arg(&node.dir).arg("--ready-file").arg(&node.ready);
        command.args(self.set.iter().flat_map(|setting| ["--set", setting]));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        Ok(command.spawn()?)
    }
}

/// Waits until all serve; an error if one of them does not.
async fn ready(nodes: &[Node], processes: &mut [Child]) -> Result<(), Failure> {
    let begun = Instant::now();
    for (node, process) in nodes.iter().zip(processes) {
        while !node.ready.try_exists()? {
            if let Some(status) = process.try_wait()? {
                return Err(ended(node, status).into());
            }
            if begun.elapsed() > START_LIMIT {
                let seconds = START_LIMIT.as_secs();
                return Err(
                    format!("broker {} does not serve after {seconds} s{}", node.id, last_words(&node.log)).into()
                );
            }
            sleep(LOOK).await;
        }
    }
    Ok(())
}

fn print(nodes: &[Node], output: Output) -> Result<(), Failure> {
    let mut table = Table::new("brokers", &["broker", "clients", "data", "log"]);
    for node in nodes {
        let path = |path: &Path| path.display().to_string();
        table.row([node.id.into(), node.clients.as_str().into(), path(&node.dir).into(), path(&node.log).into()]);
    }
    output.table(&table)?;
    if !output.is_json() {
        let all: Vec<&str> = nodes.iter().map(|node| node.clients.as_str()).collect();
        eprintln!("\nTry, in another terminal:");
        eprintln!(
            "  tidelog topic create greetings --replication-factor {} --bootstrap {}",
            nodes.len().min(3),
            all[0]
        );
        eprintln!("  tidelog cluster info --bootstrap {}", all.join(","));
    }
    Ok(())
}

/// Says which brokers end, until asked to stop or all have ended.
async fn tell_of_ends(nodes: &[Node], processes: &mut [Child], stop: &mut Stop) {
    let mut running: FuturesUnordered<_> =
        nodes.iter().zip(processes).map(|(node, process)| async move { (node, process.wait().await) }).collect();
    loop {
        tokio::select! {
            () = stop.asked() => return,
            next = running.next() => match next {
                Some((node, Ok(status))) => eprintln!("{}", ended(node, status)),
                Some((node, Err(why))) => eprintln!("broker {}: {why}", node.id),
                None => return,
            },
        }
    }
}

fn ended(node: &Node, status: ExitStatus) -> String {
    format!("broker {} has ended ({status}){}", node.id, last_words(&node.log))
}

/// The last line of a broker's log.
fn last_words(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    last.map_or_else(|| format!("; see {}", log.display()), |line| format!(": {line}"))
}

/// Stops them all, each in order.
async fn end(mut processes: Vec<Child>) {
    for process in &processes {
        let pid = process.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        // One that has ended by itself needs no signal.
        if let Some(pid) = pid {
            kill_process(pid, Signal::TERM).ok();
        }
    }
    for process in &mut processes {
        process.wait().await.ok();
    }
}
