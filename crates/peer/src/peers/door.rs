//! Connections that others make.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::complaints::Complaints;
use super::judge::judge;
use super::{Inner, Tenure};
use crate::handshake::greeting::{Answer, Reason};
use crate::handshake::{HandshakeError, receive};
use crate::lock::lock;
use crate::{Identity, Stream};

/// How long to wait when the system has no more descriptors for us.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections whose other end has not proved itself, and what was said about some.
#[derive(Default)]
pub(crate) struct Door {
    waiting: Mutex<Waiting>,
    complaints: Complaints,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    /// The oldest first. Dropping its sender closes a connection.
    connections: BTreeMap<u64, oneshot::Sender<()>>,
}

/// Accepts connections until the end.
pub(crate) async fn accept(inner: Arc<Inner>, socket: TcpListener) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = inner.stopped() => return,
            accepted = socket.accept() => accepted,
        };
        match accepted {
            Ok((stream, from)) if stream.set_nodelay(true).is_ok() => attach(&inner, Box::new(stream), from),
            Ok(_) => {} // went away as it came
            Err(why) => {
                tracing::warn!(%why, "a broker's connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Lets a connection in if its other end proves itself. When too many try at a time, the one that has tried
/// for longest has to go: an honest one takes milliseconds.
pub(crate) fn attach(inner: &Arc<Inner>, stream: Box<dyn Stream>, from: SocketAddr) {
    let (evict, evicted) = oneshot::channel();
    let number = {
        let mut waiting = lock(&inner.door.waiting);
        while waiting.connections.len() >= inner.options.max_handshakes.max(1) {
            waiting.connections.pop_first();
        }
        waiting.next += 1;
        let number = waiting.next;
        waiting.connections.insert(number, evict);
        number
    };
    let task = inner.clone();
    inner.spawn(async move {
        let entered = tokio::select! {
            biased;
            () = task.stopped() => None,
            _ = evicted => None,
            entered = enter(&task, stream, from) => entered,
        };
        lock(&task.door.waiting).connections.remove(&number);
        if let Some((stream, tenure)) = entered {
            tenure.run(stream, true).await;
        }
    });
}

/// The handshake, within its time.
async fn enter(inner: &Arc<Inner>, stream: Box<dyn Stream>, from: SocketAddr) -> Option<(Box<dyn Stream>, Tenure)> {
    let shaken = timeout(inner.options.handshake_timeout, shake(inner, stream)).await;
    let why = match shaken.unwrap_or(Err(HandshakeError::TooSlow)) {
        Ok(entered) => {
            inner.door.complaints.forget(from.ip());
            return Some(entered);
        }
        Err(why) => why,
    };
    let words = why.to_string();
    let is_for_the_operator = match &why {
        HandshakeError::WrongSecret | HandshakeError::Version(..) | HandshakeError::Malformed => true,
        HandshakeError::Tls(_) => true,
        HandshakeError::Refused(refusal) => refusal.reason == Reason::Misplaced,
        HandshakeError::Broken(_) | HandshakeError::TooSlow => false,
        HandshakeError::Foreign | HandshakeError::Unanswered => false,
    };
    if is_for_the_operator && inner.door.complaints.is_new(from.ip(), &words) {
        tracing::warn!(from = %from.ip(), "a connection to the cluster port was refused: {words}");
    } else {
        tracing::debug!(%from, "a connection to the cluster port was refused: {words}");
    }
    None
}

async fn shake(inner: &Arc<Inner>, stream: Box<dyn Stream>) -> Result<(Box<dyn Stream>, Tenure), HandshakeError> {
    let mut stream = inner.dialer.accept(stream).await.map_err(|why| match why.kind() {
        ErrorKind::InvalidData => HandshakeError::Tls(why.to_string()),
        _ => HandshakeError::Broken(why),
    })?;
    let introduced = receive(&mut *stream, &inner.secret, &*inner.random).await?;
    let them = introduced.introduction.clone();
    let me = lock(&inner.table).me.clone();
    let judged = judge(&me, &them);
    let taken = judged.and_then(|()| inner.take(them.identity, (them.purpose, them.windows), false));
    let answer = match &taken {
        Ok(_) => Answer::Welcome { windows: inner.windows(), identity: Identity::clone(&me) },
        Err(refusal) => Answer::Refusal(refusal.clone()),
    };
    introduced.answer(&mut *stream, &inner.secret, &answer).await?;
    Ok((stream, taken.map_err(HandshakeError::Refused)?))
}
