//! Writing, with the time each record takes until it is acknowledged.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use client::{Client, ClientError, Producer, ProducerOptions, Record};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::super::Failure;
use super::super::stop::Stop;
use super::Produce;
use super::report::{Latencies, Report};
use super::topic::{BenchTopic, payload};

/// So many records go to a partition before the next has its turn, as producers fill a batch.
const RECORDS_IN_TURN: u64 = 64;

/// When a run begins, is measured, and ends.
#[derive(Clone, Copy)]
struct Schedule {
    begin: Instant,
    measured: Instant,
    end: Instant,
    /// Between two records of a connection; none, if it goes as fast as it can.
    interval: Option<Duration>,
}

/// What one connection has seen.
struct Seen {
    measured: Instant,
    /// When the records that are on their way were due, by partition: they are acknowledged in this order.
    due: BTreeMap<i32, VecDeque<Instant>>,
    records: u64,
    last: Instant,
    latencies: Latencies,
}

impl Produce {
    pub(super) async fn measure(&self, client: Client) -> Result<(), Failure> {
        let topic = BenchTopic::open(&client, &self.common).await?;
        let outcome = self.run(&client, &topic).await;
        topic.close(outcome).await?.print(self.common.output).map_err(Failure::from)
    }

    async fn run(&self, client: &Client, topic: &BenchTopic) -> Result<Report, Failure> {
        let mut connections = Vec::new();
        for place in 0..self.common.connections {
            connections.push(self.connection(client.another(), topic, place).await?);
        }
        let schedule = self.schedule();
        let stopped = Arc::new(AtomicBool::new(false));
        let mut running = JoinSet::new();
        for (place, connection) in (0..).zip(connections) {
            lock(&connection.seen).measured = schedule.measured;
            // The first records of all connections are not due at once.
            let schedule = schedule.shifted(place, self.common.connections);
            let (stopped, handle) = (stopped.clone(), Handle::current());
            // A thread for each: the timers of the runtime are too coarse.
            running.spawn_blocking(move || handle.block_on(connection.send_all(schedule, &stopped)));
        }
        let mut stop = Stop::new()?;
        let mut report = self.empty_report(topic, schedule);
        loop {
            let done = tokio::select! {
                biased;
                done = running.join_next() => done,
                () = stop.asked() => {
                    stopped.store(true, Ordering::Relaxed);
                    continue;
                }
            };
            let Some(done) = done else { return Ok(report) };
            let Done { missed, seen } = done?.inspect_err(|_| stopped.store(true, Ordering::Relaxed))?;
            let seen = lock(&seen);
            report.latencies.add(&seen.latencies);
            report.records += seen.records;
            report.missed = report.missed.map(|before| before + missed);
            report.took = report.took.max(seen.last.saturating_duration_since(schedule.measured));
        }
    }

    fn empty_report(&self, topic: &BenchTopic, schedule: Schedule) -> Report {
        Report {
            topic: topic.topic.name.clone(),
            records: 0,
            record_bytes: u64::from(self.common.record_bytes),
            took: Duration::ZERO,
            missed: schedule.interval.map(|_| 0),
            latencies: Latencies::new(),
            latency_is: match schedule.interval {
                Some(_) => "from when a record was due to its acknowledgement",
                None => "from when a record was handed over to its acknowledgement, most of it in the client's buffer",
            },
        }
    }

    async fn connection(&self, client: Client, topic: &BenchTopic, place: u32) -> Result<Connection, Failure> {
        let seen = Arc::new(Mutex::new(Seen::new()));
        let told = seen.clone();
        let options = ProducerOptions {
            acks: self.acks.into(),
            compression: self.common.compression,
            on_written: Some(Arc::new(move |partition, records| lock(&told).written(partition, records))),
            ..ProducerOptions::default()
        };
        // Knows where the brokers are before the clock runs.
        let topic = client.topic(&topic.topic.name).await?;
        let turn = Turn { partitions: topic.partitions.len() as u64, first: u64::from(place) };
        let producer = Producer::start(client, topic, options).await?;
        Ok(Connection { producer, seen, turn, value: payload(self.common.record_bytes) })
    }

    fn schedule(&self) -> Schedule {
        let begin = Instant::now();
        let measured = begin + self.warm_up;
        let interval = (self.rate > 0).then(|| Duration::from_secs(1) * self.common.connections / self.rate);
        Schedule { begin, measured, end: measured + self.duration, interval }
    }
}

