//! Random histories: whatever is appended, compacted, deleted and restarted in whatever order, readers see the last
//! record of every key, and nothing that was not written.

use disk::Disk;
use proptest::prelude::*;

use super::*;
use crate::LogDescription;

#[derive(Clone, Debug)]
enum Action {
    /// Records of one batch: a key, and a value or none.
    Append(Vec<(u8, bool)>, Compression),
    Roll,
    /// Some steps of a pass: with a map of so many slots, over what is below so many percent of the log.
    Compact {
        slots: u64,
        percent: i64,
        steps: usize,
    },
    /// The log start moves up by so many percent of what is left.
    AdvanceStart(i64),
    Checkpoint,
    Crash(u64),
    Wait(i64),
}

fn action() -> impl Strategy<Value = Action> {
    let records = prop::collection::vec((0..12_u8, prop::bool::weighted(0.8)), 1..6);
    let codec = prop::sample::select(vec![Compression::None, Compression::None, Compression::Lz4, Compression::Zstd]);
    let steps = prop_oneof![Just(usize::MAX), 0..30_usize];
    prop_oneof![
        8 => (records, codec).prop_map(|(records, codec)| Action::Append(records, codec)),
        2 => Just(Action::Roll),
        3 => (prop_oneof![Just(0_u64), Just(1000)], 20..120_i64, steps)
            .prop_map(|(slots, percent, steps)| Action::Compact { slots, percent, steps }),
        1 => (0..40_i64).prop_map(Action::AdvanceStart),
        1 => Just(Action::Checkpoint),
        1 => any::<u64>().prop_map(Action::Crash),
        1 => (0..800_i64).prop_map(Action::Wait),
    ]
}

/// A log, what is known of it, and what a journal would replay.
struct World {
    disk: SimDisk,
    log: PartitionLog,
    /// All that was ever appended.
    written: Vec<Seen>,
    durable: LogDescription,
    since: Vec<Bytes>,
    start: i64,
    now_ms: i64,
}

impl World {
    fn new() -> Self {
        let disk = new_disk(1);
        let log = new_log(&disk, small());
        let (durable, job) = log.begin_checkpoint();
        job.run().unwrap();
        World { disk, log, written: Vec::new(), durable, since: Vec::new(), start: 0, now_ms: 10_000 }
    }

    fn play(&mut self, action: &Action) {
        match action {
            Action::Append(records, codec) => self.append(records, *codec),
            Action::Roll => self.log.roll(),
            Action::Compact { slots, percent, steps } => self.compact(*slots, *percent, *steps),
            Action::AdvanceStart(percent) => {
                self.start += (self.log.log_end() - self.start) * percent / 100;
                self.log.advance_start(self.start);
            }
            Action::Checkpoint => {
                let dropped = self.log.take_dropped();
                let (description, job) = self.log.begin_checkpoint();
                job.run().unwrap();
                self.durable = description;
                self.since.clear();
                dropped.iter().for_each(|path| drop(self.disk.remove_file(path)));
            }
            Action::Crash(seed) => {
                self.disk = self.disk.restart(*seed);
                self.log = PartitionLog::restore(files(&self.disk), DIR.into(), small(), &self.durable);
                self.since.iter().for_each(|batch| append(&self.log, batch));
                self.log.advance_start(self.start);
            }
            Action::Wait(ms) => self.now_ms += ms,
        }
    }

    fn append(&mut self, records: &[(u8, bool)], codec: Compression) {
        let base = self.log.log_end();
        let texts: Vec<String> = (base..)
            .zip(records)
            .map(|(offset, (key, has_value))| if *has_value { format!("k{key}=v{offset}") } else { format!("k{key}") })
            .collect();
        let batch = batch_of(base, &texts.join(" "), codec).build().unwrap();
        append(&self.log, &batch);
        self.since.push(batch);
        self.written.extend((base..).zip(records).map(|(offset, (key, has_value))| Seen {
            offset,
            key: Some(format!("k{key}")),
            value: has_value.then(|| format!("v{offset}")),
        }));
    }

    fn compact(&mut self, slots: u64, percent: i64, steps: usize) {
        let below = self.start + (self.log.log_end() - self.start) * percent / 100;
        let order = CompactionOrder { below, map_bytes: slots * 24, ..order(self.now_ms) };
        let mut pass = self.log.compact(order);
        for _ in 0..steps {
            if matches!(pass.step(200).unwrap(), CompactionStep::Done(_) | CompactionStep::Overtaken) {
                break;
            }
        }
    }

    fn check(&self) {
        let seen = seen(&self.log);
        for record in &seen {
            let place = self.written.binary_search_by_key(&record.offset, |written| written.offset).unwrap();
            assert_eq!(&self.written[place], record, "what is read was written so");
        }
        let left = last_of_each(&seen);
        for (key, last) in last_of_each(&self.written) {
            if last.offset >= self.start && last.value.is_some() {
                assert_eq!(left.get(&key), Some(&last));
            } else if let Some(left) = left.get(&key) {
                assert_eq!(left, &last, "a deleted key does not come back with an older value");
            }
        }
        for from in self.start..self.log.log_end() {
            let rest: Vec<_> = seen.iter().filter(|record| record.offset >= from).cloned().collect();
            assert_eq!(seen_from(&self.log, from), rest, "from {from}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn readers_see_the_last_record_of_every_key(actions in prop::collection::vec(action(), 1..60)) {
        let mut world = World::new();
        for action in &actions {
            world.play(action);
            world.check();
        }
        // At last all of it, with time enough for every tombstone: one record a key and no deleted key.
        world.log.roll();
        world.append(&[(99, true)], Compression::None);
        for _ in 0..3 {
            world.now_ms += 2000;
            world.compact(1000, 100, usize::MAX);
            world.check();
        }
        let closed: Vec<_> = seen(&world.log);
        let keys = last_of_each(&closed);
        prop_assert_eq!(keys.len(), closed.len(), "no key twice");
        prop_assert!(keys.values().all(|record| record.value.is_some()), "no tombstone left");
    }
}
