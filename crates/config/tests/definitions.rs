//! Every setting of Kafka 4.4.0 is known here with Kafka's type, default, bounds and mode.

use config::{Mode, Rule, Setting};

const KAFKA: &str = include_str!("kafka-4.4.0/definitions.tsv");

/// Where the default is ours, with Kafka's and ours (`<none>`: Kafka asks for a value).
const OUR_DEFAULTS: &[(&str, &str, &str)] = &[
    ("controller.listener.names", "<none>", ""),
    ("listeners", "PLAINTEXT://:9092", "PLAINTEXT://localhost:9092"),
    ("log.dir", "/tmp/kafka-logs", "<null>"),
    ("max.decompressed.message.bytes", "2147483639", "104857600"),
    ("node.id", "<none>", "1"),
    ("process.roles", "<none>", "broker,controller"),
    ("socket.listen.backlog.size", "50", "4096"),
];

struct Definition {
    scope: &'static str,
    name: &'static str,
    kind: &'static str,
    default: &'static str,
    allowed: &'static str,
    mode: &'static str,
    hidden: bool,
}

fn definitions() -> Vec<Definition> {
    let rows = KAFKA.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let [scope, name, kind, default, allowed, mode, hidden] = columns[..] else { panic!("{line}") };
        Definition { scope, name, kind, default, allowed, mode, hidden: hidden == "internal" }
    })
    .collect()
}

fn find(definition: &Definition) -> &'static Setting {
    let found = match definition.scope {
        "broker" => config::find_broker(definition.name),
        "topic" => config::find_topic(definition.name),
        _ => config::find_group(definition.name),
    };
    found.unwrap_or_else(|| panic!("{} setting {} is unknown", definition.scope, definition.name))
}

#[test]
fn every_setting_of_kafka_has_kafkas_type_default_and_mode() {
    for definition in definitions() {
        let setting = find(&definition);
        assert_eq!(setting.kind.name(), definition.kind, "{}", definition.name);
        let ours = OUR_DEFAULTS.iter().find(|(name, ..)| *name == definition.name);
        if let Some((_, kafkas, _)) = ours {
            assert_eq!(definition.default, *kafkas, "{}", definition.name);
        }
        let expected = ours.map_or(definition.default, |(.., ours)| ours);
        assert_eq!(setting.default.unwrap_or("<null>"), expected, "{}", definition.name);
        assert_eq!(setting.hidden, definition.hidden, "{}", definition.name);
        let mode = match setting.mode {
            Mode::ReadOnly => "-",
            Mode::ClusterWide => "cluster-wide",
            Mode::PerBroker => "per-broker",
        };
        assert_eq!(mode, definition.mode, "{}", definition.name);
    }
}

#[test]
fn every_setting_of_kafka_has_kafkas_bounds() {
    for definition in definitions() {
        let rule = find(&definition).rule;
        let ours = match rule {
            Rule::Any => String::new(),
            Rule::AtLeast(least) => format!("[{least},...]"),
            Rule::Between(least, most) => format!("[{least},...,{most}]"),
            Rule::Fraction(least, most) => format!("[{least},...,{most}]"),
            Rule::GzipLevel => "[1,...,9] or -1".to_owned(),
            Rule::OneOf(words) => format!("[{}]", words.join(", ")),
            Rule::OneOfAnyCase(words) => format!("(case insensitive) [{}]", words.join(", ")),
            Rule::NotEmpty => "non-empty string".to_owned(),
            Rule::ThrottledReplicas => "[partitionId]:[brokerId],[partitionId]:[brokerId],...".to_owned(),
            Rule::ShareAutoOffsetReset => "[latest, earliest, by_duration:PnDTnHnMn.nS]".to_owned(),
        };
        let unsaid = match definition.allowed {
            // Kafka's validator of lists does not print that it wants an element.
            "" => rule == Rule::NotEmpty,
            // Nothing of ours is null, and these lists mean nothing here.
            "non-null string" | "non-empty list" => rule == Rule::Any,
            _ => false,
        };
        assert!(unsaid || ours == definition.allowed, "{}: {ours} for {}", definition.name, definition.allowed);
    }
}

#[test]
fn there_are_as_many_settings_as_in_kafka_and_ours_are_few() {
    let count = |scope| definitions().iter().filter(|definition| definition.scope == scope).count();
    assert_eq!((count("broker"), count("topic"), count("group")), (350, 37 + 1, 21 + 6));
    assert_eq!((config::TOPIC.len(), config::GROUP.len()), (38, 27));
    let (_, own) = config::BROKER_BY_SUBJECT[0];
    assert_eq!(config::broker_settings().len(), 350 + own.len());
}
