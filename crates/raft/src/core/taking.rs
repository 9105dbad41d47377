//! Taking a leader's state: the work goes on by itself while the leader asks, again and again, whether it is done.
//!
//! What a call from another broker begins ends with the call, and calls end after some seconds. A state may take
//! hours.

use std::sync::Arc;
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use super::encoding::decode_stored_membership;
use super::types::{Snapshot, SnapshotMeta, log_id};
use super::{Failure, Raft, Shared, lock, messages};
use crate::StateMachine;
use crate::transport::{Ballot, Install, Taken};

/// A leader is answered within so long, however far it has come: well before calls are given up.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Whom the member follows then; or that it has failed.
type Outcome = Option<Result<Ballot, ()>>;

/// The state that is being taken, or was last.
#[derive(Debug)]
pub(super) struct Taking {
    install: Install,
    outcome: watch::Receiver<Outcome>,
    /// Dropped, it ends the fetch: another state is to be taken, or none.
    _wanted: oneshot::Sender<()>,
}

/// Takes a leader's state, or tells how far that has come. Each step may fail or be cut short, here or there, and is
/// made again when the leader, or the next one, asks again: what was fetched lies beside the state until it is
/// installed, and the journal is purged after that.
///
/// Tells whom we follow; if that is a later leader, nothing was installed.
pub(super) async fn take<S: StateMachine>(
    raft: &Raft<S>,
    shared: &Arc<Shared>,
    install: Install,
) -> Result<(Ballot, Taken), Failure> {
    let ballot = install.ballot;
    let ours = raft.with_raft_state(|state| *state.vote_ref()).await?;
    if !matches!(ours.partial_cmp(&messages::vote(ballot)), Some(std::cmp::Ordering::Less | std::cmp::Ordering::Equal))
    {
        return Ok((messages::ballot(&ours), Taken::All));
    }
    if raft.data_metrics().borrow_watched().last_applied >= Some(log_id(install.applied.id)) {
        return Ok((ballot, Taken::All));
    }
    let mut outcome = join(raft, shared, install);
    Ok(match timeout(ANSWER_WITHIN, outcome.wait_for(Option::is_some)).await {
        Err(_) => (ballot, Taken::NotYet),
        Ok(Ok(outcome)) => (*outcome).and_then(Result::ok).map_or((ballot, Taken::Failed), |ours| (ours, Taken::All)),
        Ok(Err(_)) => (ballot, Taken::Failed), // for another one's sake
    })
}

/// Has a state taken, unless it is on its way already. One that is not wanted any more is given up.
fn join<S: StateMachine>(raft: &Raft<S>, shared: &Arc<Shared>, install: Install) -> watch::Receiver<Outcome> {
    let mut taking = lock(&shared.taking);
    if let Some(taking) = &*taking
        && taking.install == install
        && !matches!(*taking.outcome.borrow(), Some(Err(())))
    {
        return taking.outcome.clone();
    }
    let (_wanted, unwanted) = oneshot::channel();
    let (done, outcome) = watch::channel(None);
    *taking = Some(Taking { install: install.clone(), outcome: outcome.clone(), _wanted });
    let (raft, shared) = (raft.clone(), shared.clone());
    model::spawn(async move {
        // The one before has let go of its files then.
        let _one_by_one = shared.installing.lock().await;
        let taken = tokio::select! {
            biased;
            _ = unwanted => return,
            fetched = shared.catch_up.fetch(shared.group, install.ballot.voter, install.offer.clone()) => match fetched {
                Ok(_kept) => install_fetched(&raft, install).await.map_err(|why| why.to_string()),
                Err(why) => Err(why.to_string()),
            },
        };
        shared.note_trouble(taken.as_ref().err());
        done.send_replace(Some(taken.map_err(drop)));
    });
    outcome
}

async fn install_fetched<S: StateMachine>(raft: &Raft<S>, install: Install) -> Result<Ballot, Failure> {
    let Install { ballot, applied, offer } = install;
    let last_membership = decode_stored_membership(&applied.membership).ok_or("its members can't be read")?;
    let meta = SnapshotMeta { last_log_id: Some(log_id(applied.id)), last_membership };
    let snapshot = Snapshot { meta, snapshot: Ok(offer) };
    let response = raft.install_full_snapshot(messages::vote(ballot), snapshot).await?;
    Ok(messages::ballot(&response.vote))
}
