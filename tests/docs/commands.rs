//! A folder like a reader's, in which the commands of a page are run.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use support::{Program, TestBroker};
use tempfile::TempDir;

/// Kafka's scripts, by the classes that they start.
const KAFKA_SCRIPTS: &[(&str, &str)] = &[
    ("kafka-topics.sh", "TopicCommand"),
    ("kafka-console-producer.sh", "ConsoleProducer"),
    ("kafka-console-consumer.sh", "consumer.ConsoleConsumer"),
    ("kafka-consumer-groups.sh", "consumer.group.ConsumerGroupCommand"),
    ("kafka-get-offsets.sh", "GetOffsetShell"),
];

/// A working directory and a path on which everything is that a page takes for installed.
pub(crate) struct Commands {
    folder: TempDir,
    path: String,
    bootstrap: String,
}

impl Commands {
    pub(crate) fn new(broker: &TestBroker) -> Self {
        let folder = tempfile::Builder::new().prefix("tidelog-docs-").tempdir().unwrap();
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        symlink(testkit::process::binary(), bin.join("tidelog")).unwrap();
        let python = installed("python/.venv/bin/python");
        write_script(&bin.join("python"), &format!("exec '{}'", python.display()));
        let jars = installed("java/tools/target/lib");
        for (script, class) in KAFKA_SCRIPTS {
            let java = "exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx256m";
            let command = format!("{java} -cp '{}/*' org.apache.kafka.tools.{class}", jars.display());
            write_script(&bin.join(script), &command);
        }
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
        Commands { folder, path, bootstrap: broker.address() }
    }

    /// Writes a program to the file that its first line names.
    #[track_caller]
    pub(crate) fn write(&self, program: &str) {
        let words = program.lines().next().unwrap_or_default().split([' ', ',']);
        let name = words.into_iter().find(|word| word.contains('.'));
        let name = name.unwrap_or_else(|| panic!("the first line of a program names its file:\n{program}"));
        fs::write(self.folder.path().join(name), program).unwrap();
    }

    /// Runs commands to their end, which must be a success; what they printed.
    #[track_caller]
    pub(crate) fn run(&self, commands: &str, place: &str) -> String {
        let script = format!("cd '{}'\n{commands}", self.folder.path().display());
        let finished = Program::new("bash")
            .args(["-euo", "pipefail", "-c", &script])
            .env("PATH", &self.path)
            .env("NODE_PATH", &installed("kafkajs/node_modules").display().to_string())
            .env("TIDELOG_BOOTSTRAP", &self.bootstrap)
            .finish();
        finished.success().unwrap_or_else(|error| panic!("{place}: {error}")).stdout
    }
}

fn write_script(path: &Path, command: &str) {
    fs::write(path, format!("#!/bin/sh\n{command} \"$@\"\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What `./test.sh` put beside the clients' programs.
fn installed(what: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(what);
    assert!(path.exists(), "{} is missing: run ./test.sh once, it installs what the clients need", path.display());
    path
}
