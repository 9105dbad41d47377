//! What stays in the journal for members that are behind, and how those beyond it are offered the state.

use std::fmt::Debug;
use std::time::Duration;

use journal::Journal;
use openraft::AnyError;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::{StreamingError, Unreachable};
use openraft::raft::SnapshotResponse;
use tokio::time::{Instant, sleep};

use super::encoding::encode_stored_membership;
use super::network::Peer;
use super::types::{LogId, Snapshot, SnapshotMeta, Types, Vote, entry_id};
use super::{Failure, Raft, Shared, messages};
use crate::transport::{Install, Request, Taken};
use crate::{Applied, StateMachine};

/// How long one offer is repeated to a member that does not answer, before a new one is made: the
/// state moves on, and what is offered has to be kept.
const OFFER_LASTS: Duration = Duration::from_mins(1);
/// Between two attempts to reach it.
const TRY_AGAIN: Duration = Duration::from_millis(300);
/// Between a state that could not be taken and the next that is offered: what was wrong may take a while to mend, and
/// to describe a large state costs the leader something.
const AFTER_A_FAILURE: Duration = Duration::from_secs(2);

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
    let mut heard = Instant::now();
    tracing::info!("raft group {}: voter {} takes the state at entry {id}", peer.shared.group, peer.target);
    loop {
        let install = Install { ballot: messages::ballot(&vote), applied: applied.clone(), offer: offer.clone() };
        match peer.call::<R, _>(Request::Install(install), messages::installed).await {
            Ok((ballot, Taken::All)) => return Ok(SnapshotResponse::new(messages::vote(ballot))),
            Ok((_, Taken::NotYet)) => heard = Instant::now(),
            Ok((_, Taken::Failed)) => {
                sleep(AFTER_A_FAILURE).await;
                return Err(unreachable("it could not take the state, and its log says why".to_owned()).into());
            }
            Err(error) if heard.elapsed() > OFFER_LASTS => return Err(unreachable(error.to_string()).into()),
            Err(error) => {
                tracing::info!("raft group {}: voter {}: {error}", peer.shared.group, peer.target);
                sleep(TRY_AGAIN).await;
            }
        }
    }
}
