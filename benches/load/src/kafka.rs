//! Apache Kafka as `tests/kafka/run.sh` starts it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use testkit::process::{Child, ProcessError};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/kafka/run.sh");

/// Clients' port; the controller takes the next one.
const PORT: u16 = 19_092;

/// A start takes seconds; the first one fetches Kafka.
const START_LIMIT: Duration = Duration::from_secs(300);

/// The script, and the Java process below it.
pub(crate) struct Kafka {
    fsync: bool,
    script: Child,
    java: u32,
    directory: TempDir,
}

impl Kafka {
    /// On an empty directory; with `fsync`, it syncs every append before it answers.
    pub(crate) fn start(fsync: bool) -> Result<Self, ProcessError> {
        let directory = tempfile::Builder::new().prefix("kafka-").tempdir().map_err(ProcessError::Directory)?;
        let (script, java) = launch(directory.path(), fsync)?;
        Ok(Kafka { fsync, script, java, directory })
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{PORT}")
    }

    /// The broker's process.
    pub(crate) fn id(&self) -> u32 {
        self.java
    }

    pub(crate) fn kill(&mut self) -> Result<(), ProcessError> {
        self.signal(Signal::KILL);
        // The script ends when its child has.
        self.script.wait(START_LIMIT).map(drop)
    }

    pub(crate) fn restart(&mut self) -> Result<(), ProcessError> {
        self.kill()?;
        (self.script, self.java) = launch(self.directory.path(), self.fsync)?;
        Ok(())
    }

    fn signal(&self, signal: Signal) {
        if let Some(java) = i32::try_from(self.java).ok().and_then(Pid::from_raw) {
            // Gone already: just as well.
            kill_process(java, signal).ok();
        }
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        // Killing the script alone would leave its child behind.
        self.kill().ok();
    }
}

fn launch(directory: &Path, fsync: bool) -> Result<(Child, u32), ProcessError> {
    let mut command = Command::new("bash");
    command.arg(SCRIPT).arg(PORT.to_string()).arg(directory.join("data")).stdin(Stdio::null());
    if fsync {
        command.arg("log.flush.interval.messages=1");
    }
    let mut script = Child::spawn(&mut command)?;
    script.wait_for_line("start", START_LIMIT, |line| line.contains("Kafka Server started").then_some(()))?;
    let java = child_of(script.id()).unwrap_or_default();
    Ok((script, java))
}

fn child_of(process: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}
