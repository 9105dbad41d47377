//! JoinGroup: who is let in, who is not, and what they are told.

use model::ErrorCode;

use super::script::check_with;
use super::*;
use crate::Config;

#[test]
fn the_first_member_leads_the_first_generation_once_the_initial_delay_is_over() {
    check(
        "
        a joins protocols=range:meta
        state
            PreparingRebalance a
        @2999
        @3000
            a: joined 1 range, leads a:meta
        state
            CompletingRebalance a
        ",
    );
}

#[test]
fn a_new_dynamic_member_is_told_its_id_first() {
    check(
        "
        a joins v4
            a: MEMBER_ID_REQUIRED
        state
            Empty
        a joins v4
        @3000
            a: joined 1 range, leads a
        ",
    );
}

#[test]
fn an_id_that_was_handed_out_expires_with_its_session() {
    check(
        "
        a joins v4 session=6000
            a: MEMBER_ID_REQUIRED
        @6000
        state
            Dead
        a joins v4
            a: UNKNOWN_MEMBER_ID
        ",
    );
}

#[test]
fn an_id_that_was_handed_out_is_for_dynamic_members_only() {
    check(
        "
        a joins v4
            a: MEMBER_ID_REQUIRED
        a joins v4 static=i
            a: UNKNOWN_SERVER_ERROR
        ",
    );
}

#[test]
fn a_static_member_needs_no_id_first() {
    check(
        "
        a joins v4 static=i
        @3000
            a: joined 1 range, leads a
        ",
    );
}

#[test]
fn an_unknown_member_id_is_refused_whether_or_not_there_is_a_group() {
    check(
        "
        a joins id=ghost
            a: UNKNOWN_MEMBER_ID
        state
            Dead
        b joins
        a joins id=ghost
            a: UNKNOWN_MEMBER_ID
        @3000
            b: joined 1 range, leads b
        a joins id=ghost
            a: UNKNOWN_MEMBER_ID
        ",
    );
}

#[test]
fn an_unknown_instance_id_with_a_member_id_is_refused() {
    check(
        "
        a joins static=i
        b joins id=ghost static=j
            b: UNKNOWN_MEMBER_ID
        c joins id=ghost static=i
            c: FENCED_INSTANCE_ID
        ",
    );
}

#[test]
fn session_timeouts_have_bounds() {
    check(
        "
        a joins session=5999
            a: INVALID_SESSION_TIMEOUT
        a joins session=1800001
            a: INVALID_SESSION_TIMEOUT
        state
            Dead
        a joins session=6000
        b joins session=1800000
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        ",
    );
}

#[test]
fn protocols_must_be_given_and_be_shared() {
    check(
        "
        a joins type= protocols=range
            a: INCONSISTENT_GROUP_PROTOCOL
        a joins protocols=
            a: INCONSISTENT_GROUP_PROTOCOL
        state
            Dead
        a joins protocols=range,sticky
        b joins type=connect protocols=range
            b: INCONSISTENT_GROUP_PROTOCOL
        b joins protocols=other
            b: INCONSISTENT_GROUP_PROTOCOL
        b joins protocols=other,sticky
        @6000
            a: joined 1 sticky, leads a b
            b: joined 1 sticky, follows a
        c joins protocols=range
            c: INCONSISTENT_GROUP_PROTOCOL
        ",
    );
}

#[test]
fn the_protocol_that_most_members_prefer_is_chosen() {
    check(
        "
        a joins protocols=x,y,z
        b joins protocols=y,z,x
        c joins protocols=y,x
        @6000
            a: joined 1 y, leads a b c
            b: joined 1 y, follows a
            c: joined 1 y, follows a
        ",
    );
}

#[test]
fn of_two_protocols_with_one_name_the_first_counts() {
    check(
        "
        a joins protocols=range:first,range:second,sticky
        b joins protocols=sticky,range
        @6000
            a: joined 1 range, leads a:first b
            b: joined 1 range, follows a
        ",
    );
}

#[test]
fn an_emptied_group_may_take_another_protocol_type() {
    check(
        "
        a joins type=connect
        @3000
            a: joined 1 range, leads a
        a leaves
            a: a ok
        b joins type=consumer protocols=sticky
        @6000
            b: joined 3 sticky, leads b
        ",
    );
}

