//! DeleteGroups (key 42).

use model::ErrorCode;
use wire::messages::{DeleteGroupsRequest, DeleteGroupsResponse, GroupId};

use crate::offset_delete::{commit, is_committed};
use crate::support::groups::Member;
use crate::support::requests::str_bytes;
use crate::support::{Target, error};

const NEWEST: i16 = 3;

fn request(groups: &[&str]) -> DeleteGroupsRequest {
    DeleteGroupsRequest::default().with_groups_names(groups.iter().map(|name| GroupId(str_bytes(name))).collect())
}

fn outcome(response: &DeleteGroupsResponse, group: &str) -> ErrorCode {
    let result = response.results.iter().find(|result| result.group_id.as_str() == group).unwrap();
    assert_eq!(result.error_message, None);
    error(result.error_code)
}

pub(crate) async fn every_version_deletes_a_group_with_its_offsets(target: Target) {
    let topic = target.topic("a").await;
    let ghost = target.name("ghost");
    for version in 0..=NEWEST {
        let group = target.name(&format!("v{version}"));
        let mut connection = target.coordinator(&group).await;
        commit(&mut connection, &group, &topic.name, &[0]).await;
        let response = connection.ask(version, &request(&[&group, &ghost, ""])).await;
        assert_eq!(outcome(&response, &group), ErrorCode::None);
        assert_eq!(outcome(&response, &ghost), ErrorCode::GroupIdNotFound);
        assert_eq!(outcome(&response, ""), ErrorCode::GroupIdNotFound);
        assert!(!is_committed(&mut connection, &group, &topic.name, 0).await);
    }
}

pub(crate) async fn a_group_with_members_stays(target: Target) {
    let group = target.name("g");
    let mut member = Member::alone(&target, &group).await;
    let response = member.connection.call(NEWEST, &request(&[&group])).await;
    assert_eq!(outcome(&response, &group), ErrorCode::NonEmptyGroup);
    assert_eq!(member.heartbeat().await, ErrorCode::None);
}

pub(crate) async fn a_group_named_twice_is_deleted_once(target: Target) {
    let (topic, group) = (target.topic("a").await, target.name("g"));
    let mut connection = target.coordinator(&group).await;
    commit(&mut connection, &group, &topic.name, &[0]).await;
    let response = connection.call(NEWEST, &request(&[&group, &group])).await;
    assert_eq!(response.results.len(), 1);
    assert_eq!(outcome(&response, &group), ErrorCode::None);
    assert!(connection.call(NEWEST, &request(&[])).await.results.is_empty());
}

scenarios! {
    every_version_deletes_a_group_with_its_offsets
    a_group_with_members_stays
    a_group_named_twice_is_deleted_once
}
