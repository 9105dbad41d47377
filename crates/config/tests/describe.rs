//! DescribeConfigs as a running Kafka 4.4.0 answers it, after the same settings were set.

use std::collections::BTreeMap;

use config::{BrokerConfig, Described, Source, Sources};

const KAFKA: &str = include_str!("kafka-4.4.0/described.tsv");

/// Rows that differ on purpose.
const OURS: &[&str] = &[
    // A smaller default.
    "max.decompressed.message.bytes",
    // Kafka shows the default for the value here, though 24 was given at start.
    "log.retention.hours",
    // Kafka has an internal broker setting behind it.
    "streams.num.warmup.replicas",
];

fn map<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn broker() -> BrokerConfig {
    let set = ["log.retention.hours=24", "log.roll.jitter.hours=1", "offsets.topic.replication.factor=1"];
    let sources = Sources { set: set.map(str::to_owned).into(), ..Sources::default() };
    let cluster = map([("log.segment.bytes", "3000000"), ("min.insync.replicas", "1")]);
    let own = map([("log.retention.ms", "77777"), ("my.plugin.key", "v"), ("num.io.threads", "9")]);
    BrokerConfig::load(&sources).and_then(|broker| broker.with_dynamic(&cluster, &own)).expect("good settings")
}

fn source(source: Source) -> &'static str {
    match source {
        Source::Topic => "DYNAMIC_TOPIC_CONFIG",
        Source::Broker => "DYNAMIC_BROKER_CONFIG",
        Source::ClusterDefault => "DYNAMIC_DEFAULT_BROKER_CONFIG",
        Source::Static => "STATIC_BROKER_CONFIG",
        Source::Default => "DEFAULT_CONFIG",
        Source::ClientMetrics => "DYNAMIC_CLIENT_METRICS_CONFIG",
        Source::BrokerLogger => "DYNAMIC_BROKER_LOGGER_CONFIG",
        Source::Group => "DYNAMIC_GROUP_CONFIG",
    }
}

fn row(described: &Described) -> String {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
    let synonym =
        |synonym: &config::Synonym| format!("{}={}@{};", synonym.name, shown(&synonym.value), source(synonym.source));
    [
        shown(&described.value),
        source(described.source).to_owned(),
        described.kind.map_or("UNKNOWN", |kind| kind.name()).to_owned(),
        if described.read_only { "ro" } else { "rw" }.to_owned(),
        if described.sensitive { "s" } else { "-" }.to_owned(),
        described.synonyms.iter().map(synonym).collect(),
    ]
    .join("\t")
}

#[test]
fn settings_are_described_as_kafka_describes_them() {
    let broker = broker();
    let topic = map([
        ("cleanup.policy", " compact , delete "),
        ("min.cleanable.dirty.ratio", "1e-2"),
        ("retention.ms", " +5000 "),
        ("segment.bytes", "2000000"),
    ]);
    let group = map([
        ("share.isolation.level", "read_committed"),
        ("share.session.timeout.ms", "46000"),
        ("streams.num.warmup.replicas", "3"),
    ]);
    let mut compared = 0;
    for line in KAFKA.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.splitn(4, '\t').collect();
        let [scope, resource, name, kafkas] = columns[..] else { panic!("{line}") };
        let all = match (scope, resource) {
            ("TOPIC", "t") => config::describe_topic(&topic, &broker),
            ("TOPIC", _) => config::describe_topic(&BTreeMap::new(), &broker),
            ("GROUP", "g") => config::describe_group(&group, &broker),
            ("GROUP", _) => config::describe_group(&BTreeMap::new(), &broker),
            ("BROKER", "") => config::describe_cluster_default(&broker),
            _ => config::describe_broker(&broker),
        };
        let ours =
            all.iter().find(|described| described.name == name).unwrap_or_else(|| panic!("{scope} {name} is missing"));
        if !OURS.contains(&name) {
            assert_eq!(row(ours), kafkas, "{scope} {resource} {name}");
            compared += 1;
        }
    }
    assert!(compared > 120, "{compared}");
}

#[test]
fn as_many_settings_are_described_as_in_kafka() {
    let broker = broker();
    let (topic, group) = (map([("internal.segment.bytes", "5000")]), map([("streams.num.warmup.replicas", "3")]));
    assert_eq!(config::describe_topic(&BTreeMap::new(), &broker).len(), 37);
    assert_eq!(config::describe_topic(&topic, &broker).len(), 38);
    assert_eq!(config::describe_group(&BTreeMap::new(), &broker).len(), 21);
    assert_eq!(config::describe_group(&group, &broker).len(), 22);
    assert_eq!(config::describe_cluster_default(&broker).len(), 2);
    let own = config::BROKER_BY_SUBJECT[0].1.len();
    assert_eq!(config::describe_broker(&broker).len(), 350 + own + 1);
}

#[test]
fn a_password_is_never_shown() {
    let broker = broker();
    for described in config::describe_broker(&broker).iter().filter(|described| described.sensitive) {
        assert_eq!(described.value, None, "{}", described.name);
        assert!(described.synonyms.iter().all(|synonym| synonym.value.is_none()), "{}", described.name);
    }
}
