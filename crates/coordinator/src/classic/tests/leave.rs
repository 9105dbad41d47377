//! LeaveGroup.

use super::*;

#[test]
fn a_member_that_leaves_makes_the_others_join_again() {
    check(
        "
        a joins
        b joins
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        a syncs a=x b=y
            a: assigned x
        b syncs
            b: assigned y
        a leaves
            a: a ok
        b beats
            b: REBALANCE_IN_PROGRESS
        b joins
            b: joined 2 range, leads b
        ",
    );
}

#[test]
fn the_last_member_to_leave_waits_for_the_record_of_the_empty_group() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a syncs
            a: assigned
        writes wait
        a leaves
        state
            Empty
        writes go on
            a: a ok
        records
            g: generation 1 at 3000 led by a a=
            g: generation 2 at 3000 led by none
        ",
    );
}

#[test]
fn a_group_is_empty_even_if_that_cannot_be_written() {
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
        state
            Empty
        writes go on
        b joins
        @6000
            b: joined 3 range, leads b
        ",
    );
}

#[test]
fn strangers_cannot_leave() {
    check(
        "
        a leaves
            a:  UNKNOWN_MEMBER_ID
        a joins
        b leaves id=ghost
            b: ghost UNKNOWN_MEMBER_ID
        b leaves id=
            b:  UNKNOWN_MEMBER_ID
        ",
    );
}

#[test]
fn an_id_that_was_handed_out_can_be_given_back() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a syncs
            a: assigned
        b joins v4
            b: MEMBER_ID_REQUIRED
        b leaves
            b: b ok
        a beats
            a: ok
        b joins
            b: UNKNOWN_MEMBER_ID
        ",
    );
}

#[test]
fn a_rebalance_goes_on_when_the_last_it_waits_for_leaves() {
    check(
        "
        a joins
        b joins
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        c joins v4
            c: MEMBER_ID_REQUIRED
        a joins protocols=range:new
        b leaves
            b: b ok
        c leaves
            a: joined 2 range, leads a:new
            c: c ok
        ",
    );
}

#[test]
fn who_leaves_while_it_waits_is_told_that_it_is_out() {
    check(
        "
        a joins
        b joins
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        b syncs
        admin removes b
            b: UNKNOWN_MEMBER_ID
            admin: b ok
        a joins
            a: joined 2 range, leads a
        c joins
        a joins
            a: joined 3 range, leads a c
            c: joined 3 range, follows a
        ",
    );
}

#[test]
fn an_administrator_removes_static_members_by_their_instance_ids() {
    check(
        "
        a joins static=i
        b joins static=j
        c joins
        @6000
            c: joined 1 range, follows a
            a: joined 1 range, leads c a b
            b: joined 1 range, follows a
        a syncs
            a: assigned
        b syncs
            b: assigned
        c syncs
            c: assigned
        admin removes =i =unknown c b=j ghost
            admin: =i ok, =unknown UNKNOWN_MEMBER_ID, c ok, b=j ok, ghost UNKNOWN_MEMBER_ID
        state
            Empty
        ",
    );
}

#[test]
fn a_static_member_is_removed_under_its_present_id_only() {
    check(
        "
        a joins static=i
        b joins
        @6000
            b: joined 1 range, follows a
            a: joined 1 range, leads b a
        admin removes b=i
            admin: b=i FENCED_INSTANCE_ID
        admin removes a=j
            admin: a=j UNKNOWN_MEMBER_ID
        admin removes ghost=i
            admin: ghost=i FENCED_INSTANCE_ID
        state
            CompletingRebalance b a
        ",
    );
}

#[test]
fn pending_and_joined_members_leave_together() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        b joins v4
            b: MEMBER_ID_REQUIRED
        admin removes a b ghost
            admin: a ok, b ok, ghost UNKNOWN_MEMBER_ID
        state
            Empty
        ",
    );
}
