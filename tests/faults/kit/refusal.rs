//! Brokers that must not start.

use std::path::Path;
use std::process::{Command, Stdio};

use support::LIMIT;
use testkit::process::{Child, Finished, binary};

use super::files::Snapshot;

/// Runs `tidelog serve` on `data`, where it must refuse to: its exit code is 1, its words one line on standard error,
/// and what lies in the directory stays as it is.
#[track_caller]
pub(crate) fn refusal(data: &Path, more: &[&str]) -> String {
    let before = Snapshot::of(data);
    let Finished { status, stdout, stderr } = run_to_end(data, more);
    assert_eq!((status.code(), stdout.as_str(), stderr.lines().count()), (Some(1), "", 1), "{stderr}");
    before.assert_same(&Snapshot::of(data));
    stderr
}

/// Runs `tidelog serve` on `data` until it ends by itself.
#[track_caller]
pub(crate) fn run_to_end(data: &Path, more: &[&str]) -> Finished {
    let mut command = Command::new(binary());
    command.arg("serve").arg("--data-dir").arg(data).args(more);
    if !more.contains(&"--listen") {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    Child::spawn(command.stdin(Stdio::null())).unwrap().finish(LIMIT).unwrap()
}
