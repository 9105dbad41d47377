//! DescribeGroups (key 15).

use model::ErrorCode;
use wire::messages::describe_groups_response::DescribedGroup;
use wire::messages::{DescribeGroupsRequest, GroupId};

use crate::offset_commit::commit;
use crate::support::groups::{Member, join_as};
use crate::support::requests::str_bytes;
use crate::support::{Connection, Target, error};

const NEWEST: i16 = 6;

fn request(groups: &[&str]) -> DescribeGroupsRequest {
    DescribeGroupsRequest::default().with_groups(groups.iter().map(|group| GroupId(str_bytes(group))).collect())
}

async fn describe(connection: &mut Connection, version: i16, group: &str) -> DescribedGroup {
    connection.call(version, &request(&[group])).await.groups.remove(0)
}

pub(crate) async fn every_version_describes_a_stable_group(target: Target) {
    let mut member = Member::alone(&target, &target.name("g")).await;
    for version in 0..=NEWEST {
        let described = describe(&mut member.connection, version, &member.group).await;
        assert_eq!((error(described.error_code), described.group_state.as_str()), (ErrorCode::None, "Stable"));
        assert_eq!((described.protocol_type.as_str(), described.protocol_data.as_str()), ("consumer", "range"));
        let found = &described.members[0];
        assert_eq!((found.member_id.as_str(), found.client_id.as_str()), (&*member.id, "scenario"));
        assert_eq!(found.client_host.as_str(), "/127.0.0.1");
        assert_eq!(
            (&found.member_metadata[..], &found.member_assignment[..]),
            (&b"subscription"[..], &b"everything"[..])
        );
    }
}

pub(crate) async fn an_unknown_group_is_dead_and_since_version_6_not_found(target: Target) {
    let nobody = target.name("nobody");
    let mut connection = target.coordinator(&nobody).await;
    for version in 0..=NEWEST {
        let described = describe(&mut connection, version, &nobody).await;
        let expected = if version < 6 { ErrorCode::None } else { ErrorCode::GroupIdNotFound };
        assert_eq!((error(described.error_code), described.group_state.as_str()), (expected, "Dead"));
    }
}

pub(crate) async fn each_state_is_told(target: Target) {
    let group = target.name("g");
    let mut member = Member::pending(&target, &group).await;
    let mut describer = target.coordinator(&group).await;
    let mut state = async |expected: &str| {
        let described = describe(&mut describer, NEWEST, &group).await;
        assert_eq!(described.group_state.as_str(), expected);
        described
    };
    state("Empty").await;
    member.join().await;
    let completing = state("CompletingRebalance").await;
    assert_eq!((completing.protocol_data.as_str(), completing.members.len()), ("", 1));
    let id = member.id.clone();
    member.sync(&[(&id, b"all")]).await;
    state("Stable").await;
    let mut other = Member::pending(&target, &group).await;
    other.begin_join().await;
    member.heartbeat_while(ErrorCode::None).await;
    // In which order members are told is the broker's to choose.
    let preparing = target.coordinator(&group).await.ask(5, &request(&[&group])).await.groups.remove(0);
    assert_eq!((preparing.group_state.as_str(), preparing.members.len()), ("PreparingRebalance", 2));
    member.connection.call(5, &crate::support::groups::leave(&group, &[(&member.id, None)])).await;
    other.joined().await;
    other.connection.call(5, &crate::support::groups::leave(&group, &[(&other.id, None)])).await;
    let empty = state("Empty").await;
    assert_eq!((empty.protocol_type.as_str(), empty.members.len()), ("consumer", 0));
}

pub(crate) async fn a_group_of_offsets_alone_is_empty(target: Target) {
    let (topic, group) = (target.topic("a").await, target.name("g"));
    let mut connection = target.coordinator(&group).await;
    connection.ask(9, &commit(9, &group, &topic, 0, 5)).await;
    for version in [0, NEWEST] {
        let described = describe(&mut connection, version, &group).await;
        assert_eq!((described.group_state.as_str(), described.protocol_type.as_str()), ("Empty", ""));
    }
}

pub(crate) async fn static_members_are_told_by_their_instance(target: Target) {
    let group = target.name("g");
    let mut connection = target.coordinator(&group).await;
    connection.call(9, &join_as(&group, "", "one")).await;
    for version in [3, 4, NEWEST] {
        let described = describe(&mut connection, version, &group).await;
        let instance = described.members[0].group_instance_id.as_deref();
        assert_eq!(instance, if version < 4 { None } else { Some("one") });
    }
}

pub(crate) async fn what_a_client_may_do_is_told_if_it_asks(target: Target) {
    let group = target.name("g");
    let mut connection = target.coordinator(&group).await;
    connection.call(9, &join_as(&group, "", "one")).await;
    for version in [2, 3, NEWEST] {
        for asks in [false, true] {
            let request = request(&[&group]).with_include_authorized_operations(asks && version >= 3);
            let response = connection.call(version, &request).await;
            assert_eq!(response.groups[0].authorized_operations != i32::MIN, asks && version >= 3);
        }
    }
}

pub(crate) async fn a_group_has_a_name(target: Target) {
    let mut connection = target.coordinator(&target.name("g")).await;
    for version in [0, 5, NEWEST] {
        describe(&mut connection, version, "").await;
    }
    assert!(connection.call(NEWEST, &request(&[])).await.groups.is_empty());
}

scenarios! {
    every_version_describes_a_stable_group
    an_unknown_group_is_dead_and_since_version_6_not_found
    each_state_is_told
    a_group_of_offsets_alone_is_empty
    static_members_are_told_by_their_instance
    what_a_client_may_do_is_told_if_it_asks
    a_group_has_a_name
}
