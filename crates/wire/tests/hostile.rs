//! Nothing that arrives makes the decoder panic, or allocate more than the memory rule allows; and
//! what it accepts, the encoder gives back.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::alloc::System;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use tracking_allocator::Allocator;
use wire::messages::*;
use wire::{
    DECODED_FACTOR, DECODED_RESPONSE_FACTOR, Incoming, SLACK_BYTES, decode, decode_response, encode_request,
    parse_request,
};

mod golden_file;
#[macro_use]
mod served_apis;
mod measured;
use golden_file::Golden;
use measured::measured;

#[global_allocator]
static ALLOCATOR: Allocator<System> = Allocator::system();

/// Messages of errors, buffers of the test harness.
const NOISE_BYTES: usize = 16 * 1024;

fn holds_the_memory_rule(what: &str, bytes: &Bytes, decode: impl FnOnce()) {
    let (single, total) = (bytes.len() + SLACK_BYTES, DECODED_FACTOR * bytes.len() + SLACK_BYTES);
    takes_at_most(single, total, what, bytes, decode);
}

fn takes_at_most(single: usize, total: usize, what: &str, bytes: &Bytes, decode: impl FnOnce()) {
    let spent = measured(|| {
        let panicked = catch_unwind(AssertUnwindSafe(decode)).is_err();
        assert!(!panicked, "{what}: panic by {bytes:02x?}");
    });
    assert!(spent.largest <= single + NOISE_BYTES, "{what}: {} at once by {bytes:02x?}", spent.largest);
    assert!(spent.peak <= total + NOISE_BYTES, "{what}: {} in all by {bytes:02x?}", spent.peak);
}

fn attack_request<M: Request + PartialEq + Debug>(golden: &Golden, body: Bytes) {
    let mut accepted = None;
    holds_the_memory_rule(&golden.to_string(), &body, || accepted = decode::<M>(golden.version, body.clone()).ok());
    let Some(request) = accepted else { return };
    let frame =
        encode_request(golden.version, 1, None, &request).unwrap_or_else(|error| panic!("{error}: {body:02x?}"));
    let Ok(Incoming::Request(_, again)) = parse_request(frame.to_bytes().slice(4..)) else { panic!("{body:02x?}") };
    assert_eq!(decode::<M>(golden.version, again).unwrap(), request, "{golden} by {body:02x?}");
}

fn attack_response<M: Request>(golden: &Golden, body: Bytes) {
    let frame = Bytes::from([&[0; 5], &body[..]].concat());
    let most = DECODED_RESPONSE_FACTOR * frame.len() + SLACK_BYTES;
    takes_at_most(most, most, &golden.to_string(), &frame, || {
        drop(decode_response::<M>(golden.version, frame.clone()));
    });
}

/// A few numbers from a seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound.max(1)
    }
}

/// Counts and lengths that once asked for hundreds of gigabytes, and some that nearly fit.
const BOMBS: [&[u8]; 9] = [
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
    &[0x7f, 0xff, 0xff, 0xff],
    &[0xff, 0xff, 0xff, 0xfe],
    &[0x00, 0x0f, 0x42, 0x40],
    &[0xc1, 0x84, 0x3d],
    &[0x00, 0x00, 0x75, 0x30], // 30,000: they fit behind, but not once decoded
    &[0xb1, 0xea, 0x01],
    &[0x00],
];

/// `body` with bombs over each position, cut, padded, and with bytes changed at random.
fn mutations(body: &Bytes, dice: &mut Dice) -> Vec<Bytes> {
    let mut mutated = Vec::new();
    let step = (body.len() / 120).max(1);
    for position in (0..=body.len()).step_by(step) {
        let bomb = BOMBS[dice.below(BOMBS.len())];
        let behind = [&b""[..], &[0; 40], &[1; 2000], &[0; 70_000]][dice.below(4)];
        mutated.push(Bytes::from([&body[..position], bomb, behind].concat()));
        let rest = &body[(position + dice.below(6)).min(body.len())..];
        mutated.push(Bytes::from([&body[..position], bomb, rest].concat()));
    }
    for _ in 0..40 {
        let mut bytes = body.to_vec();
        for _ in 0..=dice.below(4) {
            if !bytes.is_empty() {
                let position = dice.below(bytes.len());
                bytes[position] = [0, 1, 0x7f, 0x80, 0xff, dice.below(256) as u8][dice.below(6)];
            }
        }
        mutated.push(Bytes::from(bytes));
    }
    for _ in 0..10 {
        mutated.push((0..dice.below(300)).map(|_| dice.below(256) as u8).collect());
    }
    mutated
}

