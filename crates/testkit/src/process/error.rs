use std::path::PathBuf;
use std::time::Duration;

/// Why a process did not do what a test waits for. The messages hold what the process printed.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The operating system refused to start the program.
    #[error("cannot start {program}: {source}")]
    Start {
        /// The program's path or name.
        program: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The broker's binary has not been built.
    #[error("no broker at {path}: build it with `cargo build --release`, or name another in BROKER_BINARY", path = .0.display())]
    NoBinary(PathBuf),
    /// A temporary directory could not be made or used.
    #[error("cannot use a temporary directory: {0}")]
    Directory(std::io::Error),
    /// The limit passed first.
    #[error("{program} did not {what} within {limit:?}; it printed:\n{output}")]
    TimedOut {
        /// The program's name.
        program: String,
        /// What was waited for.
        what: String,
        /// How long.
        limit: Duration,
        /// All that the process printed so far.
        output: String,
    },
    /// The process ended, or never printed what was waited for before it closed its output.
    #[error("{program} ended ({status}) but was to {what}; it printed:\n{output}")]
    Ended {
        /// The program's name.
        program: String,
        /// Its exit code or signal.
        status: String,
        /// What was expected instead.
        what: String,
        /// All that the process printed.
        output: String,
    },
    /// A signal could not be sent, or the end not awaited.
    #[error("cannot control {program}: {source}")]
    Control {
        /// The program's name.
        program: String,
        /// What the operating system said.
        source: std::io::Error,
    },
}
