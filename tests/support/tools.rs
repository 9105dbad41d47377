use std::io::Write;
use std::process::{ChildStdin, Stdio};

use testkit::process::Child;

use super::program::jvm_of_tools;
use crate::{LIMIT, TestBroker};

/// Kafka's own tools, one after the other in one JVM, as its start would be most of their time.
#[derive(Debug)]
pub struct Tools {
    shell: Child,
    commands: ChildStdin,
    address: String,
    /// How many lines of the shell's output belong to earlier tools.
    read: usize,
}

impl Tools {
    /// A JVM for tools that talk to `broker`.
    #[track_caller]
    pub fn new(broker: &TestBroker) -> Self {
        Self::at(broker.address())
    }

    /// A JVM for tools that talk to the brokers at these addresses.
    #[track_caller]
    pub fn at(address: String) -> Self {
        let mut command = jvm_of_tools();
        command.arg("tidelog.Shell").stdin(Stdio::piped());
        let mut shell = Child::spawn(&mut command).unwrap_or_else(|error| panic!("{error}"));
        let commands = shell.stdin().expect("its standard input is piped");
        Self { shell, commands, address, read: 0 }
    }

    /// Runs a tool, which must end with exit code 0; what it printed on both outputs.
    ///
    /// `command` is what follows `bin/`, split at spaces, the tool named by its class (in `org.apache.kafka.tools`
    /// unless it is given in full). A lone `@` in it becomes `--bootstrap-server` with the broker's address.
    #[track_caller]
    pub fn run(&mut self, command: &str) -> String {
        let (code, printed) = self.finish(command);
        assert_eq!(code, 0, "{command}: {printed}");
        printed
    }

    /// Runs a tool to its end; its exit code and what it printed.
    #[track_caller]
    pub fn finish(&mut self, command: &str) -> (i32, String) {
        let (class, arguments) = command.split_once(' ').unwrap_or((command, ""));
        let package = if class.starts_with("kafka.") { "" } else { "org.apache.kafka.tools." };
        let arguments = arguments.split_whitespace().flat_map(|argument| match argument {
            "@" => vec!["--bootstrap-server", &self.address],
            other => vec![other],
        });
        let line = arguments.fold(format!("{package}{class}"), |line, argument| line + "\t" + argument) + "\n";
        self.commands.write_all(line.as_bytes()).unwrap_or_else(|error| panic!("{error}: {}", self.shell.printed()));

        let mut lines = 0;
        let mut printed = String::new();
        let ended = self.shell.wait_for_line(&format!("end {command}"), LIMIT, |line| {
            lines += 1;
            if lines <= self.read {
                return None;
            }
            if let Some(text) = line.strip_prefix('>') {
                printed += text.strip_prefix(' ').unwrap_or(text);
                printed += "\n";
            }
            line.strip_prefix("= ").map(|code| code.parse().expect("an exit code"))
        });
        self.read = lines;
        (ended.unwrap_or_else(|error| panic!("{error}")), printed)
    }
}
