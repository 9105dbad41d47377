//! Static members (KIP-345): a process that comes back under its instance id.

use super::script::check_with;
use super::*;
use crate::Config;

/// `a` (instance i) leads the stable group, `b` (instance j) follows.
const STABLE: &str = "
        a joins static=i
        b joins static=j
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        a syncs a=x b=y
            a: assigned x
        b syncs
            b: assigned y
";

#[track_caller]
fn check_stable(then: &str) {
    check(&format!("{}{}", STABLE.trim_start_matches('\n'), then.trim_start_matches('\n')));
}

#[test]
fn a_static_member_that_comes_back_keeps_its_partitions() {
    check_stable(
        "
        b joins id=
            b: joined 1 range, follows a
        b syncs
            b: assigned y
        a beats
            a: ok
        state
            Stable a=x b2=y
        records
            g: generation 1 at 6000 led by a a=x b=y
            g: generation 1 at 6000 led by a a=x b2=y
        ",
    );
}

#[test]
fn a_static_leader_that_comes_back_is_told_that_someone_else_leads() {
    check_stable(
        "
        a joins id=
            a: joined 1 range, follows a
        a syncs
            a: assigned x
        state
            Stable a2=x b=y
        ",
    );
}

#[test]
fn a_static_leader_that_comes_back_may_be_told_to_skip_assigning() {
    check_stable(
        "
        a joins id= v9
            a: joined 1 range, leads a2 b, skips
        a syncs
            a: assigned x
        b joins id= v9
            b: joined 1 range, follows a2
        ",
    );
}

#[test]
fn the_answer_to_a_static_member_waits_for_its_new_id_to_be_durable() {
    check_stable(
        "
        writes wait
        b joins id=
        a beats
            a: ok
        writes go on
            b: joined 1 range, follows a
        ",
    );
}

#[test]
fn a_new_id_that_cannot_be_written_is_taken_back() {
    check_stable(
        "
        writes fail REQUEST_TIMED_OUT
        c joins static=j
            c: COORDINATOR_NOT_AVAILABLE
        b beats
            b: ok
        state
            Stable a=x b=y
        writes fail NOT_LEADER_OR_FOLLOWER
        c joins static=i
            c: NOT_COORDINATOR
        a joins
        b joins
            a: joined 2 range, leads a b
            b: joined 2 range, follows a
        ",
    );
}

#[test]
fn the_old_id_is_fenced() {
    check_stable(
        "
        c joins static=j
            c: joined 1 range, follows a
        b beats
            b: FENCED_INSTANCE_ID
        b joins
            b: FENCED_INSTANCE_ID
        b syncs
            b: FENCED_INSTANCE_ID
        b commits t-0=1
            b: t-0 FENCED_INSTANCE_ID
        b leaves
            b: b=j FENCED_INSTANCE_ID
        c beats
            c: ok
        ",
    );
}

#[test]
fn a_static_member_gets_a_new_id_each_time() {
    check_stable(
        "
        b joins id=
            b: joined 1 range, follows a
        b joins id=
            b: joined 1 range, follows a
        state
            Stable a=x b3=y
        ",
    );
}

#[test]
fn of_two_that_come_back_at_once_the_first_is_fenced() {
    check_stable(
        "
        writes wait
        b joins id=
        c joins static=j
            b: FENCED_INSTANCE_ID
        writes go on
            c: joined 1 range, follows a
        ",
    );
}

#[test]
fn who_waits_in_sync_is_fenced_by_its_double() {
    check(
        "
        a joins static=i
        b joins static=j
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        b syncs
        c joins static=j
            b: FENCED_INSTANCE_ID
        a joins
            a: joined 2 range, leads a c
            c: joined 2 range, follows a
        ",
    );
}

#[test]
fn who_waits_in_join_is_fenced_by_its_double() {
    check_stable(
        "
        a joins
        b joins
            a: joined 2 range, leads a b
            b: joined 2 range, follows a
        a syncs
            a: assigned
        b syncs
            b: assigned
        b joins protocols=range:new
        c joins static=j
            b: FENCED_INSTANCE_ID
        a joins
            a: joined 3 range, leads a c
            c: joined 3 range, follows a
        ",
    );
}

#[test]
fn a_static_member_that_comes_back_while_the_leader_assigns_starts_a_rebalance() {
    check(
        "
        a joins static=i
        b joins static=j
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        b joins id=
        a syncs a=x b=y
            a: REBALANCE_IN_PROGRESS
        a joins
            a: joined 2 range, leads a b2
            b: joined 2 range, follows a
        ",
    );
}

#[test]
fn a_static_member_with_other_metadata_and_the_same_protocol_does_not_rebalance() {
    check_stable(
        "
        b joins id= protocols=range:new,sticky
            b: joined 1 range, follows a
        state
            Stable a=x b2=y
        a joins
        b joins protocols=range:new,sticky
            a: joined 2 range, leads a b2:new
            b: joined 2 range, follows a
        ",
    );
}

