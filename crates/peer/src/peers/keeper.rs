//! Connections that this broker makes: one task for each broker that is known, which dials while there is none.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use model::BrokerId;
use tokio::time::{sleep, timeout};

use super::table::Step;
use super::{Inner, Tenure};
use crate::handshake::greeting::{Introduction, Purpose, Reason};
use crate::handshake::{HandshakeError, dial};
use crate::lock::lock;
use crate::stream::is_refusal;
use crate::{Address, Identity, Options, Stream};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error("{0}: {1}")]
    Unreachable(Address, io::Error),
    #[error("{0}: no connection within {time} ms", time = .1.as_millis())]
    TooSlow(Address, Duration),
    #[error("{0}: {1}")]
    Handshake(Address, HandshakeError),
}

impl DialError {
    /// Whether a person has to see to it.
    fn is_for_the_operator(&self) -> bool {
        match self {
            // What is below has found fault with who is there.
            DialError::Unreachable(_, why) => why.kind() == io::ErrorKind::InvalidData,
            DialError::TooSlow(..) => false,
            DialError::Handshake(_, HandshakeError::Broken(_) | HandshakeError::TooSlow) => false,
            DialError::Handshake(_, HandshakeError::Refused(refusal)) => refusal.reason == Reason::Misplaced,
            DialError::Handshake(..) => true,
        }
    }

    /// Whether the other broker knows of a better connection.
    fn is_duplicate(&self) -> bool {
        matches!(self, DialError::Handshake(_, HandshakeError::Refused(refusal)) if refusal.reason == Reason::Duplicate)
    }

    pub(crate) fn is_myself(&self) -> bool {
        matches!(self, DialError::Handshake(_, HandshakeError::Refused(refusal)) if refusal.reason == Reason::Myself)
    }
}

/// Keeps a connection with a broker until it is not known any more.
pub(crate) async fn keep(inner: Arc<Inner>, id: BrokerId) {
    let mut pause = Duration::ZERO;
    loop {
        let (step, changed) = lock(&inner.table).next_step(id);
        let address = match step {
            Step::Leave => return,
            Step::Dial(address) => address,
            Step::Wait => {
                let up_since = lock(&inner.table).up_since(id);
                tokio::select! {
                    biased;
                    () = inner.stopped() => return,
                    () = changed.notified() => {}
                }
                // One that breaks as soon as it is there must not be dialled in a loop.
                if up_since.is_some_and(|since| since.elapsed() >= inner.options.longest_wait) {
                    pause = Duration::ZERO;
                }
                continue;
            }
        };
        tokio::select! {
            biased;
            () = inner.stopped() => return,
            () = changed.notified() => continue,
            () = sleep(inner.with_chance(pause)) => {}
        }
        pause = (pause * 2).clamp(inner.options.first_wait, inner.options.longest_wait);
        tokio::select! {
            biased;
            () = inner.stopped() => return,
            attempted = attempt(&inner, id, &address) => if let Err(why) = attempted { failed(&inner, id, &why) },
        }
    }
}

async fn attempt(inner: &Arc<Inner>, id: BrokerId, address: &Address) -> Result<(), DialError> {
    let (stream, tenure) = connect(inner, address, Purpose::Pair, Some(id)).await?;
    inner.spawn(tenure.run(stream, true));
    Ok(())
}

/// Makes a connection and shakes hands.
pub(crate) async fn connect(
    inner: &Arc<Inner>,
    address: &Address,
    purpose: Purpose,
    to: Option<BrokerId>,
) -> Result<(Box<dyn Stream>, Tenure), DialError> {
    let Options { dial_timeout, handshake_timeout, .. } = *inner.options;
    let dialled = timeout(dial_timeout, inner.dialer.dial(address)).await;
    let dialled = dialled.map_err(|_| DialError::TooSlow(address.clone(), dial_timeout))?;
    let mut stream = dialled.map_err(|why| DialError::Unreachable(address.clone(), why))?;
    let me = Identity::clone(&lock(&inner.table).me);
    let me = Introduction { purpose, to, windows: inner.windows(), identity: me };
    let shaken = timeout(handshake_timeout, dial(&mut *stream, &inner.secret, &*inner.random, &me)).await;
    let failed = |why| DialError::Handshake(address.clone(), why);
    let (windows, identity) = shaken.unwrap_or(Err(HandshakeError::TooSlow)).map_err(failed)?;
    if to.is_some_and(|to| to != identity.broker) {
        return Err(failed(HandshakeError::Malformed)); // it ought to have refused
    }
    let tenure = inner.take(identity, (purpose, windows), true);
    Ok((stream, tenure.map_err(|refusal| failed(HandshakeError::Refused(refusal)))?))
}

/// Tells the operator, once.
fn failed(inner: &Inner, id: BrokerId, why: &DialError) {
    if why.is_duplicate() {
        return; // the other connection is on its way
    }
    let refused = matches!(why, DialError::Unreachable(_, why) if is_refusal(why));
    let words = why.to_string();
    let mut table = lock(&inner.table);
    let is_new = table.failed(id, &words, refused);
    inner.publish(&table);
    drop(table);
    match is_new {
        true if why.is_for_the_operator() => tracing::warn!(broker = %id, "no connection with a broker: {words}"),
        true => tracing::info!(broker = %id, "no connection with a broker: {words}"),
        false => tracing::debug!(broker = %id, "no connection with a broker: {words}"),
    }
}
