use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use proptest::prelude::*;

use super::*;

const LIMIT: u64 = 1 << 20;

fn compressed(codec: Compression, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    compress(codec.into(), bytes, &mut out).unwrap();
    out
}

#[test]
fn names_are_those_of_the_setting() {
    for codec in Compression::ALL {
        assert_eq!(codec.name().parse(), Ok(codec));
    }
    assert_eq!("uncompressed".parse(), Ok(Compression::None));
    assert!("brotli".parse::<Compression>().unwrap_err().to_string().contains("use none, gzip"));
}

#[test]
fn input_of_several_chunks_comes_back_whole() {
    let text: Vec<u8> = (0..300_000_u32).flat_map(|n| (n / 7).to_le_bytes()).take(900_000).collect();
    for codec in Compression::ALL {
        assert!(decompress(codec, &compressed(codec, &text), LIMIT).unwrap() == text, "{codec}");
    }
}

#[test]
fn streams_one_after_the_other_are_one_stream() {
    for codec in [Compression::Gzip, Compression::Snappy, Compression::Zstd] {
        let two = [compressed(codec, b"first "), compressed(codec, b""), compressed(codec, b"second")].concat();
        assert_eq!(decompress(codec, &two, LIMIT).unwrap(), b"first second", "{codec}");
    }
}

#[test]
fn what_follows_an_lz4_frame_is_not_looked_at() {
    let two = [compressed(Compression::Lz4, b"first"), compressed(Compression::Lz4, b"second")].concat();
    assert_eq!(decompress(Compression::Lz4, &two, LIMIT).unwrap(), b"first", "as Kafka's clients in Java read it");
}

#[test]
fn a_stream_that_is_cut_short_is_an_error() {
    let text = [b'x'; 70_000];
    for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
        let whole = compressed(codec, &text);
        for length in [1, 5, 20, whole.len() / 2, whole.len() - 1] {
            // Snappy and LZ4 may end at a block's end; then there is less.
            match decompress(codec, &whole[..length.min(whole.len() - 1)], LIMIT) {
                Ok(part) => assert!(codec == Compression::Snappy && part.len() < text.len(), "{codec} {length}"),
                Err(error) => assert!(matches!(error, BatchError::BadCompression(..)), "{error}"),
            }
        }
    }
}

#[test]
fn raw_snappy_is_taken_too() {
    let text = b"raw, raw, raw, as librdkafka and sarama write it";
    let raw = snap::raw::Encoder::new().compress_vec(text).unwrap();
    assert_eq!(decompress(Compression::Snappy, &raw, LIMIT).unwrap(), text);
}

#[test]
fn snappy_blocks_that_state_an_impossible_size_cost_nothing() {
    // A preamble that states 4 GiB - 1, then one literal.
    let liar = [0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, b'x'];
    let error = decompress(Compression::Snappy, &liar, u64::MAX).unwrap_err();
    assert!(error.to_string().contains("states to hold 4294967295"), "{error}");
}

#[test]
fn lz4_frames_of_every_kind_are_read() {
    let text: Vec<u8> = (0..200_000_u32).flat_map(|n| (n % 1000).to_le_bytes()).collect();
    for size in [BlockSize::Max64KB, BlockSize::Max256KB, BlockSize::Max1MB, BlockSize::Max4MB] {
        for checksums in [false, true] {
            let info = FrameInfo::new()
                .block_size(size)
                .block_mode(BlockMode::Independent)
                .block_checksums(checksums)
                .content_checksum(checksums)
                .content_size(checksums.then_some(text.len() as u64));
            let frame = lz4_frame(info, &text);
            assert!(decompress(Compression::Lz4, &frame, LIMIT).unwrap() == text, "{size:?} {checksums}");
            if checksums {
                for place in [5, frame.len() / 2, frame.len() - 1] {
                    let mut damaged = frame.clone();
                    damaged[place] ^= 1;
                    assert!(decompress(Compression::Lz4, &damaged, LIMIT).is_err(), "{place}");
                }
            }
        }
    }
}

#[test]
fn lz4_blocks_that_depend_on_one_another_are_refused() {
    for text in [&b"one block"[..], &[b'x'; 200_000]] {
        let frame = lz4_frame(FrameInfo::new().block_size(BlockSize::Max64KB).block_mode(BlockMode::Linked), text);
        let error = decompress(Compression::Lz4, &frame, LIMIT).unwrap_err();
        assert!(error.to_string().contains("blocks depend on one another"), "{error}");
    }
}

fn lz4_frame(info: FrameInfo, text: &[u8]) -> Vec<u8> {
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    std::io::Write::write_all(&mut encoder, text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_bomb_ends_at_the_limit() {
    let zeros = vec![0; 8 << 20];
    for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
        let bomb = compressed(codec, &zeros);
        let error = decompress(codec, &bomb, LIMIT).unwrap_err();
        assert_eq!(error, BatchError::DecompressedTooLarge { what: "record batch".into(), limit: LIMIT }, "{codec}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_compressed_comes_back(bytes: Vec<u8>, repeat in 1..50_usize) {
        let text = bytes.repeat(repeat);
        for codec in Compression::ALL {
            prop_assert_eq!(&decompress(codec, &compressed(codec, &text), LIMIT).unwrap(), &text);
        }
    }

    #[test]
    fn noise_is_an_error_or_bytes_within_the_limit(mut bytes: Vec<u8>, start in 0..5_usize) {
        let starts: [&[u8]; 5] =
            [b"", &[0x1f, 0x8b, 8, 0], b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01", &[4, 0x22, 0x4d, 0x18], &[0x28, 0xb5, 0x2f, 0xfd]];
        bytes.splice(0..0, starts[start].iter().copied());
        for codec in Compression::ALL {
            if let Ok(out) = decompress(codec, &bytes, 4096) {
                prop_assert!(out.len() <= 4096);
            }
        }
    }
}
