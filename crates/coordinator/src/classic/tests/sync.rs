//! SyncGroup: waiting for the leader, and for the disk.

use super::*;

#[test]
fn followers_wait_for_the_leader() {
    check(
        "
        a joins
        b joins
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        b syncs
        a syncs a=x b=y
            a: assigned x
            b: assigned y
        records
            g: generation 1 at 6000 led by a a=x b=y
        state
            Stable a=x b=y
        ",
    );
}

#[test]
fn a_follower_that_comes_after_the_leader_is_answered_at_once() {
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
        b syncs
            b: assigned y
        ",
    );
}

#[test]
fn whom_the_leader_leaves_out_gets_nothing_and_strangers_are_passed_over() {
    check(
        "
        a joins
        b joins
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        b syncs
        a syncs b=y stranger=z
            a: assigned
            b: assigned y
        records
            g: generation 1 at 6000 led by a a= b=y
        ",
    );
}

#[test]
fn the_assignment_is_handed_out_when_it_is_durable() {
    check(
        "
        a joins
        b joins
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        writes wait
        a syncs a=x b=y
        b syncs
        state
            CompletingRebalance a b
        a beats
            a: ok
        writes go on
            a: assigned x
            b: assigned y
        state
            Stable a=x b=y
        ",
    );
}

#[test]
fn an_assignment_that_cannot_be_written_starts_the_rebalance_anew() {
    check(
        "
        a joins
        b joins
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        b syncs
        writes fail NOT_ENOUGH_REPLICAS
        a syncs a=x b=y
            a: COORDINATOR_NOT_AVAILABLE
            b: COORDINATOR_NOT_AVAILABLE
        state
            PreparingRebalance a b
        writes go on
        a joins
        b joins
            a: joined 2 range, leads a b
            b: joined 2 range, follows a
        ",
    );
}

#[test]
fn errors_of_the_append_are_translated_as_kafka_does() {
    let told = [
        ("UNKNOWN_TOPIC_OR_PARTITION", "COORDINATOR_NOT_AVAILABLE"),
        ("REQUEST_TIMED_OUT", "COORDINATOR_NOT_AVAILABLE"),
        ("NOT_LEADER_OR_FOLLOWER", "NOT_COORDINATOR"),
        ("KAFKA_STORAGE_ERROR", "NOT_COORDINATOR"),
        ("MESSAGE_TOO_LARGE", "UNKNOWN_SERVER_ERROR"),
        ("RECORD_LIST_TOO_LARGE", "UNKNOWN_SERVER_ERROR"),
        ("INVALID_FETCH_SIZE", "UNKNOWN_SERVER_ERROR"),
        ("LEADER_NOT_AVAILABLE", "LEADER_NOT_AVAILABLE"),
    ];
    for (append, client) in told {
        check(&format!(
            "
            writes fail {append}
            a commits t-0=1
                a: t-0 {client}
            "
        ));
    }
}

#[test]
fn an_assignment_that_is_overtaken_by_a_rebalance_is_not_handed_out() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        writes wait
        a syncs a=old
        b joins
            a: REBALANCE_IN_PROGRESS
        a joins
            a: joined 2 range, leads a b
            b: joined 2 range, follows a
        b syncs
        writes go on
        state
            CompletingRebalance a b
        a syncs a=x b=y
            a: assigned x
            b: assigned y
        ",
    );
}

#[test]
fn a_leader_that_asks_twice_writes_once() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        writes wait
        a syncs a=x
        a syncs a=y
            a: REBALANCE_IN_PROGRESS
        writes go on
            a: assigned x
        records
            g: generation 1 at 3000 led by a a=x
        ",
    );
}

#[test]
fn strangers_and_other_generations_are_refused() {
    check(
        "
        a syncs
            a: UNKNOWN_MEMBER_ID
        a joins
        a syncs id=ghost
            a: UNKNOWN_MEMBER_ID
        @3000
            a: joined 1 range, leads a
        a syncs generation=0
            a: ILLEGAL_GENERATION
        a syncs generation=2
            a: ILLEGAL_GENERATION
        b syncs id=a static=i
            b: UNKNOWN_MEMBER_ID
        ",
    );
}

#[test]
fn protocol_type_and_name_are_compared_if_they_are_given() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a syncs type=connect protocol=range
            a: INCONSISTENT_GROUP_PROTOCOL
        a syncs type=consumer protocol=sticky
            a: INCONSISTENT_GROUP_PROTOCOL
        a syncs type=consumer protocol=range
            a: assigned
        a syncs
            a: assigned
        ",
    );
}

#[test]
fn in_a_rebalance_members_are_sent_back_to_join() {
    check(
        "
        a joins
        b joins
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        a syncs
            a: assigned
        a joins
        b syncs
            b: REBALANCE_IN_PROGRESS
        ",
    );
}

#[test]
fn a_follower_that_never_asks_for_its_assignment_is_out() {
    check(
        "
        a joins
        b joins
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        a syncs a=x
            a: assigned x
        @+9000
        a beats
            a: ok
        b beats
            b: ok
        @+9000
        a beats
            a: ok
        b beats
            b: ok
        @+1999
        state
            Stable a=x b
        @+1
        state
            PreparingRebalance a=x
        a joins
            a: joined 2 range, leads a
        ",
    );
}

#[test]
fn when_the_leader_never_assigns_the_others_join_again() {
    check(
        "
        a joins
        b joins
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        b syncs
        @+9000
        a beats
            a: ok
        @+9000
        a beats
            a: ok
        @+2000
            b: REBALANCE_IN_PROGRESS
        b joins
            b: joined 2 range, leads b
        ",
    );
}

#[test]
fn when_nobody_asks_for_an_assignment_the_group_becomes_empty() {
    check(
        "
        a joins session=30000
        b joins session=30000
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        @+20000
        state
            Empty
        records
            g: generation 2 at 26000 led by none
        ",
    );
}

#[test]
fn once_all_have_asked_nobody_is_thrown_out() {
    check(
        "
        a joins session=60000
        b joins session=60000
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        a syncs a=x b=y
            a: assigned x
        b syncs
            b: assigned y
        @+50000
        state
            Stable a=x b=y
        ",
    );
}

#[test]
fn a_sync_that_is_sent_again_replaces_the_one_that_waits() {
    check(
        "
        a joins
        b joins
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        b syncs
        b syncs
            b: REBALANCE_IN_PROGRESS
        a syncs b=y
            a: assigned
            b: assigned y
        ",
    );
}
