//! franz-go and sarama: each walk is a part of the programs in `go/franz` and `go/sarama`, which check what they see
//! themselves.

use support::{TestBroker, go};

#[track_caller]
fn walk(library: &str, walk: &str) {
    assert_eq!(go(library, walk, &TestBroker::new()).run(), "done\n");
}

#[test]
fn franz_go_reads_what_it_sent_in_each_codec_with_each_acks_and_idempotently() {
    walk("franz", "messages");
}

#[test]
fn a_franz_go_consumer_starts_anywhere_seeks_pauses_and_returns_to_its_commit() {
    walk("franz", "positions");
}

#[test]
fn a_franz_go_consumer_finds_topics_that_appear_and_reads_one_that_was_made_anew() {
    walk("franz", "topics");
}

#[test]
fn franz_go_members_of_each_assignor_come_and_go_and_each_message_is_handled_once() {
    walk("franz", "groups");
}

#[test]
fn kadm_manages_topics_settings_records_replicas_and_groups() {
    walk("franz", "admin");
}

#[test]
fn sarama_reads_what_it_sent_in_each_codec_with_each_acks_and_idempotently() {
    walk("sarama", "messages");
}

#[test]
fn a_sarama_consumer_starts_anywhere_pauses_and_returns_to_its_commit() {
    walk("sarama", "positions");
}

#[test]
fn sarama_members_of_each_assignor_come_and_go_and_each_message_is_handled_once() {
    walk("sarama", "groups");
}

#[test]
fn the_sarama_admin_manages_topics_settings_records_replicas_and_groups() {
    walk("sarama", "admin");
}
