//! The Java client's producer and consumers, in a process of their own that tells what they do and see.

use std::io::Write;
use std::process::ChildStdin;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use support::{LIMIT, TestBroker, java_client};
use testkit::process::Child;

use super::progress::Shared;
use super::{Clients, PARTITIONS};

/// A whole test takes less.
const WHOLE_TEST: Duration = Duration::from_secs(1200);

/// The process at work.
pub(super) struct Java {
    commands: ChildStdin,
    /// Ends with the process.
    listener: JoinHandle<Child>,
    shared: Arc<Shared>,
}

impl Java {
    pub(super) fn start(address: &str, shared: &Arc<Shared>) -> Self {
        let program = java_client("UnderLoad", &TestBroker::Elsewhere(address.to_owned()));
        let (mut child, commands) = program.arg(&shared.topic).arg(PARTITIONS.to_string()).converse();
        let of_listener = Arc::clone(shared);
        let listener = std::thread::spawn(move || {
            let heard = child.wait_for_line("end", WHOLE_TEST, |line| hear(line, &of_listener));
            heard.unwrap_or_else(|error| panic!("{error}"));
            child
        });
        Java { commands, listener, shared: Arc::clone(shared) }
    }
}

impl Clients for Java {
    fn flush(&mut self) {
        self.commands.write_all(b"flush\n").expect("the process reads its input");
        let flushed = self.shared.wait(LIMIT, |progress| progress.is_flushed);
        flushed.unwrap_or_else(|stuck| panic!("unacknowledged sends: {stuck}"));
    }

    fn stop(self: Box<Self>) {
        drop(self.commands);
        let mut child = self.listener.join().expect("the listener fails only with the test");
        let status = child.wait(LIMIT).unwrap_or_else(|error| panic!("{error}"));
        assert!(status.success(), "the Java client's process ended with {status}");
    }
}

/// Takes in a line of the process; whether it is the last.
fn hear(line: &str, shared: &Shared) -> Option<()> {
    let words: Vec<&str> = line.split(' ').collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<i64>().ok());
    let value = number(1).and_then(|value| u64::try_from(value).ok());
    let partition = number(2).and_then(|partition| i32::try_from(partition).ok());
    match (words[0], value, partition, number(3)) {
        ("sent", Some(value), Some(partition), _) => shared.sent(value, partition),
        ("acknowledged", Some(value), Some(partition), Some(offset)) => shared.acknowledged(value, partition, offset),
        ("polled", Some(value), Some(partition), Some(offset)) => shared.polled(words[4], value, partition, offset),
        ("repositioned", ..) => shared.repositioned(words[1]),
        ("flushed", ..) => shared.flushed(),
        ("end", ..) => return Some(()),
        // The client's own log, and sends that failed: the run can't end well then, and says so in the wait.
        _ => eprintln!("{line}"),
    }
    None
}
