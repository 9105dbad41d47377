//! What a handle of a group does where there are other members.

use std::collections::BTreeSet;
use std::future::Future;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::FutureExt;
use model::BrokerId;
use tokio::task::unconstrained;

use crate::transport::{Reply, Request};
use crate::{ChangeError, Follower, Group, Members, RaftError, Reach, StateMachine, Voter, core};

impl<S: StateMachine> Group<S> {
    /// Answers what another member asks; the receiving end of a [`Transport`](crate::Transport).
    ///
    /// Requests take effect in the order of these calls, not in that in which the replies are waited
    /// for: call it as they arrive. What is meant for another voter is refused; that may be this
    /// broker before it lost its directory, for which it must not vote or acknowledge anything.
    pub fn receive(
        &self,
        to: Voter,
        request: Request,
    ) -> impl Future<Output = Result<Reply, RaftError>> + Send + use<S> {
        let group = self.id();
        let (raft, shared) = (self.running().raft.clone(), self.running().shared.clone());
        let stop = self.running().stop.clone();
        let answer = async move {
            if to != shared.me {
                return Err(RaftError::NotMe { group, to });
            }
            let failed = |error: core::Failure| RaftError::Storage { group, reason: error.to_string().into() };
            let answer = core::receive::<S>(&raft, &shared, request).await;
            if shared.is_contradicted() {
                stop.send_replace(true);
            }
            answer.map_err(failed)
        };
        // Its first poll queues it: not to be left to tasks, which overtake one another.
        let mut answer = Box::pin(unconstrained(answer));
        let first = answer.poll_unpin(&mut Context::from_waker(Waker::noop()));
        async move {
            match first {
                Poll::Ready(answer) => answer,
                Poll::Pending => answer.await,
            }
        }
    }

    /// Whether this member has stopped because its leader has other entries than those that were committed here: what
    /// a majority confirmed was lost. It must come back as a new member.
    pub fn is_contradicted(&self) -> bool {
        self.running().shared.is_contradicted()
    }

    /// The members, as far as this one has heard.
    pub fn members(&self) -> Members {
        core::members(&self.running().raft)
    }

    /// How far this member's log goes.
    pub fn reach(&self) -> Reach {
        core::reach(&self.running().raft)
    }

    /// How long ago this member, following, had applied all that its leader had committed by then; `None` if it never
    /// had since it started. Of a leader it says nothing.
    pub fn kept_up_ago(&self) -> Option<Duration> {
        self.running().shared.kept_up_ago(self.reach().applied)
    }

    /// Whether this member leads, has applied its term's first entry, and knows that nobody else can have been
    /// elected by now: a majority answered what was sent within the lease. Only then may it answer
    /// a read by itself. (Of an answer to a proposal it is known anyway: a majority has the entry.)
    pub fn holds_lease(&self) -> bool {
        let status = *self.status().borrow();
        let running = self.running();
        status.ready
            && status.leader == Some(running.shared.me.broker())
            && !running.shared.gave_away(status.term)
            && core::is_in_lease(&running.raft, &running.shared)
    }

    /// The other members and how far they have come; empty if this one does not lead.
    pub fn followers(&self) -> Vec<Follower> {
        core::followers(&self.running().raft, &self.running().shared).0
    }

    /// Resolves once so many members, this one included, have the entry at `index` on their disks:
    /// for a `min.insync.replicas` above the majority. An error if this member ceases to lead first.
    pub async fn held_by(&self, index: u64, members: usize) -> Result<(), ChangeError> {
        core::held_by(&self.running().raft, &self.running().shared, index, members).await
    }

    /// Makes these the members: new ones learn first and vote once they have nearly all entries, then
    /// those that are not named go. To be called at the leader. It may be called again at any time,
    /// after an error too, and by another leader: it goes on from where it is.
    ///
    /// A leader that is not to vote any more hands its leadership over, and answers
    /// [`ChangeError::NotLeader`]: the next one has to be asked for the rest.
    pub async fn set_members(&self, voters: &BTreeSet<Voter>, learners: &BTreeSet<Voter>) -> Result<(), ChangeError> {
        let shared = &self.running().shared;
        let _one_by_one = shared.changing.lock().await;
        core::set_members(&self.running().raft, shared, voters, learners).await
    }

    /// Gives leadership to that voter, or to the one that has most. No proposal is taken meanwhile;
    /// those that were are not lost. Resolves when it leads: within milliseconds, if it answers.
    pub async fn hand_over(&self, to: Option<Voter>) -> Result<(), ChangeError> {
        let may = move |voter| to.is_none_or(|to| to == voter);
        core::hand_over(&self.running().raft, &self.running().shared, &may).await.map(drop)
    }

    /// The process of a broker is known to be dead: if it led this group, this member stands for
    /// election at once, without waiting for the leader's lease to end. `incarnation` is which of
    /// the broker's processes that was ([`Config::incarnation`](crate::Config::incarnation)).
    ///
    /// To be told of a process that lives, and only can't be reached, is not safe: it could go on
    /// to answer reads for the rest of its lease while another leads.
    pub async fn leader_gone(&self, broker: BrokerId, incarnation: u64) {
        core::leader_gone(&self.running().raft, &self.running().shared, broker.0, incarnation).await;
    }
}
