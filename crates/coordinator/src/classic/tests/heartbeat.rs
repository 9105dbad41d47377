//! Heartbeats and sessions.

use super::*;

#[test]
fn strangers_and_other_generations_are_told_so() {
    check(
        "
        a beats
            a: UNKNOWN_MEMBER_ID
        a joins
        @3000
            a: joined 1 range, leads a
        b beats id=ghost generation=1
            b: UNKNOWN_MEMBER_ID
        a beats generation=2
            a: ILLEGAL_GENERATION
        a beats static=i
            a: UNKNOWN_MEMBER_ID
        a beats
            a: ok
        ",
    );
}

#[test]
fn an_empty_group_knows_no_members() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a leaves
            a: a ok
        a beats
            a: UNKNOWN_MEMBER_ID
        a commits t-0=1 generation=-1 id=
            a: t-0 ok
        a beats
            a: UNKNOWN_MEMBER_ID
        ",
    );
}

#[test]
fn a_heartbeat_tells_of_a_rebalance() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a beats
            a: ok
        a syncs
            a: assigned
        a beats
            a: ok
        b joins
        a beats
            a: REBALANCE_IN_PROGRESS
        ",
    );
}

#[test]
fn a_silent_member_is_out_after_its_session() {
    check(
        "
        a joins session=10000
        b joins session=20000
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        a syncs a=x b=y
            a: assigned x
        b syncs
            b: assigned y
        @15999
        b beats
            b: ok
        @16000
        b beats
            b: REBALANCE_IN_PROGRESS
        b joins
            b: joined 2 range, leads b
        ",
    );
}

#[test]
fn heartbeats_keep_a_session_alive() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a syncs a=x
            a: assigned x
        @12999
        a beats
            a: ok
        @22998
        a beats
            a: ok
        @32997
        state
            Stable a=x
        @32998
        state
            Empty
        ",
    );
}

#[test]
fn heartbeats_keep_a_session_alive_in_a_rebalance_too() {
    check(
        "
        a joins rebalance=60000
        b joins rebalance=60000
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        a syncs
            a: assigned
        b syncs
            b: assigned
        b joins protocols=range:new
        @15000
        a beats
            a: REBALANCE_IN_PROGRESS
        @24000
        a beats
            a: REBALANCE_IN_PROGRESS
        @33000
        a joins
            a: joined 2 range, leads a b:new
            b: joined 2 range, follows a
        ",
    );
}

#[test]
fn a_silent_member_does_not_hold_up_a_rebalance_longer_than_its_session() {
    check(
        "
        a joins rebalance=60000
        b joins rebalance=60000
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        a syncs
            a: assigned
        b syncs
            b: assigned
        b joins protocols=range:new
        @16000
            b: joined 2 range, leads b:new
        ",
    );
}

#[test]
fn who_waits_for_the_broker_is_not_silent() {
    check(
        "
        a joins rebalance=60000
        b joins rebalance=60000
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        b syncs
        @15000
        a beats
            a: ok
        @24000
        a syncs b=y
            a: assigned
            b: assigned y
        @33999
        state
            Stable a b=y
        @34000
        state
            Empty
        ",
    );
}

#[test]
fn a_member_that_is_answered_by_a_new_rebalance_has_its_session_in_full() {
    check(
        "
        a joins rebalance=60000
        b joins rebalance=60000
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        b syncs
        @15000
        a beats
            a: ok
        @20000
        c joins
            b: REBALANCE_IN_PROGRESS
        @24999
        state
            PreparingRebalance a b c
        @25000
        state
            PreparingRebalance b c
        @29999
        b joins
            b: joined 2 range, leads b c
            c: joined 2 range, follows b
        ",
    );
}

#[test]
fn a_session_that_was_shortened_does_not_last_as_long_as_the_last_heartbeat_gave_it() {
    check(
        "
        a joins session=30000
        @3000
            a: joined 1 range, leads a
        a syncs a=x
            a: assigned x
        a beats
            a: ok
        a joins session=6000
            a: joined 2 range, leads a
        a syncs a=x
            a: assigned x
        @8999
        state
            Stable a=x
        @9000
        state
            Empty
        ",
    );
}
