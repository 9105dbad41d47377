//! Clients from PyPI: confluent-kafka (librdkafka) and kafka-python (pure Python).

use support::{TestBroker, python};

#[test]
fn confluent_kafka_sends_reads_commits_and_administers() {
    assert_eq!(python("walk_confluent.py", &TestBroker::new()).run(), "done\n");
}

#[test]
fn kafka_python_sends_reads_commits_and_administers() {
    assert_eq!(python("walk_kafka_python.py", &TestBroker::new()).run(), "done\n");
}
