//! How fast is copied between brokers.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shard::PIECE_BYTES;
use tokio::time::{Instant, sleep};

/// A piece takes no more than this part of a second, so that whoever waits behind the pieces of many others has its own
/// within the time that a call may take.
const PIECES_PER_SECOND: u64 = 32;

/// Who waits looks so often whether the rate is another one by now, or whether nobody wants the copy any more.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// `catch.up.max.bytes.per.second`: one for what a broker sends, one for what it takes, each for all its shards together.
pub(crate) struct Throttle {
    bytes_per_second: AtomicU64,
    meter: Meter,
}

impl Throttle {
    pub(crate) fn new(bytes_per_second: u64) -> Self {
        Throttle { bytes_per_second: AtomicU64::new(bytes_per_second), meter: Meter::default() }
    }

    pub(crate) fn set(&self, bytes_per_second: u64) {
        self.bytes_per_second.store(bytes_per_second, Ordering::Relaxed);
    }

    /// The most that should go at once.
    pub(crate) fn piece_bytes(&self) -> usize {
        let share = self.bytes_per_second.load(Ordering::Relaxed) / PIECES_PER_SECOND;
        usize::try_from(share).map_or(PIECE_BYTES, |share| share.clamp(1, PIECE_BYTES))
    }

    /// Waits for as long as so many bytes take, behind those that came before.
    pub(crate) async fn spend(&self, bytes: usize) {
        let rate = || Ok::<_, Infallible>(Some(self.bytes_per_second.load(Ordering::Relaxed)));
        let Ok(()) = self.meter.spend(bytes, rate).await;
    }
}

/// What several copy together, held to a rate that may change at any time. Whoever was first waits first; time in which
/// nobody copied is not made up for.
#[derive(Default)]
pub(super) struct Meter(Mutex<Spent>);

#[derive(Default)]
struct Spent {
    /// Bytes that were ever spent.
    bytes: f64,
    /// How many of them have had their time.
    paid: f64,
    /// As of when.
    at: Option<Instant>,
}

impl Meter {
    /// Waits until so many bytes have had their time, and all before them, by the rate in bytes a second; `None` bounds
    /// nothing. An error of `rate` ends it.
    pub(super) async fn spend<E>(&self, bytes: usize, rate: impl Fn() -> Result<Option<u64>, E>) -> Result<(), E> {
        let mine = {
            let rate = rate()?;
            let mut spent = self.spent();
            spent.pay(rate);
            spent.bytes += bytes as f64;
            spent.bytes
        };
        loop {
            let rate = rate()?;
            let left = self.spent().left(mine, rate);
            match left {
                Some(left) => sleep(left.min(LOOK_AGAIN)).await,
                None => return Ok(()),
            }
        }
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spent {
    /// Pays for the time since the last payment.
    fn pay(&mut self, rate: Option<u64>) {
        let now = Instant::now();
        let passed = self.at.replace(now).map_or(Duration::ZERO, |at| now - at);
        let paid = rate.map_or(self.bytes, |rate| self.paid + passed.as_secs_f64() * rate as f64);
        self.paid = paid.min(self.bytes);
    }

    /// How long it takes until all is paid up to there, if it is not.
    fn left(&mut self, mine: f64, rate: Option<u64>) -> Option<Duration> {
        self.pay(rate);
        let left = mine - self.paid;
        let rate = rate.filter(|_| left >= 1.0)?.max(1) as f64;
        Some(Duration::try_from_secs_f64(left / rate).unwrap_or(Duration::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[tokio::test(start_paused = true)]
    async fn what_all_shards_copy_together_keeps_to_the_rate() {
        let (throttle, start) = (Throttle::new(8 << 20), Instant::now());
        let shard = async || {
            for _ in 0..8 {
                throttle.spend(MIB).await;
            }
        };
        tokio::join!(shard(), shard());
        assert_eq!(start.elapsed().as_secs_f64().round(), 2.0);
        tokio::time::sleep(Duration::from_secs(5)).await;
        let later = Instant::now();
        throttle.spend(4 * MIB).await;
        assert_eq!(later.elapsed().as_millis(), 500, "what was not used before is gone");
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_wait_until_they_fit_the_rate_whoever_fetched_those_before() {
        let (meter, begun) = (Meter::default(), Instant::now());
        let (first, second) = tokio::join!(
            meter.spend(500, || Ok::<_, String>(Some(1000))),
            meter.spend(1500, || Ok::<_, String>(Some(1000)))
        );
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(begun.elapsed().as_millis(), 2000);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_hears_of_another_rate_and_of_the_end() {
        let (meter, begun) = (Meter::default(), Instant::now());
        let in_a_second = || begun.elapsed() >= Duration::from_secs(1);
        meter.spend(1 << 30, || Ok::<_, String>(if in_a_second() { None } else { Some(1) })).await.unwrap();
        assert_eq!(begun.elapsed().as_millis(), 1000);
        let ended = meter.spend(1 << 30, || if begun.elapsed().as_secs() < 2 { Ok(Some(1)) } else { Err("no") });
        assert!(ended.await.is_err());
        assert_eq!(begun.elapsed().as_millis(), 2000);
    }

    #[test]
    fn a_piece_is_never_much_of_a_second() {
        assert_eq!(Throttle::new(1 << 40).piece_bytes(), PIECE_BYTES);
        assert_eq!(Throttle::new(1 << 20).piece_bytes(), 32 << 10);
        assert_eq!(Throttle::new(1).piece_bytes(), 1);
    }
}
