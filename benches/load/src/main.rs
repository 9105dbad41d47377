//! Load on a broker, and what it costs: `cargo run --release -p load -- --help`.
//!
//! Batches are encoded once and sent again and again over plain sockets, so that on one machine most
//! of the processor is left to the broker. Closed loops send when answered, and show what a broker can
//! do; the paced row sends at fixed times, whatever is answered, and counts latency from these times.
//! Several contenders (builds of Tidelog, Apache Kafka) take turns, row by row and round by round,
//! so that what else the machine does falls on all of them alike.

mod contender;
mod exchange;
mod figures;
mod kafka;
mod requests;
mod rows;
mod scale;
mod table;
mod usage;

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use contender::{Contender, Durability};
use figures::Figures;
use rows::{How, Row};
use scale::Scale;

/// Anything that stops the measurement.
type Failure = Box<dyn Error>;

/// Measures a broker: the release build beside this program, unless told otherwise
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Rows to measure [default: all]
    rows: Vec<Row>,
    /// How long to measure each row
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// How long to load the broker before that
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// What an acknowledgement means [default: each in turn]
    #[arg(long)]
    durability: Option<Durability>,
    /// Executable of Tidelog; several are compared with the first
    #[arg(long, value_name = "PATH")]
    binary: Vec<PathBuf>,
    /// Compares with Apache Kafka 4.4.0, too (needs Java and Maven)
    #[arg(long)]
    against_kafka: bool,
    /// A broker that runs already, in whatever mode; none is started
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["binary", "against_kafka", "durability"])]
    bootstrap: Option<String>,
    /// How often each contender has its turn; the median by CPU time counts
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// MiB of records that the replay reads
    #[arg(long, default_value_t = 1024)]
    replay_mib: u64,
}

#[derive(Subcommand)]
enum Command {
    /// Measures how much one node holds: partitions, connections, members of groups
    Scale(Scale),
}

impl Arguments {
    fn contenders(&self) -> Result<Vec<Contender>, Failure> {
        if let Some(address) = &self.bootstrap {
            return Ok(vec![Contender::Running(address.clone())]);
        }
        let mut contenders: Vec<Contender> = self.binary.iter().cloned().map(Contender::Tidelog).collect();
        if contenders.is_empty() {
            contenders.push(Contender::Tidelog(std::env::current_exe()?.with_file_name("tidelog")));
        }
        contenders.extend(self.against_kafka.then_some(Contender::Kafka));
        Ok(contenders)
    }

    fn durabilities(&self) -> Vec<Option<Durability>> {
        match (&self.bootstrap, self.durability) {
            (Some(_), _) => vec![None],
            (None, Some(one)) => vec![Some(one)],
            (None, None) => Durability::value_variants().iter().copied().map(Some).collect(),
        }
    }
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some(Command::Scale(scale)) = &arguments.command {
        return scale.measure(&runtime);
    }
    let contenders = arguments.contenders()?;
    let rows = if arguments.rows.is_empty() { Row::value_variants() } else { &arguments.rows };
    let how = How {
        warm_up: Duration::from_secs_f64(arguments.warm_up),
        measured: Duration::from_secs_f64(arguments.seconds),
        replay_bytes: arguments.replay_mib << 20,
    };
    table::head(&contenders);
    for durability in arguments.durabilities() {
        for row in rows {
            let mut rounds: Vec<Vec<Figures>> = contenders.iter().map(|_| Vec::new()).collect();
            for _ in 0..arguments.rounds.max(1) {
                for (contender, figures) in contenders.iter().zip(&mut rounds) {
                    figures.push(row.measure(&runtime, contender, durability, &how)?);
                }
            }
            let figures: Vec<Figures> = rounds.into_iter().filter_map(Figures::median).collect();
            table::row(*row, durability, &contenders, &figures);
        }
    }
    Ok(())
}
