//! Clients from PyPI: confluent-kafka (librdkafka), and in pure Python kafka-python and aiokafka.

use support::{TestBroker, python};

#[test]
fn confluent_kafka_sends_reads_commits_and_administers() {
    assert_eq!(python("walk_confluent.py", &TestBroker::new()).run(), "done\n");
}

#[test]
fn kafka_python_sends_reads_commits_and_administers() {
    assert_eq!(python("walk_kafka_python.py", &TestBroker::new()).run(), "done\n");
}

#[test]
fn aiokafka_sends_seeks_shares_partitions_and_administers() {
    assert_eq!(python("walk_aiokafka.py", &TestBroker::new()).run(), "done\n");
}
