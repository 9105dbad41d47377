//! The seams: wall clock, randomness and threads come in through these traits, so that the whole
//! broker can run in one thread, from one seed, under simulation.
//!
//! Timers are tokio's (`tokio::time`): under simulation the runtime's clock is paused and advances
//! by itself. Files have a seam of their own, the crate `disk`.

use std::future::Future;
use std::pin::Pin;
use std::time::{SystemTime, UNIX_EPOCH};

/// A future that can be handed to another thread.
pub type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// The wall clock.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
    }
}

/// A source of random bytes for ids; not for secrets.
pub trait Random: Send + Sync + 'static {
    /// 16 fresh random bytes.
    fn bytes(&self) -> [u8; 16];
}

/// The operating system's randomness.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn bytes(&self) -> [u8; 16] {
        *uuid::Uuid::new_v4().as_bytes()
    }
}

/// Where work runs that may block, or that wants a thread of its own.
pub trait Executor: Send + Sync + 'static {
    /// Runs `work` to its end on a thread of its own, within a tokio runtime of that thread: it
    /// may block on files, and what it spawns stays on that thread.
    fn worker(&self, name: &str, work: BoxFuture);

    /// Runs a short job that may block (a cold read, a checkpoint's fsync) off the async threads.
    fn blocking(&self, job: Box<dyn FnOnce() + Send + 'static>);
}

/// Real threads.
#[derive(Debug, Default, Clone, Copy)]
pub struct Threads;

impl Executor for Threads {
    fn worker(&self, name: &str, work: BoxFuture) {
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a thread's runtime needs only an epoll descriptor");
            runtime.block_on(work);
        };
        std::thread::Builder::new().name(name.to_owned()).spawn(run).expect("a broker starts a handful of threads");
    }

    fn blocking(&self, job: Box<dyn FnOnce() + Send + 'static>) {
        tokio::task::spawn_blocking(job);
    }
}

/// Everything on the caller's own runtime, in the order in which it was asked for: for simulation
/// and for unit tests.
#[derive(Debug, Default, Clone, Copy)]
pub struct Inline;

impl Executor for Inline {
    fn worker(&self, _name: &str, work: BoxFuture) {
        tokio::spawn(work);
    }

    fn blocking(&self, job: Box<dyn FnOnce() + Send + 'static>) {
        tokio::spawn(async move { job() });
    }
}
