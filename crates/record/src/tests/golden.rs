//! Batches made by Kafka's own classes (kafka-clients 4.3.1, `MemoryRecords.withRecords`): three records, one with
//! a header twice, one without key, one without value; producer 77, epoch 3, base sequence 12.

use crate::{BatchView, Compression, Header, Limits, Records, check};

const BATCHES: [(Compression, &[u8]); 5] = [
    (Compression::None, include_bytes!("golden/none.batch")),
    (Compression::Gzip, include_bytes!("golden/gzip.batch")),
    (Compression::Snappy, include_bytes!("golden/snappy.batch")),
    (Compression::Lz4, include_bytes!("golden/lz4.batch")),
    (Compression::Zstd, include_bytes!("golden/zstd.batch")),
];

#[test]
fn batches_of_kafkas_producer_pass_the_check() {
    for (compression, bytes) in BATCHES {
        let info = check(bytes, &Limits::default()).unwrap();
        assert_eq!(info.compression, compression);
        assert_eq!((info.count, info.last_offset_delta), (3, 2));
        assert_eq!((info.producer_id, info.producer_epoch, info.base_sequence), (77, 3, 12));
        assert_eq!((info.max_timestamp, info.max_timestamp_offset_delta), (1_700_000_000_005, 1));
        assert!(info.max_timestamp_is_stated);
    }
}

#[test]
fn records_of_kafkas_producer_are_read() {
    for (compression, bytes) in BATCHES {
        let records = Records::of(&BatchView::new(bytes).unwrap(), 1 << 20).unwrap();
        let records: Vec<_> = records.iter().map(|record| record.unwrap()).collect();
        let [first, second, third] = records[..] else { panic!("{compression}: {}", records.len()) };
        assert_eq!((first.offset, first.timestamp), (0, 1_700_000_000_000));
        assert_eq!((first.key, first.value), (Some(&b"key"[..]), Some(&b"value"[..])));
        let headers: Vec<_> = first.headers.iter().collect();
        assert_eq!(headers, [Header { key: b"h", value: Some(b"1") }, Header { key: b"h", value: None }]);
        assert_eq!((second.offset, second.timestamp, second.key), (1, 1_700_000_000_005, None));
        let letters: Vec<u8> = (0..3000).map(|index| b'a' + (index % 7) as u8).collect();
        assert_eq!(second.value, Some(&letters[..]));
        assert_eq!((third.offset, third.timestamp, third.value), (2, 1_699_999_999_999, None));
        assert!(third.headers.is_empty());
    }
}

#[test]
fn a_batch_that_is_not_compressed_is_built_as_kafka_builds_it() {
    let (_, expected) = BATCHES[0];
    let mut builder = crate::BatchBuilder::new().producer(77, 3, 12);
    let records = Records::of(&BatchView::new(expected).unwrap(), 0).unwrap();
    for record in &records {
        let record = record.unwrap();
        builder.push(record.timestamp, record.key, record.value, &record.headers.iter().collect::<Vec<_>>());
    }
    assert_eq!(builder.build().unwrap(), expected);
}
