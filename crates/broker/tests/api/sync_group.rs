//! SyncGroup (key 14).

use model::ErrorCode;
use wire::messages::SyncGroupRequest;

use crate::support::groups::{Member, SYNC, join_as, pair, sync};
use crate::support::requests::str_bytes;
use crate::support::{Target, error};

pub(crate) async fn every_version_gives_the_assignment(target: Target) {
    let mut member = Member::alone(&target, &target.name("g")).await;
    for version in 0..=SYNC {
        let request = sync(&member.group, &member.id, 1, &[]);
        let synced = member.connection.call(version, &request).await;
        assert_eq!((error(synced.error_code), &synced.assignment[..]), (ErrorCode::None, &b"everything"[..]));
        assert_eq!(synced.protocol_name.as_deref(), if version < 5 { None } else { Some("range") });
        assert_eq!(synced.protocol_type.as_deref(), if version < 5 { None } else { Some("consumer") });
    }
}

pub(crate) async fn members_wait_for_the_leader(target: Target) {
    let group = target.name("g");
    let mut leader = Member::alone(&target, &group).await;
    let mut other = Member::pending(&target, &group).await;
    other.begin_join().await;
    leader.heartbeat_while(ErrorCode::None).await;
    leader.begin_join().await;
    leader.joined().await;
    other.joined().await;
    other.begin_sync(&[]).await;
    let (first, second) = (leader.id.clone(), other.id.clone());
    let assigned = leader.sync(&[(&first, b"a"), (&second, b"b"), ("a stranger", b"c")]).await;
    assert_eq!((assigned.0, &assigned.1[..]), (ErrorCode::None, &b"a"[..]));
    let assigned = other.synced().await;
    assert_eq!((assigned.0, &assigned.1[..]), (ErrorCode::None, &b"b"[..]));
}

pub(crate) async fn who_is_left_out_gets_nothing(target: Target) {
    let mut member = Member::pending(&target, &target.name("g")).await;
    member.join().await;
    let synced = member.sync(&[]).await;
    assert_eq!((synced.0, &synced.1[..]), (ErrorCode::None, &b""[..]));
}

pub(crate) async fn strangers_are_refused(target: Target) {
    let group = target.name("g");
    let mut member = Member::alone(&target, &group).await;
    let nowhere = target.name("nowhere");
    for (group, id, generation, expected) in [
        (&group, "somebody", 1, ErrorCode::UnknownMemberId),
        (&group, &*member.id.clone(), 2, ErrorCode::IllegalGeneration),
        (&group, &*member.id.clone(), 0, ErrorCode::IllegalGeneration),
        (&group, "somebody", 2, ErrorCode::UnknownMemberId),
        (&nowhere, "somebody", 1, ErrorCode::UnknownMemberId),
        (&String::new(), "somebody", 1, ErrorCode::InvalidGroupId),
    ] {
        for version in [0, 4, SYNC] {
            let refused = member.connection.call(version, &sync(group, id, generation, &[])).await;
            assert_eq!(error(refused.error_code), expected, "{group} {id} {generation}");
        }
    }
}

pub(crate) async fn a_protocol_that_is_not_the_groups_is_refused(target: Target) {
    let mut member = Member::alone(&target, &target.name("g")).await;
    let right = sync(&member.group, &member.id, 1, &[]);
    for (request, expected) in [
        (right.clone().with_protocol_name(Some(str_bytes("sticky"))), ErrorCode::InconsistentGroupProtocol),
        (right.clone().with_protocol_type(Some(str_bytes("connect"))), ErrorCode::InconsistentGroupProtocol),
        (right.clone().with_protocol_type(None), ErrorCode::InconsistentGroupProtocol),
        (right.clone().with_protocol_name(None), ErrorCode::InconsistentGroupProtocol),
        (right.clone().with_protocol_name(None).with_protocol_type(None), ErrorCode::InconsistentGroupProtocol),
        (right.clone(), ErrorCode::None),
    ] {
        let synced = member.connection.call(SYNC, &request).await;
        target.transcript.note(format!("{:?} {:?} {:?}", request.protocol_type, request.protocol_name, expected));
        assert_eq!(error(synced.error_code), expected, "{request:?}");
    }
}

pub(crate) async fn a_rebalance_ends_the_wait(target: Target) {
    let group = target.name("g");
    let (mut leader, mut other) = pair(&target, &group).await;
    leader.begin_join().await;
    assert_eq!(other.heartbeat_while(ErrorCode::None).await, ErrorCode::RebalanceInProgress);
    other.begin_sync(&[]).await;
    assert_eq!(other.synced().await.0, ErrorCode::RebalanceInProgress, "while members are gathered");
    other.join().await;
    leader.joined().await;
    other.begin_sync(&[]).await;
    // The leader joins once more instead of assigning, and that starts nothing: it is told the same again.
    let again = leader.join().await;
    assert_eq!(again.generation_id, 3);
    let (first, second) = (leader.id.clone(), other.id.clone());
    leader.sync(&[(&first, b"a"), (&second, b"b")]).await;
    assert_eq!(other.synced().await.0, ErrorCode::None);
}

pub(crate) async fn a_static_member_that_was_replaced_is_fenced(target: Target) {
    let group = target.name("g");
    let mut connection = target.coordinator(&group).await;
    let first = connection.call(9, &join_as(&group, "", "one")).await.member_id.to_string();
    let as_one = |request: SyncGroupRequest| request.with_group_instance_id(Some(str_bytes("one")));
    connection.call(SYNC, &as_one(sync(&group, &first, 1, &[(&first, b"all")]))).await;
    connection.call(9, &join_as(&group, "", "one")).await;
    for version in [3, SYNC] {
        let fenced = connection.call(version, &as_one(sync(&group, &first, 1, &[]))).await;
        assert_eq!(error(fenced.error_code), ErrorCode::FencedInstanceId);
        let nobody = sync(&group, &first, 1, &[]).with_group_instance_id(Some(str_bytes("two")));
        assert_eq!(error(connection.call(version, &nobody).await.error_code), ErrorCode::UnknownMemberId);
    }
}

scenarios! {
    every_version_gives_the_assignment
    members_wait_for_the_leader
    who_is_left_out_gets_nothing
    strangers_are_refused
    a_protocol_that_is_not_the_groups_is_refused
    a_rebalance_ends_the_wait
    a_static_member_that_was_replaced_is_fenced
}
