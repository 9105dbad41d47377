//! Commands for the controller, over the connections between brokers.

use std::fmt;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use controller::{Forward, ForwardError, Forwarding};
use model::{BrokerId, GroupId};
use peer::{CallError, Message, Urgency};

use super::kinds;
use super::links::Links;

/// The way of commands to the broker that leads the controller.
pub(crate) struct PeerForward(Weak<Links>);

impl PeerForward {
    pub(crate) fn over(links: &Arc<Links>) -> Arc<dyn Forward> {
        Arc::new(PeerForward(Arc::downgrade(links)))
    }
}

impl Forward for PeerForward {
    fn forward(&self, to: BrokerId, entry: Bytes) -> Forwarding {
        let links = self.0.upgrade();
        Box::pin(async move {
            let peers = links.as_ref().and_then(|links| links.peers());
            let peers = peers.ok_or_else(|| ForwardError::NotSent("this broker is alone".to_owned()))?;
            peers.call(to, kinds::COMMAND, Urgency::Bulk, Message::from(entry)).await.map_err(|why| failed(&why))
        })
    }

    fn leader(&self) -> Option<BrokerId> {
        self.0.upgrade()?.leaders.of(GroupId::CONTROLLER).map(|lead| lead.leader)
    }
}

impl fmt::Debug for PeerForward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeerForward")
    }
}

fn failed(why: &CallError) -> ForwardError {
    match why.was_never_sent() {
        true => ForwardError::NotSent(why.to_string()),
        false => ForwardError::Unanswered(why.to_string()),
    }
}
