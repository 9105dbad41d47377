use model::SystemRandom;
use wire::StrBytes;

use super::*;

fn key(partition: i32) -> Key {
    Key { name: StrBytes::from_static_str("t"), id: uuid::Uuid::nil(), partition }
}

fn wanted(partition: i32, offset: i64) -> Wanted {
    Wanted { key: key(partition), offset, max_bytes: 100, current_leader_epoch: -1, last_fetched_epoch: -1 }
}

fn read(end: i64, records: &'static [u8]) -> Read {
    let records = if records.is_empty() { vec![] } else { vec![bytes::Bytes::from_static(records)] };
    Read { high_watermark: end, records, ..Read::default() }
}

fn sessions() -> Sessions {
    Sessions::new(Arc::new(SystemRandom), 20)
}

fn plan(sessions: &Sessions, id: i32, epoch: i32, wanted: Vec<Wanted>) -> Result<Planned, ErrorCode> {
    sessions.plan(0, id, epoch, false, wanted, &[])
}

/// A session over partitions 0 and 1, told of end offset 5 in both.
fn open(sessions: &Sessions) -> i32 {
    let planned = plan(sessions, 0, 0, vec![wanted(0, 5), wanted(1, 5)]).unwrap();
    sessions.record(&planned, &[read(5, b""), read(5, b"")]);
    planned.session_id
}

#[test]
fn a_request_without_a_session_reads_what_it_names() {
    let planned = plan(&sessions(), 0, -1, vec![wanted(0, 5)]).unwrap();
    assert_eq!((planned.session_id, planned.wanted.len()), (0, 1));
}

#[test]
fn a_session_remembers_its_partitions() {
    let sessions = sessions();
    let id = open(&sessions);
    assert_ne!(id, 0);
    let planned = plan(&sessions, id, 1, vec![wanted(1, 6)]).unwrap();
    assert_eq!(*planned.wanted, [wanted(0, 5), wanted(1, 6)]);
}

#[test]
fn only_partitions_with_news_are_told() {
    let sessions = sessions();
    let id = open(&sessions);
    let planned = plan(&sessions, id, 1, vec![]).unwrap();
    assert_eq!(sessions.record(&planned, &[read(5, b""), read(6, b"x")]), [false, true]);
}

#[test]
fn a_replica_to_read_instead_is_told_until_the_partition_is_forgotten() {
    let sessions = sessions();
    let id = open(&sessions);
    for epoch in 1..3 {
        let planned = plan(&sessions, id, epoch, vec![]).unwrap();
        let elsewhere = Read { preferred: Some(model::BrokerId(2)), ..read(5, b"") };
        assert_eq!(sessions.record(&planned, &[read(5, b""), elsewhere]), [false, true]);
    }
}

#[test]
fn a_forgotten_partition_is_read_no_more() {
    let sessions = sessions();
    let id = open(&sessions);
    let planned = sessions.plan(0, id, 1, false, vec![], &[key(0)]).unwrap();
    assert_eq!(*planned.wanted, [wanted(1, 5)]);
}

#[test]
fn epochs_must_follow_each_other() {
    let sessions = sessions();
    let id = open(&sessions);
    assert_eq!(plan(&sessions, id, 2, vec![]).err(), Some(ErrorCode::InvalidFetchSessionEpoch));
    assert!(plan(&sessions, id, 1, vec![]).is_ok());
    assert_eq!(plan(&sessions, id, 1, vec![]).err(), Some(ErrorCode::InvalidFetchSessionEpoch));
}

#[test]
fn an_unknown_session_is_refused() {
    assert_eq!(plan(&sessions(), 9, 1, vec![]).err(), Some(ErrorCode::FetchSessionIdNotFound));
}

#[test]
fn a_session_by_name_cannot_go_on_by_id() {
    let sessions = sessions();
    let id = open(&sessions);
    assert_eq!(sessions.plan(0, id, 1, true, vec![], &[]).err(), Some(ErrorCode::FetchSessionTopicIdError));
}

#[test]
fn the_final_epoch_ends_a_session() {
    let sessions = sessions();
    let id = open(&sessions);
    assert_eq!(plan(&sessions, id, -1, vec![]).unwrap().session_id, 0);
    assert_eq!(plan(&sessions, id, 1, vec![]).err(), Some(ErrorCode::FetchSessionIdNotFound));
}

#[test]
fn a_full_partition_goes_behind_the_others() {
    let sessions = sessions();
    let id = open(&sessions);
    let planned = plan(&sessions, id, 1, vec![]).unwrap();
    sessions.record(&planned, &[read(6, b"x"), read(5, b"")]);
    let planned = plan(&sessions, id, 2, vec![]).unwrap();
    assert_eq!(planned.wanted[0].key, key(1));
}

#[test]
fn sessions_are_bounded_and_idle_ones_make_room() {
    let sessions = sessions();
    for _ in 0..20 {
        open(&sessions);
    }
    assert_eq!(open(&sessions), 0);
    let planned = sessions.plan(EVICTION_MS, 0, 0, false, vec![wanted(0, 0)], &[]).unwrap();
    assert_ne!(planned.session_id, 0);
}
