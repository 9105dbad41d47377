//! JoinGroup (key 11).

use model::ErrorCode;
use wire::messages::JoinGroupRequest;

use crate::support::groups::{JOIN, Member, SYNC, join, join_as, pair, protocol, sync};
use crate::support::requests::str_bytes;
use crate::support::{Target, error};

pub(crate) async fn every_version_joins_a_group_of_one(target: Target) {
    for version in 0..=JOIN {
        let group = target.name(&format!("v{version}"));
        let mut connection = target.coordinator(&group).await;
        let mut joined = connection.call(version, &join(&group, "")).await;
        if version >= 4 {
            assert_eq!(error(joined.error_code), ErrorCode::MemberIdRequired, "KIP-394");
            joined = connection.call(version, &join(&group, &joined.member_id)).await;
        }
        assert_eq!((error(joined.error_code), joined.generation_id), (ErrorCode::None, 1));
        assert_eq!(joined.leader, joined.member_id);
        assert!(joined.member_id.starts_with("scenario-"), "an id begins with the client's");
        assert_eq!(joined.protocol_name.as_deref(), Some("range"));
        assert_eq!(joined.protocol_type.as_deref(), if version < 7 { None } else { Some("consumer") });
        assert_eq!(joined.members.len(), 1, "the leader is told all members");
        assert_eq!(&joined.members[0].metadata[..], b"subscription");
    }
}

pub(crate) async fn a_second_member_starts_a_rebalance(target: Target) {
    let (leader, other) = pair(&target, &target.name("g")).await;
    assert_eq!((leader.generation, other.generation), (2, 2));
}

pub(crate) async fn only_the_leader_is_told_the_members(target: Target) {
    let group = target.name("g");
    let mut leader = Member::alone(&target, &group).await;
    let mut other = Member::pending(&target, &group).await;
    other.begin_join().await;
    leader.heartbeat_while(ErrorCode::None).await;
    leader.begin_join().await;
    let (of_leader, of_other) = (leader.connection.hear::<JoinGroupRequest>(JOIN).await, other.joined().await);
    assert_eq!((of_leader.members.len(), of_other.members.len()), (2, 0));
    assert_eq!((of_leader.generation_id, of_other.generation_id), (2, 2));
    assert_eq!(of_leader.leader, of_other.leader);
}

pub(crate) async fn a_member_that_joins_again_as_before_is_told_the_same(target: Target) {
    let (_leader, mut other) = pair(&target, &target.name("g")).await;
    let again = other.join().await;
    assert_eq!((error(again.error_code), again.generation_id), (ErrorCode::None, 2));
    assert_eq!(other.heartbeat().await, ErrorCode::None, "nobody rebalances");
}

pub(crate) async fn a_leader_that_joins_again_starts_a_rebalance(target: Target) {
    let mut leader = Member::alone(&target, &target.name("g")).await;
    assert_eq!(leader.join().await.generation_id, 2);
}

pub(crate) async fn a_member_that_changes_starts_a_rebalance(target: Target) {
    let group = target.name("g");
    let (mut leader, mut other) = pair(&target, &group).await;
    let changed = join(&group, &other.id).with_protocols(vec![protocol("range", b"another")]);
    other.connection.send(JOIN, &changed).await;
    assert_eq!(leader.heartbeat_while(ErrorCode::None).await, ErrorCode::RebalanceInProgress);
    assert_eq!(leader.join().await.generation_id, 3);
    other.joined().await;
}

pub(crate) async fn ids_that_nobody_was_given_are_unknown(target: Target) {
    let group = target.name("g");
    let mut connection = target.coordinator(&group).await;
    for version in [0, 4, JOIN] {
        let refused = connection.call(version, &join(&group, "somebody")).await;
        assert_eq!(error(refused.error_code), ErrorCode::UnknownMemberId, "of a group that is not there");
    }
    Member::alone(&target, &group).await;
    for version in [0, 4, 6, 7, JOIN] {
        let refused = connection.call(version, &join(&group, "somebody")).await;
        assert_eq!(error(refused.error_code), ErrorCode::UnknownMemberId);
        assert_eq!((refused.generation_id, refused.member_id.as_str()), (-1, "somebody"));
    }
}

pub(crate) async fn sessions_out_of_bounds_are_refused(target: Target) {
    let group = target.name("g");
    let mut connection = target.coordinator(&group).await;
    for (session_timeout_ms, expected) in [
        (5_999, ErrorCode::InvalidSessionTimeout),
        (1_800_001, ErrorCode::InvalidSessionTimeout),
        (-1, ErrorCode::InvalidSessionTimeout),
        (6_000, ErrorCode::MemberIdRequired),
        (1_800_000, ErrorCode::MemberIdRequired),
    ] {
        let refused = connection.call(JOIN, &join(&group, "").with_session_timeout_ms(session_timeout_ms)).await;
        assert_eq!(error(refused.error_code), expected, "{session_timeout_ms}");
    }
}

