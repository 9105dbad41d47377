//! What a hostile batch can make the check, and compaction, allocate.

use std::alloc::System;
use std::io::Write;

use cap::Cap;
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use record::{
    BatchBuilder, BatchError, BatchView, Codec, Compression, HEADER_BYTES, Limits, RecompressError, Recompression,
    Retained, Retention, TimestampType, check, recompress, restamp, retain,
};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// What one check may allocate beyond what it was given: the largest buffer is that of LZ4's largest block.
const BOUND_BYTES: usize = 5 * 1024 * 1024;

/// A batch whose records are `body`, said to be compressed so, with its CRC right.
fn forged(compression: Compression, body: &[u8]) -> Vec<u8> {
    let honest = BatchBuilder::new().compression(compression).record(0, None, None).build().expect("a batch");
    let mut batch = [&honest[..HEADER_BYTES], body].concat();
    let length = batch.len() as i32 - 12;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    restamp(&mut batch, TimestampType::CreateTime, 0);
    assert!(BatchView::new(&batch).expect("a batch").verify_crc().is_ok());
    batch
}

/// Batches by name, and whether they are honest but for their size.
fn bombs() -> Vec<(&'static str, Vec<u8>, bool)> {
    let zeros = vec![0; 6 << 20];
    let plain = BatchBuilder::new().record(0, None, Some(&zeros)).build().expect("a batch");
    let records = &plain[HEADER_BYTES..];
    let bomb = |codec| BatchBuilder::new().compression(codec).record(0, None, Some(&zeros)).build().expect("a batch");
    let lz4_of_4_mib_blocks = [&[0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73][..], &[1, 0, 0, 0, 0]].concat();
    let gzip_with_long_name = [&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0][..], &vec![b'n'; 500_000]].concat();
    vec![
        ("gzip", bomb(Compression::Gzip).to_vec(), true),
        ("lz4", bomb(Compression::Lz4).to_vec(), true),
        ("lz4 in blocks of 4 MiB", forged(Compression::Lz4, &lz4_of_4_mib(records)), true),
        ("lz4 in linked blocks", forged(Compression::Lz4, &lz4_of_linked_blocks(records)), false),
        ("lz4 with a block larger than stated", forged(Compression::Lz4, &lz4_of_one_block(records)), false),
        ("snappy", bomb(Compression::Snappy).to_vec(), true),
        ("zstd", bomb(Compression::Zstd).to_vec(), true),
        ("snappy that states 4 GiB", forged(Compression::Snappy, &[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]), false),
        ("lz4 that states blocks of 4 MiB and has none", forged(Compression::Lz4, &lz4_of_4_mib_blocks), false),
        ("gzip with half a MiB of file name", forged(Compression::Gzip, &gzip_with_long_name), false),
        ("a record that states 2 GiB", forged(Compression::None, &[0xfe, 0xff, 0xff, 0xff, 0x0f, 0]), false),
    ]
}

fn lz4_of_4_mib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = FrameEncoder::with_frame_info(FrameInfo::new().block_size(BlockSize::Max4MB), Vec::new());
    encoder.write_all(bytes).expect("into memory");
    encoder.finish().expect("into memory")
}

fn lz4_of_linked_blocks(bytes: &[u8]) -> Vec<u8> {
    let info = FrameInfo::new().block_size(BlockSize::Max64KB).block_mode(BlockMode::Linked);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(bytes).expect("into memory");
    encoder.finish().expect("into memory")
}

/// A frame that states blocks of 64 KiB at most, with all of it in one block.
fn lz4_of_one_block(bytes: &[u8]) -> Vec<u8> {
    let block = lz4_flex::block::compress(bytes);
    let length = (block.len() as u32).to_le_bytes();
    [&[0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82][..], &length, &block, &[0; 4]].concat()
}

#[test]
fn no_batch_makes_the_check_allocate_more_than_a_bound() {
    let limits = Limits { max_batch_bytes: usize::MAX, max_decompressed_bytes: 11 << 19, ..Limits::default() };
    for (name, bomb, is_honest) in bombs() {
        // An allocation above the limit aborts the process, and names this test.
        ALLOCATOR.set_limit(ALLOCATOR.allocated() + bomb.len() + BOUND_BYTES).expect("above what is allocated");
        let verdict = check(&bomb, &limits);
        ALLOCATOR.set_limit(usize::MAX).expect("above what is allocated");
        let error = verdict.expect_err(name);
        assert_eq!(matches!(error, BatchError::DecompressedTooLarge { .. }), is_honest, "{name}: {error}");
        assert!(!matches!(error, BatchError::BadCrc { .. }), "{name}: {error}");
    }
    recompression_is_bounded_by_the_batch();
    compaction_is_bounded_by_what_a_batch_becomes();
}

/// In the same test, since they share the allocator's limit.
fn recompression_is_bounded_by_the_batch() {
    // 64 MiB of zeros behind 2 KiB: what is made of them is given up as soon as it is too large.
    let bomb = BatchBuilder::new().compression(Compression::Zstd).record(0, None, Some(&vec![0; 64 << 20]));
    let bomb = bomb.build().expect("a batch");
    let records_bytes = check(&bomb, &Limits::default()).expect("a batch").records_bytes;
    let bomb = BatchView::new(&bomb).expect("a batch");
    let how = Recompression { to: Codec::None, records_bytes, max_batch_bytes: 1 << 20 };
    ALLOCATOR.set_limit(ALLOCATOR.allocated() + BOUND_BYTES).expect("above what is allocated");
    let error = recompress(&bomb, &how).expect_err("too large");
    ALLOCATOR.set_limit(usize::MAX).expect("above what is allocated");
    assert!(matches!(error, RecompressError::TooLarge { .. }), "{error}");
}

/// In the same test, too.
fn compaction_is_bounded_by_what_a_batch_becomes() {
    for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
        // 8 MiB in large records, and many small ones: of each every second one stays.
        let (large, small) = (vec![0; 4 << 20], [0; 4]);
        for (value, count) in [(&large[..], 2), (&small[..], 100_000)] {
            let mut bomb = BatchBuilder::new().compression(codec);
            for n in 0..count {
                bomb.push(n, Some(b"key"), (n > 0).then_some(value), &[]);
            }
            let bomb = bomb.build().expect("a batch");
            let batch = BatchView::new(&bomb).expect("a batch");
            let retention = Retention { limit: 256 << 20, keep_emptied: false, delete_horizon_ms: Some(1) };
            ALLOCATOR.set_limit(ALLOCATOR.allocated() + bomb.len() + BOUND_BYTES).expect("above what is allocated");
            let retained = retain(&batch, &retention, |record| record.offset % 2 == 0).expect("a batch");
            ALLOCATOR.set_limit(usize::MAX).expect("above what is allocated");
            let Retained::Rewritten(after) = retained else { panic!("{codec}: nothing was taken out") };
            let after = check(&after, &Limits::default());
            assert!(after.is_err(), "{codec}: offsets have gaps");
        }
    }
}
