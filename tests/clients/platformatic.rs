//! @platformatic/kafka 1.35, the newest for Node 20: each walk is a script of `platformatic/walk` that checks what it
//! sees itself.

use support::{TestBroker, node};

#[track_caller]
fn walk(name: &str) {
    assert_eq!(node("platformatic", &format!("walk/{name}.js"), &TestBroker::new()).run(), "done\n");
}

#[test]
fn platformatic_reads_what_it_sent_one_by_one_compressed_streamed_and_idempotently() {
    walk("messages");
}

#[test]
fn a_platformatic_stream_starts_where_it_is_told_pauses_and_returns_to_its_commit() {
    walk("positions");
}

#[test]
fn platformatic_members_come_and_go_and_no_message_is_lost() {
    walk("groups");
}

#[test]
fn the_platformatic_admin_manages_topics_settings_records_and_groups() {
    walk("admin");
}
