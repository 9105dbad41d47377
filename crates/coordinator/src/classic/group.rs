//! A live group: its members and the bookkeeping that keeps every step cheap. What happens when is in the files
//! named for it (`join`, `rebalance`, `sync`, ...); nothing here answers anyone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use model::ErrorCode;

use super::member::{Member, kept, rebalance_timeout};
use super::request::{JoinRequest, Protocol};
use super::{CallerId, GroupState, WriteId};
use crate::schema::{CONSUMER_PROTOCOL_TYPE, subscribed_topics};
use crate::store::{GroupStore, StoredGroup};

pub(super) struct Group {
    pub(super) name: Arc<str>,
    pub(super) state: GroupState,
    /// The state before this one: a rebalance out of Empty waits for its delay even if all have joined.
    pub(super) previous: GroupState,
    pub(super) state_timestamp: Option<i64>,
    pub(super) generation: i32,
    pub(super) protocol_type: Option<String>,
    pub(super) protocol: Option<String>,
    /// Present if there are members.
    pub(super) leader: Option<Arc<str>>,
    pub(super) members: BTreeMap<Arc<str>, Member>,
    /// Member ids of static members by instance id.
    pub(super) static_members: BTreeMap<String, Arc<str>>,
    /// Ids that were handed out and not yet joined with (KIP-394).
    pub(super) pending: BTreeSet<Arc<str>>,
    /// Members of this generation that have not yet asked for their assignment.
    pub(super) unsynced: BTreeSet<Arc<str>>,
    /// How many members wait in JoinGroup.
    joined: usize,
    /// How many members support a protocol.
    support: BTreeMap<String, usize>,
    /// In the first rebalance of an empty group.
    pub(super) initial: Option<InitialDelay>,
    /// The leader's assignment that is being written.
    pub(super) assigning: Option<WriteId>,
    /// Emptied, but the record of it was refused: the store still has members that are gone.
    pub(super) unsaved: bool,
}

/// The delay that lets a new group gather (`group.initial.rebalance.delay.ms`), extended while members keep coming.
pub(super) struct InitialDelay {
    pub(super) current_ms: i32,
    /// What may yet be added: all in all not more than the rebalance timeout.
    pub(super) remaining_ms: i32,
    /// Someone joined since the delay was last extended.
    pub(super) someone_joined: bool,
}

impl Group {
    pub(super) fn new(name: &str) -> Self {
        Group {
            name: name.into(),
            state: GroupState::Empty,
            previous: GroupState::Dead,
            state_timestamp: None,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending: BTreeSet::new(),
            unsynced: BTreeSet::new(),
            joined: 0,
            support: BTreeMap::new(),
            initial: None,
            assigning: None,
            unsaved: false,
        }
    }

    pub(super) fn load(name: &str, stored: &StoredGroup) -> Self {
        let mut group = Group::new(name);
        group.generation = stored.generation;
        group.protocol_type = stored.protocol_type.clone();
        group.protocol = stored.protocol.clone();
        group.state_timestamp = stored.state_timestamp;
        for member in &stored.members {
            group.add(Member::load(member, stored.protocol.as_deref().unwrap_or_default()));
        }
        if !group.members.is_empty() {
            group.state = GroupState::Stable;
        }
        if let Some(leader) = stored.leader.as_deref()
            && let Some(member) = group.members.get(leader)
        {
            group.leader = Some(member.id.clone());
        }
        group
    }

    /// The group that the store has, or one that begins.
    pub(super) fn stored_or_new(store: &GroupStore, name: &str) -> Self {
        store.group(name).map_or_else(|| Group::new(name), |stored| Group::load(name, stored))
    }

    /// Kafka's clock of a state: for an empty group, retention counts from here.
    pub(super) fn enter(&mut self, state: GroupState, now_ms: i64) {
        self.previous = self.state;
        self.state = state;
        self.state_timestamp = Some(now_ms);
    }

    pub(super) fn add(&mut self, member: Member) {
        self.pending.remove(&member.id);
        if self.leader.is_none() {
            self.leader = Some(member.id.clone());
        }
        if let Some(instance_id) = &member.instance_id {
            self.static_members.insert(instance_id.clone(), member.id.clone());
        }
        self.count(&member, 1);
        if let Some(replaced) = self.members.insert(member.id.clone(), member) {
            self.count(&replaced, -1);
        }
    }

    /// Takes a member out; someone else leads if it did.
    pub(super) fn remove(&mut self, member_id: &str) -> Option<Member> {
        self.pending.remove(member_id);
        self.unsynced.remove(member_id);
        let member = self.members.remove(member_id)?;
        self.count(&member, -1);
        if let Some(instance_id) = &member.instance_id
            && self.static_members.get(instance_id) == Some(&member.id)
        {
            self.static_members.remove(instance_id);
        }
        if self.is_leader(member_id) {
            self.leader = self.members.keys().next().cloned();
        }
        Some(member)
    }

    /// Gives a static member a new id; what waited under the old one is the caller's to answer.
    pub(super) fn rename(&mut self, old_id: &str, new_id: &Arc<str>) -> (Option<CallerId>, Option<CallerId>) {
        let mut member = self.members.remove(old_id).expect("a static member's id is that of a member");
        self.count(&member, -1);
        let waiting = (member.joining.take(), member.syncing.take());
        member.id = new_id.clone();
        member.is_new = false;
        if self.is_leader(old_id) {
            self.leader = Some(new_id.clone());
        }
        if self.unsynced.remove(old_id) {
            self.unsynced.insert(new_id.clone());
        }
        self.add(member);
        waiting
    }

