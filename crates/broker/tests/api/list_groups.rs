//! ListGroups (key 16).

use model::ErrorCode;
use wire::messages::{ListGroupsRequest, ListGroupsResponse};

use crate::offset_commit::commit;
use crate::support::groups::Member;
use crate::support::requests::str_bytes;
use crate::support::{Target, error};

const NEWEST: i16 = 5;

/// Those of the scenario's groups that are listed, by the ends of their names.
fn found(target: &Target, response: &ListGroupsResponse) -> Vec<(String, String, String, String)> {
    assert_eq!(error(response.error_code), ErrorCode::None);
    let own = response.groups.iter().filter_map(|group| {
        let name = group.group_id.strip_prefix(&target.name(""))?.to_owned();
        Some((name, group.protocol_type.to_string(), group.group_state.to_string(), group.group_type.to_string()))
    });
    let mut own: Vec<_> = own.collect();
    own.sort();
    target.transcript.note(format!("{own:?}"));
    own
}

fn names(target: &Target, response: &ListGroupsResponse) -> Vec<String> {
    found(target, response).into_iter().map(|(name, ..)| name).collect()
}

pub(crate) async fn every_version_lists_groups(target: Target) {
    let mut member = Member::alone(&target, &target.name("live")).await;
    let (topic, idle) = (target.topic("a").await, target.name("idle"));
    target.coordinator(&idle).await.ask(9, &commit(9, &idle, &topic, 0, 5)).await;
    for version in 0..=NEWEST {
        let response = member.connection.ask(version, &ListGroupsRequest::default()).await;
        let state = |name: &'static str| if version < 4 { "" } else { name }.to_owned();
        let kind = if version < 5 { "" } else { "classic" }.to_owned();
        let expected = [
            ("idle".to_owned(), String::new(), state("Empty"), kind.clone()),
            ("live".to_owned(), "consumer".to_owned(), state("Stable"), kind.clone()),
        ];
        assert_eq!(found(&target, &response), expected);
    }
}

pub(crate) async fn groups_are_listed_by_state_and_type(target: Target) {
    let mut member = Member::alone(&target, &target.name("live")).await;
    let (topic, idle) = (target.topic("a").await, target.name("idle"));
    target.coordinator(&idle).await.ask(9, &commit(9, &idle, &topic, 0, 5)).await;
    for (states, types, expected) in [
        (&["Stable"][..], &[][..], &["live"][..]),
        (&["Empty"], &[], &["idle"]),
        (&["stable", "EMPTY"], &[], &["idle", "live"]),
        (&["Dead"], &[], &[]),
        (&["Sleeping"], &[], &[]),
        (&[], &["classic"], &["idle", "live"]),
        (&[], &["Classic"], &["idle", "live"]),
        (&[], &["consumer"], &[]),
        (&[], &["share", "classic"], &["idle", "live"]),
        (&["Stable"], &["classic"], &["live"]),
        (&["Stable"], &["consumer"], &[]),
        (&[], &["nonsense"], &[]),
    ] {
        let request = ListGroupsRequest::default()
            .with_states_filter(states.iter().map(|state| str_bytes(state)).collect())
            .with_types_filter(types.iter().map(|kind| str_bytes(kind)).collect());
        let response = member.connection.ask(NEWEST, &request).await;
        target.transcript.note(format!("{states:?} {types:?} {}", response.error_code));
        assert_eq!(names(&target, &response), expected, "{states:?} {types:?}");
    }
}

scenarios! {
    every_version_lists_groups
    groups_are_listed_by_state_and_type
}
