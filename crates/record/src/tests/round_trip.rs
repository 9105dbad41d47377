//! What the builder builds, the check accepts and the iterator gives back.

use proptest::prelude::*;

use crate::{
    BatchBuilder, BatchHead, BatchView, Codec, Compression, HEADER_BYTES, Header, Limits, Recompression, RecordView,
    Records, TimestampOffset, TimestampType, check, first_at_or_after, recompress, restamp,
};

type OwnedHeader = (Vec<u8>, Option<Vec<u8>>);

#[derive(Clone, Debug)]
struct Record {
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<OwnedHeader>,
}

fn record() -> impl Strategy<Value = Record> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..80);
    let header = (bytes(), prop::option::of(bytes()));
    (-1..1_000_000_i64, prop::option::of(bytes()), prop::option::of(bytes()), prop::collection::vec(header, 0..4))
        .prop_map(|(timestamp, key, value, headers)| Record { timestamp, key, value, headers })
}

fn built(records: &[Record], compression: Compression) -> bytes::Bytes {
    let mut builder = BatchBuilder::new().compression(compression);
    for record in records {
        let headers: Vec<_> =
            record.headers.iter().map(|(key, value)| Header { key, value: value.as_deref() }).collect();
        builder.push(record.timestamp, record.key.as_deref(), record.value.as_deref(), &headers);
    }
    builder.build().unwrap()
}

fn is(view: &RecordView<'_>, record: &Record) -> bool {
    let headers: Vec<OwnedHeader> =
        view.headers.iter().map(|header| (header.key.to_vec(), header.value.map(<[u8]>::to_vec))).collect();
    view.timestamp == record.timestamp
        && view.key == record.key.as_deref()
        && view.value == record.value.as_deref()
        && headers == record.headers
        && view.headers.len() == record.headers.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn built_batches_are_accepted_and_read_back(
        records in prop::collection::vec(record(), 1..40),
        codec in 0..5_usize,
        base_offset in 0..i64::MAX / 2,
    ) {
        let batch = built(&records, Compression::ALL[codec]);
        let info = check(&batch, &Limits::default()).unwrap();
        prop_assert_eq!(info.count as usize, records.len());
        prop_assert!(info.max_timestamp_is_stated);
        prop_assert_eq!(info.max_timestamp, records.iter().map(|record| record.timestamp).max().unwrap());

        let mut head = BatchHead::copy_of(&batch).unwrap();
        head.set_base_offset(base_offset);
        head.set_leader_epoch(7);
        let stored = [head.as_bytes(), &batch[HEADER_BYTES..]].concat();
        let stored = BatchView::new(&stored).unwrap();
        prop_assert!(stored.verify_crc().is_ok());
        let views = Records::of(&stored, 1 << 20).unwrap();
        prop_assert_eq!(views.iter().count(), records.len());
        for (index, (view, record)) in views.iter().zip(&records).enumerate() {
            let view = view.unwrap();
            prop_assert_eq!(view.offset, base_offset + index as i64);
            prop_assert!(is(&view, record), "{:?} is not {:?}", view, record);
        }
    }

    #[test]
    fn the_first_record_at_or_after_a_time_and_an_offset_is_found(
        records in prop::collection::vec(record(), 1..40),
        codec in 0..5_usize,
        timestamp in 0..1_000_000_i64,
        offset in 0..40_i64,
    ) {
        let batch = built(&records, Compression::ALL[codec]);
        let found = first_at_or_after(&BatchView::new(&batch).unwrap(), offset, timestamp, 1 << 20).unwrap();
        let expected = records.iter().zip(0_i64..)
            .find(|(record, at)| *at >= offset && record.timestamp >= timestamp)
            .map(|(record, offset)| TimestampOffset { timestamp: record.timestamp, offset });
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_recompressed_batch_holds_the_same_records(
        records in prop::collection::vec(record(), 1..40),
        from in 0..5_usize,
        to in 0..5_usize,
    ) {
        let batch = built(&records, Compression::ALL[from]);
        let to_other = Recompression {
            to: Compression::ALL[to].into(),
            records_bytes: check(&batch, &Limits::default()).unwrap().records_bytes,
            max_batch_bytes: 1 << 20,
        };
        let other = recompress(&BatchView::new(&batch).unwrap(), &to_other).unwrap();
        let info = check(&other, &Limits::default()).unwrap();
        prop_assert_eq!(info.compression, Compression::ALL[to]);
        let back = Recompression { to: Codec::None, ..to_other };
        let back = recompress(&BatchView::new(&other).unwrap(), &back).unwrap();
        prop_assert_eq!(back, built(&records, Compression::None));
    }

    #[test]
    fn restamped_batches_have_one_time(records in prop::collection::vec(record(), 1..10), codec in 0..5_usize) {
        let mut batch = built(&records, Compression::ALL[codec]).to_vec();
        restamp(&mut batch, TimestampType::LogAppendTime, 5_000_000);
        let batch = BatchView::new(&batch).unwrap();
        prop_assert!(batch.verify_crc().is_ok());
        prop_assert_eq!(batch.attributes().timestamp_type(), TimestampType::LogAppendTime);
        prop_assert!(Records::of(&batch, 1 << 20).unwrap().iter().all(|record| record.unwrap().timestamp == 5_000_000));
    }

    #[test]
    fn noise_never_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..300), codec in 0..8_u8) {
        // Noise that passes as far as possible: right magic, length, count and checksum.
        if bytes.len() >= HEADER_BYTES {
            let length = bytes.len() as i32 - 12;
            bytes[8..12].copy_from_slice(&length.to_be_bytes());
            bytes[16] = 2;
            bytes[21..23].copy_from_slice(&[0, codec]);
            bytes[23..27].copy_from_slice(&2_i32.to_be_bytes());
            bytes[57..61].copy_from_slice(&3_i32.to_be_bytes());
            bytes[0..8].copy_from_slice(&[0; 8]);
            bytes[43..57].copy_from_slice(&[0xff; 14]);
            let crc = crate::header::crc32c(&bytes[21..]);
            bytes[17..21].copy_from_slice(&crc.to_be_bytes());
        }
        let verdict = check(&bytes, &Limits::default());
        if let Ok(batch) = BatchView::new(&bytes)
            && let Ok(records) = Records::of(&batch, 1 << 20)
        {
            let read = records.iter().all(|record| record.is_ok());
            prop_assert!(read || verdict.is_err(), "what the check accepts can be read");
        }
    }
}
