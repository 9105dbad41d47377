//! OffsetCommit.

use super::*;

#[test]
fn a_member_commits_once_it_has_its_assignment() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a commits t-0=5
            a: t-0 REBALANCE_IN_PROGRESS
        a syncs
            a: assigned
        a commits t-0=5 u-1=6
            a: t-0 ok, u-1 ok
        records
            g: generation 1 at 3000 led by a a=
            g t-0: 5
            g u-1: 6
        ",
    );
}

#[test]
fn a_member_may_commit_before_it_joins_the_coming_generation() {
    check(
        "
        a joins
        b joins
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        a syncs
            a: assigned
        b syncs
            b: assigned
        a joins
        b commits t-0=5
            b: t-0 ok
        b joins
            a: joined 2 range, leads a b
            b: joined 2 range, follows a
        b commits t-0=5
            b: t-0 REBALANCE_IN_PROGRESS
        b commits t-0=5 generation=1
            b: t-0 ILLEGAL_GENERATION
        ",
    );
}

#[test]
fn strangers_and_other_generations_may_not_commit() {
    check(
        "
        a joins static=i
        @3000
            a: joined 1 range, leads a
        a syncs
            a: assigned
        b commits t-0=5 id=ghost generation=1
            b: t-0 UNKNOWN_MEMBER_ID
        a commits t-0=5 generation=2
            a: t-0 ILLEGAL_GENERATION
        a commits t-0=5 generation=-1
            a: t-0 ILLEGAL_GENERATION
        a commits t-0=5 static=j
            a: t-0 UNKNOWN_MEMBER_ID
        b commits t-0=5 static=i id=ghost generation=1
            b: t-0 FENCED_INSTANCE_ID
        b commits t-0=5
            b: t-0 UNKNOWN_MEMBER_ID
        ",
    );
}

#[test]
fn without_membership_anyone_may_commit_to_an_empty_group() {
    check(
        "
        x commits t-0=5
            x: t-0 ok
        state
            Empty
        x commits t-0=6 generation=1
            x: t-0 UNKNOWN_MEMBER_ID
        x commits t-0=7 static=i
            x: t-0 ok
        x commits t-0=8 id=whoever static=i
            x: t-0 ok
        records
            g t-0: 5
            g t-0: 7
            g t-0: 8
        ",
    );
}

#[test]
fn a_generation_of_an_unknown_group_is_refused_by_the_clients_age() {
    check(
        "
        x commits t-0=5 generation=1 v9
            x: t-0 GROUP_ID_NOT_FOUND
        x commits t-0=5 generation=1
            x: t-0 ILLEGAL_GENERATION
        state
            Dead
        ",
    );
}

#[test]
fn metadata_is_counted_in_characters() {
    check(
        "
        x commits t-0=5 meta=12345678
            x: t-0 ok
        x commits t-0=5 meta=123456789
            x: t-0 OFFSET_METADATA_TOO_LARGE
        x commits t-0=5 meta=äöüßÄÖÜ€
            x: t-0 ok
        x commits t-0=5 meta=\u{1F600}\u{1F600}\u{1F600}\u{1F600}
            x: t-0 ok
        x commits t-0=5 meta=\u{1F600}\u{1F600}\u{1F600}\u{1F600}1
            x: t-0 OFFSET_METADATA_TOO_LARGE
        ",
    );
}

#[test]
fn metadata_that_fits_no_record_is_refused_whatever_is_configured() {
    let config = crate::Config { offset_metadata_max_chars: usize::MAX, ..crate::Config::default() };
    let mut scene = Scene::new(config);
    scene.run(&format!("x commits t-0=5 meta={}", "x".repeat(32_768)));
    assert!(scene.output().ends_with("x: t-0 OFFSET_METADATA_TOO_LARGE\n"));
}

#[test]
fn a_commit_is_answered_when_it_is_durable() {
    check(
        "
        writes wait
        x commits t-0=5
        y commits t-0=6
        writes go on
            x: t-0 ok
            y: t-0 ok
        records
            g t-0: 5
            g t-0: 6
        ",
    );
}

#[test]
fn a_commit_that_cannot_be_written_says_so_of_every_partition() {
    check(
        "
        writes fail NOT_ENOUGH_REPLICAS
        x commits t-0=5 t-1=6
            x: t-0 COORDINATOR_NOT_AVAILABLE, t-1 COORDINATOR_NOT_AVAILABLE
        state
            Dead
        ",
    );
}

#[test]
fn a_commit_keeps_a_session_alive() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a syncs
            a: assigned
        @12999
        a commits t-0=5
            a: t-0 ok
        @22998
        state
            Stable a
        @22999
        state
            Empty
        ",
    );
}

#[test]
fn a_commit_of_nothing_is_answered_with_nothing() {
    check(
        "
        x commits
            x:
        state
            Dead
        ",
    );
}

#[test]
fn a_retention_of_the_clients_own_is_kept_with_the_offset() {
    let mut scene = Scene::new(script::config());
    for command in ["@100", "x commits t-0=5 retention=1000", "y commits t-1=6"] {
        scene.run(command);
    }
    let expiry = |partition| scene.store.offset("g", "t", partition).unwrap().expire_timestamp;
    assert_eq!((expiry(0), expiry(1)), (Some(1_100), None));
    assert_eq!(scene.store.offset("g", "t", 1).unwrap().commit_timestamp, 100);
}
