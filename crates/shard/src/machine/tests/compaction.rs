//! Compaction beside apply: what a crash leaves, and which batches of producers stay.

use super::*;

/// A pass over what the last checkpoint knows, as the broker makes one, at the end of which the old files are garbage.
pub(super) fn compact(bench: &Bench, index: i32) -> Result<(), log::LogError> {
    let partition = bench.partition(index);
    let known = partition.known_producers();
    let order = log::CompactionOrder {
        rules: log::CompactionRules {
            min_lag_ms: 0,
            max_lag_ms: i64::MAX,
            min_dirty_ratio: 0.0,
            delete_retention_ms: 0,
        },
        below: known.below,
        last_batches: known.last_batches,
        map_bytes: 1 << 16,
        map_load: 0.9,
        seed: [1; 16],
        now_ms: 0,
    };
    let mut pass = partition.log.compact(order);
    while matches!(pass.step(100)?, log::CompactionStep::Worked(_) | log::CompactionStep::Replaced(_)) {}
    let due_ms = bench.machine.clock_ms + partition.settings().file_delete_delay_ms;
    bench.machine.unsaved().compacted(partition.id, partition.log.take_dropped(), due_ms);
    Ok(())
}

pub(super) fn keyed(producer: i64, sequence: i32, key: &str) -> Bytes {
    let value = [sequence as u8; 60];
    BatchBuilder::new().producer(producer, 0, sequence).record(1, Some(key.as_bytes()), Some(&value)).build().unwrap()
}

/// Ten records of the key `a` by producer 9, and one of `b` by producer 8 in their midst; checkpointed.
fn to_be_compacted() -> Bench {
    let mut bench = Bench::new();
    for sequence in 0..10 {
        bench.append(0, &keyed(9, sequence, "a")).unwrap();
        if sequence == 4 {
            bench.append(0, &keyed(8, 0, "b")).unwrap();
        }
    }
    bench.checkpoint().unwrap();
    bench
}

/// Offset and key of each record.
fn keys(bench: &Bench) -> Vec<(i64, Bytes)> {
    let bytes = bench.bytes(0);
    let (mut rest, mut keys) = (&bytes[..], Vec::new());
    while !rest.is_empty() {
        let (batch, after) = record::BatchView::split_first(rest).unwrap();
        for record in &record::Records::of(&batch, 1 << 20).unwrap() {
            let record = record.unwrap();
            keys.push((record.offset, Bytes::copy_from_slice(record.key.unwrap())));
        }
        rest = after;
    }
    keys
}

#[test]
fn a_crash_at_any_step_of_a_compaction_and_its_checkpoint_loses_no_last_record() {
    let pass = |bench: &mut Bench| -> Result<(), Box<dyn std::error::Error>> {
        compact(bench, 0)?;
        bench.checkpoint()?;
        bench.machine.unsaved().garbage.take_due(i64::MAX).remove(&bench.disk);
        Ok(())
    };
    let (steps, compacted) = {
        let mut bench = to_be_compacted();
        let before = bench.disk.mutations();
        pass(&mut bench).unwrap();
        (bench.disk.mutations() - before, keys(&bench))
    };
    assert!(compacted.len() < 6 && steps > 8, "{compacted:?} in {steps} steps");
    for step in 1..=steps {
        for seed in 0..6 {
            let mut bench = to_be_compacted();
            // What the journal would replay over what the crash leaves.
            bench.append(0, &keyed(9, 10, "c")).unwrap();
            bench.append(0, &keyed(9, 11, "a")).unwrap();
            bench.disk.crash_at(step);
            // The last mutations are unlinks, whose errors are nobody's concern.
            pass(&mut bench).ok();
            bench.restart(seed);
            let left = keys(&bench);
            let is_last = |key: &str, offset| left.iter().rfind(|(_, known)| known == key).unwrap().0 == offset;
            assert!(is_last("a", 12) && is_last("b", 5) && is_last("c", 11), "step {step}, seed {seed}: {left:?}");
            assert_eq!(bench.append(0, &keyed(9, 11, "a")), known_at(12), "step {step}, seed {seed}: a duplicate");
            pass(&mut bench).unwrap();
            assert!(keys(&bench).len() < 8, "step {step}, seed {seed}: and once more");
        }
    }
}

#[test]
fn compaction_keeps_the_last_batch_of_each_producer_that_a_checkpoint_knew() {
    let mut bench = to_be_compacted();
    bench.append(0, &keyed(8, 1, "b")).unwrap();
    for sequence in 2..6 {
        bench.append(0, &keyed(8, sequence, "b")).unwrap();
    }
    bench.checkpoint().unwrap();
    compact(&bench, 0).unwrap();
    let bytes = bench.bytes(0);
    let (first, _) = record::BatchView::split_first(&bytes).unwrap();
    assert_eq!((first.producer_id(), first.base_sequence()), (9, 9), "what producer 9 sent last");
    let files = bench.disk.list(bench.partition(0).log.dir()).unwrap().len();
    bench.checkpoint().unwrap();
    bench.machine.unsaved().garbage.take_due(i64::MAX).remove(&bench.disk);
    assert!(bench.disk.list(bench.partition(0).log.dir()).unwrap().len() < files);
    bench.restart(1);
    assert_eq!(bench.bytes(0), bytes);
}
