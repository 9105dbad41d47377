//! Kafka's own administration tools: settings, partitions, groups, directories, the quorum, elections.

use support::librdkafka::{acknowledged, producer};
use support::{TestBroker, Tools, kcat, unique};

fn create_topic(name: &str, tools: &mut Tools) {
    tools.run(&format!("TopicCommand @ --create --topic {name} --partitions 2"));
}

#[test]
fn kafka_configs_changes_settings_of_topics_brokers_and_subscriptions() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let topic = unique("configured");
    create_topic(&topic, &mut tools);
    let mut configs = |arguments: &str| tools.run(&format!("kafka.admin.ConfigCommand @ {arguments}"));
    configs(&format!("--alter --topic {topic} --add-config retention.ms=5000,cleanup.policy=[compact,delete]"));
    let shown = configs(&format!("--describe --topic {topic}"));
    assert!(shown.contains("retention.ms=5000") && shown.contains("cleanup.policy=compact,delete"), "{shown}");
    configs(&format!("--alter --topic {topic} --delete-config retention.ms"));
    let shown = configs(&format!("--describe --topic {topic} --all"));
    assert!(shown.contains("retention.ms=604800000 sensitive=false"), "{shown}");

    configs("--alter --broker-defaults --add-config log.segment.bytes=2000000");
    let shown = configs("--describe --broker-defaults");
    assert!(shown.contains("DYNAMIC_DEFAULT_BROKER_CONFIG:log.segment.bytes=2000000"), "{shown}");
    configs("--alter --broker-defaults --delete-config log.segment.bytes");
    let all = configs("--describe --broker 1 --all");
    assert!(all.contains("log.segment.bytes=1073741824"), "{all}");

    let subscription = unique("metrics");
    let mut metrics = |arguments: &str| tools.run(&format!("ClientMetricsCommand @ {arguments}"));
    metrics(&format!("--alter --name {subscription} --metrics org.apache.kafka.producer. --interval 5000"));
    assert!(metrics("--list").lines().any(|line| line == subscription));
    assert!(metrics(&format!("--describe --name {subscription}")).contains("interval.ms=5000"));
    metrics(&format!("--delete --name {subscription}"));
    assert!(!metrics("--list").lines().any(|line| line == subscription));
}

#[test]
fn partitions_are_added_and_found_in_the_log_directory() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let topic = unique("grown");
    create_topic(&topic, &mut tools);
    tools.run(&format!("TopicCommand @ --alter --topic {topic} --partitions 3"));
    let described = tools.run(&format!("TopicCommand @ --describe --topic {topic}"));
    assert!(described.contains("PartitionCount: 3"), "{described}");
    let directories = tools.run(&format!("LogDirsCommand @ --describe --broker-list 1 --topic-list {topic}"));
    for partition in 0..3 {
        assert!(directories.contains(&format!("\"partition\":\"{topic}-{partition}\"")), "{directories}");
    }
}

#[test]
fn groups_and_their_offsets_are_deleted() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let (topic, group) = (unique("read"), unique("readers"));
    create_topic(&topic, &mut tools);
    kcat(&broker).args(["-P", "-t", &topic, "-p", "0"]).input("one\n").run();
    tools.run(&format!("consumer.ConsoleConsumer @ --topic {topic} --group {group} --from-beginning --max-messages 1"));
    let mut groups = |arguments: &str| tools.run(&format!("consumer.group.ConsumerGroupCommand @ {arguments}"));
    let deleted = groups(&format!("--delete-offsets --group {group} --topic {topic}:0"));
    assert!(deleted.contains("Successful"), "{deleted}");
    let deleted = groups(&format!("--delete --group {group}"));
    assert!(deleted.contains("was successful"), "{deleted}");
    assert!(!groups("--list").lines().any(|line| line == group));
}

