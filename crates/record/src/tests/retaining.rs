//! What is left of a batch after some of its records were taken out.

use proptest::prelude::*;

use std::ops::ControlFlow;

use crate::{
    BatchBuilder, BatchError, BatchView, Compression, Records, Retained, Retention, TimestampType, restamp, retain,
    walk_keys,
};

const HORIZON_MS: i64 = 9_000_000;

const RETENTION: Retention = Retention { limit: 1 << 20, keep_emptied: false, delete_horizon_ms: Some(HORIZON_MS) };

/// A batch of a producer at offset 100; records without a value are tombstones.
fn batch(values: &[(i64, Option<u8>)], compression: Compression) -> Vec<u8> {
    let mut builder = BatchBuilder::new().compression(compression).producer(7, 1, 40).base_offset(100).leader_epoch(3);
    for (index, (timestamp, value)) in values.iter().enumerate() {
        let value = value.map(|byte| vec![byte; 30]);
        builder.push(*timestamp, Some(&[index as u8]), value.as_deref(), &[]);
    }
    builder.build().unwrap().to_vec()
}

fn retained(batch: &[u8], retention: &Retention, keep: impl Fn(i64) -> bool) -> Retained {
    retain(&BatchView::new(batch).unwrap(), retention, |record| keep(record.offset)).unwrap()
}

/// Offset, timestamp, key and value of each record.
type Content = Vec<(i64, i64, Option<Vec<u8>>, Option<Vec<u8>>)>;

fn content(batch: &[u8]) -> Content {
    let batch = BatchView::new(batch).unwrap();
    batch.verify_crc().unwrap();
    let records = Records::of(&batch, 1 << 20).unwrap();
    let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
    let all = records.iter().map(|record| record.unwrap());
    all.map(|record| (record.offset, record.timestamp, owned(record.key), owned(record.value))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_stays_is_as_it_was(
        records in prop::collection::vec((0..1_000_000_i64, prop::option::of(any::<u8>()), any::<bool>()), 1..30),
        codec in 0..5_usize,
        keep_emptied: bool,
        stamped: bool,
    ) {
        let values: Vec<_> = records.iter().map(|(timestamp, value, _)| (*timestamp, *value)).collect();
        let mut before = batch(&values, Compression::ALL[codec]);
        if stamped {
            restamp(&mut before, TimestampType::LogAppendTime, 5_000_000);
        }
        let stays = |offset: i64| records[(offset - 100) as usize].2;
        let expected: Content = content(&before).into_iter().filter(|record| stays(record.0)).collect();
        let after = match retained(&before, &Retention { keep_emptied, ..RETENTION }, stays) {
            Retained::Whole => before.clone(),
            Retained::Rewritten(after) => after,
            Retained::Nothing => {
                prop_assert!(expected.is_empty() && !keep_emptied);
                return Ok(());
            }
        };
        prop_assert_eq!(content(&after), &expected[..]);
        let (old, new) = (BatchView::new(&before).unwrap(), BatchView::new(&after).unwrap());
        prop_assert_eq!(new.count() as usize, expected.len());
        prop_assert_eq!((new.base_offset(), new.last_offset()), (old.base_offset(), old.last_offset()));
        prop_assert_eq!((new.producer_id(), new.producer_epoch(), new.base_sequence()), (7, 1, 40));
        prop_assert_eq!(new.leader_epoch(), 3);
        prop_assert_eq!(new.attributes().timestamp_type(), old.attributes().timestamp_type());
        if let Some(newest) = expected.iter().map(|record| record.1).max() {
            prop_assert_eq!(new.max_timestamp(), newest);
            prop_assert_eq!(new.attributes().compression(), old.attributes().compression());
        }
        let has_tombstone = expected.iter().any(|record| record.3.is_none());
        prop_assert_eq!(new.attributes().has_delete_horizon(), has_tombstone);
        if has_tombstone {
            prop_assert_eq!(new.base_timestamp(), HORIZON_MS);
        }
    }
}

#[test]
fn a_batch_that_loses_nothing_stands_as_it_is() {
    let batch = batch(&[(1, Some(1)), (2, Some(2))], Compression::Zstd);
    assert_eq!(retained(&batch, &RETENTION, |_| true), Retained::Whole);
}

#[test]
fn a_delete_horizon_is_set_once() {
    let batch = batch(&[(1, Some(1)), (2, None), (3, Some(3))], Compression::Lz4);
    let Retained::Rewritten(first) = retained(&batch, &RETENTION, |_| true) else { panic!() };
    let later = Retention { delete_horizon_ms: Some(10_000_000), ..RETENTION };
    assert_eq!(retained(&first, &later, |_| true), Retained::Whole);
    let Retained::Rewritten(second) = retained(&first, &later, |offset| offset > 100) else { panic!() };
    assert_eq!(BatchView::new(&second).unwrap().base_timestamp(), HORIZON_MS);
    assert_eq!(content(&second), content(&batch)[1..]);
}

#[test]
fn an_emptied_batch_stays_empty_and_can_go_later() {
    let batch = batch(&[(1, None), (2, Some(2))], Compression::Gzip);
    let kept = Retention { keep_emptied: true, ..RETENTION };
    let Retained::Rewritten(empty) = retained(&batch, &kept, |_| false) else { panic!() };
    assert_eq!(empty.len(), crate::HEADER_BYTES);
    assert_eq!(retained(&empty, &kept, |_| false), Retained::Whole);
    assert_eq!(retained(&empty, &RETENTION, |_| false), Retained::Nothing);
    assert_eq!(content(&empty), []);
}

#[test]
fn a_malformed_record_is_an_error() {
    let whole = batch(&[(1, Some(1)), (2, Some(2))], Compression::None);
    // Its length, and the lengths of its key and of its value: where it begins, it has one byte for each field.
    const MINUS_ONE: u8 = 1;
    const SIXTY_THREE: u8 = 126;
    for (place, length, problem) in [
        (61, MINUS_ONE, "its length is too small"),
        (65, SIXTY_THREE, "its fields reach beyond its length"),
        (67, SIXTY_THREE, "its fields reach beyond its length"),
    ] {
        let mut batch = whole.clone();
        batch[place] = length;
        let view = BatchView::new(&batch).unwrap();
        assert!(retain(&view, &RETENTION, |_| true).is_err(), "{place}");
        let walked = walk_keys(&view, 1 << 20, |_| ControlFlow::<()>::Continue(()));
        assert_eq!(walked, Err(BatchError::BadRecord { index: 0, problem }), "{place}");
    }
}

#[test]
fn a_walk_ends_where_it_is_broken_off() {
    let batch = batch(&[(1, Some(1)), (2, None), (3, Some(3))], Compression::Zstd);
    let mut seen = Vec::new();
    let ended = walk_keys(&BatchView::new(&batch).unwrap(), 1 << 20, |record| {
        seen.push((record.offset, record.key.map(<[u8]>::to_vec), record.is_tombstone));
        if record.offset == 101 { ControlFlow::Break("full") } else { ControlFlow::Continue(()) }
    });
    assert_eq!(ended, Ok(Some("full")));
    assert_eq!(seen, [(100, Some(vec![0]), false), (101, Some(vec![1]), true)]);
}
