//! DescribeGroups and ListGroups.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;

use super::ClassicGroups;
use super::group::Group;
use crate::store::GroupStore;
use GroupState::{Empty, Stable};

/// What a classic group is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroupState {
    /// No members; perhaps offsets.
    Empty,
    /// Members are asked to join again.
    PreparingRebalance,
    /// All have joined; the leader is to assign.
    CompletingRebalance,
    /// All have their assignment.
    Stable,
    /// There is no such group.
    Dead,
}

impl GroupState {
    /// As Kafka's tools show it.
    pub fn name(self) -> &'static str {
        match self {
            GroupState::Empty => "Empty",
            GroupState::PreparingRebalance => "PreparingRebalance",
            GroupState::CompletingRebalance => "CompletingRebalance",
            GroupState::Stable => "Stable",
            GroupState::Dead => "Dead",
        }
    }
}

impl fmt::Display for GroupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The type of all groups here, as ListGroups 5 shows it.
pub const GROUP_TYPE: &str = "classic";

/// Which groups ListGroups wants. Case does not matter; an empty list means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListFilter {
    /// Names of states (version 4 and later).
    pub states: Vec<String>,
    /// Types: `classic`, `consumer`, ... (version 5 and later).
    pub types: Vec<String>,
}

impl ListFilter {
    fn wants_type(&self) -> bool {
        self.types.is_empty() || self.types.iter().any(|wanted| wanted.eq_ignore_ascii_case(GROUP_TYPE))
    }

    fn wants_state(&self, state: GroupState) -> bool {
        self.states.is_empty() || self.states.iter().any(|wanted| wanted.eq_ignore_ascii_case(state.name()))
    }
}

/// A group in ListGroups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedGroup {
    /// Its name.
    pub group: String,
    /// `consumer`, ...; empty for a simple group.
    pub protocol_type: String,
    /// What it is doing.
    pub state: GroupState,
}

/// A group in DescribeGroups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedGroup {
    /// What it is doing.
    pub state: GroupState,
    /// `consumer`, ...; empty for a simple group.
    pub protocol_type: String,
    /// The protocol in use; empty unless stable.
    pub protocol: String,
    /// Its members, in the order of their ids.
    pub members: Vec<DescribedMember>,
}

/// A member of a [`DescribedGroup`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedMember {
    /// Its id.
    pub member_id: String,
    /// Of a static member.
    pub instance_id: Option<String>,
    /// From its request header.
    pub client_id: String,
    /// `/address`.
    pub client_host: String,
    /// Its metadata for the protocol in use; empty unless stable.
    pub metadata: Bytes,
    /// What it was assigned.
    pub assignment: Bytes,
}

impl ClassicGroups {
    /// A group as it is now; `None` if there is none: "Dead" before DescribeGroups 6, GROUP_ID_NOT_FOUND from then on.
    pub fn describe(&self, store: &GroupStore, group: &str) -> Option<DescribedGroup> {
        match self.groups.get(group) {
            Some(live) => Some(describe(live)),
            None if store.contains(group) => Some(describe(&Group::stored_or_new(store, group))),
            None => None,
        }
    }

    /// The groups that pass the filter, in the order of their names.
    pub fn list(&self, store: &GroupStore, filter: &ListFilter) -> Vec<ListedGroup> {
        if !filter.wants_type() {
            return Vec::new();
        }
        let mut listed: BTreeMap<&str, (GroupState, Option<&str>)> = BTreeMap::new();
        for (name, stored) in store.groups() {
            let state = if stored.is_some_and(|stored| !stored.members.is_empty()) { Stable } else { Empty };
            listed.insert(name, (state, stored.and_then(|stored| stored.protocol_type.as_deref())));
        }
        for (name, live) in &self.groups {
            listed.insert(name, (live.state, live.protocol_type.as_deref()));
        }
        let wanted = listed.into_iter().filter(|(_, (state, _))| filter.wants_state(*state));
        let list = |(name, (state, protocol_type)): (&str, (GroupState, Option<&str>))| ListedGroup {
            group: name.to_owned(),
            protocol_type: protocol_type.unwrap_or_default().to_owned(),
            state,
        };
        wanted.map(list).collect()
    }
}

/// Protocol and metadata are told of a stable group only: else they are about to change.
fn describe(group: &Group) -> DescribedGroup {
    let protocol = group.protocol.as_deref().filter(|_| group.state == Stable);
    DescribedGroup {
        state: group.state,
        protocol_type: group.protocol_type.clone().unwrap_or_default(),
        protocol: protocol.unwrap_or_default().to_owned(),
        members: group.members.values().map(|member| member.describe(protocol)).collect(),
    }
}