#[test]
fn kafka_get_offsets_looks_up_each_kind_of_time() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let topic = unique("timed");
    create_topic(&topic, &mut tools);
    let producer = producer(&broker.address(), &[]);
    for timestamp in [3_000, 9_000, 5_000] {
        let record = rdkafka::producer::BaseRecord::<(), _>::to(&topic).partition(1).timestamp(timestamp);
        producer.send(record.payload("dated")).unwrap();
        acknowledged(&producer);
    }
    let offsets = |[first, second]: [i64; 2]| format!("{topic}:0:{first}\n{topic}:1:{second}\n");
    let mut get = |arguments: &str| tools.run(&format!("GetOffsetShell @ {arguments}"));
    for (time, expected) in [("earliest", [0, 0]), ("latest", [0, 3]), ("earliest-local", [0, 0])] {
        assert_eq!(get(&format!("--topic {topic} --time {time}")), offsets(expected), "{time}");
    }
    // What isn't there is left out: a timestamp in an empty partition, offsets of tiered storage.
    for (time, expected) in [("max-timestamp", "1"), ("3000", "0"), ("3001", "1")] {
        assert_eq!(get(&format!("--topic {topic} --time {time}")), format!("{topic}:1:{expected}\n"), "{time}");
    }
    for time in ["9001", "latest-tiered", "earliest-pending-upload"] {
        assert_eq!(get(&format!("--topic {topic} --time {time}")), "", "{time}");
    }
    assert_eq!(get(&format!("--topic-partitions {topic}:1,{topic}:7-9")), format!("{topic}:1:3\n"));
    assert_eq!(get(&format!("--topic {topic} --partitions 0")), format!("{topic}:0:0\n"));
    let of_all = get("--exclude-internal-topics");
    assert!(of_all.contains(&offsets([0, 3])) && !of_all.contains("__consumer_offsets"), "{of_all}");
}

#[test]
fn one_node_says_of_itself_what_there_is_to_say() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let topic = unique("still");
    create_topic(&topic, &mut tools);
    let id = tools.run("ClusterTool cluster-id @");
    assert_eq!(id.trim().strip_prefix("Cluster ID: ").map(str::len), Some(22), "{id}");
    let endpoints = tools.run("ClusterTool list-endpoints @");
    let address = broker.address();
    let (host, port) = address.split_once(':').unwrap();
    let row: Vec<&str> = endpoints.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row, ["1", host, port, "null", "unfenced", "broker"]);
    let versions = tools.run("BrokerApiVersionsCommand @");
    assert!(versions.contains("Produce(0): 0 to 13 [usable: 13]"), "{versions}");

    let quorum = tools.run("MetadataQuorumCommand @ describe --status");
    assert!(quorum.lines().any(|line| line.starts_with("LeaderId:") && line.ends_with(" 1")), "{quorum}");
    let replicas = tools.run("MetadataQuorumCommand @ describe --replication --human-readable");
    let row: Vec<&str> = replicas.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!((row[0], row[3], *row.last().unwrap()), ("1", "0", "Leader"), "{replicas}");
    let features = tools.run("FeatureCommand @ describe");
    assert!(features.contains("Feature: metadata.version"), "{features}");

    let election =
        tools.run(&format!("LeaderElectionCommand @ --election-type preferred --topic {topic} --partition 0"));
    assert!(election.contains("Valid replica already elected"), "{election}");
    tools.run("LeaderElectionCommand @ --election-type unclean --all-topic-partitions");
    let producers = tools.run(&format!("TransactionsCommand @ describe-producers --topic {topic} --partition 0"));
    assert!(producers.contains("ProducerId"), "{producers}");
    let hanging = tools.run("TransactionsCommand @ find-hanging --broker-id 1");
    assert_eq!(hanging.lines().count(), 1, "{hanging}");
}

#[test]
fn kafka_reassign_partitions_moves_replicas_to_where_they_are() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let topic = unique("moved");
    create_topic(&topic, &mut tools);
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut reassign = |arguments: &str| tools.run(&format!("reassign.ReassignPartitionsCommand @ {arguments}"));
    assert!(reassign("--list").contains("No partition reassignments found."));

    std::fs::write(file.path(), format!(r#"{{"topics":[{{"topic":"{topic}"}}],"version":1}}"#)).unwrap();
    let path = file.path().display().to_string();
    let generated = reassign(&format!("--generate --topics-to-move-json-file {path} --broker-list 1"));
    let (current, proposed) = generated.split_once("Proposed partition reassignment configuration").unwrap();
    assert!(current.contains(r#""partition":1,"replicas":[1]"#), "{generated}");
    std::fs::write(file.path(), proposed).unwrap();

    let executed = reassign(&format!("--execute --reassignment-json-file {path}"));
    assert!(executed.contains(&format!("Successfully started partition reassignments for {topic}-0,{topic}-1")));
    let verified = reassign(&format!("--verify --reassignment-json-file {path}"));
    for partition in 0..2 {
        assert!(verified.contains(&format!("Reassignment of partition {topic}-{partition} is completed.")));
    }
    let cancelled = reassign(&format!("--cancel --reassignment-json-file {path}"));
    assert!(cancelled.contains("None of the specified partition reassignments are active."), "{cancelled}");
}
