//! The memory that all connections' requests and answers share.
//!
//! A connection may always have one request of up to [`FREE_BYTES`] in work, so that heartbeats and small
//! requests go on whatever others do. What is above that is taken from the budget: a larger request before
//! more than its beginning is read, and a further one before it is begun. An answer is counted while it is
//! being sent. Who holds a share, makes no progress, and keeps others waiting is disconnected.
//!
//! Kafka's `queued.max.request.bytes` counts a request as soon as it is announced, and has no limit
//! unless told. Here what is announced and not sent costs nothing.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::error::Close;

/// What a request costs nobody. A connection's buffer holds as much of a frame whose length alone has come.
pub(crate) const FREE_BYTES: usize = 64 * 1024;

/// How long who keeps others waiting may make no progress.
const STALLED_AFTER: Duration = Duration::from_secs(5);

/// See the module.
pub(crate) struct Budget {
    limit: usize,
    used: AtomicUsize,
    waiting: AtomicUsize,
    freed: Notify,
}

/// A share of the budget, given back on drop.
pub(crate) struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    /// A budget of so many bytes. One request is let in as long as any of them is left, so that the largest
    /// one fits, too: the bound is `limit` and one request more.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Budget { limit, used: AtomicUsize::new(0), waiting: AtomicUsize::new(0), freed: Notify::new() })
    }

    /// Takes a share without waiting: for what is there already.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> Share {
        self.used.fetch_add(bytes, Ordering::Relaxed);
        Share { budget: self.clone(), bytes }
    }

    /// Takes a share once any of the budget is left.
    pub(crate) async fn reserve(self: &Arc<Self>, bytes: usize) -> Share {
        if let Some(share) = self.try_reserve(bytes) {
            return share;
        }
        let _waiting = Waiting::new(self);
        loop {
            let freed = self.freed.notified();
            if let Some(share) = self.try_reserve(bytes) {
                return share;
            }
            freed.await;
        }
    }

    /// Waits for what a client has to do, for `idle` at most. Who holds a share has only [`STALLED_AFTER`] while somebody
    /// else waits for one.
    pub(crate) async fn wait<T>(
        &self,
        idle: Duration,
        holds_share: bool,
        done: impl Future<Output = io::Result<T>>,
    ) -> Result<T, Close> {
        let mut done = pin!(done);
        let mut left = idle;
        loop {
            let patience = if holds_share { left.min(STALLED_AFTER) } else { left };
            match timeout(patience, done.as_mut()).await {
                Ok(result) => return Ok(result?),
                Err(_) if holds_share && self.is_short() => return Err(Close::Stalled),
                Err(_) => left = left.saturating_sub(patience),
            }
            if left.is_zero() {
                return Err(Close::Idle);
            }
        }
    }

    /// Whether somebody waits for a share.
    fn is_short(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    fn try_reserve(self: &Arc<Self>, bytes: usize) -> Option<Share> {
        let more = |used: usize| (used < self.limit).then_some(used + bytes);
        self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok()?;
        Some(Share { budget: self.clone(), bytes })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let before = self.budget.used.fetch_sub(self.bytes, Ordering::AcqRel);
        if before >= self.budget.limit {
            self.budget.freed.notify_waiters();
        }
    }
}

/// Counts one who waits, however the wait ends.
struct Waiting<'a>(&'a Budget);

impl<'a> Waiting<'a> {
    fn new(budget: &'a Budget) -> Self {
        budget.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(budget)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_share_is_given_while_any_of_the_budget_is_left() {
        let budget = Budget::new(100);
        let first = budget.reserve(60).await;
        let _second = budget.reserve(60).await; // above the limit by less than itself
        assert!(budget.reserve(1).now_or_never().is_none());
        drop(first);
        assert!(budget.reserve(1).now_or_never().is_some());
    }

    #[tokio::test]
    async fn who_waits_is_woken_when_a_share_is_given_back() {
        let budget = Budget::new(100);
        let held = budget.take(250);
        let wanted = tokio::spawn({
            let budget = budget.clone();
            async move { budget.reserve(10).await.bytes }
        });
        while !budget.is_short() {
            tokio::task::yield_now().await;
        }
        drop(held);
        assert_eq!(wanted.await.unwrap(), 10);
        assert!(!budget.is_short());
        assert_eq!(budget.used.load(Ordering::Relaxed), 0, "all was given back");
    }

    #[tokio::test]
    async fn who_gives_up_waiting_is_not_counted() {
        let budget = Budget::new(1);
        let _held = budget.take(1);
        assert!(budget.reserve(1).now_or_never().is_none());
        assert!(!budget.is_short());
    }
}
