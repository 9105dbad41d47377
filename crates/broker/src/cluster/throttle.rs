//! How fast shards' states are copied between brokers (`catch.up.max.bytes.per.second`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use shard::PIECE_BYTES;
use tokio::time::Instant;

/// A piece takes no more than this part of a second, so that whoever waits behind the pieces of many others has its own
/// within the time that a call may take.
const PIECES_PER_SECOND: u64 = 32;

/// One for what a broker sends, one for what it takes, each for all its shards together.
pub(crate) struct Throttle {
    bytes_per_second: AtomicU64,
    /// When all that went so far would have, had it gone evenly.
    spent_until: Mutex<Option<Instant>>,
}

impl Throttle {
    pub(crate) fn new(bytes_per_second: u64) -> Self {
        Throttle { bytes_per_second: AtomicU64::new(bytes_per_second), spent_until: Mutex::default() }
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
        tokio::time::sleep_until(self.turn(bytes, Instant::now())).await;
    }

    fn turn(&self, bytes: usize, now: Instant) -> Instant {
        let rate = self.bytes_per_second.load(Ordering::Relaxed).max(1);
        let takes = Duration::from_secs_f64(bytes as f64 / rate as f64);
        let mut spent = self.spent_until.lock().unwrap_or_else(PoisonError::into_inner);
        let until = spent.map_or(now, |spent| spent.max(now)) + takes;
        *spent = Some(until);
        until
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

    #[test]
    fn a_piece_is_never_much_of_a_second() {
        assert_eq!(Throttle::new(1 << 40).piece_bytes(), PIECE_BYTES);
        assert_eq!(Throttle::new(1 << 20).piece_bytes(), 32 << 10);
        assert_eq!(Throttle::new(1).piece_bytes(), 1);
    }
}
