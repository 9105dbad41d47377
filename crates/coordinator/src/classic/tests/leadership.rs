//! The end of a leadership, and the beginning of the next.

use super::*;

#[test]
fn whoever_waits_is_sent_to_another_coordinator() {
    check(
        "
        a joins
        b joins
        unload
            a: NOT_COORDINATOR
            b: NOT_COORDINATOR
        ",
    );
}

#[test]
fn those_who_wait_for_the_leader_or_the_disk_are_sent_on_too() {
    check(
        "
        a joins
        b joins
        @6000
            a: joined 1 range, leads a b
            b: joined 1 range, follows a
        b syncs
        writes wait
        a syncs
        unload
            a: NOT_COORDINATOR
            b: NOT_COORDINATOR
        writes go on
        ",
    );
}

#[test]
fn commits_and_deletions_on_their_way_are_sent_on_and_may_yet_happen() {
    check(
        "
        y commits t-1=5
            y: t-1 ok
        writes wait
        x commits t-0=5
        y deletes t-1
        unload
            x: t-0 NOT_COORDINATOR
            y: NOT_COORDINATOR
        writes go on
        records
            g t-1: 5
            g t-0: 5
            g t-1: deleted
        ",
    );
}

#[test]
fn the_last_to_leave_is_sent_on() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        writes wait
        a leaves
        unload
            a: NOT_COORDINATOR
        ",
    );
}

#[test]
fn a_static_member_on_its_way_back_is_sent_on() {
    check(
        "
        a joins static=i
        @3000
            a: joined 1 range, leads a
        a syncs
            a: assigned
        writes wait
        a joins id=
        unload
            a: NOT_COORDINATOR
        ",
    );
}

#[test]
fn a_stable_group_lives_on_under_the_next_coordinator() {
    check(
        "
        a joins static=i
        b joins
        @6000
            b: joined 1 range, follows a
            a: joined 1 range, leads b a
        a syncs a=x b=y
            a: assigned x
        b syncs
            b: assigned y
        unload
        reload
        state
            Stable b=y a=x
        a beats
            a: ok
        b commits t-0=5
            b: t-0 ok
        b syncs
            b: assigned y
        a joins id=
            a: joined 1 range, follows a
        b joins
            b: joined 1 range, follows a2
        ",
    );
}

#[test]
fn sessions_start_anew_under_the_next_coordinator() {
    check(
        "
        a joins
        @3000
            a: joined 1 range, leads a
        a syncs
            a: assigned
        @12000
        unload
        reload
        @21999
        state
            Stable a
        @22000
        state
            Empty
        ",
    );
}

#[test]
fn a_rebalance_that_was_not_finished_is_forgotten() {
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
        b leaves
            b: b ok
        unload
        reload
        state
            Stable a=x b=y
        b beats
            b: ok
        ",
    );
}

#[test]
fn a_group_that_grew_too_large_for_new_settings_rebalances() {
    let mut scene = Scene::new(script::config());
    for command in ["a joins", "b joins", "c joins", "@6000", "a syncs a=x", "unload"] {
        scene.run(command);
    }
    let config = crate::Config { max_size: 2, ..script::config() };
    scene.groups = crate::ClassicGroups::new(config, std::sync::Arc::new(model::SystemRandom));
    scene.run("reload");
    scene.run("state");
    assert!(scene.output().ends_with("PreparingRebalance a=x b c\n"));
}
