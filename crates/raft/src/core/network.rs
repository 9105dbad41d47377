//! openraft's way to the other members: over the group's transport.

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use openraft::errors::{RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::RPCOption;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest, TransferLeaderResponse,
    VoteRequest, VoteResponse,
};
use openraft::{AnyError, RaftNetworkFactory, RaftNetworkV2};

use super::pipeline::{self, Pipeline};
use super::types::{Offer, Snapshot, Types, Vote};
use super::{Shared, catch_up, messages};
use crate::Voter;
use crate::transport::{Reply, Request};

/// What a stream of appends begins with.
type Streaming<'s, R> = BoxFuture<'s, Result<BoxStream<'s, pipeline::Answer<R>>, RPCError<Types<R>>>>;

/// Makes a connection for each member.
pub(crate) struct Network {
    pub(super) shared: Arc<Shared>,
}

impl<R: Send + Debug + 'static> RaftNetworkFactory<Types<R>> for Network {
    type Network = Peer;

    async fn new_client(&mut self, target: Voter, (): &()) -> Peer {
        Peer { target, shared: self.shared.clone() }
    }
}

/// One member.
pub(crate) struct Peer {
    pub(super) target: Voter,
    pub(super) shared: Arc<Shared>,
}

impl Peer {
    /// A failed call counts as one to a member that can't be reached, after which openraft waits
    /// before the next.
    pub(super) fn call<R: Send + Debug + 'static, T>(
        &self,
        request: Request,
        read: impl FnOnce(Reply) -> Option<T>,
    ) -> impl Future<Output = Result<T, RPCError<Types<R>>>> {
        let target = self.target;
        let call = self.shared.transport.call(self.shared.group, target, request);
        async move {
            let unreachable = |reason: String| RPCError::Unreachable(Unreachable::new(&AnyError::error(reason)));
            let reply = call.await.map_err(|error| unreachable(error.to_string()))?;
            read(reply).ok_or_else(|| unreachable(format!("voter {target} answered something else")))
        }
    }
}

impl<R: Send + Debug + 'static> RaftNetworkV2<Types<R>> for Peer {
    type SnapshotData = Offer;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<Types<R>>,
        _: RPCOption,
    ) -> Result<AppendEntriesResponse<Types<R>>, RPCError<Types<R>>> {
        let append = messages::append(request, &self.shared);
        self.call(Request::Append(append), messages::append_response).await
    }

    /// It never fails as such: openraft backs off only after it was asked for a request, so that an
    /// error from here would have it try again at once, and for ever.
    fn stream_append<'s, S>(&'s mut self, requests: S, _: RPCOption) -> Streaming<'s, R>
    where
        S: Stream<Item = AppendEntriesRequest<Types<R>>> + Send + Unpin + 'static,
    {
        Box::pin(std::future::ready(Ok(Pipeline::new(self, requests).boxed())))
    }

    async fn vote(
        &mut self,
        request: VoteRequest<Types<R>>,
        _: RPCOption,
    ) -> Result<VoteResponse<Types<R>>, RPCError<Types<R>>> {
        self.call(Request::Vote(messages::candidacy(&request)), messages::vote_response).await
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<Types<R>>,
        _: RPCOption,
    ) -> Result<VoteResponse<Types<R>>, RPCError<Types<R>>> {
        self.call(Request::PreVote(messages::candidacy(&request)), messages::vote_response).await
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<Types<R>>,
        _: RPCOption,
    ) -> Result<TransferLeaderResponse<Types<R>>, RPCError<Types<R>>> {
        // What it says of its reasons, nobody reads.
        self.call(Request::HandOver(messages::hand_over(&request)), |_| Some(Ok(()))).await
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        _: RPCOption,
    ) -> Result<SnapshotResponse<Types<R>>, StreamingError<Types<R>>> {
        let shipped = catch_up::ship(self, vote, snapshot);
        tokio::select! {
            biased;
            closed = cancel => Err(closed.into()),
            shipped = shipped => shipped,
        }
    }
}
