//! Kafka's tools that load a broker, and those of its own system tests.

use support::{TestBroker, Tools, kafka_tool, unique};

#[test]
fn the_performance_tests_of_kafka_run() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let topic = unique("perf");
    tools.run(&format!("TopicCommand @ --create --topic {topic} --partitions 3"));
    for options in ["acks=1", "compression.type=zstd linger.ms=5", "acks=0 batch.size=100"] {
        let produced = tools.run(&format!(
            "ProducerPerformance @ --topic {topic} --num-records 5000 --record-size 200 --throughput -1 \
             --command-property {options}"
        ));
        assert!(produced.lines().any(|line| line.starts_with("5000 records sent")), "{produced}");
    }
    let consumed = tools.run(&format!(
        "ConsumerPerformance @ --topic {topic} --num-records 10000 --group {} --hide-header",
        unique("perf-group")
    ));
    // start, end, MB, MB/s, records, records/s, rebalance, fetch time and rates
    let records = consumed.trim().split(", ").nth(4).and_then(|records| records.parse::<u64>().ok());
    assert!(records.is_some_and(|records| records >= 10_000), "{consumed}");

    let one = unique("latency");
    tools.run(&format!("TopicCommand @ --create --topic {one} --partitions 1"));
    let latency = tools.run(&format!(
        "EndToEndLatency @ --topic {one} --num-records 100 --producer-acks all --record-size 100 \
         --record-key-size 10 --num-headers 2 --record-header-key-size 5 --record-header-size 5"
    ));
    assert!(latency.lines().any(|line| line.starts_with("Percentiles: 50th = ")), "{latency}");
}

#[test]
fn the_verifiable_consumer_handles_what_the_verifiable_producer_was_acknowledged() {
    let broker = TestBroker::new();
    let mut tools = Tools::new(&broker);
    let (topic, group) = (unique("verifiable"), unique("verifiers"));
    tools.run(&format!("TopicCommand @ --create --topic {topic} --partitions 1"));
    // In a JVM of its own: it tells its sum when that ends.
    let server = broker.address();
    let produced = kafka_tool("VerifiableProducer")
        .args(["--bootstrap-server", &server, "--topic", &topic, "--max-messages", "500", "--acks", "-1"])
        .args(["--value-prefix", "7", "--repeating-keys", "5"])
        .run();
    let acknowledged = produced.lines().filter(|line| line.contains("\"producer_send_success\"")).count();
    assert_eq!(acknowledged, 500, "{produced}");
    assert!(produced.contains("\"sent\":500") && produced.contains("\"acked\":500"), "{produced}");

    let consumed = tools.run(&format!(
        "VerifiableConsumer @ --topic {topic} --group-id {group} --max-messages 500 --reset-policy earliest \
         --assignment-strategy org.apache.kafka.clients.consumer.RoundRobinAssignor"
    ));
    assert!(consumed.contains("\"minOffset\":0") && consumed.contains("\"maxOffset\":499"), "{consumed}");
    assert!(consumed.contains("\"offsets_committed\"") && consumed.contains("\"success\":true"), "{consumed}");
    let described = tools.run(&format!("consumer.group.ConsumerGroupCommand @ --describe --group {group}"));
    let row = format!("{group} {topic} 0 500 500 0 - - -");
    let squeezed: Vec<String> =
        described.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert!(squeezed.contains(&row), "{described}");
}

#[test]
fn the_compatibility_test_of_kafka_finds_all_features_but_access_control() {
    let broker = TestBroker::new();
    let topic = unique("compatible");
    let mut tools = Tools::new(&broker);
    tools.run(&format!("TopicCommand @ --create --topic {topic} --partitions 1"));
    let has_acls = if matches!(broker, TestBroker::Own(_)) { "False" } else { "True" };
    tools.run(&format!(
        "ClientCompatibilityTest @ --topic {topic} --num-cluster-nodes 1 --cluster-id-supported True \
         --create-topics-supported True --describe-configs-supported True --offsets-for-times-supported True \
         --idempotent-producer-supported True --expect-record-too-large-exception False \
         --describe-acls-supported {has_acls}"
    ));
    tools.run("TopicCommand @ --delete --topic newtopic");
}
