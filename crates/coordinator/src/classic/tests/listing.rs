//! DescribeGroups and ListGroups.

use super::*;
use crate::{DescribedMember, GroupState, ListFilter};

fn listed(scene: &Scene, filter: &ListFilter) -> Vec<String> {
    let groups = scene.groups.list(&scene.store, filter);
    groups.into_iter().map(|group| format!("{} {} {}", group.group, group.protocol_type, group.state)).collect()
}

fn scene() -> Scene {
    let mut scene = Scene::new(script::config());
    let commit = scene.commit_to("simple");
    scene.apply(commit);
    for command in ["a joins protocols=range:meta", "@3000"] {
        scene.run(command);
    }
    scene
}

#[test]
fn all_groups_are_listed_live_or_stored() {
    let mut scene = scene();
    let all = ListFilter::default();
    assert_eq!(listed(&scene, &all), ["g consumer CompletingRebalance", "simple  Empty"]);
    scene.run("a syncs");
    assert_eq!(listed(&scene, &all), ["g consumer Stable", "simple  Empty"]);
    scene.run("a leaves");
    assert_eq!(listed(&scene, &all), ["g consumer Empty", "simple  Empty"]);
}

#[test]
fn groups_are_filtered_by_state_and_type_in_any_case() {
    let scene = scene();
    let states = |states: &[&str]| {
        let filter = ListFilter { states: states.iter().map(|&state| state.into()).collect(), types: Vec::new() };
        listed(&scene, &filter).len()
    };
    assert_eq!([states(&["eMPTY"]), states(&["Empty", "completingrebalance"]), states(&["Stable"])], [1, 2, 0]);
    assert_eq!(states(&["nonsense"]), 0);
    let types = |types: &[&str]| {
        let filter = ListFilter { types: types.iter().map(|&name| name.into()).collect(), states: Vec::new() };
        listed(&scene, &filter).len()
    };
    assert_eq!([types(&["Classic"]), types(&["consumer"]), types(&["share", "classic"])], [2, 0, 2]);
}

#[test]
fn metadata_is_told_of_a_stable_group_only() {
    let mut scene = scene();
    let describe = |scene: &Scene| scene.groups.describe(&scene.store, "g").unwrap();
    let before = describe(&scene);
    assert_eq!((before.state, &*before.protocol), (GroupState::CompletingRebalance, ""));
    assert!(before.members[0].metadata.is_empty());
    scene.run("a syncs a=x");
    let stable = describe(&scene);
    assert_eq!((stable.state, &*stable.protocol, &*stable.protocol_type), (GroupState::Stable, "range", "consumer"));
    let member = DescribedMember {
        member_id: stable.members[0].member_id.clone(),
        instance_id: None,
        client_id: "a".into(),
        client_host: "/127.0.0.1".into(),
        metadata: "meta".into(),
        assignment: "x".into(),
    };
    assert_eq!(stable.members, [member]);
}

#[test]
fn a_group_that_only_keeps_offsets_is_described_as_empty() {
    let scene = scene();
    let simple = scene.groups.describe(&scene.store, "simple").unwrap();
    assert_eq!((simple.state, &*simple.protocol_type, simple.members.len()), (GroupState::Empty, "", 0));
    assert_eq!(scene.groups.describe(&scene.store, "unknown"), None);
}
