//! What stays in the journal for members that are behind, and how those beyond it take the state.

use std::fmt::Debug;
use std::time::Duration;

use journal::Journal;
use openraft::AnyError;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::{StreamingError, Unreachable};
use openraft::raft::SnapshotResponse;
use tokio::time::{Instant, sleep};

use super::encoding::{decode_stored_membership, encode_stored_membership};
use super::network::Peer;
use super::types::{LogId, Snapshot, SnapshotMeta, Types, Vote, entry_id, log_id};
use super::{Failure, Raft, Shared, messages};
use crate::transport::{Ballot, Install, Request};
use crate::{Applied, StateMachine};

/// How long one offer is repeated to a member that does not answer, before a new one is made: the
/// state moves on, and what is offered has to be kept.
const OFFER_LASTS: Duration = Duration::from_mins(1);
/// Between two attempts.
const TRY_AGAIN: Duration = Duration::from_millis(300);

/// Purges what a checkpoint holds, but for what other members lack, as far as the journal may hold
/// that for them.
pub(crate) async fn purge<S: StateMachine>(
    raft: &Raft<S>,
    shared: &Shared,
    journal: &Journal,
    checkpointed: Option<LogId>,
) -> Result<(), Failure> {
    // openraft purges nothing of which it has not learnt that it is in a checkpoint.
    raft.wait(None).metrics(|now| now.snapshot >= checkpointed, "the checkpoint").await?;
    let Some(checkpointed) = checkpointed else { return Ok(()) };
    let end = checkpointed.index + 1;
    let alone = raft.server_metrics().borrow_watched().membership_config.nodes().count() < 2;
    let keep_from = match alone || journal.out_of_room() {
        true => end,
        false => {
            let may_keep_from = journal.group(shared.group).first_within(shared.max_retained_bytes);
            shared.needed_from().max(may_keep_from).min(end)
        }
    };
    if let Some(last) = keep_from.checked_sub(1) {
        raft.trigger().purge_log(last).await?;
        // Until it has come to that; the purge itself may wait for an append that is on its way.
        raft.with_raft_state(|_| ()).await?;
    }
    Ok(())
}

/// Offers our state to a member, until it has taken it.
pub(super) async fn ship<R: Send + Debug + 'static>(
    peer: &Peer,
    vote: Vote,
    snapshot: Snapshot,
) -> Result<SnapshotResponse<Types<R>>, StreamingError<Types<R>>> {
    let unreachable = |reason: String| Unreachable::new(&AnyError::error(reason));
    let SnapshotMeta { last_log_id, last_membership } = snapshot.meta;
    let offer = snapshot.snapshot.map_err(|reason| unreachable(format!("the state is not offered: {reason}")))?;
    let id = last_log_id.ok_or_else(|| unreachable("nothing is applied".to_owned()))?;
    let applied = Applied { id: entry_id(id), membership: encode_stored_membership(&last_membership) };
    let _offered = peer.shared.offer(peer.target, id.index + 1);
    let start = Instant::now();
    tracing::info!("raft group {}: voter {} takes the state at entry {id}", peer.shared.group, peer.target);
    loop {
        let install = Install { ballot: messages::ballot(&vote), applied: applied.clone(), offer: offer.clone() };
        match peer.call::<R, _>(Request::Install(install), messages::installed).await {
            Ok(ballot) => return Ok(SnapshotResponse::new(messages::vote(ballot))),
            Err(error) if start.elapsed() > OFFER_LASTS => return Err(unreachable(error.to_string()).into()),
            Err(error) => {
                tracing::info!("raft group {}: voter {}: {error}", peer.shared.group, peer.target);
                sleep(TRY_AGAIN).await;
            }
        }
    }
}

/// Takes a leader's state. Each step may fail or be cut short, here or there, and is made again when
/// the leader, or the next one, asks again: what was fetched lies beside the state until it is
/// installed, and the journal is purged after that.
///
/// Tells whom we follow; if that is a later leader, nothing was installed.
pub(super) async fn install<S: StateMachine>(
    raft: &Raft<S>,
    shared: &Shared,
    install: Install,
) -> Result<Ballot, Failure> {
    let Install { ballot, applied, offer } = install;
    let last_membership = decode_stored_membership(&applied.membership).ok_or("its members can't be read")?;
    let vote = messages::vote(ballot);
    // It is asked again while we are at it.
    let _one_by_one = shared.installing.lock().await;
    let ours = raft.with_raft_state(|state| *state.vote_ref()).await?;
    if !matches!(ours.partial_cmp(&vote), Some(std::cmp::Ordering::Less | std::cmp::Ordering::Equal)) {
        return Ok(messages::ballot(&ours));
    }
    let last_log_id = Some(log_id(applied.id));
    if raft.data_metrics().borrow_watched().last_applied >= last_log_id {
        return Ok(ballot);
    }
    shared.catch_up.fetch(shared.group, ballot.voter, offer.clone()).await?;
    let meta = SnapshotMeta { last_log_id, last_membership };
    let response = raft.install_full_snapshot(vote, Snapshot { meta, snapshot: Ok(offer) }).await?;
    Ok(messages::ballot(&response.vote))
}
