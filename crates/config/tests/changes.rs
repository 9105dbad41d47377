//! Changes of settings while running: what would do nothing is refused.

use std::collections::BTreeMap;

use config::{
    BrokerConfig, ClientMetricsConfig, ConfigError, Effect, Kind, MAX_SETTINGS_BYTES, Mode, Owner, Rule, Setting,
    Sources,
};
use model::ErrorCode;

type Settings = BTreeMap<String, String>;

fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn check(owner: Owner, before: &[(&str, &str)], after: &[(&str, &str)]) -> Result<(), ConfigError> {
    let (before, after) = (settings(before), settings(after));
    let named = after.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect();
    owner.check_change(&before, &after, &named, &BrokerConfig::default())
}

#[test]
fn what_waits_for_another_part_is_refused_unless_it_is_set_already_or_the_default() {
    let waiting = ("group.consumer.assignment.interval.ms", "9");
    let error = check(Owner::AllBrokers, &[], &[waiting]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidConfig);
    assert_eq!(
        error.to_string(),
        "Invalid value 9 for configuration group.consumer.assignment.interval.ms: it takes effect with consumer groups \
         of the new protocol (KIP-848), which this version lacks; leave it unset"
    );
    assert_eq!(check(Owner::AllBrokers, &[waiting], &[waiting]), Ok(()));
    assert_eq!(check(Owner::AllBrokers, &[], &[(waiting.0, " 1000 ")]), Ok(()));
}

/// Of each setting a value that is not its default, and good by itself.
fn another_value(setting: &Setting) -> String {
    let default = setting.default.unwrap_or_default();
    let number = |default: i64| default.checked_add(1).filter(|n| i32::try_from(*n).is_ok()).unwrap_or(default - 1);
    match (setting.kind, setting.rule) {
        (_, Rule::OneOf(words) | Rule::OneOfAnyCase(words)) => {
            words.iter().find(|word| **word != default).expect("there are two")
        }
        (_, Rule::ThrottledReplicas) => "0:1",
        (_, Rule::ShareAutoOffsetReset) => "earliest",
        (_, Rule::Fraction(..)) => "0.25",
        (_, Rule::GzipLevel) => "5",
        (Kind::Boolean, _) if default == "true" => "false",
        (Kind::Boolean, _) => "true",
        (Kind::Double, _) => "5.0",
        (Kind::Int | Kind::Short | Kind::Long, _) => return number(default.parse().unwrap_or(5)).to_string(),
        _ if setting.name == "match" => "client_id=a",
        _ if setting.name == "max.connections.per.ip.overrides" => "10.0.0.1:5",
        _ => "x",
    }
    .to_owned()
}

/// That each of those that work is read, a test beside the tables holds.
#[test]
fn whatever_can_be_set_while_running_works_or_is_refused_with_the_reason() {
    let owners = [
        (Owner::Topic, config::TOPIC.iter().collect::<Vec<_>>()),
        (Owner::Group, config::GROUP.iter().collect()),
        (Owner::ClientMetrics, config::CLIENT_METRICS.iter().collect()),
        (Owner::AllBrokers, config::broker_settings().to_vec()),
        (Owner::Broker, config::broker_settings().to_vec()),
    ];
    for (owner, settings) in owners {
        for setting in settings {
            let value = another_value(setting);
            let taken = check(owner, &[], &[(setting.name, &value)]).map_err(|why| why.to_string());
            let (name, what) = (setting.name, format!("{owner:?} {} = {value}: {taken:?}", setting.name));
            let says = |reason: &str| taken.as_ref().is_err_and(|why| why.contains(reason) && why.contains(name));
            let is_brokers = matches!(owner, Owner::AllBrokers | Owner::Broker);
            match setting.effect {
                _ if is_brokers && setting.mode == Mode::ReadOnly => assert!(says("dynamically"), "{what}"),
                _ if is_brokers && setting.mode == Mode::PerBroker => assert!(taken.is_err(), "{what}"),
                Effect::Works if name == "min.insync.replicas" && owner == Owner::Broker => {
                    assert!(taken.is_err(), "{what}");
                }
                Effect::Works => assert_eq!(taken, Ok(()), "{what}"),
                // In words of their own.
                _ if matches!(name, "remote.storage.enable" | "streams.assignor.name") => {
                    assert!(taken.is_err(), "{what}");
                }
                Effect::Later(with) => assert!(says(with) && says("leave it unset"), "{what}"),
                Effect::Idle(reason) | Effect::Refused(reason) => assert!(says(reason) && says("leave it"), "{what}"),
            }
        }
    }
}

