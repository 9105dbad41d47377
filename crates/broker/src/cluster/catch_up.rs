//! The state of shards, for members that lack entries: what the leader's broker reads, over the connections.

use std::fmt;
use std::io;
use std::sync::{Arc, Weak};

use bytes::{BufMut, Bytes, BytesMut};
use futures::future::BoxFuture;
use model::{BrokerId, GroupId};
use peer::Message;
use raft::{CatchUp, Kept, Voter};
use shard::{Reading, Source};

use super::kinds;
use super::links::Links;

/// A group's id comes first in a request.
const GROUP_BYTES: usize = 4;

/// To calls that come too late.
const STOPPING: &str = "this broker is being stopped";

/// Fetches what a leader offers.
pub(crate) struct PeerCatchUp {
    links: Weak<Links>,
    reserve_bytes: u64,
}

impl PeerCatchUp {
    /// So many bytes stay free on the disk.
    pub(crate) fn over(links: &Arc<Links>, reserve_bytes: u64) -> Arc<dyn CatchUp> {
        Arc::new(PeerCatchUp { links: Arc::downgrade(links), reserve_bytes })
    }
}

impl CatchUp for PeerCatchUp {
    fn fetch(&self, group: GroupId, from: Voter, offer: Bytes) -> BoxFuture<'static, io::Result<Kept>> {
        let (links, reserve_bytes) = (self.links.clone(), self.reserve_bytes);
        Box::pin(async move {
            let shard =
                links.upgrade().ok_or_else(|| io::Error::other(STOPPING))?.shard(group).map_err(io::Error::other)?;
            shard.fetch_offered(offer, &Leader { links, group, broker: from.broker() }, reserve_bytes).await
        })
    }
}

impl fmt::Debug for PeerCatchUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeerCatchUp")
    }
}

/// The leader of a shard, on another broker.
struct Leader {
    links: Weak<Links>,
    group: GroupId,
    broker: BrokerId,
}

impl Source for Leader {
    fn read(&self, request: Bytes) -> Reading {
        let mut body = BytesMut::with_capacity(GROUP_BYTES + request.len());
        body.put_u32_le(self.group.0);
        body.put_slice(&request);
        let (links, broker) = (self.links.clone(), self.broker);
        Box::pin(async move {
            let links = links.upgrade().ok_or_else(|| io::Error::other(STOPPING))?;
            let reply = links.ask(broker, kinds::CATCH_UP, body.freeze()).await;
            let reply = reply.map_err(|why| io::Error::other(format!("broker {broker}: {why}")))?;
            links.taken.spend(reply.len()).await;
            Ok(reply)
        })
    }
}

/// Answers a member that fetches.
pub(super) async fn serve(links: &Links, body: Bytes) -> Result<Message, String> {
    let (group, request) = split(&body).ok_or("a request that is too short")?;
    let shard = links.shard(group)?;
    let most_bytes = links.taken.piece_bytes().min(links.given.piece_bytes());
    let piece = shard.read_offered(request, most_bytes).await.map_err(|why| why.to_string())?;
    links.given.spend(piece.len()).await;
    Ok(Message::from(piece))
}

/// The group that a request is about, and what it asks the shard.
fn split(body: &Bytes) -> Option<(GroupId, Bytes)> {
    let group = body.get(..GROUP_BYTES)?.try_into().ok()?;
    Some((GroupId(u32::from_le_bytes(group)), body.slice(GROUP_BYTES..)))
}
