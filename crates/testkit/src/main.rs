//! `cargo run -p testkit -- simulate`: runs of the simulation by the thousand.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use testkit::sim::{Summary, run_cluster};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// Tools to test Tidelog with.
#[derive(Parser)]
#[command(name = "testkit")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs brokers with their clients and all faults, each time from another seed.
    Simulate {
        /// How many runs.
        #[arg(long, default_value_t = 100)]
        seeds: u64,
        /// The first seed.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// This seed alone.
        #[arg(long, conflicts_with_all = ["seeds", "from"])]
        seed: Option<u64>,
        /// How many brokers each run has.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=9))]
        brokers: u8,
        /// Print what happens, too.
        #[arg(long)]
        verbose: bool,
    },
}

/// Simulated seconds since the run began.
struct SimulatedTime;

impl FormatTime for SimulatedTime {
    fn format_time(&self, out: &mut Writer<'_>) -> std::fmt::Result {
        write!(out, "{:>9.3}", testkit::sim::elapsed().as_secs_f64())
    }
}

fn main() -> ExitCode {
    let Command::Simulate { seeds, from, seed, brokers, verbose } = Arguments::parse().command;
    if verbose {
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,openraft=warn")))
            .with_timer(SimulatedTime)
            .init();
    }
    let mut summary = Summary::default();
    let seeds = seed.map_or(from..from + seeds, |seed| seed..seed + 1);
    for seed in seeds {
        let report = run_cluster(seed, brokers);
        if !report.findings.is_empty() || verbose {
            eprintln!("{report}");
        }
        summary.add(report);
    }
    println!("{summary}");
    if summary.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
