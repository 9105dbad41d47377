//! How fast connections are let in (`max.connection.creation.rate`).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So much of the rate may come at once after a pause.
const BURST: Duration = Duration::from_secs(1);

/// Where the rate is 0, nobody is let in until that is changed; it is looked at so often.
const CLOSED: Duration = Duration::from_secs(1);

/// The pace of all listeners together.
#[derive(Default)]
pub(crate) struct Pace {
    /// When all that have come would have, had they come evenly.
    taken_until: Mutex<Option<Instant>>,
}

impl Pace {
    /// Waits for the turn of a connection that has just come. `rate` tells how many are let in within a second, as it
    /// is now. Those behind wait in the kernel's queue, as Kafka's do.
    pub(crate) async fn turn(&self, rate: impl Fn() -> i32) {
        while rate() == 0 {
            tokio::time::sleep(CLOSED).await;
        }
        let wait = self.take(rate(), Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes a place in the queue, and tells how far off it is.
    fn take(&self, rate: i32, now: Instant) -> Duration {
        let Ok(rate @ 1..) = u32::try_from(rate) else { return Duration::ZERO };
        if rate == i32::MAX as u32 {
            return Duration::ZERO; // the default: no limit
        }
        let mut taken = self.taken_until.lock().unwrap_or_else(PoisonError::into_inner);
        let until = taken.map_or(now, |taken| taken.max(now)) + Duration::from_secs(1) / rate;
        *taken = Some(until);
        until.saturating_duration_since(now + BURST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn as_many_as_the_rate_come_at_once_and_those_behind_evenly() {
        let (pace, start) = (Pace::default(), Instant::now());
        let mut came = Vec::new();
        for _ in 0..7 {
            pace.turn(|| 4).await;
            came.push(start.elapsed().as_millis());
        }
        assert_eq!(came, [0, 0, 0, 0, 250, 500, 750]);
        tokio::time::sleep(Duration::from_millis(500)).await;
        let later = Instant::now();
        for _ in 0..3 {
            pace.turn(|| 4).await;
        }
        assert_eq!(later.elapsed().as_millis(), 250, "half a second without any makes room for two");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nobody_waits_and_at_0_all_wait_until_it_is_raised() {
        let (pace, start) = (Pace::default(), Instant::now());
        for _ in 0..10_000 {
            pace.turn(|| i32::MAX).await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        let opens = start + Duration::from_secs(10);
        pace.turn(|| if Instant::now() < opens { 0 } else { 5 }).await;
        assert_eq!(start.elapsed(), Duration::from_secs(10));
    }
}
