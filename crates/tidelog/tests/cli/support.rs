//! Running the binary.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use testkit::process::{Broker, Child, Finished};

/// How long anything may take on a machine under load.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// The binary under test.
pub(crate) const TIDELOG: &str = env!("CARGO_BIN_EXE_tidelog");

pub(crate) fn start_broker() -> Broker {
    Broker::launch().binary(Path::new(TIDELOG)).start().unwrap_or_else(|error| panic!("{error}"))
}

/// A command against the broker at `address`.
pub(crate) fn command(address: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(TIDELOG);
    command.env_remove("TIDELOG_OUTPUT").env("TIDELOG_BOOTSTRAP", address);
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Starts it and lets it run.
#[track_caller]
pub(crate) fn spawn(address: &str, arguments: &[&str]) -> Child {
    Child::spawn(&mut command(address, arguments)).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs it to its end.
#[track_caller]
pub(crate) fn finish(address: &str, arguments: &[&str]) -> Finished {
    spawn(address, arguments).finish(LIMIT).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs it to its end, which must be a success; what it printed.
#[track_caller]
pub(crate) fn run(address: &str, arguments: &[&str]) -> String {
    finish(address, arguments).success().unwrap_or_else(|error| panic!("{error}")).stdout
}

/// Runs it to its end with `--output json`; the document that it printed, in one line.
#[track_caller]
pub(crate) fn json(address: &str, arguments: &[&str]) -> serde_json::Value {
    let printed = run(address, &[arguments, &["--output", "json"]].concat());
    assert_eq!(printed.lines().count(), 1, "{printed}");
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

/// Runs it to its end, which must be a failure with one line on standard error; that line.
#[track_caller]
pub(crate) fn fail(address: &str, arguments: &[&str]) -> String {
    failure(finish(address, arguments))
}

#[track_caller]
pub(crate) fn failure(finished: Finished) -> String {
    assert_eq!(finished.status.code(), Some(1), "{}{}", finished.stdout, finished.stderr);
    let mut lines = finished.stderr.lines();
    let line = lines.next().and_then(|line| line.strip_prefix("tidelog: ")).expect("a line that says what is wrong");
    assert_eq!(lines.next(), None, "more than one line: {}", finished.stderr);
    line.to_owned()
}

/// Runs `tidelog produce` with these arguments and this input.
#[track_caller]
pub(crate) fn produce(address: &str, arguments: &[&str], input: &str) -> Finished {
    let arguments: Vec<&str> = std::iter::once("produce").chain(arguments.iter().copied()).collect();
    let mut child = Child::spawn(command(address, &arguments).stdin(Stdio::piped())).unwrap();
    let mut pipe = child.stdin().unwrap();
    // A producer that has failed closes the pipe early.
    pipe.write_all(input.as_bytes()).ok();
    drop(pipe);
    child.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"))
}

/// The same, where all must have been written.
#[track_caller]
pub(crate) fn write(address: &str, topic: &str, input: &str) {
    produce(address, &[topic], input).success().unwrap_or_else(|error| panic!("{error}"));
}
