//! One member of a live group.

use std::sync::Arc;

use bytes::Bytes;

use super::request::{JoinRequest, Protocol};
use super::{CallerId, DescribedMember};
use crate::store::StoredMember;

pub(super) struct Member {
    pub(super) id: Arc<str>,
    pub(super) instance_id: Option<String>,
    pub(super) client_id: String,
    pub(super) client_host: String,
    pub(super) session_timeout_ms: i32,
    /// By what was heard of it last, if that was a heartbeat, or whatever else starts a session in full.
    pub(super) session_ends_ms: i64,
    pub(super) rebalance_timeout_ms: i32,
    /// What it can assign by, best first.
    pub(super) protocols: Vec<Protocol>,
    /// From the last generation that it took part in.
    pub(super) assignment: Bytes,
    /// Its JoinGroup that waits for the join phase to end: it has joined the coming generation.
    pub(super) joining: Option<CallerId>,
    /// Its SyncGroup that waits for the assignment.
    pub(super) syncing: Option<CallerId>,
    /// It was never told its id, so it cannot heartbeat: its session runs even while it waits.
    pub(super) is_new: bool,
}

impl Member {
    pub(super) fn new(id: Arc<str>, caller: CallerId, request: JoinRequest) -> Self {
        Member {
            id,
            session_timeout_ms: request.session_timeout_ms,
            session_ends_ms: i64::MIN,
            rebalance_timeout_ms: rebalance_timeout(&request),
            protocols: kept(request.protocols),
            instance_id: request.instance_id,
            client_id: request.client_id,
            client_host: request.client_host,
            assignment: Bytes::new(),
            joining: Some(caller),
            syncing: None,
            is_new: true,
        }
    }

    /// A member of a stable group, as it was stored. It has one protocol: the group's.
    pub(super) fn load(stored: &StoredMember, protocol: &str) -> Self {
        Member {
            id: stored.member_id.as_str().into(),
            instance_id: stored.instance_id.clone(),
            client_id: stored.client_id.clone(),
            client_host: stored.client_host.clone(),
            session_timeout_ms: stored.session_timeout_ms,
            session_ends_ms: i64::MIN,
            rebalance_timeout_ms: stored.rebalance_timeout_ms,
            protocols: vec![Protocol { name: protocol.to_owned(), metadata: stored.subscription.clone() }],
            assignment: stored.assignment.clone(),
            joining: None,
            syncing: None,
            is_new: false,
        }
    }

    pub(super) fn is_static(&self) -> bool {
        self.instance_id.is_some()
    }

    pub(super) fn extend_session(&mut self, now_ms: i64) {
        self.session_ends_ms = now_ms.saturating_add(i64::from(self.session_timeout_ms.max(0)));
    }

    /// Whether silence is to be forgiven: who waits for the broker cannot be expected to call.
    pub(super) fn waits(&self) -> bool {
        !self.is_new && (self.joining.is_some() || self.syncing.is_some())
    }

    /// Whether a join brings nothing new. The order of protocols counts: it is the member's vote.
    pub(super) fn matches(&self, protocols: &[Protocol]) -> bool {
        self.protocols == protocols
    }

    pub(super) fn metadata(&self, protocol: Option<&str>) -> Option<&Bytes> {
        let protocol = self.protocols.iter().find(|own| Some(own.name.as_str()) == protocol)?;
        Some(&protocol.metadata)
    }

    pub(super) fn describe(&self, protocol: Option<&str>) -> DescribedMember {
        DescribedMember {
            member_id: self.id.to_string(),
            instance_id: self.instance_id.clone(),
            client_id: self.client_id.clone(),
            client_host: self.client_host.clone(),
            metadata: self.metadata(protocol).cloned().unwrap_or_default(),
            assignment: self.assignment.clone(),
        }
    }

    pub(super) fn stored(&self, protocol: Option<&str>, assignment: Bytes) -> StoredMember {
        StoredMember {
            member_id: self.id.to_string(),
            instance_id: self.instance_id.clone(),
            client_id: self.client_id.clone(),
            client_host: self.client_host.clone(),
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            session_timeout_ms: self.session_timeout_ms,
            subscription: self.metadata(protocol).cloned().unwrap_or_default(),
            assignment,
        }
    }
}

/// The oldest clients have one timeout for both.
pub(super) fn rebalance_timeout(request: &JoinRequest) -> i32 {
    if request.rebalance_timeout_ms < 0 { request.session_timeout_ms } else { request.rebalance_timeout_ms }
}

/// The protocols of a request, to be kept: one of a name, and owning their bytes, since those of a request are part of
/// its frame and would hold on to all of it.
pub(super) fn kept(protocols: Vec<Protocol>) -> Vec<Protocol> {
    let mut kept: Vec<Protocol> = Vec::with_capacity(protocols.len());
    let mut names = std::collections::BTreeSet::new();
    for Protocol { name, metadata } in protocols {
        if names.insert(name.clone()) {
            kept.push(Protocol { name, metadata: Bytes::copy_from_slice(&metadata) });
        }
    }
    kept
}
