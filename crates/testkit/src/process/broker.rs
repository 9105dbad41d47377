//! The broker's own binary, on a directory and a port of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Child, ProcessError};

/// How long a start may take before a test gives up: far above the promised 200 ms, for machines under load.
pub const READY_LIMIT: Duration = Duration::from_secs(20);

/// How long a stop by SIGTERM may take: the promise is a second.
pub const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A broker process with its data directory. Dropping it kills the process and removes the directory.
#[derive(Debug)]
pub struct Broker {
    launch: Launch,
    child: Child,
    address: SocketAddr,
    started_in: Duration,
    // Last, so that it is removed after the process has ended.
    directory: TempDir,
}

/// How to start a [`Broker`].
#[derive(Debug, Clone)]
pub struct Launch {
    binary: Option<PathBuf>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    /// A program that runs the binary, with its own arguments.
    under: Vec<String>,
    /// Where its directory is made.
    within: PathBuf,
}

impl Broker {
    /// A broker with default settings on an empty directory, serving when this returns.
    ///
    /// # Errors
    /// The binary is missing, or the broker ended or was not ready within [`READY_LIMIT`].
    pub fn start() -> Result<Self, ProcessError> {
        Self::launch().start()
    }

    /// A broker with other than the default settings.
    pub fn launch() -> Launch {
        Launch {
            binary: None,
            arguments: Vec::new(),
            environment: Vec::new(),
            under: Vec::new(),
            within: std::env::temp_dir(),
        }
    }

    /// `host:port` of its Kafka listener; a restart keeps it.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Its data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// From process start to the line that says it serves, at the latest start.
    pub fn started_in(&self) -> Duration {
        self.started_in
    }

    /// What it printed since the latest start.
    pub fn printed(&self) -> String {
        self.child.printed()
    }

    /// Its process, to send signals to or to look at.
    pub fn process(&mut self) -> &mut Child {
        &mut self.child
    }

    /// `kill -9`, and waits for its end.
    ///
    /// # Errors
    /// [`ProcessError::Control`].
    pub fn kill(&mut self) -> Result<(), ProcessError> {
        self.child.kill()
    }

    /// SIGTERM, and waits for its end; the time that took.
    ///
    /// # Errors
    /// Not ended within [`STOP_LIMIT`], or with another exit code than 0.
    pub fn stop(&mut self) -> Result<Duration, ProcessError> {
        let begun = Instant::now();
        let status = self.child.terminate(STOP_LIMIT)?;
        if status.success() {
            return Ok(begun.elapsed());
        }
        Err(ProcessError::Ended {
            program: "tidelog".to_owned(),
            status: status.to_string(),
            what: "stop with exit code 0".to_owned(),
            output: self.printed(),
        })
    }

    /// Starts it again on the same directory and address. One that still runs is killed first.
    ///
    /// # Errors
    /// As [`Broker::start`].
    pub fn restart(&mut self) -> Result<(), ProcessError> {
        self.restart_as(&self.launch.clone())
    }

    /// As [`Broker::restart`], but started in another way this once.
    ///
    /// # Errors
    /// As [`Broker::start`].
    pub fn restart_as(&mut self, launch: &Launch) -> Result<(), ProcessError> {
        self.kill()?;
        let begun = Instant::now();
        (self.child, self.address) = launch.spawn(&self.data_dir(), self.address)?;
        self.started_in = begun.elapsed();
        Ok(())
    }
}

impl Launch {
    /// Another executable than the one [`binary`] finds.
    #[must_use]
    pub fn binary(mut self, path: &Path) -> Self {
        self.binary = Some(path.to_owned());
        self
    }

    /// One more setting by Kafka's name, as `--set key=value`.
    #[must_use]
    pub fn set(self, key: &str, value: impl std::fmt::Display) -> Self {
        self.argument("--set").argument(&format!("{key}={value}"))
    }

    /// One more argument of `tidelog serve`.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// A variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Has `program` with its arguments run the binary. It must become the binary's process, as `strace -D` does:
    /// signals go to it.
    #[must_use]
    pub fn under<S: Into<String>>(mut self, program: impl IntoIterator<Item = S>) -> Self {
        self.under = program.into_iter().map(Into::into).collect();
        self
    }

    /// Makes the broker's directory in `folder`, not where temporary files go.
    #[must_use]
    pub fn within(mut self, folder: &Path) -> Self {
        self.within = folder.to_owned();
        self
    }

    /// Starts the broker on an empty directory of its own.
    ///
    /// # Errors
    /// As [`Broker::start`].
    pub fn start(self) -> Result<Broker, ProcessError> {
        self.start_at(own_loopback_address())
    }

    /// The same at an address that was chosen before.
    pub(super) fn start_at(self, listen: SocketAddr) -> Result<Broker, ProcessError> {
        let directory =
            tempfile::Builder::new().prefix("tidelog-").tempdir_in(&self.within).map_err(ProcessError::Directory)?;
        let begun = Instant::now();
        let (child, address) = self.spawn(&directory.path().join("data"), listen)?;
        Ok(Broker { launch: self, child, address, started_in: begun.elapsed(), directory })
    }

    fn spawn(&self, data: &Path, listen: SocketAddr) -> Result<(Child, SocketAddr), ProcessError> {
        let binary = self.binary.clone().unwrap_or_else(binary);
        if !binary.is_file() {
            return Err(ProcessError::NoBinary(binary));
        }
        let mut command = match self.under.split_first() {
            None => Command::new(binary),
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(binary);
                command
            }
        };
        command.arg("serve").arg("--data-dir").arg(data).arg("--listen").arg(listen.to_string());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let mut child = Child::spawn(command.args(&self.arguments).stdin(Stdio::null()))?;
        let address = child.wait_for_line("say which address it serves", READY_LIMIT, kafka_address)?;
        Ok((child, address))
    }
}

/// The executable under test: BROKER_BINARY, or the release build beside the running test's own.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("BROKER_BINARY") {
        return PathBuf::from(path);
    }
    // A test runs as <target>/<profile>/deps/<name>.
    let own = std::env::current_exe().unwrap_or_default();
    let target = own.ancestors().nth(3).unwrap_or(Path::new("target"));
    target.join("release").join("tidelog")
}

/// A loopback address that no other process uses, with the port left to the system.
///
/// The port is kept over restarts, and while the broker is down nobody else must get it: on 127.0.0.1 a client's
/// own outgoing connection could (even to itself); those never have a source like 127.44.7.1.
pub(super) fn own_loopback_address() -> SocketAddr {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    let process = std::process::id();
    let broker = STARTED.fetch_add(1, Ordering::Relaxed);
    // 1..=254 in the second and the last place keep clear of 127.0.0.1, of .0 and of .255.
    let octet = |number: u32| u8::try_from(number % 254 + 1).unwrap_or(1);
    SocketAddr::from(([127, octet(process / 254), octet(process), octet(broker)], 0))
}

/// The address in the line that names the Kafka listener, as in `kafka      127.0.0.1:9092`.
fn kafka_address(line: &str) -> Option<SocketAddr> {
    if !line.to_ascii_lowercase().contains("kafka") {
        return None;
    }
    line.split(|c: char| c.is_whitespace() || c == ',' || c == '/').find_map(|word| word.parse().ok())
}
