//! What the check refuses, and as what.

use bytes::Bytes;
use model::ErrorCode;

use crate::header::crc32c;
use crate::{BatchBuilder, BatchError, Compression, Limits, TimestampType, Timestamps, check, restamp};

fn three() -> BatchBuilder {
    BatchBuilder::new().record(10, Some(b"a"), Some(b"1")).record(30, None, Some(b"2")).record(20, Some(b"c"), None)
}

/// The batch with bytes overwritten, and its CRC right for them.
fn with(batch: &Bytes, at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut changed = batch.to_vec();
    changed[at..at + bytes.len()].copy_from_slice(bytes);
    let crc = crc32c(&changed[21..]);
    changed[17..21].copy_from_slice(&crc.to_be_bytes());
    changed
}

fn refusal(bytes: &[u8]) -> BatchError {
    check(bytes, &Limits::default()).unwrap_err()
}

#[test]
fn every_cut_and_every_flipped_bit_is_refused() {
    for compression in Compression::ALL {
        let batch = three().compression(compression).build().unwrap();
        for length in 0..batch.len() {
            assert!(check(&batch[..length], &Limits::default()).is_err(), "{compression} cut to {length}");
        }
        for bit in 0..batch.len() * 8 {
            let mut flipped = batch.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let is_patched_by_broker = (12..16).contains(&(bit / 8));
            assert_eq!(check(&flipped, &Limits::default()).is_ok(), is_patched_by_broker, "{compression} bit {bit}");
        }
    }
}

#[test]
fn more_than_one_batch_is_refused() {
    let batch = three().build().unwrap();
    let two = [&batch[..], &batch[..]].concat();
    assert_eq!(refusal(&two), BatchError::Trailing(batch.len()));
    assert_eq!(refusal(&two).code(), ErrorCode::InvalidRecord);
    assert_eq!(refusal(&[]).code(), ErrorCode::InvalidRecord);
}

#[test]
fn old_formats_are_refused() {
    let batch = three().build().unwrap();
    for magic in [0, 1, 3, 255] {
        assert_eq!(refusal(&with(&batch, 16, &[magic])), BatchError::BadMagic(magic as i8));
    }
}

#[test]
fn headers_that_contradict_themselves_are_refused() {
    let batch = three().build().unwrap();
    let cases: [(usize, &[u8], &str); 9] = [
        (0, &1_i64.to_be_bytes(), "base offset is not 0"),
        (57, &0_i32.to_be_bytes(), "count of records is not positive"),
        (57, &(-1_i32).to_be_bytes(), "count of records is not positive"),
        (57, &2_i32.to_be_bytes(), "last offset delta is not its count less one"),
        (23, &5_i32.to_be_bytes(), "last offset delta is not its count less one"),
        (21, &0x20_i16.to_be_bytes(), "control records"),
        (21, &0x40_i16.to_be_bytes(), "delete horizon"),
        (21, &0x10_i16.to_be_bytes(), "no producer id"),
        (43, &9_i64.to_be_bytes(), "no producer epoch"),
    ];
    for (at, bytes, expected) in cases {
        let error = refusal(&with(&batch, at, bytes));
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.code(), ErrorCode::InvalidRecord);
    }
    let no_sequence = three().producer(9, 0, -1).build().unwrap();
    assert!(refusal(&no_sequence).to_string().contains("no sequence number"));
}

#[test]
fn counts_that_the_records_do_not_bear_out_are_refused() {
    for compression in Compression::ALL {
        let batch = three().compression(compression).build().unwrap();
        for count in [1_i32, 2, 4, 1_000_000, i32::MAX] {
            let changed = with(&with(&batch, 57, &count.to_be_bytes()).into(), 23, &(count - 1).to_be_bytes());
            assert_eq!(refusal(&changed).code(), ErrorCode::InvalidRecord, "{compression} {count}");
        }
    }
}

