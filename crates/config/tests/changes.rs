//! Changes of settings while running: what would do nothing is refused.

use std::collections::BTreeMap;

use config::{BrokerConfig, ClientMetricsConfig, ConfigError, Owner};
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
    let waiting = ("max.connection.creation.rate", "9");
    let error = check(Owner::AllBrokers, &[], &[waiting]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidConfig);
    assert_eq!(
        error.to_string(),
        "Invalid value 9 for configuration max.connection.creation.rate: it takes effect with quotas, which this \
         version lacks"
    );
    assert_eq!(check(Owner::AllBrokers, &[waiting], &[waiting]), Ok(()));
    assert_eq!(check(Owner::AllBrokers, &[], &[("max.connection.creation.rate", " 2147483647 ")]), Ok(()));
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
