use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Broker, Child, Launch, ProcessError};

const LIMIT: Duration = Duration::from_secs(10);

fn shell(script: &str) -> Child {
    Child::spawn(Command::new("sh").args(["-c", script]).stdin(Stdio::null())).unwrap()
}

/// A stand-in for the broker that speaks its start-up contract. (Scripts of the repository: one written here
/// could still be open for writing in a process that another test is just forking.)
fn fake_broker(name: &str) -> Launch {
    Broker::launch().binary(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/process/fakes").join(name))
}

#[test]
fn a_line_printed_before_the_wait_is_found() {
    let mut child = shell("echo first; echo second >&2; exec sleep 60");
    assert_eq!(child.wait_for_lines("second", 1, LIMIT).unwrap(), ["second"]);
    assert_eq!(child.wait_for_lines("first", 1, LIMIT).unwrap(), ["first"]);
}

#[test]
fn a_program_that_ends_without_the_line_is_reported_with_what_it_printed() {
    let error = shell("echo sorry; exit 3").wait_for_lines("ready", 1, LIMIT).unwrap_err().to_string();
    assert!(error.contains("exit status: 3") && error.contains("sorry"), "{error}");
}

#[test]
fn a_program_that_never_prints_the_line_runs_into_the_limit() {
    let error = shell("exec sleep 60").wait_for_lines("ready", 1, Duration::from_millis(50)).unwrap_err();
    assert!(matches!(error, ProcessError::TimedOut { .. }), "{error}");
}

#[test]
fn a_finished_program_tells_its_outputs_apart() {
    let finished = shell("echo out; echo err >&2; exit 4").finish(LIMIT).unwrap();
    assert_eq!((finished.stdout.as_str(), finished.stderr.as_str()), ("out\n", "err\n"));
    assert_eq!(finished.status.code(), Some(4));
    assert!(finished.success().unwrap_err().to_string().contains("err"));
}

#[test]
fn a_dropped_process_is_gone() {
    let child = shell("exec sleep 60");
    let proc = format!("/proc/{}", child.id());
    assert!(Path::new(&proc).exists());
    drop(child);
    assert!(!Path::new(&proc).exists());
}

#[test]
fn a_broker_is_ready_once_it_names_its_listener_and_keeps_the_address_over_a_restart() {
    let mut broker = fake_broker("serves.sh").start().unwrap();
    assert!(broker.address().starts_with("127.") && broker.address().ends_with(":4711"), "{}", broker.address());
    let (address, data) = (broker.address(), broker.data_dir());
    broker.restart().unwrap();
    assert_eq!((broker.address(), broker.data_dir()), (address, data.clone()));
    drop(broker);
    assert!(!data.parent().unwrap().exists());
}

#[test]
fn a_broker_that_refuses_to_start_is_reported_with_its_words() {
    assert!(fake_broker("refuses.sh").start().unwrap_err().to_string().contains("data directory is locked"));
}

#[test]
fn a_stop_with_another_exit_code_than_zero_is_an_error() {
    let error = fake_broker("stops-badly.sh").start().unwrap().stop().unwrap_err().to_string();
    assert!(error.contains("exit status: 2"), "{error}");
}

#[test]
fn two_brokers_of_one_process_get_different_addresses() {
    assert_ne!(super::broker::own_loopback_address(), super::broker::own_loopback_address());
}
