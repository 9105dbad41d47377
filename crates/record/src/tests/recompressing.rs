//! Batches under another codec.

use crate::{
    Attributes, BatchBuilder, BatchView, Codec, Compression, Limits, RecompressError, Recompression, TimestampType,
    check, recompress, restamp,
};

/// Text that is neither all the same nor noise.
fn batch(compression: Compression) -> Vec<u8> {
    let words = |n: usize| (0..n).map(|at| format!("word-{} ", at * at % 977)).collect::<String>();
    let mut builder = BatchBuilder::new().compression(compression).producer(7, 3, 41);
    (0..40).for_each(|n| builder.push(1_000_000 - n, Some(b"key"), Some(words(500).as_bytes()), &[]));
    builder.build().unwrap().to_vec()
}

fn to(batch: &[u8], codec: Codec, max_batch_bytes: usize) -> Result<Vec<u8>, RecompressError> {
    let records_bytes = check(batch, &Limits::default()).unwrap().records_bytes;
    let how = Recompression { to: codec, records_bytes, max_batch_bytes };
    recompress(&BatchView::new(batch).unwrap(), &how).map(Into::into)
}

#[test]
fn levels_count() {
    let plain = batch(Compression::None);
    let size = |codec| to(&plain, codec, usize::MAX).unwrap().len();
    for (less, more) in [
        (Codec::Gzip(1), Codec::Gzip(9)),
        (Codec::Lz4(9), Codec::Lz4(12)),
        (Codec::Lz4(3), Codec::Lz4(12)),
        (Codec::Zstd(-1000), Codec::Zstd(1)),
        (Codec::Zstd(1), Codec::Zstd(19)),
    ] {
        assert!(size(more) < size(less), "{more:?} {} {less:?} {}", size(more), size(less));
    }
    assert_eq!(size(Codec::Gzip(-1)), size(Codec::Gzip(6)), "the codec's own level");
}

#[test]
fn every_level_can_be_read() {
    let plain = batch(Compression::None);
    let levels = (1..=17).map(Codec::Lz4).chain((1..=9).map(Codec::Gzip));
    for codec in levels.chain([-131_072, -1, 0, 1, 22].map(Codec::Zstd)) {
        let other = to(&plain, codec, usize::MAX).unwrap();
        assert_eq!(to(&other, Codec::None, usize::MAX).unwrap(), plain, "{codec:?}");
    }
}

#[test]
fn what_the_header_says_stays_but_for_flags_that_are_not_the_producers() {
    let mut plain = batch(Compression::None);
    let (delete_horizon, unknown) = (Attributes::DELETE_HORIZON, 1 << 9);
    plain[21..23].copy_from_slice(&(delete_horizon | unknown).to_be_bytes());
    restamp(&mut plain, TimestampType::LogAppendTime, 5_000_000);
    let other = to(&plain, Codec::Zstd(3), usize::MAX).unwrap();
    let (before, after) = (BatchView::new(&plain).unwrap(), BatchView::new(&other).unwrap());
    after.verify_crc().unwrap();
    assert_eq!(after.attributes(), Attributes(Attributes::LOG_APPEND_TIME | Compression::Zstd.id()));
    let fields = |batch: &BatchView<'_>| {
        let producer = (batch.producer_id(), batch.producer_epoch(), batch.base_sequence());
        let times = (batch.base_timestamp(), batch.max_timestamp());
        (batch.base_offset(), batch.last_offset_delta(), batch.count(), producer, times)
    };
    assert_eq!(fields(&before), fields(&after));
}

#[test]
fn a_batch_that_would_grow_too_large_is_given_up_early() {
    let packed = batch(Compression::Zstd);
    let plain = batch(Compression::None);
    assert_eq!(to(&packed, Codec::None, plain.len()).unwrap(), plain);
    for codec in [Codec::None, Codec::Gzip(-1), Codec::Snappy, Codec::Lz4(9), Codec::Lz4(3), Codec::Zstd(3)] {
        let size = to(&plain, codec, usize::MAX).unwrap().len();
        to(&packed, codec, size).unwrap();
        for limit in [0, 61, size - 1] {
            let error = to(&packed, codec, limit).unwrap_err();
            assert!(matches!(error, RecompressError::TooLarge { limit: said, .. } if said == limit), "{error}");
        }
    }
}
