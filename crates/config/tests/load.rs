//! From flags, `--set`, environment and file to the values in use.

use config::{BrokerConfig, Durability, Flags, Origin, Sources, environment_name};
use model::BrokerId;

fn with_file(text: &str) -> Sources {
    Sources { file: Some(("tidelog.toml".to_owned(), text.to_owned())), ..Sources::default() }
}

fn with_set(arguments: &[&str]) -> Sources {
    Sources { set: arguments.iter().map(|&argument| argument.to_owned()).collect(), ..Sources::default() }
}

fn with_environment(variables: &[(&str, &str)]) -> Sources {
    let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sources { environment, ..Sources::default() }
}

fn load(sources: &Sources) -> BrokerConfig {
    BrokerConfig::load(sources).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(sources: &Sources) -> String {
    BrokerConfig::load(sources).expect_err("must be refused").to_string()
}

#[test]
fn with_nothing_said_the_defaults_hold() {
    let broker = load(&Sources::default());
    assert_eq!((broker.num_partitions(), broker.auto_create_topics_enable()), (1, true));
    assert_eq!((broker.node_id(), broker.rack(), broker.shards_per_broker()), (BrokerId(1), None, None));
    assert_eq!(broker.data_dir().to_str(), Some("tidelog-data"));
    assert_eq!(broker.durability(), Durability::Fsync);
    assert_eq!(broker.origin("num.partitions"), Origin::Default);
}

#[test]
fn a_flag_wins_over_set_over_environment_over_file() {
    let mut sources = with_file("data-dir = 'file'\nnum.partitions = 2\ndurability = 'relaxed'\n");
    let here = |sources: &Sources| (load(sources).data_dir().display().to_string(), load(sources).origin("data-dir"));
    assert_eq!(here(&sources), ("file".to_owned(), Origin::File { path: "tidelog.toml".to_owned(), line: 1 }));
    sources.environment = vec![("TIDELOG_DATA_DIR".to_owned(), "environment".to_owned())];
    assert_eq!(here(&sources), ("environment".to_owned(), Origin::Environment("TIDELOG_DATA_DIR".to_owned())));
    sources.set = vec!["data-dir=earlier".to_owned(), "data-dir=set".to_owned()];
    assert_eq!(here(&sources), ("set".to_owned(), Origin::Set));
    sources.flags.data_dir = Some("flag".to_owned());
    assert_eq!(here(&sources), ("flag".to_owned(), Origin::Flag("--data-dir")));
    let broker = load(&sources);
    assert_eq!((broker.num_partitions(), broker.durability()), (2, Durability::Relaxed));
}

#[test]
fn the_data_directory_goes_by_kafkas_names_too() {
    for (set, directory) in [
        (&["log.dir=a"][..], "a"),
        (&["log.dir=a", "log.dirs=b"], "b"),
        (&["log.dir=a", "log.dirs=b", "data-dir=c"], "c"),
    ] {
        assert_eq!(load(&with_set(set)).data_dir().to_str(), Some(directory));
    }
    for several in ["log.dirs=a,b", "log.dir=a,b"] {
        assert!(refused(&with_set(&[several])).contains("one data directory"));
    }
}

#[test]
fn a_file_may_be_flat_or_in_tables() {
    let flat = "log.retention.ms = 5000\nlog.retention.check.interval.ms = 7000\n\"max.connections\" = 10\n\"max.connections.per.ip\" = 3\n";
    let nested = "[log.retention]\nms = 5_000\ncheck.interval.ms = 0x1b58\n[max]\n\"connections\" = 10\n\"connections.per.ip\" = '3'\n";
    for text in [flat, nested] {
        let broker = load(&with_file(text));
        assert_eq!((broker.topic_defaults().retention_ms, broker.log_retention_check_interval_ms()), (5000, 7000));
        assert_eq!((broker.max_connections(), broker.max_connections_of("127.0.0.1")), (10, 3));
    }
    let broker = load(&with_file(
        "log.cleanup.policy = ['compact', 'delete']\nlog.cleaner.min.cleanable.ratio = 0.25\nauto.create.topics.enable = false",
    ));
    let topic = broker.topic_defaults();
    assert!(topic.cleanup_policy.compact && topic.cleanup_policy.delete);
    assert_eq!((topic.min_cleanable_dirty_ratio, broker.auto_create_topics_enable()), (0.25, false));
}

#[test]
fn what_is_wrong_in_a_file_is_named_with_its_line() {
    for (text, error) in [
        ("\nnum.partitions = 0", "num.partitions = 0 (tidelog.toml:2): must be a whole number from 1 to 2147483647"),
        (
            "[num]\npartitions = 'many'",
            "num.partitions = many (tidelog.toml:2): must be a whole number from 1 to 2147483647",
        ),
        ("[num]\npartitoins = 3", "unknown setting num.partitoins (tidelog.toml:2): did you mean num.partitions?"),
        (
            "node.id = 1979-05-27",
            "node.id = a value of this type (tidelog.toml:1): must be a text, a number, true or false, or a list of these",
        ),
    ] {
        assert_eq!(refused(&with_file(text)), error);
    }
    assert!(refused(&with_file("a = 1\nb = ")).starts_with("tidelog.toml:2: "));
    let clash = refused(&with_file("max.connections = 10\nmax.connections.per.ip = 3"));
    assert!(clash.starts_with("tidelog.toml:2: ") && clash.ends_with("put both in quotes"), "{clash}");
}

#[test]
fn a_bad_value_is_refused_with_its_origin_and_what_would_be_right() {
    for (set, error) in [
        ("auto.create.topics.enable=yes", "auto.create.topics.enable = yes (--set): must be true or false"),
        ("compression.zstd.level=23", "compression.zstd.level = 23 (--set): must be a whole number from -131072 to 22"),
        ("compression.gzip.level=0", "compression.gzip.level = 0 (--set): must be a whole number from 1 to 9, or -1"),
        (
            "log.cleaner.min.cleanable.ratio=2",
            "log.cleaner.min.cleanable.ratio = 2 (--set): must be a number from 0 to 1",
        ),
        (
            "log.cleanup.policy=forget",
            "log.cleanup.policy = forget (--set): must be a list, separated by commas, of: compact, delete",
        ),
        ("durability=maybe", "durability = maybe (--set): must be one of: fsync, relaxed"),
        ("data-dir=", "data-dir =  (--set): must be at least one character"),
        (
            "offsets.topic.replication.factor=40000",
            "offsets.topic.replication.factor = 40000 (--set): must be a whole number from 1 to 32767",
        ),
        ("num.partitions", "--set = num.partitions (command line): must be KEY=VALUE, e.g. --set num.partitions=3"),
    ] {
        assert_eq!(refused(&with_set(&[set])), error);
    }
}

#[test]
fn a_value_is_checked_even_where_a_stronger_one_overrides_it() {
    let mut sources = with_file("num.partitions = 0");
    sources.set = vec!["num.partitions=3".to_owned()];
    assert!(refused(&sources).contains("tidelog.toml:1"));
}

#[test]
fn an_unknown_key_is_refused_with_what_was_probably_meant() {
    for (key, remedy) in [
        ("num.partition", ": did you mean num.partitions?"),
        ("log.retention.housr", ": did you mean log.retention.hours?"),
        ("log_retention_ms", ": did you mean log.retention.ms?"),
        ("data.dir", ": did you mean data-dir?"),
        ("datadir", ": did you mean data-dir?"),
        ("listener", ": did you mean listeners?"),
        ("retention.ms", ": it belongs to topics; the broker's default for it is log.retention.ms"),
        ("remote.storage.enable", ": it belongs to topics, set it there"),
        (
            "share.session.timeout.ms",
            ": it belongs to groups; the broker's default for it is group.share.session.timeout.ms",
        ),
        ("listener.name.internal.ssl.key.password", ": settings of a single listener are not there yet"),
        ("zookeeper.connect", "; `tidelog config effective --all` lists all settings"),
    ] {
        let error = refused(&with_set(&[&format!("{key}=1")]));
        assert_eq!(error, format!("unknown setting {key} (--set){remedy}"));
    }
}

#[test]
fn every_setting_can_come_from_its_environment_variable() {
    assert_eq!(environment_name("log.retention.ms"), "TIDELOG_LOG_RETENTION_MS");
    assert_eq!(environment_name("data-dir"), "TIDELOG_DATA_DIR");
    for setting in config::broker_settings() {
        let Some(default) = setting.default.filter(|default| !default.is_empty()) else { continue };
        let variable = environment_name(setting.name);
        let broker = load(&with_environment(&[(&variable, default)]));
        assert_eq!(broker.origin(setting.name), Origin::Environment(variable), "{}", setting.name);
    }
}

#[test]
fn an_unknown_variable_is_refused_but_for_those_that_are_no_settings() {
    let error = refused(&with_environment(&[("TIDELOG_NUM_PARTITION", "1")]));
    assert_eq!(
        error,
        "unknown setting num.partition (environment TIDELOG_NUM_PARTITION): did you mean num.partitions?"
    );
    load(&with_environment(&[
        ("PATH", "/bin"),
        ("TIDELOG_CONFIG", "tidelog.toml"),
        // What Kubernetes sets in each container for services called `tidelog` and `tidelog-headless`.
        ("TIDELOG_SERVICE_HOST", "10.0.0.1"),
        ("TIDELOG_SERVICE_PORT", "9092"),
        ("TIDELOG_SERVICE_PORT_KAFKA", "9092"),
        ("TIDELOG_PORT", "tcp://10.0.0.1:9092"),
        ("TIDELOG_PORT_9092_TCP", "tcp://10.0.0.1:9092"),
        ("TIDELOG_HEADLESS_PORT_9092_TCP_ADDR", "10.0.0.1"),
    ]));
}

#[test]
fn what_would_make_the_broker_safer_is_refused_while_it_is_not_there() {
    for set in [
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "ssl.client.auth=required",
        "sasl.enabled.mechanisms=PLAIN",
        "delegation.token.secret.key=hush",
    ] {
        assert!(BrokerConfig::load(&with_set(&[set])).is_err(), "{set}");
    }
    let error = refused(&with_set(&["ssl.keystore.password=hush"]));
    assert_eq!(error, "ssl.keystore.password = ******** (--set): TLS and SASL are not there yet; leave it out");
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    for (set, named) in [
        (&["log.retention.hours=0"][..], "log.retention.hours"),
        (&["log.retention.ms=0", "log.retention.hours=5"], "log.retention.ms"),
        (&["log.roll.ms=0"], "log.roll.ms"),
        (&["log.roll.jitter.ms=-1"], "log.roll.jitter.ms"),
        (
            &["log.cleaner.min.compaction.lag.ms=5", "log.cleaner.max.compaction.lag.ms=4"],
            "log.cleaner.min.compaction.lag.ms",
        ),
        (&["log.cleaner.dedupe.buffer.size=1000"], "log.cleaner.dedupe.buffer.size"),
        (&["offsets.topic.segment.bytes=1000"], "offsets.topic.segment.bytes"),
        (&["connections.max.idle.ms=0"], "connections.max.idle.ms"),
        (&["connections.max.idle.ms=100"], "connections.max.idle.ms"),
        (&["durability=relaxed", "log.flush.interval.ms=1000"], "log.flush.interval.ms"),
        (&["broker.id=2", "node.id=3"], "broker.id"),
        (&["broker.id=-2"], "broker.id"),
        (&["queued.max.request.bytes=5"], "queued.max.request.bytes"),
        (&["max.connections.per.ip=0"], "max.connections.per.ip"),
        (&["max.connections.per.ip.overrides=a"], "max.connections.per.ip.overrides"),
        (&["replica.selector.class=com.example.Selector"], "replica.selector.class"),
        (&["replica.selector.class=RackAwareReplicaSelector"], "replica.selector.class"),
        (&["group.min.session.timeout.ms=2000000"], "group.min.session.timeout.ms"),
        (&["group.consumer.session.timeout.ms=5000"], "group.consumer.session.timeout.ms"),
        (&["group.share.max.session.timeout.ms=44000"], "group.share.min.session.timeout.ms"),
        (&["group.streams.num.standby.replicas=3"], "group.streams.num.standby.replicas"),
        (
            &["group.consumer.max.heartbeat.interval.ms=50000", "group.consumer.heartbeat.interval.ms=45000"],
            "group.consumer.heartbeat.interval.ms",
        ),
    ] {
        let error = refused(&with_set(set));
        assert!(error.starts_with(&format!("{named} = ")), "{set:?}: {error}");
    }
    assert_eq!(load(&with_set(&["broker.id=7"])).node_id(), BrokerId(7));
    let some = load(&with_set(&["max.connections.per.ip=0", "max.connections.per.ip.overrides=127.0.0.1:5,[::1]:6"]));
    assert_eq!(["127.0.0.1", "::1", "10.0.0.1"].map(|address| some.max_connections_of(address)), [5, 6, 0]);
}

#[test]
fn consumers_read_from_followers_once_the_rack_aware_selector_is_set() {
    assert!(!load(&Sources::default()).reads_from_followers());
    let selector = "replica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector";
    assert!(load(&with_set(&[selector])).reads_from_followers());
    let refused = refused(&with_set(&["replica.selector.class=mine"]));
    assert!(refused.contains("set org.apache.kafka.common.replica.RackAwareReplicaSelector, or leave it out"));
}

#[test]
fn all_settings_are_listed_with_their_origin_and_without_secrets() {
    let flags = Flags { node_id: Some("4".to_owned()), ..Flags::default() };
    let broker = load(&Sources { flags, ..with_set(&["num.partitions=3"]) });
    let all = broker.effective();
    assert_eq!(all.len(), config::broker_settings().len());
    let row = |name: &str| {
        all.iter().find(|row| row.setting.name == name).map(|row| (row.value.as_deref(), row.origin.clone()))
    };
    assert_eq!(row("num.partitions"), Some((Some("3"), Origin::Set)));
    assert_eq!(row("node.id"), Some((Some("4"), Origin::Flag("--node-id"))));
    assert_eq!(row("broker.rack"), Some((None, Origin::Default)));
}

#[test]
fn changes_while_running_lie_over_what_was_given_at_start() {
    let map = |name: &str, value: &str| [(name.to_owned(), value.to_owned())].into();
    let broker = load(&with_set(&["message.max.bytes=1000"]));
    let size = |broker: &BrokerConfig| broker.topic_defaults().max_message_bytes;
    let of_all = broker.with_dynamic(&map("message.max.bytes", "2000"), &map("my.key", "x")).expect("good settings");
    assert_eq!((size(&of_all), of_all.origin("message.max.bytes")), (2000, Origin::ClusterDefault));
    let own = broker
        .with_dynamic(&map("message.max.bytes", "2000"), &map("message.max.bytes", "3000"))
        .expect("good settings");
    assert_eq!((size(&own), own.origin("message.max.bytes")), (3000, Origin::Dynamic));
    assert_eq!(size(&own.with_dynamic(&[].into(), &[].into()).expect("good settings")), 1000);
    assert!(broker.with_dynamic(&map("log.retention.ms", "0"), &[].into()).is_err());
}
