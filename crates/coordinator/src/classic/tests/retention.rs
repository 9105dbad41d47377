//! `offsets.retention.minutes`.

use super::script::{check_with, config};
use super::*;
use crate::Config;

/// A retention of a minute.
#[track_caller]
fn check_minute(script: &str) {
    check_with(Config { offsets_retention_ms: 60_000, ..config() }, script);
}

#[test]
fn offsets_of_a_simple_group_expire_by_their_commit() {
    check_minute(
        "
        x commits t-0=5
            x: t-0 ok
        @30000
        x commits t-1=6
            x: t-1 ok
        @59999
        expire offsets
        records
            g t-0: 5
            g t-1: 6
        @60000
        expire offsets
        records
            g t-0: deleted
        @90000
        expire offsets
        state
            Dead
        ",
    );
}

#[test]
fn offsets_of_a_group_expire_when_it_was_empty_for_long() {
    check_minute(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a syncs
            a: assigned
        a commits t-0=5
            a: t-0 ok
        @10000
        a leaves
            a: a ok
        records
            g: generation 1 at 3000 led by a a=
            g t-0: 5
            g: generation 2 at 10000 led by none
        @69999
        expire offsets
        records
        @70000
        expire offsets
        records
            g t-0: deleted
            g: deleted
        state
            Dead
        ",
    );
}

#[test]
fn an_empty_group_without_offsets_is_removed_at_once() {
    check_minute(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a leaves
            a: a ok
        expire offsets
        records
            g: generation 2 at 3000 led by none
            g: deleted
        ",
    );
}

#[test]
fn a_commit_to_an_empty_group_does_not_prolong_its_life() {
    check_minute(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a leaves
            a: a ok
        @50000
        x commits t-0=5
            x: t-0 ok
        @63000
        expire offsets
        state
            Dead
        ",
    );
}

#[test]
fn a_stable_group_keeps_offsets_of_the_topics_it_reads() {
    check_minute(
        "
        a joins protocols=range:\0\0\0\0\0\x01\0\x01t session=1000000
        @3000
            a: joined 1 range, leads a:\0\0\0\0\0\x01\0\x01t
        a syncs
            a: assigned
        a commits t-0=5 u-0=6
            a: t-0 ok, u-0 ok
        @50000
        a commits u-1=7
            a: u-1 ok
        @63000
        records
            g: generation 1 at 3000 led by a a=
            g t-0: 5
            g u-0: 6
            g u-1: 7
        expire offsets
        records
            g u-0: deleted
        ",
    );
}

#[test]
fn all_is_kept_while_it_is_unknown_what_is_read() {
    for options in ["protocols=range:nonsense", "type=connect"] {
        let metadata = if options.contains("nonsense") { ":nonsense" } else { "" };
        check_minute(&format!(
            "
            a joins session=1000000 {options}
            @3000
                a: joined 1 range, leads a{metadata}
            a syncs
                a: assigned
            a commits t-0=5
                a: t-0 ok
            @100000
            records
                g: generation 1 at 3000 led by a a=
                g t-0: 5
            expire offsets
            records
            "
        ));
    }
}

#[test]
fn nothing_expires_in_a_rebalance() {
    check_minute(
        "
        x commits t-0=5
            x: t-0 ok
        @59000
        a joins
        @60000
        records
            g t-0: 5
        expire offsets
        records
        ",
    );
}

#[test]
fn a_retention_of_the_clients_own_counts_instead() {
    check_minute(
        "
        x commits t-0=5 retention=1000
            x: t-0 ok
        x commits t-1=5 retention=100000
            x: t-1 ok
        records
            g t-0: 5
            g t-1: 5
        @1000
        expire offsets
        records
            g t-0: deleted
        @99999
        expire offsets
        records
        @100000
        expire offsets
        records
            g t-1: deleted
        ",
    );
}

#[test]
fn a_commit_on_its_way_is_not_taken_for_the_old_one() {
    check_minute(
        "
        x commits t-0=5
            x: t-0 ok
        @60000
        writes wait
        x commits t-0=6
        expire offsets
        writes go on
            x: t-0 ok
        records
            g t-0: 5
            g t-0: 6
        expire offsets
        records
        ",
    );
}

#[test]
fn many_groups_are_looked_at_in_portions() {
    let mut scene = Scene::new(Config { offsets_retention_ms: 1, ..config() });
    for group in 0..10 {
        let commit = scene.commit_to(&format!("g{group}"));
        scene.apply(commit);
    }
    let (mut after, mut rounds, mut tombstones) = (None, 0, 0);
    loop {
        let (effects, next) = scene.groups.expire_offsets(1_000, &scene.store, after.as_deref(), 3);
        tombstones += effects.writes.len();
        rounds += 1;
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((rounds, tombstones), (4, 10));
}

#[test]
fn the_tombstones_of_a_large_group_are_several_writes() {
    let mut scene = Scene::new(Config { offsets_retention_ms: 1, ..config() });
    let partitions: String = (0..5_000).map(|partition| format!(" t-{partition}=1")).collect();
    scene.run(&format!("x commits{partitions}"));
    let (effects, _) = scene.groups.expire_offsets(1_000, &scene.store, None, 1);
    let sizes: Vec<_> = effects.writes.iter().map(|write| write.records.len()).collect();
    assert_eq!(sizes, [2_000, 2_000, 1_000]);
}
