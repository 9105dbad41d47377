//! What clients did and saw, as it comes: a history, and how far it has got.

use std::fmt;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use testkit::history::{Partition, Recorder, Value};

use super::PARTITIONS;

/// What the clients of a load share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) topic: String,
    pub(super) recorder: Recorder,
    progress: Mutex<Progress>,
    moved: Condvar,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    pub(super) acknowledged: usize,
    pub(super) polled: usize,
    rebalances: usize,
    /// The producer has ended with nothing unacknowledged.
    pub(super) is_flushed: bool,
    /// The highest offset acknowledged, and polled by the group, in each partition.
    acknowledged_to: [i64; PARTITIONS],
    polled_to: [i64; PARTITIONS],
    /// How long clients were held up.
    acknowledgements: Pauses,
    polls: Pauses,
}

/// When something last happened to each partition, and how long nothing did.
#[derive(Debug, Clone, Copy, Default)]
struct Pauses {
    last: [Option<Instant>; PARTITIONS],
    longest: Duration,
    /// Of all that are longer than [`PAUSE`], by partition.
    total: [Duration; PARTITIONS],
}

/// What is no longer is the clients' own pace.
const PAUSE: Duration = Duration::from_millis(200);

impl Shared {
    pub(super) fn new(topic: &str) -> Self {
        let progress = Progress {
            acknowledged: 0,
            polled: 0,
            rebalances: 0,
            is_flushed: false,
            acknowledged_to: [-1; PARTITIONS],
            polled_to: [-1; PARTITIONS],
            acknowledgements: Pauses::default(),
            polls: Pauses::default(),
        };
        Shared {
            topic: topic.to_owned(),
            recorder: Recorder::default(),
            progress: Mutex::new(progress),
            moved: Condvar::new(),
        }
    }

    /// To be told before the value is handed to the client.
    pub(super) fn sent(&self, value: Value, partition: i32) {
        self.recorder.send("producer", &self.at(partition), value);
    }

    pub(super) fn acknowledged(&self, value: Value, partition: i32, offset: i64) {
        self.recorder.acknowledged(value, offset);
        self.advance(|progress| {
            let partition = index(partition);
            progress.acknowledged += 1;
            progress.acknowledged_to[partition] = progress.acknowledged_to[partition].max(offset);
            progress.acknowledgements.end(partition);
        });
    }

    pub(super) fn polled(&self, consumer: &str, value: Value, partition: i32, offset: i64) {
        self.recorder.polled(consumer, &self.at(partition), offset, value);
        self.advance(|progress| {
            let partition = index(partition);
            progress.polled += 1;
            progress.polled_to[partition] = progress.polled_to[partition].max(offset);
            progress.polls.end(partition);
        });
    }

    /// A member may go back to the group's last commit.
    pub(super) fn repositioned(&self, consumer: &str) {
        self.recorder.repositioned(consumer);
        self.advance(|progress| progress.rebalances += 1);
    }

    pub(super) fn flushed(&self) {
        self.advance(|progress| progress.is_flushed = true);
    }

    pub(super) fn progress(&self) -> Progress {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wait(&self, limit: Duration, done: impl Fn(Progress) -> bool) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        while !done(*progress) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("no further than {:?} within {limit:?}", *progress));
            }
            progress = self.moved.wait_timeout(progress, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    fn at(&self, partition: i32) -> Partition {
        Partition::new(&self.topic, partition)
    }

    fn advance(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner));
        self.moved.notify_all();
    }
}

impl Progress {
    /// Whether the group has read all that was acknowledged.
    pub(super) fn is_read(&self) -> bool {
        self.polled_to.iter().zip(self.acknowledged_to).all(|(polled, acknowledged)| *polled >= acknowledged)
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Progress { acknowledged, polled, rebalances, acknowledgements, polls, .. } = self;
        write!(
            f,
            "{acknowledged} acknowledged ({acknowledgements}), {polled} polled ({polls}), {rebalances} rebalances"
        )
    }
}

impl Pauses {
    fn end(&mut self, partition: usize) {
        let now = Instant::now();
        let lasted = self.last[partition].replace(now).map_or(Duration::ZERO, |last| now - last);
        self.longest = self.longest.max(lasted);
        if lasted > PAUSE {
            self.total[partition] += lasted;
        }
    }
}

impl fmt::Display for Pauses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total.iter().max().copied().unwrap_or_default();
        write!(
            f,
            "pauses: {:.2} s the longest, {:.2} s together in one partition",
            self.longest.as_secs_f64(),
            total.as_secs_f64()
        )
    }
}

/// Which of the partitions under load.
fn index(partition: i32) -> usize {
    usize::try_from(partition).ok().filter(|index| *index < PARTITIONS).expect("a partition of the topic under load")
}
