//! @confluentinc/kafka-javascript, librdkafka in Node: each walk is a script of `confluent_javascript/walk` that checks
//! what it sees itself.

use support::{TestBroker, node};

#[track_caller]
fn walk(name: &str) {
    assert_eq!(node("confluent_javascript", &format!("walk/{name}.js"), &TestBroker::new()).run(), "done\n");
}

#[test]
fn confluent_javascript_reads_what_it_sent_in_each_codec_with_each_acks_and_idempotently() {
    walk("messages");
}

#[test]
fn a_confluent_javascript_consumer_seeks_pauses_reads_batches_and_returns_to_its_commit() {
    walk("positions");
}

#[test]
fn confluent_javascript_members_of_each_assignor_come_and_go_and_each_message_is_handled_once() {
    walk("groups");
}

#[test]
fn the_confluent_javascript_admin_manages_topics_records_and_groups() {
    walk("admin");
}

#[test]
fn confluent_javascript_by_callbacks_produces_flows_polls_seeks_and_streams() {
    walk("callbacks");
}