fn attack<M: Request + PartialEq + Debug>() {
    let mut dice = Dice(0x5eed + M::API.code() as u64);
    for direction in ["request", "response"] {
        for golden in golden_file::of(M::API.name(), direction).iter().filter(|g| M::API.serves(g.version)) {
            for body in mutations(&golden.body, &mut dice) {
                match direction {
                    "request" => attack_request::<M>(golden, body),
                    _ => attack_response::<M>(golden, body),
                }
            }
        }
    }
}

macro_rules! each_served_api {
    ($($test:ident $api:ident $request:ident;)*) => {$(
        #[test]
        fn $test() {
            attack::<$request>();
        }
    )*};
}

with_served_apis! { each_served_api }

/// A Produce request of `count` topics without names, each of which is `topic`.
fn produce_many(version: i16, start: &[u8], count: u32, topic: &[u8]) {
    let body = Bytes::from([start, &topic.repeat(count as usize), &[0]].concat());
    holds_the_memory_rule("Produce", &body, || drop(decode::<ProduceRequest>(version, body.clone())));
}

#[test]
fn many_small_allocations_are_bounded_together() {
    // 10,000 topics, each with two partitions without records ...
    let partition = [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
    let topic = [&[0, 0, 0, 0, 0, 2][..], &partition, &partition].concat();
    produce_many(8, &[0xff, 0xff, 0, 1, 0, 0, 0, 0, 0, 0, 0x27, 0x10], 10_000, &topic);
    // ... and each with one unknown tagged field, five bytes for a map's node.
    produce_many(9, &[0, 0, 1, 0, 0, 0, 0, 0x91, 0x4e], 10_000, &[1, 1, 1, 9, 0]);
}

#[test]
fn what_is_copied_to_the_newest_form_is_bounded_too() {
    let delete_topics = |names: u32| {
        let body = Bytes::from([&names.to_be_bytes()[..], &[0; 2].repeat(names as usize), &[0; 4]].concat());
        holds_the_memory_rule("DeleteTopics", &body, || drop(decode::<DeleteTopicsRequest>(1, body.clone())));
    };
    let offset_fetch = |topics: u32| {
        let body = Bytes::from([&[0, 0][..], &topics.to_be_bytes(), &[0; 6].repeat(topics as usize)].concat());
        holds_the_memory_rule("OffsetFetch", &body, || drop(decode::<OffsetFetchRequest>(1, body.clone())));
    };
    for count in (1_000..40_000).step_by(500) {
        delete_topics(count);
        offset_fetch(count);
    }
}

#[test]
fn no_header_makes_the_parser_panic() {
    let mut dice = Dice(1);
    for golden in golden_file::all().filter(|golden| golden.name == "RequestHeader") {
        for key in -1..96i16 {
            for version in -1..20i16 {
                let start = [&key.to_be_bytes()[..], &version.to_be_bytes(), &golden.body[4..]].concat();
                let frame = Bytes::from(start);
                let cut = frame.slice(..dice.below(frame.len() + 1));
                for frame in [frame, cut] {
                    holds_the_memory_rule("header", &frame.clone(), || drop(parse_request(frame)));
                }
            }
        }
    }
}

#[test]
fn the_allocator_really_counts() {
    let spent = measured(|| drop(std::hint::black_box(vec![0u8; 3_000_000])));
    assert!(spent.largest >= 3_000_000 && spent.peak >= 3_000_000, "{spent:?}");
}