#[test]
fn settings_that_nobody_knows_are_refused_but_can_be_taken_back() {
    let error = check(Owner::Broker, &[], &[("log.retention.msec", "5")]).unwrap_err();
    assert_eq!(error.to_string(), "Unknown broker config name: log.retention.msec: did you mean log.retention.ms?");
    let (before, named) = (settings(&[("my.plugin", "1")]), [("my.plugin".to_owned(), None)].into());
    assert_eq!(Owner::Broker.check_change(&before, &Settings::new(), &named, &BrokerConfig::default()), Ok(()));
    assert_eq!(check(Owner::Broker, &[], &[("leader.replication.throttled.rate", "1000")]), Ok(()));
    assert!(check(Owner::Broker, &[], &[("leader.replication.throttled.rate", "-1")]).is_err());
}

#[test]
fn settings_are_kept_up_to_a_number_of_bytes() {
    let replicas = |count: usize| (0..count).map(|n| format!("{n:05}:1")).collect::<Vec<_>>().join(",");
    let name = "leader.replication.throttled.replicas";
    assert_eq!(check(Owner::Topic, &[], &[(name, &replicas(10_000))]), Ok(()));
    let error = check(Owner::Topic, &[], &[(name, &replicas(MAX_SETTINGS_BYTES / 8 + 1))]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidConfig);
    assert!(error.to_string().contains("262144"), "{error}");
}

#[test]
fn settings_given_at_the_start_that_do_nothing_are_told() {
    let set = ["num.io.threads=9", "num.network.threads=3", "group.consumer.max.size=7", "num.partitions=2"];
    let config = BrokerConfig::load(&Sources { set: set.map(str::to_owned).to_vec(), ..Sources::default() }).unwrap();
    assert_eq!(config.without_effect(), ["group.consumer.max.size", "num.io.threads"]);
}

#[test]
fn all_read_only_settings_of_a_change_are_named() {
    let error = check(Owner::Broker, &[], &[("node.id", "4"), ("log.dirs", "/x"), ("log.retention.ms", "5")]);
    let message = error.unwrap_err().to_string();
    assert_eq!(message, "Cannot update these configs dynamically: [log.dirs, node.id]");
}

#[test]
fn listeners_stay_as_they_were_at_the_start() {
    let as_it_is = ("listeners", "PLAINTEXT://localhost:9092");
    assert_eq!(check(Owner::Broker, &[], &[as_it_is]), Ok(()));
    for other in [("listeners", "PLAINTEXT://localhost:9093"), ("listener.name.a.max.connections", "5")] {
        assert_eq!(check(Owner::Broker, &[], &[other]).unwrap_err().code(), ErrorCode::InvalidConfig);
    }
}

#[test]
fn only_lists_have_a_default_to_add_to() {
    assert_eq!(Owner::Topic.list_default("cleanup.policy"), Some("delete"));
    assert_eq!(Owner::AllBrokers.list_default("log.cleanup.policy"), Some("delete"));
    assert_eq!(Owner::Topic.list_default("retention.ms"), None);
    assert_eq!(Owner::ClientMetrics.list_default("metrics"), None);
    assert_eq!(Owner::Broker.list_default("my.plugin"), None);
}

#[test]
fn a_subscription_matches_the_whole_of_what_a_client_says() {
    let given = settings(&[
        ("match", "client_id=a.*, client_source_port=90[0-9]+"),
        ("metrics", "x.,y."),
        ("interval.ms", "100"),
    ]);
    let subscription = ClientMetricsConfig::from_settings(&given).unwrap();
    assert_eq!((subscription.interval_ms, subscription.metrics.len()), (100, 2));
    let matches = |name: &str, text: &str| subscription.matches[name].is_match(text);
    assert!(matches("client_id", "abc") && !matches("client_id", "ba"));
    assert!(matches("client_source_port", "9092") && !matches("client_source_port", "19092"));
    let all = ClientMetricsConfig::from_settings(&Settings::new()).unwrap();
    assert_eq!((all.interval_ms, all.metrics.len(), all.matches.len()), (300_000, 0, 0));
}

#[test]
fn an_expression_that_would_take_much_memory_is_refused() {
    let bomb = settings(&[("match", "client_id=((a{1000}){1000}){1000}")]);
    assert_eq!(ClientMetricsConfig::from_settings(&bomb).unwrap_err().code(), ErrorCode::InvalidConfig);
}