#[test]
fn a_full_group_takes_nobody_in() {
    check(
        "
        a joins
        b joins
        c joins
        d joins
        e joins
            e: GROUP_MAX_SIZE_REACHED
        @6000
            a: joined 1 range, leads a b c d
            b: joined 1 range, follows a
            c: joined 1 range, follows a
            d: joined 1 range, follows a
        e joins
            e: GROUP_MAX_SIZE_REACHED
        d joins
            d: joined 1 range, follows a
        a syncs
            a: assigned
        e joins v4
            e: GROUP_MAX_SIZE_REACHED
        d joins
            d: joined 1 range, follows a
        ",
    );
}

#[test]
fn ids_handed_out_do_not_fill_a_group() {
    check_with(
        Config { max_size: 1, ..Config::default() },
        "
        a joins v4
            a: MEMBER_ID_REQUIRED
        b joins v4
            b: MEMBER_ID_REQUIRED
        a joins v4
        b joins v4
            b: GROUP_MAX_SIZE_REACHED
        @3000
            a: joined 1 range, leads a
        ",
    );
}

#[test]
fn a_follower_that_joins_again_unchanged_is_told_of_its_generation() {
    check(
        "
        a joins
        b joins
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        b joins
            b: joined 1 range, follows a
        a joins
            a: joined 1 range, leads a b
        a syncs b=x
            a: assigned
        b joins
            b: joined 1 range, follows a
        b syncs
            b: assigned x
        ",
    );
}

#[test]
fn a_leader_that_joins_a_stable_group_again_starts_a_rebalance() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a syncs a=x
            a: assigned x
        a joins
            a: joined 2 range, leads a
        ",
    );
}

#[test]
fn a_member_with_new_metadata_starts_a_rebalance() {
    check(
        "
        a joins
        b joins
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        b joins protocols=range:more
        a beats
            a: REBALANCE_IN_PROGRESS
        a joins
            a: joined 2 range, leads a b:more
            b: joined 2 range, follows a
        a syncs
            a: assigned
        b syncs
            b: assigned
        b joins protocols=range
        a joins
            a: joined 3 range, leads a b
            b: joined 3 range, follows a
        ",
    );
}

#[test]
fn a_new_order_of_protocols_is_a_change() {
    check(
        "
        a joins protocols=x,y
        b joins protocols=x,y
        @6000
            a: joined 1 x, leads a b
            b: joined 1 x, follows a
        b joins protocols=y,x
        a joins protocols=y,x
            a: joined 2 y, leads a b
            b: joined 2 y, follows a
        ",
    );
}

#[test]
fn a_join_that_is_sent_again_replaces_the_one_that_waits() {
    check(
        "
        a joins v4
            a: MEMBER_ID_REQUIRED
        a joins
        a joins
            a: REBALANCE_IN_PROGRESS
        @3000
            a: joined 1 range, leads a
        ",
    );
}

#[test]
fn a_new_member_that_waits_too_long_is_out() {
    check(
        "
        a joins rebalance=600000
        @3000
            a: joined 1 range, leads a
        a syncs
            a: assigned
        b joins rebalance=600000
        @+9000
        a beats
            a: REBALANCE_IN_PROGRESS
        @+9000
        a commits t-0=1
            a: t-0 ok
        a joins id=a session=1000000
            a: joined 2 range, leads a b
            b: joined 2 range, follows a
        a syncs
            a: assigned
        c joins rebalance=900000
        @+10000
        @+299999
            c: UNKNOWN_MEMBER_ID
        ",
    );
}

#[test]
fn ids_are_not_handed_out_without_end() {
    let mut scene = Scene::new(script::config());
    for _ in 0..super::super::config::MAX_PENDING_MEMBERS {
        assert_eq!(scene.ask_for_an_id(), ErrorCode::MemberIdRequired);
    }
    assert_eq!(scene.ask_for_an_id(), ErrorCode::GroupMaxSizeReached);
    // Their sessions end, and there is room again.
    scene.groups.expire(10_000);
    assert!(scene.groups.is_empty());
    assert_eq!(scene.ask_for_an_id(), ErrorCode::MemberIdRequired);
}

#[test]
fn names_that_fit_no_record_are_refused() {
    let long = "x".repeat(40_000);
    let mut scene = Scene::new(script::config());
    scene.run(&format!("a joins type={long}"));
    scene.run(&format!("a joins protocols={long}"));
    scene.run(&format!("a joins static={long}"));
    assert_eq!(scene.output().matches("a: INVALID_REQUEST").count(), 3);
    assert!(scene.groups.is_empty());
}