pub(crate) async fn a_group_has_a_name(target: Target) {
    let mut connection = target.coordinator(&target.name("g")).await;
    for version in [0, 5, JOIN] {
        let refused = connection.call(version, &join("", "")).await;
        assert_eq!(error(refused.error_code), ErrorCode::InvalidGroupId);
    }
}

pub(crate) async fn who_agrees_with_nobody_is_refused(target: Target) {
    let group = target.name("g");
    let member = Member::alone(&target, &group).await;
    let mut connection = target.coordinator(&group).await;
    let roundrobin = || vec![protocol("roundrobin", b"")];
    for (what, request) in [
        ("another protocol", join(&group, "").with_protocols(roundrobin())),
        ("another type", join(&group, "").with_protocol_type(str_bytes("connect"))),
        ("no protocol", join(&group, "").with_protocols(vec![])),
        ("no type", join(&group, "").with_protocol_type(str_bytes(""))),
        ("a member", join(&group, &member.id).with_protocols(vec![])),
    ] {
        for version in [3, 6, JOIN] {
            let refused = connection.call(version, &request).await;
            assert_eq!(error(refused.error_code), ErrorCode::InconsistentGroupProtocol, "{what}, version {version}");
        }
    }
    let empty = target.name("empty");
    for request in [join(&empty, "").with_protocols(vec![]), join(&empty, "").with_protocol_type(str_bytes(""))] {
        let refused = connection.call(JOIN, &request).await;
        assert_eq!(error(refused.error_code), ErrorCode::InconsistentGroupProtocol, "of a group that is not there");
    }
}

pub(crate) async fn the_protocol_that_most_prefer_is_chosen(target: Target) {
    let group = target.name("g");
    let mut leader = Member::pending(&target, &group).await;
    let both = vec![protocol("sticky", b"1"), protocol("range", b"2")];
    let joined = leader.connection.call(JOIN, &join(&group, &leader.id).with_protocols(both.clone())).await;
    assert_eq!(joined.protocol_name.as_deref(), Some("sticky"));
    assert_eq!(&joined.members[0].metadata[..], b"1");
    let other = Member::pending(&target, &group).await;
    let mut connection = other.connection;
    connection.send(JOIN, &join(&group, &other.id)).await;
    leader.generation = joined.generation_id;
    leader.heartbeat_while(ErrorCode::None).await;
    let joined = leader.connection.ask(JOIN, &join(&group, &leader.id).with_protocols(both)).await;
    assert_eq!(joined.protocol_name.as_deref(), Some("range"), "the only one that both know");
    assert_eq!(joined.members.len(), 2);
}

pub(crate) async fn a_static_member_keeps_its_place(target: Target) {
    let group = target.name("g");
    for version in [5, 8, JOIN] {
        let group = format!("{group}-{version}");
        let mut connection = target.coordinator(&group).await;
        let joined = connection.call(version, &join_as(&group, "", "one")).await;
        assert_eq!(error(joined.error_code), ErrorCode::None, "a static member needs no id first");
        assert_eq!(joined.members[0].group_instance_id.as_deref(), Some("one"));
        let first = joined.member_id.to_string();
        let synced = sync(&group, &first, 1, &[(&first, b"all")]).with_group_instance_id(Some(str_bytes("one")));
        connection.call(SYNC, &synced).await;

        let mut restarted = target.coordinator(&group).await;
        let back = restarted.call(version, &join_as(&group, "", "one")).await;
        assert_eq!((error(back.error_code), back.generation_id), (ErrorCode::None, 1), "nobody rebalances");
        assert_ne!(back.member_id.as_str(), first);
        assert_eq!(back.skip_assignment, version >= 9, "KIP-814");
        let synced = sync(&group, &back.member_id, 1, &[]).with_group_instance_id(Some(str_bytes("one")));
        let synced = restarted.call(SYNC, &synced).await;
        assert_eq!(&synced.assignment[..], b"all");

        let fenced = connection.call(version, &join_as(&group, &first, "one")).await;
        assert_eq!(error(fenced.error_code), ErrorCode::FencedInstanceId);
        let unknown = connection.call(version, &join_as(&group, "somebody", "two")).await;
        assert_eq!(error(unknown.error_code), ErrorCode::UnknownMemberId);
    }
}

scenarios! {
    every_version_joins_a_group_of_one
    a_second_member_starts_a_rebalance
    only_the_leader_is_told_the_members
    a_member_that_joins_again_as_before_is_told_the_same
    a_leader_that_joins_again_starts_a_rebalance
    a_member_that_changes_starts_a_rebalance
    ids_that_nobody_was_given_are_unknown
    sessions_out_of_bounds_are_refused
    a_group_has_a_name
    who_agrees_with_nobody_is_refused
    the_protocol_that_most_prefer_is_chosen
    a_static_member_keeps_its_place
}
