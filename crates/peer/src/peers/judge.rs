//! Whether two brokers belong together, by what they say of themselves.

use crate::Identity;
use crate::handshake::greeting::{Introduction, Reason, Refusal};

/// Judges who dials.
pub(crate) fn judge(me: &Identity, them: &Introduction) -> Result<(), Refusal> {
    let Introduction { identity, to, .. } = them;
    if identity.is_process(me) {
        return Err(Refusal { reason: Reason::Myself, words: "this is the broker's own address".to_owned() });
    }
    if let Some(to) = to.filter(|to| *to != me.broker) {
        let words = format!("the broker at {} is {}, not {to}; check the addresses of both", me.address, me.broker);
        return Err(misplaced(words));
    }
    check_cluster(me, identity).map_err(misplaced)?;
    if identity.broker == me.broker {
        return Err(in_use(me));
    }
    Ok(())
}

/// # Errors
/// Words for both operators, if both know their clusters and they differ.
pub(crate) fn check_cluster(me: &Identity, them: &Identity) -> Result<(), String> {
    match (&me.cluster, &them.cluster) {
        (Some(mine), Some(theirs)) if mine != theirs => Err(format!(
            "broker {} at {} belongs to cluster {mine}, broker {} at {} to cluster {theirs}; \
             check the addresses, and which data directory each has",
            me.broker, me.address, them.broker, them.address
        )),
        _ => Ok(()),
    }
}

/// Two brokers under one id.
pub(crate) fn in_use(by: &Identity) -> Refusal {
    let Identity { broker, address, directory, .. } = by;
    misplaced(format!(
        "node id {broker} is in use by the broker at {address} (data directory {directory}); \
         give each broker a node id and a data directory of its own"
    ))
}

fn misplaced(words: String) -> Refusal {
    Refusal { reason: Reason::Misplaced, words }
}
