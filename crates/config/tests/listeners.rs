//! Where clients connect, as flags and settings say it.

use config::{BrokerConfig, Flags, HostPort, Sources};

fn sources(listen: &[&str], advertise: &[&str], set: &[&str]) -> Sources {
    let strings = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let flags = Flags { listen: strings(listen), advertise: strings(advertise), ..Flags::default() };
    Sources { flags, set: strings(set), host_name: "tide.example".to_owned(), ..Sources::default() }
}

/// `NAME bind > advertised`, one listener after the other.
fn listeners(listen: &[&str], advertise: &[&str], set: &[&str]) -> String {
    match BrokerConfig::load(&sources(listen, advertise, set)) {
        Ok(broker) => {
            let shown = broker.listeners().iter().map(|it| format!("{} {} > {}", it.name, it.bind, it.advertised));
            shown.collect::<Vec<_>>().join(", ")
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn addresses_are_read_as_people_write_them() {
    for (text, host, port) in [
        ("localhost:9092", "localhost", 9092),
        ("10.0.0.1:1", "10.0.0.1", 1),
        ("[::1]:9093", "::1", 9093),
        ("[::1]", "::1", 9092),
        ("broker-1.example.com", "broker-1.example.com", 9092),
        (":9093", "", 9093),
        ("9093", "localhost", 9093),
        ("localhost:0", "localhost", 0),
    ] {
        assert_eq!(HostPort::parse(text), Ok(HostPort { host: host.to_owned(), port }), "{text}");
    }
    for text in [
        "",
        "::1:9092",
        "localhost:",
        "localhost:99999",
        "localhost:-1",
        "a b:1",
        "[::1",
        "[::1]9092",
        "http://x:1",
        "host:9092/",
    ] {
        assert!(HostPort::parse(text).is_err(), "{text}");
    }
}

#[test]
fn without_a_word_only_this_machine_is_served() {
    assert_eq!(listeners(&[], &[], &[]), "PLAINTEXT localhost:9092 > localhost:9092");
    assert_eq!(listeners(&["9093"], &[], &[]), "PLAINTEXT localhost:9093 > localhost:9093");
}

#[test]
fn every_interface_is_advertised_by_the_machines_name() {
    assert_eq!(listeners(&[":9092"], &[], &[]), "PLAINTEXT :9092 > tide.example:9092");
    assert_eq!(listeners(&[], &[], &["listeners=PLAINTEXT://:9092"]), "PLAINTEXT :9092 > tide.example:9092");
}

#[test]
fn an_address_that_nobody_can_connect_to_is_not_advertised() {
    for listen in ["0.0.0.0:9092", "[::]:9092"] {
        let error = listeners(&[listen], &[], &[]);
        assert!(error.contains("(--listen)") && error.contains("--advertise HOST:PORT"), "{error}");
    }
    let error = listeners(&[], &["0.0.0.0:9092"], &[]);
    assert!(error.starts_with("advertised.listeners = PLAINTEXT://0.0.0.0:9092 (--advertise)"), "{error}");
}

#[test]
fn flags_give_several_listeners_with_their_advertised_addresses() {
    let two = ["127.0.0.1:9092", "[::1]:9092"];
    for (advertise, expected) in [
        (&[][..], "PLAINTEXT 127.0.0.1:9092 > 127.0.0.1:9092, PLAINTEXT-2 [::1]:9092 > [::1]:9092"),
        (&["a:1"], "PLAINTEXT 127.0.0.1:9092 > a:1, PLAINTEXT-2 [::1]:9092 > a:1"),
        (&["a:1", "b"], "PLAINTEXT 127.0.0.1:9092 > a:1, PLAINTEXT-2 [::1]:9092 > b:9092"),
    ] {
        assert_eq!(listeners(&two, advertise, &[]), expected);
    }
    assert!(listeners(&two, &["a", "b", "c"], &[]).contains("there are 2 listeners"));
    assert_eq!(listeners(&["0.0.0.0:9092"], &["broker.example"], &[]), "PLAINTEXT 0.0.0.0:9092 > broker.example:9092");
}

#[test]
fn kafkas_settings_give_several_listeners_with_their_advertised_addresses() {
    let set = [
        "listeners=INTERNAL://:9092,EXTERNAL://0.0.0.0:9093",
        "advertised.listeners=EXTERNAL://kafka.example:443,INTERNAL://10.0.0.5:9092",
        "listener.security.protocol.map=INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT",
    ];
    assert_eq!(listeners(&[], &[], &set), "INTERNAL :9092 > 10.0.0.5:9092, EXTERNAL 0.0.0.0:9093 > kafka.example:443");
    assert!(listeners(&[], &["a"], &set).contains("there are 2 listeners"));
    let by_flag = listeners(&[], &["in.example", "out.example:1"], &set);
    assert_eq!(by_flag, "INTERNAL :9092 > in.example:9092, EXTERNAL 0.0.0.0:9093 > out.example:1");
}

#[test]
fn listeners_that_cannot_be_are_refused_with_the_reason() {
    for (set, reason) in [
        (&["listeners=localhost:9092"][..], "must be NAME://HOST:PORT"),
        (&["listeners=PLAINTEXT://localhost:99999"], "must be HOST:PORT"),
        (&["listeners="], "without empty elements"),
        (&["listeners=PLAINTEXT://a:1,PLAINTEXT://b:2"], "names PLAINTEXT twice"),
        (&["listeners=INTERNAL://a:1"], "add INTERNAL:PLAINTEXT to listener.security.protocol.map"),
        (&["listeners=SSL://a:1"], "SSL speaks SSL, which is not there yet"),
        (&["listeners=SASL_SSL://a:1"], "which is not there yet"),
        (&["listeners=X://a:1", "listener.security.protocol.map=X:FOO"], "there is no protocol FOO"),
        (&["listeners=X://a:1", "listener.security.protocol.map=X"], "must be NAME:PROTOCOL"),
        (
            &["listeners=A://a:1,B://a:1", "listener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT"],
            "A and B both want port 1",
        ),
        (
            &["listeners=A://:1,B://b:1", "listener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT"],
            "A and B both want port 1",
        ),
        (&["advertised.listeners=FOO://a:1"], "there is no listener FOO"),
    ] {
        let error = listeners(&[], &[], set);
        assert!(error.contains("(--set)") && error.contains(reason), "{set:?}: {error}");
    }
    assert!(listeners(&["nope:x"], &[], &[]).starts_with("--listen = nope:x (command line): must be HOST:PORT"));
}
