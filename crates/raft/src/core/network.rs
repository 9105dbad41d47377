//! How openraft reaches the other members: not yet, since a group has one.

use std::fmt::Debug;
use std::future::Future;

use openraft::error::{RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::RPCOption;
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse};
use openraft::{AnyError, RaftNetworkFactory, RaftNetworkV2};

use super::types::{Snapshot, Types, Vote};
use crate::Voter;

/// Makes a connection for each member.
pub(crate) struct Network;

impl<R: Send + Debug + 'static> RaftNetworkFactory<Types<R>> for Network {
    type Network = Peer;

    async fn new_client(&mut self, target: Voter, (): &()) -> Peer {
        Peer { target }
    }
}

/// One member, out of reach.
pub(crate) struct Peer {
    target: Voter,
}

impl Peer {
    fn unreachable<R: Send + Debug + 'static>(&self) -> Unreachable<Types<R>> {
        Unreachable::new(&AnyError::error(format!("no way to reach voter {}", self.target)))
    }
}

impl<R: Send + Debug + 'static> RaftNetworkV2<Types<R>> for Peer {
    type SnapshotData = ();

    async fn append_entries(
        &mut self,
        _: AppendEntriesRequest<Types<R>>,
        _: RPCOption,
    ) -> Result<AppendEntriesResponse<Types<R>>, RPCError<Types<R>>> {
        Err(self.unreachable().into())
    }

    async fn vote(
        &mut self,
        _: VoteRequest<Types<R>>,
        _: RPCOption,
    ) -> Result<VoteResponse<Types<R>>, RPCError<Types<R>>> {
        Err(self.unreachable().into())
    }

    /// Not granted, as it would be by default.
    async fn pre_vote(
        &mut self,
        _: VoteRequest<Types<R>>,
        _: RPCOption,
    ) -> Result<VoteResponse<Types<R>>, RPCError<Types<R>>> {
        Err(self.unreachable().into())
    }

    async fn full_snapshot(
        &mut self,
        _: Vote,
        _: Snapshot,
        _: impl Future<Output = ReplicationClosed> + Send + 'static,
        _: RPCOption,
    ) -> Result<SnapshotResponse<Types<R>>, StreamingError<Types<R>>> {
        Err(self.unreachable().into())
    }
}
