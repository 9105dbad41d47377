//! Rebalances: how long they wait, for whom, and who leads afterwards.

use super::script::{check_with, config};
use super::*;
use crate::Config;

#[test]
fn the_initial_delay_is_extended_while_members_keep_coming() {
    check(
        "
        a joins
        @2000
        b joins
        @3000
        @5999
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        ",
    );
}

#[test]
fn the_initial_delay_ends_with_the_rebalance_timeout() {
    check(
        "
        a joins rebalance=7000
        @1000
        b joins rebalance=7000
        @4000
        c joins rebalance=7000
        @6500
        d joins rebalance=7000
        @6999
        @7000
            a: joined 1 range, leads a b c d
            b: joined 1 range, follows a
            c: joined 1 range, follows a
            d: joined 1 range, follows a
        ",
    );
}

#[test]
fn without_an_initial_delay_the_first_member_need_not_wait() {
    check_with(
        Config { initial_rebalance_delay_ms: 0, ..config() },
        "
        a joins
        @0
            a: joined 1 range, leads a
        ",
    );
}

#[test]
fn a_rebalance_ends_as_soon_as_all_have_joined() {
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
        c joins
        b joins
        @7000
        a joins
            a: joined 2 range, leads a b c
            b: joined 2 range, follows a
            c: joined 2 range, follows a
        ",
    );
}

#[test]
fn who_does_not_join_within_the_rebalance_timeout_is_out() {
    check(
        "
        a joins rebalance=5000 session=1000000
        b joins rebalance=7000 session=1000000
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        a syncs
            a: assigned
        b syncs
            b: assigned
        a joins session=1000000
        @+19999
        @+1
            a: joined 2 range, leads a
        b beats
            b: UNKNOWN_MEMBER_ID
        ",
    );
}

#[test]
fn the_longest_rebalance_timeout_of_all_members_counts() {
    check(
        "
        a joins rebalance=6000 session=1000000
        b joins rebalance=9000 session=1000000
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        a joins protocols=range:new rebalance=6000
        @+8999
        @+1
            a: joined 2 range, leads a:new
        ",
    );
}

#[test]
fn members_of_the_oldest_clients_are_waited_for_as_long_as_their_session() {
    check(
        "
        a joins rebalance=-1 session=30000
        b joins rebalance=-1 session=20000
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        b joins protocols=range:new rebalance=-1 session=25000
        @+9000
        a beats
            a: REBALANCE_IN_PROGRESS
        @+20999
        @+1
            b: joined 2 range, leads b:new
        ",
    );
}

#[test]
fn when_the_leader_does_not_come_back_another_member_leads() {
    check(
        "
        a joins
        b joins
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        a syncs
            a: assigned
        b joins protocols=range:new
        @+20000
            b: joined 2 range, leads b:new
        ",
    );
}

#[test]
fn a_member_that_joins_while_the_leader_assigns_starts_a_new_rebalance() {
    check(
        "
        a joins
        b joins
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        b syncs
        c joins
            b: REBALANCE_IN_PROGRESS
        a syncs
            a: REBALANCE_IN_PROGRESS
        a joins
        b joins
            a: joined 2 range, leads a b c
            b: joined 2 range, follows a
            c: joined 2 range, follows a
        ",
    );
}

#[test]
fn a_rebalance_waits_for_ids_that_were_handed_out() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a syncs
            a: assigned
        b joins v4
            b: MEMBER_ID_REQUIRED
        a joins
        @4000
        b joins v4
            a: joined 2 range, leads a b
            b: joined 2 range, follows a
        ",
    );
}

#[test]
fn a_rebalance_goes_on_when_an_id_that_was_handed_out_expires() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a syncs
            a: assigned
        b joins v4 session=6000
            b: MEMBER_ID_REQUIRED
        a joins
        @8999
        @9000
            a: joined 2 range, leads a
        ",
    );
}

#[test]
fn the_generation_counts_on_after_the_group_was_empty() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a leaves
            a: a ok
        state
            Empty
        records
            g: generation 2 at 3000 led by none
        b joins
        @6000
            b: joined 3 range, leads b
        ",
    );
}

#[test]
fn a_group_whose_first_members_all_leave_during_the_delay_becomes_empty() {
    check(
        "
        a joins v4
            a: MEMBER_ID_REQUIRED
        a joins v4
        a leaves
            a: UNKNOWN_MEMBER_ID
            a: a ok
        state
            PreparingRebalance
        @3000
        state
            Empty
        records
            g: generation 1 at 3000 led by none
        ",
    );
}

#[test]
fn someone_new_can_join_where_all_members_left_during_the_delay() {
    check(
        "
        a joins v4
            a: MEMBER_ID_REQUIRED
        a joins v4
        a leaves
            a: UNKNOWN_MEMBER_ID
            a: a ok
        b joins protocols=sticky
        @6000
            b: joined 1 sticky, leads b
        ",
    );
}

#[test]
fn the_last_to_join_again_are_left_out_of_a_group_that_is_too_large() {
    let mut scene = Scene::new(Config { max_size: 3, ..config() });
    for command in ["a joins", "b joins", "c joins", "@6000", "a syncs", "unload"] {
        scene.run(command);
    }
    scene.groups =
        crate::ClassicGroups::new(Config { max_size: 2, ..config() }, std::sync::Arc::new(model::SystemRandom));
    let before = scene.output().len();
    for command in ["reload", "a beats", "c joins", "b joins", "a joins"] {
        scene.run(command);
    }
    let expected = "\
reload
a beats
    a: REBALANCE_IN_PROGRESS
c joins
b joins
a joins
    a: GROUP_MAX_SIZE_REACHED
    b: joined 2 range, leads b c
    c: joined 2 range, follows b
";
    assert_eq!(&scene.output()[before..], expected);
}