impl Schedule {
    /// Begins a part of the interval later.
    fn shifted(self, place: u32, of: u32) -> Self {
        let shift = self.interval.map_or(Duration::ZERO, |interval| interval * place / of);
        Schedule { begin: self.begin + shift, ..self }
    }

    /// When a record is due.
    fn due(&self, number: u64) -> Instant {
        match self.interval {
            Some(interval) => {
                self.begin
                    + Duration::from_nanos(
                        u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX).saturating_mul(number),
                    )
            }
            None => Instant::now(),
        }
    }

    /// How many of the records from this number on would still have been due.
    fn due_before_the_end(&self, number: u64) -> u64 {
        let Some(interval) = self.interval else { return 0 };
        let left = self.end.saturating_duration_since(self.due(number));
        u64::try_from(left.as_nanos() / interval.as_nanos().max(1)).unwrap_or(u64::MAX)
    }
}

/// Which partition has its turn.
#[derive(Clone, Copy)]
struct Turn {
    partitions: u64,
    first: u64,
}

impl Turn {
    fn partition(self, number: u64) -> i32 {
        i32::try_from((self.first + number / RECORDS_IN_TURN) % self.partitions).unwrap_or(0)
    }
}

/// One of those that write.
struct Connection {
    producer: Producer,
    seen: Arc<Mutex<Seen>>,
    turn: Turn,
    value: Vec<u8>,
}

/// How it went with one of them.
struct Done {
    /// Records that were due and not sent.
    missed: u64,
    seen: Arc<Mutex<Seen>>,
}

impl Connection {
    /// Sends until the end, and waits for all acknowledgements. Blocks its thread between records.
    async fn send_all(mut self, schedule: Schedule, stopped: &AtomicBool) -> Result<Done, ClientError> {
        let mut number = 0;
        let missed = loop {
            let (due, now) = (schedule.due(number), Instant::now());
            if due >= schedule.end || stopped.load(Ordering::Relaxed) {
                break 0;
            }
            if now >= schedule.end {
                break schedule.due_before_the_end(number);
            }
            if due > now {
                std::thread::sleep(due - now);
            }
            let partition = self.turn.partition(number);
            lock(&self.seen).due.entry(partition).or_default().push_back(due);
            let record = Record { partition: Some(partition), value: Some(&self.value), ..Record::default() };
            self.producer.send(record).await?;
            number += 1;
        };
        self.producer.flush().await?;
        Ok(Done { missed, seen: self.seen })
    }
}

impl Seen {
    fn new() -> Self {
        let now = Instant::now();
        Seen { measured: now, due: BTreeMap::new(), records: 0, last: now, latencies: Latencies::new() }
    }

    fn written(&mut self, partition: i32, records: u32) {
        let now = Instant::now();
        let Some(due) = self.due.get_mut(&partition) else { return };
        for due in due.drain(..due.len().min(records as usize)) {
            if due >= self.measured {
                self.records += 1;
                self.last = now;
                self.latencies.record(now.saturating_duration_since(due));
            }
        }
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_charged_from_when_it_was_due() {
        let begin = Instant::now();
        let second = Duration::from_secs(1);
        let schedule = Schedule { begin, measured: begin, end: begin + 10 * second, interval: Some(second / 100) };
        assert_eq!(schedule.due(250), begin + 5 * second / 2);
        assert_eq!(schedule.shifted(1, 2).due(0), begin + second / 200);
        assert_eq!(schedule.due_before_the_end(900), 100, "what was not sent is missed");

        let mut seen = Seen { measured: begin, ..Seen::new() };
        let long_ago = begin.checked_sub(second).unwrap();
        seen.due.insert(0, VecDeque::from([long_ago, begin, begin]));
        seen.written(0, 2);
        assert_eq!(seen.records, 1, "what was due before it is measured does not count");
        seen.written(0, 9);
        seen.written(1, 1);
        assert_eq!((seen.records, seen.due[&0].len()), (2, 0));
    }

    #[test]
    fn partitions_have_their_turns() {
        let turn = Turn { partitions: 3, first: 1 };
        let partitions: Vec<i32> = [0, 63, 64, 128, 192].map(|number| turn.partition(number)).to_vec();
        assert_eq!(partitions, [1, 1, 2, 0, 1]);
    }
}
