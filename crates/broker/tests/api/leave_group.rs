//! LeaveGroup (key 13).

use model::ErrorCode;
use wire::messages::LeaveGroupResponse;

use crate::support::groups::{LEAVE, Member, join_as, leave, pair, sync};
use crate::support::requests::str_bytes;
use crate::support::{Target, error};

fn errors(response: &LeaveGroupResponse) -> Vec<ErrorCode> {
    response.members.iter().map(|member| error(member.error_code)).collect()
}

pub(crate) async fn every_version_takes_a_member_out(target: Target) {
    for version in 0..=LEAVE {
        let mut member = Member::alone(&target, &target.name(&format!("v{version}"))).await;
        let left = member.connection.call(version, &leave(&member.group, &[(&member.id, None)])).await;
        assert_eq!(error(left.error_code), ErrorCode::None);
        assert_eq!(errors(&left), if version < 3 { vec![] } else { vec![ErrorCode::None] });
        assert_eq!(member.heartbeat().await, ErrorCode::UnknownMemberId);
    }
}

pub(crate) async fn the_others_rebalance(target: Target) {
    let (mut leader, mut other) = pair(&target, &target.name("g")).await;
    leader.connection.call(LEAVE, &leave(&leader.group, &[(&leader.id, None)])).await;
    assert_eq!(other.heartbeat_while(ErrorCode::None).await, ErrorCode::RebalanceInProgress);
    let joined = other.join().await;
    assert_eq!((joined.leader.as_str(), joined.generation_id), (&*other.id, 3));
}

pub(crate) async fn strangers_are_refused(target: Target) {
    let group = target.name("g");
    let mut member = Member::alone(&target, &group).await;
    let nowhere = target.name("nowhere");
    for (group, expected) in [(&group, ErrorCode::UnknownMemberId), (&nowhere, ErrorCode::UnknownMemberId)] {
        for version in 0..3 {
            let refused = member.connection.call(version, &leave(group, &[("somebody", None)])).await;
            assert_eq!(error(refused.error_code), expected);
        }
        for version in 3..=LEAVE {
            let refused = member.connection.call(version, &leave(group, &[("somebody", None)])).await;
            assert_eq!((error(refused.error_code), errors(&refused)), (ErrorCode::None, vec![expected]));
        }
    }
    for version in [0, LEAVE] {
        let refused = member.connection.call(version, &leave("", &[(&member.id, None)])).await;
        assert_eq!(error(refused.error_code), ErrorCode::InvalidGroupId);
    }
}

pub(crate) async fn an_id_that_was_not_joined_with_is_given_back(target: Target) {
    let mut pending = Member::pending(&target, &target.name("g")).await;
    for expected in [ErrorCode::None, ErrorCode::UnknownMemberId] {
        let left = pending.connection.call(LEAVE, &leave(&pending.group, &[(&pending.id, None)])).await;
        assert_eq!(errors(&left), [expected]);
    }
}

pub(crate) async fn several_leave_together(target: Target) {
    let group = target.name("g");
    let mut connection = target.coordinator(&group).await;
    let one = connection.call(9, &join_as(&group, "", "one")).await.member_id.to_string();
    let all = sync(&group, &one, 1, &[(&one, b"all")]).with_group_instance_id(Some(str_bytes("one")));
    connection.call(5, &all).await;
    let response = connection
        .call(
            LEAVE,
            &leave(
                &group,
                &[("", Some("two")), ("", None), ("wrong", Some("one")), ("", Some("one")), (&one, Some("one"))],
            ),
        )
        .await;
    assert_eq!(
        errors(&response),
        [
            ErrorCode::UnknownMemberId,
            ErrorCode::UnknownMemberId,
            ErrorCode::FencedInstanceId,
            ErrorCode::None,
            ErrorCode::UnknownMemberId,
        ]
    );
}

pub(crate) async fn nobody_leaves_if_nobody_is_named(target: Target) {
    let mut member = Member::alone(&target, &target.name("g")).await;
    for version in 3..=LEAVE {
        let left = member.connection.call(version, &leave(&member.group, &[])).await;
        assert_eq!((error(left.error_code), errors(&left)), (ErrorCode::None, vec![]));
    }
    assert_eq!(member.heartbeat().await, ErrorCode::None);
}

scenarios! {
    every_version_takes_a_member_out
    the_others_rebalance
    strangers_are_refused
    an_id_that_was_not_joined_with_is_given_back
    several_leave_together
    nobody_leaves_if_nobody_is_named
}
