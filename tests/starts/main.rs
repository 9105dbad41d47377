//! How the binary starts, refuses to start, and stops. Some of these tests measure: they run one at a time.
#![expect(clippy::unwrap_used, reason = "a step that fails is the test's failure")]

mod tls;

use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rdkafka::producer::BaseRecord;
use rustix::process::Signal;
use support::LIMIT;
use support::librdkafka::{acknowledged, create_topic, producer};
use testkit::process::{Broker, Child, Finished, binary};

/// Held by each test: alone on the machine, as far as this program has a say.
fn alone() -> MutexGuard<'static, ()> {
    static RUNNING: Mutex<()> = Mutex::new(());
    // A failed test before this one has left nothing behind in the unit.
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `tidelog serve` where it must refuse to: its exit code is 1, its words one line.
#[track_caller]
fn refusal(arguments: &[&str]) -> String {
    let mut command = Command::new(binary());
    let Finished { status, stdout, stderr } =
        Child::spawn(command.arg("serve").args(arguments).stdin(Stdio::null())).unwrap().finish(LIMIT).unwrap();
    assert_eq!((status.code(), stdout.as_str(), stderr.lines().count()), (Some(1), "", 1), "{stderr}");
    stderr
}

#[test]
fn a_start_takes_at_most_twelve_lines_of_the_terminal() {
    let _alone = alone();
    let broker = Broker::start().unwrap();
    let printed = broker.printed();
    assert!((1..=12).contains(&printed.lines().count()), "{printed}");
    assert!(printed.contains(&broker.data_dir().display().to_string()), "{printed}");
    assert!(printed.contains("fsync"), "{printed}");
}

#[test]
fn it_serves_at_once_again_after_a_kill() {
    let _alone = alone();
    let mut broker = Broker::start().unwrap();
    create_topic(&broker.address(), "kept", 10, &[]);
    let producer = producer(&broker.address(), &[]);
    producer.send(BaseRecord::<(), _>::to("kept").payload("there")).unwrap();
    acknowledged(&producer);
    let first = broker.started_in();
    broker.kill().unwrap();
    broker.restart().unwrap();
    // How long it may take is for a benchmark to say: this machine may be at work on other things.
    println!("served after {first:?} on an empty directory, after {:?} when killed", broker.started_in());
}

#[test]
fn sigterm_and_ctrl_c_stop_it_with_exit_code_0_whoever_is_connected() {
    let _alone = alone();
    for signal in [Signal::TERM, Signal::INT] {
        let mut broker = Broker::start().unwrap();
        create_topic(&broker.address(), "some", 3, &[]);
        // A client that stays connected must not hold it up.
        let producer = producer(&broker.address(), &[]);
        producer.send(BaseRecord::<(), _>::to("some").payload("there")).unwrap();
        acknowledged(&producer);
        let begun = Instant::now();
        broker.process().signal(signal).unwrap();
        assert!(broker.process().wait(LIMIT).unwrap().success());
        println!("stopped {:?} after {signal:?}", begun.elapsed());
    }
}

#[test]
fn a_second_broker_on_the_same_directory_is_refused() {
    let _alone = alone();
    let broker = Broker::start().unwrap();
    let data = broker.data_dir().display().to_string();
    let words = refusal(&["--data-dir", &data, "--listen", "127.0.0.1:0"]);
    assert!(words.contains(&data) && words.contains("use"), "{words}");
}

#[test]
fn a_port_in_use_is_refused() {
    let _alone = alone();
    let broker = Broker::start().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let data = elsewhere.path().join("data").display().to_string();
    let words = refusal(&["--data-dir", &data, "--listen", &broker.address()]);
    assert!(words.contains(&broker.address()) && words.contains("in use"), "{words}");
}

#[test]
fn an_unknown_setting_is_refused_with_the_nearest_good_one() {
    let _alone = alone();
    let elsewhere = tempfile::tempdir().unwrap();
    let data = elsewhere.path().join("data").display().to_string();
    let words = refusal(&["--data-dir", &data, "--listen", "127.0.0.1:0", "--set", "log.retenton.ms=1"]);
    assert!(words.contains("log.retenton.ms") && words.contains("log.retention.ms"), "{words}");
    let words = refusal(&["--data-dir", &data, "--listen", "127.0.0.1:0", "--set", "num.partitions=many"]);
    assert!(words.contains("num.partitions") && words.contains("many"), "{words}");
}
