//! Apache Kafka, as the peer.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use testkit::process::Child;
use tokio::net::TcpStream;

use crate::own::SETTINGS;
use crate::support::{Stream, Target};

/// How long Kafka may take to start, and to be downloaded if `./test.sh` has not done that.
const START_LIMIT: Duration = Duration::from_secs(120);

/// How long it may take to stop.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// A Kafka that runs; it ends with this.
pub(crate) struct Kafka {
    address: String,
    process: Option<Child>,
}

impl Kafka {
    pub(crate) fn start() -> Self {
        if let Ok(address) = std::env::var("KAFKA") {
            return Kafka { address, process: None };
        }
        let launcher = Path::new(env!("CARGO_MANIFEST_DIR")).join("kafka/run.sh");
        let port = free_port();
        let mut command = Command::new(launcher);
        command.args([&port.to_string(), ""]).args(SETTINGS).env("KAFKA_HEAP", "512m").stdin(Stdio::null());
        let mut process = Child::spawn(&mut command).unwrap_or_else(|why| panic!("{why}"));
        let started = |line: &str| line.contains("Kafka Server started").then_some(());
        process.wait_for_line("start Kafka", START_LIMIT, started).unwrap_or_else(|why| panic!("{why}"));
        Kafka { address: format!("127.0.0.1:{port}"), process: Some(process) }
    }

    pub(crate) async fn target(&self, scenario: &str) -> Target {
        let address = self.address.clone();
        let dial = move || {
            let address = address.clone();
            let connect = async move { Box::new(TcpStream::connect(address).await.unwrap()) as Box<dyn Stream> };
            Box::pin(connect) as Pin<Box<dyn Future<Output = _>>>
        };
        Target::new(scenario, std::process::id() % 1_000_000, Rc::new(dial))
    }
}

impl Drop for Kafka {
    /// The launcher stops Kafka and removes its directory, if it is asked to end.
    fn drop(&mut self) {
        if let Some(why) = self.process.as_mut().and_then(|process| process.terminate(STOP_LIMIT).err()) {
            eprintln!("{why}");
        }
    }
}

/// A port that nobody uses, and one behind it for the controller.
fn free_port() -> u16 {
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    (20_000 + u16::try_from(std::process::id() % 10_000).unwrap()..)
        .find(|port| is_free(*port) && is_free(port + 1))
        .unwrap()
}
