use std::path::Path;
use std::process::{Command, Stdio};

use testkit::process::Child;

use crate::support::{LIMIT, TIDELOG, start_broker};

#[test]
fn what_the_greeting_suggests_works_as_printed() {
    let mut broker = start_broker();
    let suggested = broker.process().wait_for_lines("greetings", 2, LIMIT).unwrap_or_else(|error| panic!("{error}"));
    let [produce, consume] = [suggested[0].trim(), suggested[1].trim()];
    shell(produce).finish(LIMIT).unwrap().success().unwrap();
    let hello = shell(consume).wait_for_line("print the greeting", LIMIT, |line| (line == "hello").then_some(()));
    hello.unwrap_or_else(|error| panic!("{error}"));
}

/// A line typed into a shell that finds the binary.
fn shell(line: &str) -> Child {
    let folder = Path::new(TIDELOG).parent().unwrap().display();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {}", line.replace("| ", "| exec "))]);
    Child::spawn(command.env("PATH", path).env_remove("TIDELOG_BOOTSTRAP").stdin(Stdio::null())).unwrap()
}
