//! Kafka's own administration tools: settings, partitions, groups, directories, the quorum, elections.

use support::{Program, TestBroker, kafka_core_tool, kafka_tool, kcat, unique};

/// A tool that talks to `broker`.
fn tool(class: &str, broker: &TestBroker) -> Program {
    kafka_tool(class).args(["--bootstrap-server", &broker.address()])
}

fn create_topic(name: &str, broker: &TestBroker) {
    tool("TopicCommand", broker).args(["--create", "--topic", name, "--partitions", "2"]).run();
}

fn configs(broker: &TestBroker, arguments: &[&str]) -> String {
    kafka_core_tool("kafka.admin.ConfigCommand").args(["--bootstrap-server", &broker.address()]).args(arguments).run()
}

#[test]
fn kafka_configs_changes_settings_of_topics_brokers_and_subscriptions() {
    let broker = TestBroker::new();
    let topic = unique("configured");
    create_topic(&topic, &broker);
    let of_topic = ["--entity-type", "topics", "--entity-name", &topic];
    let change = |arguments: &[&str]| configs(&broker, &[&["--alter"], arguments].concat());
    let show = |arguments: &[&str]| configs(&broker, &[&["--describe"], arguments].concat());
    change(&[&of_topic[..], &["--add-config", "retention.ms=5000,cleanup.policy=[compact,delete]"]].concat());
    let shown = show(&of_topic);
    assert!(shown.contains("retention.ms=5000") && shown.contains("cleanup.policy=compact,delete"), "{shown}");
    change(&[&of_topic[..], &["--delete-config", "retention.ms"]].concat());
    assert!(!show(&of_topic).contains("retention.ms"));

    let of_all = ["--entity-type", "brokers", "--entity-default"];
    change(&[&of_all[..], &["--add-config", "log.segment.bytes=2000000"]].concat());
    let shown = show(&of_all);
    assert!(shown.contains("DYNAMIC_DEFAULT_BROKER_CONFIG:log.segment.bytes=2000000"), "{shown}");
    change(&[&of_all[..], &["--delete-config", "log.segment.bytes"]].concat());

    let subscription = unique("metrics");
    let metrics = |arguments: &[&str]| tool("ClientMetricsCommand", &broker).args(arguments).run();
    metrics(&["--alter", "--name", &subscription, "--metrics", "org.apache.kafka.producer.", "--interval", "5000"]);
    assert!(metrics(&["--list"]).lines().any(|line| line == subscription));
    assert!(metrics(&["--describe", "--name", &subscription]).contains("interval.ms=5000"));
    metrics(&["--delete", "--name", &subscription]);
    assert!(!metrics(&["--list"]).lines().any(|line| line == subscription));
}

#[test]
fn partitions_are_added_and_found_in_the_log_directory() {
    let broker = TestBroker::new();
    let topic = unique("grown");
    create_topic(&topic, &broker);
    tool("TopicCommand", &broker).args(["--alter", "--topic", &topic, "--partitions", "3"]).run();
    let described = tool("TopicCommand", &broker).args(["--describe", "--topic", &topic]).run();
    assert!(described.contains("PartitionCount: 3"), "{described}");
    let directories = tool("LogDirsCommand", &broker).args(["--describe", "--topic-list", &topic]).run();
    for partition in 0..3 {
        assert!(directories.contains(&format!("\"partition\":\"{topic}-{partition}\"")), "{directories}");
    }
}

#[test]
fn groups_and_their_offsets_are_deleted() {
    let broker = TestBroker::new();
    let (topic, group) = (unique("read"), unique("readers"));
    create_topic(&topic, &broker);
    kcat(&broker).args(["-P", "-t", &topic, "-p", "0"]).input("one\n").run();
    let arguments = ["--topic", &topic, "--group", &group, "--from-beginning", "--max-messages", "1"];
    tool("consumer.ConsoleConsumer", &broker).args(arguments).run();
    let groups = |arguments: &[&str]| tool("consumer.group.ConsumerGroupCommand", &broker).args(arguments).run();
    let deleted = groups(&["--delete-offsets", "--group", &group, "--topic", &format!("{topic}:0")]);
    assert!(deleted.contains("Successful"), "{deleted}");
    let deleted = groups(&["--delete", "--group", &group]);
    assert!(deleted.contains("was successful"), "{deleted}");
    assert!(!groups(&["--list"]).lines().any(|line| line == group));
}

#[test]
fn one_node_says_of_itself_what_there_is_to_say() {
    let broker = TestBroker::new();
    let topic = unique("still");
    create_topic(&topic, &broker);
    let after_broker = |class: &str, arguments: &[&str]| tool(class, &broker).args(arguments).run();
    let quorum = after_broker("MetadataQuorumCommand", &["describe", "--status"]);
    assert!(quorum.lines().any(|line| line.starts_with("LeaderId:") && line.ends_with(" 1")), "{quorum}");
    let features = after_broker("FeatureCommand", &["describe"]);
    assert!(features.contains("Feature: metadata.version"), "{features}");
    let arguments = ["--election-type", "preferred", "--topic", &topic, "--partition", "0"];
    let election = after_broker("LeaderElectionCommand", &arguments);
    assert!(election.contains("Valid replica already elected"), "{election}");
    let moves = after_broker("reassign.ReassignPartitionsCommand", &["--list"]);
    assert!(moves.contains("No partition reassignments found."), "{moves}");
    let producers = ["describe-producers", "--topic", &topic, "--partition", "0"];
    assert!(after_broker("TransactionsCommand", &producers).contains("ProducerId"));
}
