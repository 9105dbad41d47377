//! DeleteGroups, OffsetDelete, and the end of topics.

use super::*;

#[test]
fn an_empty_group_is_deleted_with_its_offsets() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a syncs
            a: assigned
        a commits t-0=5 t-1=6
            a: t-0 ok, t-1 ok
        x deletes group
            x: NON_EMPTY_GROUP
        a leaves
            a: a ok
        records
            g: generation 1 at 3000 led by a a=
            g t-0: 5
            g t-1: 6
            g: generation 2 at 3000 led by none
        x deletes group
            x: NONE
        records
            g t-0: deleted
            g t-1: deleted
            g: deleted
        state
            Dead
        x deletes group
            x: GROUP_ID_NOT_FOUND
        ",
    );
}

#[test]
fn a_deleted_group_begins_anew() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a leaves
            a: a ok
        x deletes group
            x: NONE
        a joins id=
        @6000
            a: joined 1 range, leads a2
        ",
    );
}

#[test]
fn ids_that_a_deleted_group_handed_out_are_void() {
    check(
        "
        a joins v4
            a: MEMBER_ID_REQUIRED
        x deletes group
            x: NONE
        a joins v4
            a: UNKNOWN_MEMBER_ID
        ",
    );
}

#[test]
fn a_commit_on_its_way_does_not_outlive_the_group() {
    check(
        "
        writes wait
        y commits t-0=5
        x deletes group
        writes go on
            y: t-0 ok
            x: NONE
        records
            g t-0: 5
            g t-0: deleted
            g: deleted
        state
            Dead
        ",
    );
}

#[test]
fn a_group_whose_deletion_cannot_be_written_is_still_there() {
    check(
        "
        y commits t-0=5
            y: t-0 ok
        writes fail NOT_ENOUGH_REPLICAS
        x deletes group
            x: COORDINATOR_NOT_AVAILABLE
        state
            Empty
        ",
    );
}

#[test]
fn deletion_takes_members_away_that_an_unwritten_end_left_behind() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a syncs
            a: assigned
        writes fail NOT_ENOUGH_REPLICAS
        a leaves
            a: COORDINATOR_NOT_AVAILABLE
        writes go on
        x deletes group
            x: NONE
        state
            Dead
        b joins
        @6000
            b: joined 1 range, leads b
        ",
    );
}

#[test]
fn offsets_of_topics_in_use_are_not_deleted() {
    // A ConsumerProtocolSubscription of one topic, "t".
    let subscription = "range:\0\0\0\0\0\x01\0\x01t";
    check(&format!(
        "
        a joins protocols={subscription}
        @3000
            a: joined 1 range, leads a:\0\0\0\0\0\x01\0\x01t
        a syncs
            a: assigned
        a commits t-0=5 u-0=6
            a: t-0 ok, u-0 ok
        x deletes t-0 u-0 u-1
            x: t-0 GROUP_SUBSCRIBED_TO_TOPIC, u-0 ok, u-1 ok
        records
            g: generation 1 at 3000 led by a a=
            g t-0: 5
            g u-0: 6
            g u-0: deleted
        a leaves
            a: a ok
        x deletes t-0
            x: t-0 ok
        "
    ));
}

#[test]
fn if_the_topics_in_use_cannot_be_known_all_are() {
    check(
        "
        a joins protocols=range:nonsense
        @3000
            a: joined 1 range, leads a:nonsense
        a syncs
            a: assigned
        x deletes u-0
            x: u-0 GROUP_SUBSCRIBED_TO_TOPIC
        ",
    );
}

#[test]
fn other_groups_must_be_empty_for_their_offsets_to_be_deleted() {
    check(
        "
        x deletes t-0
            x: GROUP_ID_NOT_FOUND
        a joins type=connect
        @3000
            a: joined 1 range, leads a
        a syncs
            a: assigned
        a commits t-0=5
            a: t-0 ok
        x deletes t-0
            x: NON_EMPTY_GROUP
        a leaves
            a: a ok
        x deletes t-0
            x: t-0 ok
        ",
    );
}

#[test]
fn offsets_that_are_not_there_leave_no_record() {
    check(
        "
        y commits t-0=5
            y: t-0 ok
        x deletes t-1
            x: t-1 ok
        records
            g t-0: 5
        x deletes t-0
            x: t-0 ok
        records
            g t-0: deleted
        state
            Dead
        ",
    );
}

#[test]
fn a_deleted_topic_takes_its_offsets_with_it() {
    check(
        "
        y commits t-0=5 t-1=6 u-0=7
            y: t-0 ok, t-1 ok, u-0 ok
        writes wait
        y commits t-2=8
        delete topic t
        writes go on
            y: t-2 ok
        records
            g t-0: 5
            g t-1: 6
            g u-0: 7
            g t-2: 8
            g t-0: deleted
            g t-1: deleted
            g t-2: deleted
        delete topic nobody
        records
        ",
    );
}
