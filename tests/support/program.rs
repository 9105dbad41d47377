use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};

use testkit::process::{Child, Finished};

use crate::{LIMIT, TestBroker};

/// A client program in another language, about to run.
#[derive(Debug)]
pub struct Program {
    command: Command,
    input: Option<Vec<u8>>,
}

/// A script of `tests/clients/<library>`, one from npm, with the broker's address in BOOTSTRAP.
pub fn node(library: &str, script: &str, broker: &TestBroker) -> Program {
    let folder = installed(&format!("{library}/node_modules")).with_file_name("");
    Program::new("node").env("BOOTSTRAP", &broker.address()).arg(folder.join(script))
}

/// A script of `tests/clients/python`, with the broker's address in BOOTSTRAP.
pub fn python(script: &str, broker: &TestBroker) -> Program {
    let interpreter = installed("python/.venv/bin/python");
    let folder = clients().join("python");
    Program::new(interpreter).env("BOOTSTRAP", &broker.address()).arg(folder.join(script))
}

/// A walk of `tests/clients/go/<library>`, with the broker's address in BOOTSTRAP.
pub fn go(library: &str, walk: &str, broker: &TestBroker) -> Program {
    Program::new(installed(&format!("go/target/{library}"))).env("BOOTSTRAP", &broker.address()).arg(walk)
}

/// A walk of `tests/clients/java/client`, with the broker's address in BOOTSTRAP.
pub fn java_client(walk: &str, broker: &TestBroker) -> Program {
    let jars = installed("java/client/target/lib").join("*");
    let classes = clients().join("java/client/target/classes");
    Program::from(java(&[classes, jars])).env("BOOTSTRAP", &broker.address()).arg(format!("tidelog.{walk}"))
}

/// One of Kafka's own tools by its class in `org.apache.kafka.tools`, in a JVM of its own.
pub fn kafka_tool(class: &str) -> Program {
    kafka_program(&format!("tools.{class}"))
}

/// A program of Kafka's by its class in `org.apache.kafka`.
pub fn kafka_program(class: &str) -> Program {
    Program::from(jvm_of_tools()).arg(format!("org.apache.kafka.{class}"))
}

/// A JVM that finds Kafka's tools, and the shell that runs several of them.
pub(crate) fn jvm_of_tools() -> Command {
    java(&[clients().join("java/tools/target/classes"), installed("java/tools/target/lib").join("*")])
}

/// kcat, with the broker's address given.
pub fn kcat(broker: &TestBroker) -> Program {
    Program::new("kcat").args(["-b", &broker.address()])
}

/// A JVM for short programs: the optimising compiler would not pay for itself.
fn java(class_path: &[PathBuf]) -> Command {
    let class_path = class_path.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(":");
    let mut command = Command::new("java");
    command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-cp", &class_path]);
    command
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

fn installed(what: &str) -> PathBuf {
    let path = clients().join(what);
    assert!(path.exists(), "{} is missing: run ./test.sh once, it installs what the clients need", path.display());
    path
}

impl From<Command> for Program {
    fn from(command: Command) -> Self {
        Self { command, input: None }
    }
}

impl Program {
    /// Any program.
    pub fn new(program: impl AsRef<std::ffi::OsStr>) -> Self {
        Self::from(Command::new(program))
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<S: AsRef<std::ffi::OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    /// A variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// What it reads from its standard input, which is empty otherwise.
    #[must_use]
    pub fn input(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.input = Some(text.into());
        self
    }

    /// Starts it and lets it run.
    #[track_caller]
    pub fn spawn(mut self) -> Child {
        self.command.stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = Child::spawn(&mut self.command).unwrap_or_else(|error| panic!("{error}"));
        if let (Some(input), Some(mut pipe)) = (self.input, child.stdin()) {
            // Inputs of tests fit into a pipe, or their reader reads as they come. One that ends early closes it.
            drop(pipe.write_all(&input));
        }
        child
    }

    /// Starts it and lets it run, with a pipe to its standard input.
    #[track_caller]
    pub fn converse(mut self) -> (Child, ChildStdin) {
        let mut child = Child::spawn(self.command.stdin(Stdio::piped())).unwrap_or_else(|error| panic!("{error}"));
        let input = child.stdin().expect("its standard input is piped");
        (child, input)
    }

    /// Runs it to its end, whatever its exit code.
    #[track_caller]
    pub fn finish(self) -> Finished {
        self.spawn().finish(LIMIT).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs it to its end, which must be a success; its standard output.
    #[track_caller]
    pub fn run(self) -> String {
        self.finish().success().unwrap_or_else(|error| panic!("{error}")).stdout
    }
}
