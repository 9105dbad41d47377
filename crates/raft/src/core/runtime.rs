//! The runtime that openraft's tasks run on: tokio, with three differences.
//!
//! * A wait shorter than the timer's resolution only yields. openraft waits a microsecond to batch
//!   completed writes, and tokio's timer would make a millisecond of it. A deadline further off is kept:
//!   ticks whose time is not yet there would follow each other until it is.
//! * Randomness (election timeouts, phases of ticks) comes from the seed of the group's task, see
//!   [`seeded`], so that a simulated cluster repeats itself.
//! * A task belongs to the process that spawns it, see [`model::spawn`].

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use openraft::async_runtime::AsyncRuntime;
use openraft::rt::deterministic_rng::DeterministicRng;
use openraft_rt_tokio::{TokioInstant, TokioRuntime};

pub(crate) type Runtime = DeterministicRng<Tokio>;

/// tokio's timers count milliseconds.
const TIMER_RESOLUTION: Duration = Duration::from_millis(1);

/// How long openraft gathers completed writes (`BATCH_INTERVAL`).
const BATCHING: Duration = Duration::from_micros(1);

/// Runs `work`, and all that openraft spawns within, with randomness from `seed`.
pub(crate) fn seeded<F: Future>(seed: u64, work: F) -> impl Future<Output = F::Output> {
    Runtime::scope(seed, work)
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Tokio(TokioRuntime);

impl AsyncRuntime for Tokio {
    type JoinError = <TokioRuntime as AsyncRuntime>::JoinError;
    type JoinHandle<T: Send + 'static> = <TokioRuntime as AsyncRuntime>::JoinHandle<T>;
    type Sleep = Sleep;
    type Instant = TokioInstant;
    type TimeoutError = <TokioRuntime as AsyncRuntime>::TimeoutError;
    type Timeout<R, F: Future<Output = R> + Send> = <TokioRuntime as AsyncRuntime>::Timeout<R, F>;
    type ThreadLocalRng = <TokioRuntime as AsyncRuntime>::ThreadLocalRng;
    type Mpsc = <TokioRuntime as AsyncRuntime>::Mpsc;
    type Watch = <TokioRuntime as AsyncRuntime>::Watch;
    type Oneshot = <TokioRuntime as AsyncRuntime>::Oneshot;
    type Mutex<T: Send + 'static> = <TokioRuntime as AsyncRuntime>::Mutex<T>;

    fn spawn<F>(future: F) -> Self::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        model::spawn(future)
    }

    fn sleep(duration: Duration) -> Sleep {
        if duration < TIMER_RESOLUTION {
            return Sleep::Yield(false);
        }
        Sleep::Timer(Box::pin(TokioRuntime::sleep(duration)))
    }

    fn sleep_until(deadline: TokioInstant) -> Sleep {
        if deadline <= <TokioInstant as openraft::async_runtime::Instant>::now() + BATCHING {
            return Sleep::Yield(false);
        }
        Sleep::Timer(Box::pin(TokioRuntime::sleep_until(deadline)))
    }

    fn timeout<R, F: Future<Output = R> + Send>(duration: Duration, future: F) -> Self::Timeout<R, F> {
        TokioRuntime::timeout(duration, future)
    }

    fn timeout_at<R, F: Future<Output = R> + Send>(deadline: TokioInstant, future: F) -> Self::Timeout<R, F> {
        TokioRuntime::timeout_at(deadline, future)
    }

    fn is_panic(error: &Self::JoinError) -> bool {
        TokioRuntime::is_panic(error)
    }

    fn thread_rng() -> Self::ThreadLocalRng {
        TokioRuntime::thread_rng()
    }

    fn new(threads: usize) -> Self {
        Tokio(TokioRuntime::new(threads))
    }

    fn block_on<F: Future<Output = T>, T>(&mut self, future: F) -> T {
        self.0.block_on(future)
    }
}

/// A wait.
pub(crate) enum Sleep {
    /// Gives way once to the other tasks of the thread; whether it has.
    Yield(bool),
    /// Until the timer fires.
    Timer(Pin<Box<tokio::time::Sleep>>),
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match &mut *self {
            Sleep::Yield(true) => Poll::Ready(()),
            Sleep::Yield(yielded) => {
                *yielded = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Sleep::Timer(timer) => timer.as_mut().poll(context),
        }
    }
}
