//! Heartbeat (key 12).

use model::ErrorCode;

use crate::support::groups::{HEARTBEAT, Member, heartbeat, join_as, sync};
use crate::support::requests::str_bytes;
use crate::support::{Target, error};

pub(crate) async fn every_version_keeps_a_member_alive(target: Target) {
    let mut member = Member::alone(&target, &target.name("g")).await;
    for version in 0..=HEARTBEAT {
        let beat = member.connection.call(version, &heartbeat(&member.group, &member.id, 1)).await;
        assert_eq!(error(beat.error_code), ErrorCode::None);
    }
}

pub(crate) async fn strangers_are_refused(target: Target) {
    let group = target.name("g");
    let mut member = Member::alone(&target, &group).await;
    let (own, nowhere) = (member.id.clone(), target.name("nowhere"));
    for (group, id, generation, expected) in [
        (&*group, "somebody", 1, ErrorCode::UnknownMemberId),
        (&*group, "", 1, ErrorCode::UnknownMemberId),
        (&*group, &*own, 0, ErrorCode::IllegalGeneration),
        (&*group, &*own, 2, ErrorCode::IllegalGeneration),
        (&*group, &*own, -1, ErrorCode::IllegalGeneration),
        (&*nowhere, &*own, 1, ErrorCode::UnknownMemberId),
        ("", &*own, 1, ErrorCode::InvalidGroupId),
    ] {
        for version in [0, HEARTBEAT] {
            let refused = member.connection.call(version, &heartbeat(group, id, generation)).await;
            assert_eq!(error(refused.error_code), expected, "{group} {id} {generation}");
        }
    }
}

pub(crate) async fn a_rebalance_is_told(target: Target) {
    let group = target.name("g");
    let mut member = Member::alone(&target, &group).await;
    let mut other = Member::pending(&target, &group).await;
    assert_eq!(member.heartbeat().await, ErrorCode::None, "an id alone starts nothing");
    other.begin_join().await;
    assert_eq!(member.heartbeat_while(ErrorCode::None).await, ErrorCode::RebalanceInProgress);
    assert_eq!(member.heartbeat().await, ErrorCode::RebalanceInProgress);
    member.join().await;
    other.joined().await;
    assert_eq!(member.heartbeat().await, ErrorCode::None, "before the assignment is there");
    assert_eq!(other.heartbeat().await, ErrorCode::None);
}

pub(crate) async fn an_id_alone_is_no_member(target: Target) {
    let mut pending = Member::pending(&target, &target.name("g")).await;
    assert_eq!(pending.heartbeat().await, ErrorCode::UnknownMemberId);
}

pub(crate) async fn a_static_member_that_was_replaced_is_fenced(target: Target) {
    let group = target.name("g");
    let mut connection = target.coordinator(&group).await;
    let first = connection.call(9, &join_as(&group, "", "one")).await.member_id.to_string();
    let all = sync(&group, &first, 1, &[(&first, b"all")]).with_group_instance_id(Some(str_bytes("one")));
    connection.call(5, &all).await;
    let second = connection.call(9, &join_as(&group, "", "one")).await.member_id.to_string();
    for version in [3, HEARTBEAT] {
        for (id, instance, expected) in [
            (&first, "one", ErrorCode::FencedInstanceId),
            (&second, "one", ErrorCode::None),
            (&second, "two", ErrorCode::UnknownMemberId),
        ] {
            let beat = heartbeat(&group, id, 1).with_group_instance_id(Some(str_bytes(instance)));
            assert_eq!(error(connection.call(version, &beat).await.error_code), expected);
        }
        let without = connection.call(version, &heartbeat(&group, &first, 1)).await;
        assert_eq!(error(without.error_code), ErrorCode::UnknownMemberId);
    }
}

scenarios! {
    every_version_keeps_a_member_alive
    strangers_are_refused
    a_rebalance_is_told
    an_id_alone_is_no_member
    a_static_member_that_was_replaced_is_fenced
}
