//! The one binary: `tidelog` alone (or `tidelog serve`) is the broker, everything else its command
//! line.

mod cluster_secret;
mod commands;
mod log_levels;
#[cfg(test)]
mod reference;
mod serve;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// A durable commit log that Kafka clients use.
#[derive(Parser)]
#[command(
    name = "tidelog",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Exit codes: 0 it is done, 1 it failed and why is said, 2 the arguments are wrong."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Serve,
}

#[derive(Subcommand)]
enum Command {
    /// Start a broker (what `tidelog` alone does)
    Serve(serve::Serve),
    /// Write records to a topic, from files or standard input: a line each, or else
    Produce(commands::Produce),
    /// Print the records of a topic, and those to come
    Consume(commands::Consume),
    /// Make, list, describe, change and delete topics
    #[command(subcommand)]
    Topic(commands::Topic),
    /// List, describe, move and delete consumer groups
    #[command(subcommand)]
    Group(commands::Group),
    /// Show and change settings of topics, brokers and groups; print those a broker would start with
    #[command(subcommand)]
    Config(commands::Config),
    /// Look at the cluster, and run one on this machine
    #[command(subcommand)]
    Cluster(commands::Cluster),
    /// Measure how fast records are written and read
    #[command(subcommand)]
    Bench(commands::Bench),
    /// Show what is damaged in the data directory of a broker that is stopped, and give that up
    Repair(commands::Repair),
    /// Print a script that completes command lines in a shell
    Completions(commands::Completions),
    /// Print the manual page of a command
    Man(commands::Man),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(serve) => serve.run(),
        Command::Produce(produce) => produce.run(),
        Command::Consume(consume) => consume.run(),
        Command::Topic(topic) => topic.run(),
        Command::Group(group) => group.run(),
        Command::Config(config) => config.run(),
        Command::Cluster(cluster) => cluster.run(),
        Command::Bench(bench) => bench.run(),
        Command::Repair(repair) => repair.run(),
        Command::Completions(completions) => completions.run(Cli::command()),
        Command::Man(man) => man.run(Cli::command()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("tidelog: {why}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn no_two_arguments_are_in_each_others_way() {
        super::Cli::command().debug_assert();
    }
}
