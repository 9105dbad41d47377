//! What a person is told when the address or the arguments are wrong.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use testkit::process::Child;

use crate::support::{LIMIT, command, fail, failure, finish, produce, run, start_broker};

/// An address at which nobody listens, and which no other process will use: outgoing connections never have it.
fn nobody() -> String {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    TcpListener::bind(SocketAddr::from(([127, 91, high, low], 0))).unwrap().local_addr().unwrap().to_string()
}

#[test]
fn nobody_listening_is_said_by_every_command() {
    let at = &nobody();
    let said = format!("cannot reach {at}: connection refused; is the broker running? start one with `tidelog`");
    for command in [
        &["topic", "list"][..],
        &["topic", "create", "t"],
        &["topic", "describe", "t"],
        &["topic", "delete", "t"],
        &["topic", "alter", "t", "--partitions", "2"],
        &["topic", "delete-records", "t", "--before", "end"],
        &["config", "get", "topic", "t"],
        &["config", "set", "topic", "t", "retention.ms=1"],
        &["group", "list"],
        &["cluster", "info"],
        &["bench", "produce"],
        &["bench", "consume", "--topic", "t"],
        &["consume", "t"],
        &["consume", "t", "--group", "g"],
        &["produce", "t"],
    ] {
        assert_eq!(fail(at, command), said, "{command:?}");
    }
}

#[test]
fn another_protocol_is_recognized() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; 8]).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let said = fail(&at, &["topic", "list"]);
    assert!(said.starts_with(&format!("{at} does not speak Kafka's protocol")), "{said}");
    server.join().unwrap();
}

#[test]
fn a_misadvertised_address_is_explained() {
    let (at, elsewhere) = (&nobody(), nobody());
    let directory = tempfile::tempdir().unwrap();
    let mut serve = command(at, &["serve", "--listen", at, "--advertise", &elsewhere, "--data-dir"]);
    let mut broker = Child::spawn(serve.arg(directory.path())).unwrap();
    broker.wait_for_lines("kafka", 1, LIMIT).unwrap();
    run(at, &["topic", "create", "t"]);
    for said in [fail(at, &["consume", "t", "--from-beginning"]), failure(produce(at, &["t"], "x\n"))] {
        let begins = format!("{at} answered, but tells clients to reach broker 1 at {elsewhere}");
        assert!(said.starts_with(&begins), "{said}");
        assert!(said.contains("--advertise HOST:PORT") && said.contains("advertised.listeners"), "{said}");
    }
}

#[test]
fn an_unknown_topic_is_answered_with_the_nearest_name() {
    let broker = start_broker();
    let at = &broker.address();
    run(at, &["topic", "create", "greetings"]);
    let said = fail(at, &["consume", "greeting"]);
    let expected = "there is no topic 'greeting'; did you mean 'greetings'? otherwise make it with `tidelog topic \
                    create greeting`";
    assert_eq!(said, expected);
    assert_eq!(run(at, &["topic", "list"]), "greetings\t1\t1\n", "reading makes no topic");
}

#[test]
fn wrong_arguments_are_exit_code_2() {
    for arguments in [
        &["topic", "create"][..],
        &["topic", "create", "t", "--partitions", "0"],
        &["topic", "create", "t", "--set", "retention.ms"],
        &["topic", "alter", "t"],
        &["topic", "delete-records", "t"],
        &["topic", "delete-records", "t", "--before", "someday"],
        &["config", "set", "topic", "t"],
        &["config", "get", "cluster", "t"],
        &["completions", "tcsh"],
        &["topic", "list", "--output", "xml"],
        &["topic", "list", "--bootstrap", "http://localhost"],
        &["topic", "list", "--timeout", "soon"],
        &["consume", "t", "--offset", "1", "--last", "1"],
        &["consume", "t", "--from", "someday"],
        &["consume", "t", "--output", "xml"],
        &["consume", "t", "--format", "%q"],
        &["consume", "t", "--group", "g", "--partition", "0"],
        &["consume"],
        &["bench", "produce", "--connections", "0"],
        &["bench", "produce", "--record-bytes", "0"],
        &["bench", "consume", "--topic", "t", "--records", "7"],
        &["produce", "t", "--whole", "--key-separator", ":"],
        &["produce", "t", "--input", "xml"],
        &["produce", "t", "--compression", "zip"],
        &["produce", "t", "--header", "novalue"],
        &["produce", "t", "--key", "k", "--key-separator", ":"],
    ] {
        let ended = finish("localhost:1", arguments);
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("--help") && ended.stdout.is_empty(), "{arguments:?}: {}", ended.stderr);
    }
}
