//! The outside world of a simulated broker: time that jumps from event to event, randomness from the
//! seed, and threads that are tasks of one thread, now and then slow.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use model::{BoxFuture, Clock, Executor, Process, Random};
use tokio::time::{Instant, Sleep, sleep};

use super::rng::Rng;

/// When all runs begin, by the wall clock.
const BEGINNING_MS: i64 = 1_750_000_000_000;

/// The wall clock: the runtime's paused time, and jumps that a fault makes.
#[derive(Debug)]
pub(crate) struct SimClock {
    begun: Instant,
    jumped_ms: AtomicI64,
}

impl SimClock {
    pub(crate) fn new() -> Self {
        SimClock { begun: Instant::now(), jumped_ms: AtomicI64::new(0) }
    }

    /// A clock of another machine, which shows the right time.
    pub(crate) fn beside(&self) -> Self {
        SimClock { begun: self.begun, jumped_ms: AtomicI64::new(0) }
    }

    /// Sets the clock so far before or behind the right time.
    pub(crate) fn jump(&self, off_by_ms: i64) {
        self.jumped_ms.store(off_by_ms, Ordering::Relaxed);
    }

    /// Simulated time since the run began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

impl Clock for SimClock {
    fn now_ms(&self) -> i64 {
        BEGINNING_MS + self.elapsed().as_millis() as i64 + self.jumped_ms.load(Ordering::Relaxed)
    }
}

/// Ids from the seed.
#[derive(Debug)]
pub(crate) struct SimRandom(pub(crate) Mutex<Rng>);

impl Random for SimRandom {
    fn bytes(&self) -> [u8; 16] {
        let mut rng = lock(&self.0);
        let (high, low) = (rng.next(), rng.next());
        (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
    }
}

/// Threads of a process as tasks. What a real thread spends on a slow disk, these spend asleep before they
/// go on, so that others overtake them.
#[derive(Debug)]
pub(crate) struct SimThreads {
    pub(crate) rng: Arc<Mutex<Rng>>,
    pub(crate) process: Process,
}

impl Executor for SimThreads {
    fn worker(&self, _name: &str, work: BoxFuture) {
        tokio::spawn(self.process.run(Slowed { work, rng: self.rng.clone(), asleep: None }));
    }

    fn blocking(&self, job: Box<dyn FnOnce() + Send + 'static>) {
        let pause = pause(&self.rng);
        tokio::spawn(self.process.run(async move {
            sleep(pause.unwrap_or_default()).await;
            job();
        }));
    }
}

/// Mostly none; sometimes as long as a slow fsync, or as a disk that hangs for a moment.
fn pause(rng: &Mutex<Rng>) -> Option<Duration> {
    let mut rng = lock(rng);
    match rng.within(0..64) {
        0 => Some(rng.millis(20..300)),
        1..16 => Some(rng.millis(1..10)),
        _ => None,
    }
}

/// A thread's work, which sometimes sleeps before it does the next piece.
struct Slowed {
    work: BoxFuture,
    rng: Arc<Mutex<Rng>>,
    asleep: Option<Pin<Box<Sleep>>>,
}

impl Future for Slowed {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.asleep.is_none() {
            self.asleep = pause(&self.rng).map(|pause| Box::pin(sleep(pause)));
        }
        if let Some(asleep) = &mut self.asleep {
            if asleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.asleep = None;
        }
        self.work.as_mut().poll(context)
    }
}

/// A panic is a finding of its own; it must not hide others.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
