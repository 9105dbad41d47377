//! The way of a command: to the leader, wherever that is, and back into this broker's image.

use std::time::Duration;

use bytes::Bytes;
use model::{BrokerId, GroupId};
use raft::{ProposeError, Status};
use tokio::time::timeout;

use super::{Controller, is_settled};
use crate::answer::{Answer, Applied, NotLeader, Unknown};
use crate::apply::{Outcome, Refusal};
use crate::command::{Command, MAX_COMMAND_BYTES};
use crate::error::{SubmitError, too_large};
use crate::forward::ForwardError;
use crate::machine::unreadable;

/// How long a command waits before it looks again for a leader, if nothing is heard of one: an
/// election takes some hundred milliseconds.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// One try to have a command applied.
enum Attempt {
    Applied(Applied),
    /// Nothing was written: trying again is safe. Who leads, if whoever was asked knows.
    NotQueued {
        leader: Option<BrokerId>,
    },
    /// It may have been written.
    Lost(SubmitError),
}

impl Controller {
    /// Has a command applied, by whichever broker leads the controller's group. When this returns,
    /// *this* broker's image holds what it did.
    ///
    /// POLICY_VIOLATION 44 above [`MAX_COMMAND_BYTES`].
    /// Waits for a group that is electing or replaying, and tries again where nothing was written
    /// or [twice is as good as once](Command::is_repeatable). After a time-out, if whether it was
    /// written is [unknown](SubmitError::Unknown), or if the caller drops the future, the command
    /// may be applied all the same: look at the image before planning anew.
    pub async fn submit(&self, command: Command) -> Result<Outcome, SubmitError> {
        let entry = command.encode();
        check_size(&entry)?;
        let mut may_be_written = false;
        let delivery = self.deliver(entry, command.is_repeatable(), &mut may_be_written);
        match timeout(self.inner.config.submit_timeout, delivery).await {
            Ok(outcome) => outcome,
            Err(_) if may_be_written => Err(SubmitError::TimedOut),
            Err(_) => Err(SubmitError::NotController { leader: self.leader() }),
        }
    }

    /// Answers a command that another broker [forwarded](crate::Forward): has it applied if this
    /// broker leads the controller's group, else says who does, if it knows.
    ///
    /// A command that this build can't read is refused, and not written: it would stop all who
    /// can't read it either.
    pub async fn receive(&self, entry: Bytes) -> Bytes {
        self.answer(entry).await.encode()
    }

    async fn answer(&self, entry: Bytes) -> Answer {
        if let Err(refusal) = check_size(&entry) {
            return Answer::refused(refusal);
        }
        if let Err(error) = Command::decode(&entry) {
            return Answer::refused(unreadable(&error));
        }
        // The log keeps it: it must not be a slice of whatever it arrived in.
        let entry = Bytes::copy_from_slice(&entry);
        match timeout(self.inner.config.submit_timeout, self.propose(entry)).await {
            Ok(Attempt::Applied(applied)) => Answer::Applied(applied),
            Ok(Attempt::NotQueued { leader }) => Answer::NotLeader(NotLeader { leader }),
            Ok(Attempt::Lost(error)) => Answer::Unknown(Unknown { reason: error.to_string() }),
            Err(_) => Answer::Unknown(Unknown { reason: SubmitError::TimedOut.to_string() }),
        }
    }

    async fn deliver(
        &self,
        entry: Bytes,
        is_repeatable: bool,
        may_be_written: &mut bool,
    ) -> Result<Outcome, SubmitError> {
        let mut status = self.status();
        let mut told = None;
        loop {
            let now = *status.borrow_and_update();
            *may_be_written = true;
            let attempt = match self.leader_elsewhere(now, told) {
                Some(leader) => self.forward(leader, entry.clone()).await,
                // A group that ended answers for itself.
                None if is_settled(&now) => self.propose(entry.clone()).await,
                None => Attempt::NotQueued { leader: None },
            };
            match attempt {
                Attempt::Applied(Applied { outcome, index }) => {
                    self.wait_for_image(index).await?;
                    return Ok(outcome?);
                }
                Attempt::NotQueued { leader } => (told, *may_be_written) = (leader, false),
                Attempt::Lost(_) if is_repeatable && !status.borrow().stopped => told = None,
                Attempt::Lost(error) => return Err(error),
            }
            timeout(RETRY_PAUSE, status.changed()).await.ok();
        }
    }

    /// Whom to send a command: whoever was `told` of by the broker asked last, who leads as far as
    /// the group knows, or as far as other brokers say.
    fn leader_elsewhere(&self, status: Status, told: Option<BrokerId>) -> Option<BrokerId> {
        let heard = || self.inner.config.forward.leader().filter(|_| !is_settled(&status));
        let leader = told.or(status.leader).or_else(heard);
        leader.filter(|leader| *leader != self.inner.config.raft.me.broker() && !status.stopped && !status.failed)
    }

    async fn propose(&self, entry: Bytes) -> Attempt {
        let written = match self.inner.group.propose(entry).await {
            Ok(proposal) => proposal.await,
            Err(error) => Err(error),
        };
        match written {
            Ok((id, outcome)) => Attempt::Applied(Applied { index: id.index, outcome }),
            Err(ProposeError::NotLeader { leader, .. }) => Attempt::NotQueued { leader },
            Err(ProposeError::NotReady { .. }) => Attempt::NotQueued { leader: None },
            Err(ProposeError::TooLarge { bytes, limit, .. }) => {
                Attempt::Applied(Applied { index: 0, outcome: Err(too_large(bytes, limit)) })
            }
            Err(error) => Attempt::Lost(SubmitError::Unavailable(error)),
        }
    }

    async fn forward(&self, leader: BrokerId, entry: Bytes) -> Attempt {
        let lost = |reason: String| Attempt::Lost(SubmitError::Unknown { leader, reason });
        match self.inner.config.forward.forward(leader, entry).await.map(|answer| Answer::decode(&answer)) {
            Ok(Ok(Answer::Applied(applied))) => Attempt::Applied(applied),
            Ok(Ok(Answer::NotLeader(NotLeader { leader }))) => Attempt::NotQueued { leader },
            Err(ForwardError::NotSent(_)) => Attempt::NotQueued { leader: None },
            Ok(Ok(Answer::Unknown(Unknown { reason }))) => lost(reason),
            Ok(Err(error)) => lost(error.to_string()),
            Err(error @ ForwardError::Unanswered(_)) => lost(error.to_string()),
        }
    }

    /// Waits until this broker has applied the entry at `index`, and so has the image that the
    /// leader answered from.
    async fn wait_for_image(&self, index: u64) -> Result<(), SubmitError> {
        let (mut images, mut status) = (self.watch(), self.status());
        let published = &self.inner.published;
        let stopped = || SubmitError::Unavailable(ProposeError::Stopped { group: GroupId::CONTROLLER });
        tokio::select! {
            biased;
            image = images.wait_for(|image| image.version() >= index || published.halted().is_some()) => {
                image.map_err(|_| stopped())?;
            }
            _ = status.wait_for(|status| status.stopped) => return Err(stopped()),
        }
        published.halted().map_or(Ok(()), |error| Err(unreadable(error).into()))
    }
}

fn check_size(entry: &Bytes) -> Result<(), Refusal> {
    match entry.len() > MAX_COMMAND_BYTES {
        true => Err(too_large(entry.len(), MAX_COMMAND_BYTES)),
        false => Ok(()),
    }
}