#[test]
fn a_static_member_that_changes_the_common_protocol_starts_a_rebalance() {
    check(
        "
        a joins static=i protocols=x,y
        @3000
            a: joined 1 x, leads a
        a syncs a=1
            a: assigned 1
        a joins id= protocols=y,x
            a: joined 2 y, leads a2
        ",
    );
}

#[test]
fn a_static_member_that_comes_back_with_its_member_id_is_like_any_other() {
    check_stable(
        "
        b joins
            b: joined 1 range, follows a
        b joins protocols=range:new
        a joins
            a: joined 2 range, leads a b:new
            b: joined 2 range, follows a
        a syncs
            a: assigned
        a joins
        b joins protocols=range:new
            a: joined 3 range, leads a b:new
            b: joined 3 range, follows a
        ",
    );
}

#[test]
fn the_place_of_a_static_member_is_kept_through_a_rebalance() {
    check(
        "
        a joins static=i session=60000
        b joins static=j session=60000
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        a syncs a=x b=y
            a: assigned x
        b syncs
            b: assigned y
        b joins protocols=range:new session=60000
        @+20000
            b: joined 2 range, leads a b:new
        b syncs b=x
            b: assigned x
        state
            Stable a b=x
        ",
    );
}

#[test]
fn a_static_leader_that_does_not_come_back_hands_over_the_lead() {
    check(
        "
        a joins static=i session=60000
        b joins session=60000
        @6000
            b: joined 1 range, follows a
            a: joined 1 range, leads b a
        a syncs
            a: assigned
        b syncs
            b: assigned
        b joins protocols=range:new session=60000
        @+20000
            b: joined 2 range, leads b:new a
        ",
    );
}

#[test]
fn a_rebalance_that_nobody_joined_waits_for_the_sessions_of_static_members() {
    check(
        "
        a joins static=i session=50000 rebalance=6000
        b joins session=50000 rebalance=6000
        @6000
            b: joined 1 range, follows a
            a: joined 1 range, leads b a
        a syncs
            a: assigned
        b syncs
            b: assigned
        b leaves
            b: b ok
        @12000
        state
            PreparingRebalance a
        @18000
        state
            PreparingRebalance a
        @56000
        state
            Empty
        ",
    );
}

#[test]
fn a_rebalance_timeout_of_zero_does_not_keep_the_broker_busy() {
    check(
        "
        a joins static=i session=50000
        @3000
            a: joined 1 range, leads a
        a syncs
            a: assigned
        a joins id= session=50000 rebalance=0
            a: joined 1 range, follows a
        b joins v4 rebalance=0
            b: MEMBER_ID_REQUIRED
        b joins rebalance=0
        b leaves
            b: UNKNOWN_MEMBER_ID
            b: b ok
        @+0
        state
            PreparingRebalance a2
        @53000
        state
            Empty
        ",
    );
}

#[test]
fn a_static_member_that_comes_back_during_a_rebalance_takes_part_in_it() {
    check_stable(
        "
        a joins
        b joins id=
            a: joined 2 range, leads a b2
            b: joined 2 range, follows a
        ",
    );
}

#[test]
fn a_rebalance_that_begins_before_the_new_id_is_durable_answers_in_its_place() {
    check_stable(
        "
        writes wait
        b joins id=
        a joins
            a: joined 2 range, leads a b2
            b: joined 2 range, follows a
        writes go on
        state
            CompletingRebalance a=x b2=y
        ",
    );
}

#[test]
fn the_session_of_a_static_member_that_came_back_counts_anew() {
    check_stable(
        "
        @15000
        a beats
            a: ok
        b joins id=
            b: joined 1 range, follows a
        @24999
        a beats
            a: ok
        @25000
        state
            PreparingRebalance a=x
        ",
    );
}

#[test]
fn a_new_id_that_is_long_in_the_writing_does_not_outlive_its_session_for_ever() {
    check_stable(
        "
        writes wait
        b joins id=
        @15000
        a beats
            a: ok
        @20000
        a beats
            a: ok
        writes go on
            b: joined 1 range, follows a
        @29999
        a beats
            a: ok
        @30000
        state
            PreparingRebalance a=x
        ",
    );
}

#[test]
fn a_full_group_takes_its_static_members_back_by_member_id() {
    check_with(
        Config { max_size: 1, ..Config::default() },
        "
        a joins static=i
        b joins static=j
            b: GROUP_MAX_SIZE_REACHED
        @3000
            a: joined 1 range, leads a
        a syncs
            a: assigned
        a joins
            a: joined 2 range, leads a
        a joins id=
            a: GROUP_MAX_SIZE_REACHED
        ",
    );
}