#[test]
fn malformed_records_are_refused_by_their_index() {
    // Length 7, attributes, timestamp 0, offset 0, no key, value of one byte, no headers.
    let batch = BatchBuilder::new().record(0, None, Some(b"x")).build().unwrap();
    assert_eq!(batch[61..], [14, 0, 0, 0, 1, 2, b'x', 0]);
    let cases: [(usize, u8, &str); 8] = [
        (61, 1, "its length is negative"),
        (61, 12, "its length is not that of its fields"),
        (61, 16, "its length is not that of its fields"),
        (64, 2, "its offset does not follow"),
        (64, 0x80, "beyond the end"),
        (66, 20, "beyond the end"),
        (68, 1, "its number of headers is negative"),
        (68, 2, "beyond the end"),
    ];
    for (at, byte, expected) in cases {
        let error = refusal(&with(&batch, at, &[byte]));
        assert!(error.to_string().contains(expected), "byte {at} = {byte}: {error}");
        assert_eq!((error.code(), error.record_index()), (ErrorCode::InvalidRecord, Some(0)));
    }
    let overlong = with(&batch, 61, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    assert!(refusal(&overlong).to_string().contains("a varint is too long"));
}

#[test]
fn limits_are_kept() {
    let batch = three().compression(Compression::Gzip).build().unwrap();
    let fits = Limits { max_batch_bytes: batch.len(), ..Limits::default() };
    assert!(check(&batch, &fits).is_ok());
    let error = check(&batch, &Limits { max_batch_bytes: batch.len() - 1, ..fits }).unwrap_err();
    assert_eq!(error.code(), ErrorCode::MessageTooLarge);

    let large =
        BatchBuilder::new().compression(Compression::Zstd).record(0, None, Some(&[0; 100_000])).build().unwrap();
    assert!(check(&large, &Limits::default()).is_ok());
    let error = check(&large, &Limits { max_record_bytes: 100_000, ..Limits::default() }).unwrap_err();
    assert_eq!(error, BatchError::DecompressedTooLarge { what: "record 0".into(), limit: 100_000 });
    assert_eq!(error.code(), ErrorCode::InvalidRecord);
    let error = check(&large, &Limits { max_decompressed_bytes: 100_000, ..Limits::default() }).unwrap_err();
    assert_eq!(error, BatchError::DecompressedTooLarge { what: "record batch".into(), limit: 100_000 });
}

#[test]
fn an_unknown_codec_is_refused_as_such() {
    let batch = three().build().unwrap();
    for id in 5..8 {
        let error = refusal(&with(&batch, 21, &[0, id]));
        assert_eq!(error, BatchError::UnknownCompression(id));
        assert_eq!(error.code(), ErrorCode::UnsupportedCompressionType);
    }
}

#[test]
fn timestamps_out_of_range_are_refused() {
    let batch = three().build().unwrap();
    let within = |timestamps| check(&batch, &Limits { timestamps, ..Limits::default() });
    assert!(within(Timestamps::around(20, 10, 10)).is_ok());
    let error = within(Timestamps::around(21, 10, 10)).unwrap_err();
    assert_eq!((error.code(), error.record_index()), (ErrorCode::InvalidTimestamp, Some(0)));
    let error = within(Timestamps::around(19, 10, 10)).unwrap_err();
    assert_eq!((error.code(), error.record_index()), (ErrorCode::InvalidTimestamp, Some(1)));
    assert!(within(Timestamps::LogAppendTime).is_ok());
    let untimed = BatchBuilder::new().record(-1, None, None).build().unwrap();
    assert!(check(&untimed, &Limits { timestamps: Timestamps::around(1 << 40, 1, 1), ..Limits::default() }).is_ok());
}

#[test]
fn log_append_time_is_the_brokers_to_set() {
    let batch = three().timestamp_type(TimestampType::LogAppendTime).build().unwrap();
    assert_eq!(refusal(&batch).code(), ErrorCode::InvalidTimestamp);
}

#[test]
fn a_wrong_greatest_timestamp_is_noticed_and_put_right() {
    let batch = with(&three().build().unwrap(), 35, &999_i64.to_be_bytes());
    let info = check(&batch, &Limits::default()).unwrap();
    assert_eq!((info.max_timestamp, info.max_timestamp_is_stated), (30, false));
    let mut right = batch.clone();
    restamp(&mut right, TimestampType::CreateTime, info.max_timestamp);
    assert_eq!(right, three().build().unwrap());
}
