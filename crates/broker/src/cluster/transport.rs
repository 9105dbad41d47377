//! Raft's messages, over the connections between brokers.

use std::fmt;
use std::sync::{Arc, Weak};

use model::GroupId;
use peer::{Message, Urgency};
use raft::Voter;
use raft::transport::{Call, Request, Transport, Unreachable, decode_reply, encode_request};

use super::kinds;
use super::links::Links;

/// The way of a group's messages to other brokers.
pub(crate) struct PeerTransport(Weak<Links>);

impl PeerTransport {
    pub(crate) fn over(links: &Arc<Links>) -> Arc<dyn Transport> {
        Arc::new(PeerTransport(Arc::downgrade(links)))
    }
}

impl Transport for PeerTransport {
    fn call(&self, group: GroupId, to: Voter, request: Request) -> Call {
        let unreachable = move |reason: String| Unreachable { to, reason };
        let peers = self.0.upgrade().and_then(|links| links.peers().cloned());
        let (head, parts) = encode_request(group, to, &request);
        let urgency = match &request {
            Request::Append(append) if !append.entries.is_empty() => Urgency::Bulk,
            Request::Install(_) => Urgency::Bulk,
            _ => Urgency::Urgent,
        };
        Box::pin(async move {
            let peers = peers.ok_or_else(|| unreachable("this broker is alone".to_owned()))?;
            let message = Message::new(head, parts);
            let reply = peers.call(to.broker(), kinds::RAFT, urgency, message).await;
            let reply = reply.map_err(|why| unreachable(why.to_string()))?;
            decode_reply(reply).ok_or_else(|| unreachable("it answered in words of another version".to_owned()))
        })
    }
}

impl fmt::Debug for PeerTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeerTransport")
    }
}
