//! What the check refuses, and as what.

use bytes::Bytes;
use model::ErrorCode;

use crate::header::crc32c;
use crate::{BatchBuilder, BatchError, BatchView, Compression, Limits, TimestampType, Timestamps, check, restamp};

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
fn of_what_a_client_sends_the_only_whole_batch_is_taken() {
    let batch = three().build().unwrap();
    let taken = |rest: &[u8]| BatchView::only(&[&batch[..], rest].concat()).map(|batch| batch.bytes().len());
    for rest in [&[][..], &[0; 11], &batch[..batch.len() - 1]] {
        assert_eq!(taken(rest), Ok(batch.len()), "{} bytes follow", rest.len());
    }
    assert_eq!(taken(&batch), Err(BatchError::Trailing(batch.len())));
    assert_eq!(taken(&[0; 12]), Err(BatchError::BadLength(0)));
    let cut = BatchView::only(&batch[..batch.len() - 1]).unwrap_err();
    assert_eq!(cut.code(), ErrorCode::InvalidRecord);
    for (length, magic, code) in [
        (20_i32, 2, ErrorCode::CorruptMessage),
        (20, 1, ErrorCode::InvalidRecord),
        (20, 3, ErrorCode::CorruptMessage),
        (13, 2, ErrorCode::CorruptMessage),
    ] {
        let changed = with(&with(&batch, 8, &length.to_be_bytes()).into(), 16, &[magic]);
        assert_eq!(BatchView::only(&changed[..32]).unwrap_err().code(), code, "length {length}, magic {magic}");
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
    let cases: [(usize, &[u8], &str); 8] = [
        (0, &1_i64.to_be_bytes(), "base offset is not 0"),
        (57, &0_i32.to_be_bytes(), "count of records is not positive"),
        (57, &(-1_i32).to_be_bytes(), "count of records is not positive"),
        (57, &2_i32.to_be_bytes(), "last offset delta is not its count less one"),
        (23, &5_i32.to_be_bytes(), "last offset delta is not its count less one"),
        (21, &0x20_i16.to_be_bytes(), "control records"),
        (21, &0x10_i16.to_be_bytes(), "no producer id"),
        (43, &9_i64.to_be_bytes(), "no sequence number"),
    ];
    for (at, bytes, expected) in cases {
        let error = refusal(&with(&batch, at, bytes));
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.code(), ErrorCode::InvalidRecord);
    }
    assert!(check(&three().producer(9, -1, 0).build().unwrap(), &Limits::default()).is_ok(), "-1 is no epoch");
    let negative = refusal(&three().producer(9, -2, 0).build().unwrap());
    assert_eq!(negative.code(), ErrorCode::InvalidProducerEpoch);
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
        assert_eq!(error.code(), ErrorCode::InvalidRecord);
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

/// What the topic has against the records of a batch.
fn refused(batch: &Bytes, limits: &Limits) -> (ErrorCode, u32, Vec<i32>) {
    match check(batch, limits) {
        Err(error @ BatchError::Refused(_)) => {
            let BatchError::Refused(records) = &error else { unreachable!() };
            (error.code(), records.count, records.named.iter().map(|(index, _)| *index).collect())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn timestamps_out_of_range_are_refused() {
    let batch = three().build().unwrap();
    let limits = |timestamps| Limits { timestamps, ..Limits::default() };
    assert!(check(&batch, &limits(Timestamps::around(20, 10, 10))).is_ok());
    let around = |now| refused(&batch, &limits(Timestamps::around(now, 10, 10)));
    assert_eq!(around(21), (ErrorCode::InvalidTimestamp, 1, vec![0]));
    assert_eq!(around(19), (ErrorCode::InvalidTimestamp, 1, vec![1]));
    assert_eq!(around(31), (ErrorCode::InvalidTimestamp, 2, vec![0, 2]));
    assert!(check(&batch, &limits(Timestamps::LogAppendTime)).is_ok());
    let untimed = BatchBuilder::new().record(-1, None, None).build().unwrap();
    assert!(check(&untimed, &limits(Timestamps::around(1 << 40, 1, 1))).is_ok());
}

#[test]
fn each_record_without_a_key_is_named_up_to_a_bound() {
    let keys_at = |with_key: i32| {
        (0..5).fold(BatchBuilder::new(), |batch, at| batch.record(10, (at == with_key).then_some(b"k"), None)).build()
    };
    let batch = keys_at(2).unwrap();
    let limits = Limits { needs_keys: true, ..Limits::default() };
    assert_eq!(refused(&batch, &limits), (ErrorCode::InvalidRecord, 4, vec![0, 1, 3, 4]));
    let few = Limits { most_named: 2, ..limits.clone() };
    assert_eq!(refused(&batch, &few), (ErrorCode::InvalidRecord, 4, vec![0, 1]));
    let both = Limits { timestamps: Timestamps::around(1000, 5, 5), ..limits };
    assert_eq!(refused(&batch, &both).0, ErrorCode::InvalidTimestamp, "one of that kind decides");
    assert!(check(&batch, &Limits::default()).is_ok());
}

#[test]
fn a_producers_stamp_is_the_time_of_all_records() {
    let batch = three().timestamp_type(TimestampType::LogAppendTime).build().unwrap();
    let info = check(&batch, &Limits::default()).unwrap();
    assert_eq!((info.max_timestamp, info.max_timestamp_is_stated), (30, false), "it is to be restamped");
    let timestamps = Timestamps::LogAppendTime;
    let limits = Limits { timestamps, ..Limits::default() };
    assert_eq!(refused(&batch, &limits), (ErrorCode::InvalidTimestamp, 3, vec![0, 1, 2]), "the broker stamps");
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
