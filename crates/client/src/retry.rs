//! Trying again, for a bounded time.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::ClientError;

/// The pause before the first retry; it doubles from there. An election on one machine takes less.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// The longest pause: a broker that is back is noticed within this.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How often and how long something is tried.
///
/// ```text
/// let mut retry = Retry::within(timeout);
/// loop {
///     match attempt().await {
///         Ok(done) => return Ok(done),
///         Err(error) => retry.after(error).await?,
///     }
/// }
/// ```
pub(crate) struct Retry {
    begun: Instant,
    timeout: Duration,
    pause: Duration,
}

impl Retry {
    /// Tries that begin now.
    pub(crate) fn within(timeout: Duration) -> Self {
        Retry { begun: Instant::now(), timeout, pause: FIRST_PAUSE }
    }

    /// Begins anew: something succeeded.
    pub(crate) fn succeeded(&mut self) {
        *self = Retry::within(self.timeout);
    }

    /// Returns after a pause if there may be another try.
    ///
    /// # Errors
    /// `error` itself if it will not pass, else [`ClientError::GaveUp`] when the time is up.
    pub(crate) async fn after(&mut self, error: ClientError) -> Result<(), ClientError> {
        match error.is_passing() {
            true => self.again(error).await,
            false => Err(error),
        }
    }

    /// The same for an error that passes since something is done about it.
    ///
    /// # Errors
    /// [`ClientError::GaveUp`] when the time is up.
    pub(crate) async fn again(&mut self, error: ClientError) -> Result<(), ClientError> {
        let waited = self.begun.elapsed();
        if waited + self.pause > self.timeout {
            return Err(ClientError::GaveUp { last: Box::new(error), waited_ms: waited.as_millis() });
        }
        sleep(self.pause).await;
        self.pause = (2 * self.pause).min(LONGEST_PAUSE);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ErrorCode;

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_tried_again_until_the_time_is_up() {
        let passing = ClientError::refused("it", ErrorCode::NotLeaderOrFollower, None);
        let mut retry = Retry::within(Duration::from_secs(30));
        let mut tries = 1;
        let gave_up = loop {
            match retry.after(passing.clone()).await {
                Ok(()) => tries += 1,
                Err(error) => break error,
            }
        };
        assert!((30..45).contains(&tries), "{tries} tries in 30 s");
        assert_eq!(gave_up.code(), Some(ErrorCode::NotLeaderOrFollower));
    }

    #[tokio::test(start_paused = true)]
    async fn what_will_not_pass_is_not_tried_again() {
        let lasting = ClientError::refused("it", ErrorCode::InvalidTopicException, None);
        assert_eq!(Retry::within(Duration::from_secs(30)).after(lasting.clone()).await, Err(lasting));
    }
}
