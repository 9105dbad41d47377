//! kafkajs 2.2.4: each walk is a script of `kafkajs/walk` that checks what it sees itself.

use support::{TestBroker, node};

#[track_caller]
fn walk(name: &str) {
    let printed = node("kafkajs", &format!("walk/{name}.js"), &TestBroker::new()).run();
    assert!(printed.ends_with("done\n"), "{printed}");
}

#[test]
fn kafkajs_reads_keys_values_tombstones_headers_and_timestamps_as_they_were_sent() {
    walk("messages");
}

#[test]
fn kafkajs_reads_what_it_compressed_with_each_codec() {
    walk("codecs");
}

#[test]
fn kafkajs_produces_with_each_acks_idempotently_and_to_missing_topics() {
    walk("produce");
}

#[test]
fn a_kafkajs_consumer_seeks_pauses_commits_and_returns_to_its_commit() {
    walk("positions");
}

#[test]
fn a_kafkajs_consumer_resolves_batches_stops_starts_and_subscribes_by_pattern() {
    walk("batches");
}

#[test]
fn kafkajs_members_come_and_go_and_each_message_is_handled_once() {
    walk("groups");
}

#[test]
fn the_kafkajs_admin_makes_lists_empties_and_deletes_topics() {
    walk("admin");
}

#[test]
fn the_kafkajs_admin_changes_settings_adds_partitions_reassigns_and_deletes_groups() {
    walk("settings");
}