    /// Takes what a member's new JoinGroup says. Gives back the caller of an older one that still waited.
    pub(super) fn update(
        &mut self,
        member_id: &str,
        caller: CallerId,
        request: JoinRequest,
    ) -> (Contract, Option<CallerId>) {
        let contract = Contract {
            session_timeout_ms: request.session_timeout_ms,
            rebalance_timeout_ms: rebalance_timeout(&request),
            protocols: kept(request.protocols),
        };
        let older = self.set_joining(member_id, Some(caller));
        (self.set_contract(member_id, contract), older)
    }

    pub(super) fn set_contract(&mut self, member_id: &str, contract: Contract) -> Contract {
        let mut member = self.members.remove(member_id).expect("only members are updated");
        self.count(&member, -1);
        let old = Contract {
            session_timeout_ms: std::mem::replace(&mut member.session_timeout_ms, contract.session_timeout_ms),
            rebalance_timeout_ms: std::mem::replace(&mut member.rebalance_timeout_ms, contract.rebalance_timeout_ms),
            protocols: std::mem::replace(&mut member.protocols, contract.protocols),
        };
        self.count(&member, 1);
        self.members.insert(member.id.clone(), member);
        old
    }

    /// Lets a member wait in JoinGroup, or no longer. Gives back who waited before.
    pub(super) fn set_joining(&mut self, member_id: &str, caller: Option<CallerId>) -> Option<CallerId> {
        let member = self.members.get_mut(member_id)?;
        let older = std::mem::replace(&mut member.joining, caller);
        self.joined = self.joined + usize::from(caller.is_some()) - usize::from(older.is_some());
        older
    }

    fn count(&mut self, member: &Member, by: isize) {
        if member.joining.is_some() {
            self.joined = self.joined.checked_add_signed(by).expect("who leaves was counted");
        }
        for protocol in &member.protocols {
            let count = self.support.entry(protocol.name.clone()).or_default();
            *count = count.checked_add_signed(by).expect("what a member takes back it had given");
            if *count == 0 {
                self.support.remove(&protocol.name);
            }
        }
    }

    /// Whether nothing is left of it that the store does not know.
    pub(super) fn is_idle(&self) -> bool {
        self.state == GroupState::Empty && self.pending.is_empty() && !self.unsaved
    }

    pub(super) fn joined(&self) -> usize {
        self.joined
    }

    pub(super) fn all_joined(&self) -> bool {
        self.joined == self.members.len() && self.pending.is_empty()
    }

    pub(super) fn is_leader(&self, member_id: &str) -> bool {
        self.leader.as_deref() == Some(member_id)
    }

    /// The longest of its members' rebalance timeouts.
    pub(super) fn rebalance_timeout_ms(&self) -> i32 {
        self.members.values().map(|member| member.rebalance_timeout_ms).max().unwrap_or(0)
    }

    /// Whether a member may speak under this id: fenced is who came back under a newer id.
    pub(super) fn validate(&self, member_id: &str, instance_id: Option<&str>) -> Result<(), ErrorCode> {
        if let Some(instance_id) = instance_id {
            match self.static_members.get(instance_id) {
                None => return Err(ErrorCode::UnknownMemberId),
                Some(current) if **current != *member_id => return Err(ErrorCode::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.members.contains_key(member_id) { Ok(()) } else { Err(ErrorCode::UnknownMemberId) }
    }

    /// Whether someone with these protocols can be a member among the present ones.
    pub(super) fn supports(&self, protocol_type: &str, protocols: &[Protocol]) -> bool {
        if self.state == GroupState::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        let common = |protocol: &Protocol| self.support.get(&protocol.name).copied() == Some(self.members.len());
        // Members that left while a rebalance gathers may leave nobody to agree with.
        let anything = self.members.is_empty() && !protocols.is_empty();
        self.protocol_type.as_deref() == Some(protocol_type) && (anything || protocols.iter().any(common))
    }

    /// The protocol that all members support and most prefer; the first in alphabetical order of equals.
    pub(super) fn choose_protocol(&self) -> Option<String> {
        let common = |name: &str| self.support.get(name).copied() == Some(self.members.len());
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            if let Some(choice) = member.protocols.iter().find(|protocol| common(&protocol.name)) {
                *votes.entry(&choice.name).or_default() += 1;
            }
        }
        let most = votes.values().copied().max()?;
        votes.into_iter().find(|&(_, count)| count == most).map(|(name, _)| name.to_owned())
    }

    pub(super) fn is_consumer(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER_PROTOCOL_TYPE)
    }

    /// Shows `visit` each topic that a member of a consumer group subscribes to. False if that can't be known:
    /// then any topic may be subscribed to.
    pub(super) fn each_subscribed_topic(&self, mut visit: impl FnMut(&str)) -> bool {
        let protocol = self.protocol.as_deref();
        self.members.values().all(|member| {
            let metadata = member.metadata(protocol);
            metadata.is_some_and(|metadata| subscribed_topics(metadata, &mut visit).is_ok())
        })
    }

    /// As it is to be written, with the assignments given.
    pub(super) fn stored(&self, mut assignment: impl FnMut(&Member) -> Bytes) -> StoredGroup {
        let protocol = self.protocol.as_deref();
        StoredGroup {
            protocol_type: self.protocol_type.clone(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.as_deref().map(str::to_owned),
            state_timestamp: self.state_timestamp,
            members: self.members.values().map(|member| member.stored(protocol, assignment(member))).collect(),
        }
    }
}

/// What a member's JoinGroup sets.
pub(super) struct Contract {
    pub(super) session_timeout_ms: i32,
    pub(super) rebalance_timeout_ms: i32,
    pub(super) protocols: Vec<Protocol>,
}
