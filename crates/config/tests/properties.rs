//! What holds for any text at all: values arrive from sockets and from people.

use std::time::{Duration, Instant};

use config::{BrokerConfig, HostPort, Sources, validate_topic_override};
use proptest::prelude::*;

/// Texts that come near to good values.
fn nearly() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "",
        " ",
        ",",
        "-1",
        "0",
        "+7",
        "1e3",
        "true",
        "compact",
        "delete",
        "*",
        "0:1",
        "PLAINTEXT",
        "://",
        ":9092",
        "[",
        "]",
        "::1",
        "localhost",
        "by_duration:",
        "PT1H",
        "9223372036854775808",
        "NaN",
        "=",
        "\u{e9}",
    ]);
    prop_oneof![prop::collection::vec(words, 0..6).prop_map(|words| words.concat()), any::<String>()]
}

proptest! {
    #[test]
    fn a_value_in_its_plain_form_stays_as_it_is(text in nearly()) {
        for setting in config::broker_settings().iter().copied().chain(config::TOPIC).chain(config::GROUP) {
            if let Ok(plain) = setting.normalize(&text) {
                prop_assert_eq!(setting.normalize(&plain), Ok(plain.clone()), "{} = {:?}", setting.name, text);
            }
        }
    }

    #[test]
    fn any_address_is_read_or_refused_and_reads_back_as_it_is_shown(text in nearly()) {
        if let Ok(address) = HostPort::parse(&text) {
            prop_assert_eq!(HostPort::parse(&address.to_string()), Ok(address));
        }
    }

    #[test]
    fn any_text_for_any_setting_is_taken_or_refused(key in prop::sample::select(config::broker_settings()), text in nearly()) {
        let sources = Sources { set: vec![format!("{}={text}", key.name)], ..Sources::default() };
        if let Ok(broker) = BrokerConfig::load(&sources) {
            prop_assert!(!broker.listeners().is_empty());
        }
    }

    #[test]
    fn any_file_is_taken_or_refused_by_name(text in nearly()) {
        let sources = Sources { file: Some(("f".to_owned(), text)), ..Sources::default() };
        if let Err(error) = BrokerConfig::load(&sources) {
            prop_assert!(error.to_string().contains("f:"), "{} names the file", error);
        }
    }
}

/// A request may carry a value of many megabytes.
#[test]
fn a_long_list_is_checked_in_no_time() {
    let pairs: Vec<String> = (0..200_000).map(|partition| format!("{partition}:1")).collect();
    let start = Instant::now();
    assert!(validate_topic_override("leader.replication.throttled.replicas", &pairs.join(",")).is_ok());
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}
