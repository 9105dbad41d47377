use std::collections::BTreeSet;

use super::*;
use crate::setting::{Effect, Kind};
use crate::{BrokerConfig, TopicConfig, environment_name, is_reserved};

/// Read by accessors of their own instead of the tables of numbers and switches.
const READ_BY_HAND: &[&str] = &[
    "advertised.listeners",
    "broker.id",
    "broker.rack",
    "cluster.advertise",
    "cluster.join",
    "cluster.listen",
    "cluster.nodes",
    "cluster.secret",
    "cluster.secret.file",
    "cluster.ssl.endpoint.identification.algorithm",
    "cluster.ssl.keystore.certificate.chain.file",
    "cluster.ssl.keystore.key.file",
    "cluster.ssl.truststore.certificates.file",
    "data-dir",
    "drained.brokers", // by the controller, from the cluster image
    "durability",
    "listener.security.protocol.map",
    "listeners",
    "log.dir",
    "log.dirs",
    "max.connections.per.ip.overrides",
    "node.id",
    "replica.selector.class",
    "shards.per.broker",
];

/// Checked, and true of one node whatever they say; nothing has to read them.
const KEPT_ANYWAY: &[&str] =
    &["follower.replication.throttled.replicas", "internal.segment.bytes", "leader.replication.throttled.replicas"];

#[test]
fn every_broker_setting_that_works_is_read_and_no_other_is() {
    let inherited: BTreeSet<&str> = TOPIC
        .iter()
        .filter(|setting| setting.effect == Effect::Works)
        .flat_map(|setting| setting.inherits.iter().map(|from| from.name))
        .collect();
    let read: BTreeSet<&str> =
        inherited.into_iter().chain(READ_BY_HAND.iter().copied()).chain(BrokerConfig::KEYS.iter().copied()).collect();
    let works: BTreeSet<&str> =
        broker().iter().filter(|setting| setting.effect == Effect::Works).map(|setting| setting.name).collect();
    assert_eq!(works, read);
}

#[test]
fn every_topic_setting_that_works_is_read() {
    let read: BTreeSet<&str> = TopicConfig::KEYS.iter().chain(KEPT_ANYWAY).copied().collect();
    for setting in TOPIC.iter().filter(|setting| setting.effect == Effect::Works) {
        assert!(read.contains(setting.name), "{}", setting.name);
    }
}

#[test]
fn every_topic_setting_works_or_is_refused() {
    for setting in TOPIC {
        assert!(matches!(setting.effect, Effect::Works | Effect::Refused(_)), "{}", setting.name);
    }
}

#[test]
fn a_topic_setting_and_the_brokers_default_for_it_are_of_one_kind() {
    for setting in TOPIC.iter().chain(GROUP) {
        for from in setting.inherits {
            let source = find_broker(from.name).unwrap_or_else(|| panic!("{} inherits {}", setting.name, from.name));
            let same_effect = std::mem::discriminant(&source.effect) == std::mem::discriminant(&setting.effect);
            assert!(same_effect || source.name.starts_with("log.flush"), "{} and {}", setting.name, source.name);
            let by_name = setting.name == "streams.assignor.name";
            assert!(by_name || from.unit > 1 || setting.kind == source.kind, "{} and {}", setting.name, source.name);
        }
    }
}

#[test]
fn tables_are_in_the_order_of_names_so_that_look_ups_find() {
    let tables = BROKER_BY_SUBJECT.iter().map(|(_, settings)| *settings).chain([TOPIC, GROUP]);
    for table in tables {
        assert!(table.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
    assert!(broker().windows(2).all(|pair| pair[0].name < pair[1].name), "no name stands in two tables");
    assert!(broker().iter().all(|setting| find_broker(setting.name).is_some()));
}

#[test]
fn every_default_is_a_good_value_in_its_plain_form() {
    for setting in broker().iter().copied().chain(TOPIC).chain(GROUP) {
        let Some(default) = setting.default else { continue };
        let exempt = setting.rule == crate::Rule::NotEmpty && default.is_empty();
        assert!(exempt || setting.normalize(default).as_deref() == Ok(default), "{} = {default}", setting.name);
    }
}

#[test]
fn every_setting_says_in_a_sentence_what_it_is() {
    for setting in broker().iter().copied().chain(TOPIC).chain(GROUP) {
        assert!(setting.doc.ends_with('.') && setting.doc.len() > 10, "{}: {:?}", setting.name, setting.doc);
    }
}

#[test]
fn no_two_settings_share_an_environment_variable_and_none_is_a_reserved_one() {
    let mut seen = BTreeSet::new();
    for setting in broker() {
        let variable = environment_name(setting.name);
        assert!(!is_reserved(&variable), "{variable}");
        assert!(seen.insert(variable), "{}", setting.name);
    }
}

#[test]
fn only_passwords_are_hidden_from_describe() {
    let hidden: Vec<&str> =
        broker().iter().filter(|setting| setting.kind == Kind::Password).map(|setting| setting.name).collect();
    assert!(hidden.contains(&"ssl.keystore.password") && hidden.contains(&"sasl.jaas.config"));
}
