use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rdkafka::Offset;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use support::LIMIT;
use support::librdkafka::reader;
use testkit::process::Broker;

use super::{names, partition_dir, stopped_broker};
use crate::kit::files::{Batch, batches, cut, flip, named};
use crate::kit::records::Kept;

/// Length of a record batch's header.
const HEADER_BYTES: u64 = 61;

/// What a consumer that checks checksums is told when it reads from an offset on.
#[track_caller]
fn error_at(broker: &Broker, offset: i64) -> KafkaError {
    let consumer = reader(&broker.address(), "kept", 0, Offset::Offset(offset), &[("check.crcs", "true")]);
    let deadline = Instant::now() + LIMIT;
    loop {
        assert!(Instant::now() < deadline, "no error at {offset}");
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => panic!("offset {} was read", rdkafka::Message::offset(&message)),
            Some(Err(error)) => return error,
            None => {}
        }
    }
}

/// A segment in the middle, its first offset, and that of the next one.
fn middle_segment(broker: &Broker) -> (PathBuf, i64, i64) {
    let segments = named(&partition_dir(broker, 0), ".log");
    assert!(segments.len() >= 3, "{segments:?}");
    (segments[1].clone(), base_offset(&segments[1]), base_offset(&segments[2]))
}

fn base_offset(segment: impl AsRef<Path>) -> i64 {
    segment.as_ref().file_stem().unwrap().to_str().unwrap().parse().unwrap()
}

fn is_readable(broker: &Broker, offset: i64) -> bool {
    let consumer = reader(&broker.address(), "kept", 0, Offset::Offset(offset), &[]);
    let deadline = Instant::now() + LIMIT;
    loop {
        assert!(Instant::now() < deadline, "no answer at {offset}");
        if let Some(answer) = consumer.poll(Duration::from_millis(100)) {
            return answer.is_ok();
        }
    }
}

/// Everything but these offsets is there, and the partition takes new records.
#[track_caller]
fn all_but(broker: &Broker, kept: &mut Kept, lost: Range<i64>) {
    kept.check_between(&broker.address(), 0, 0..lost.start);
    kept.produce(&broker.address(), 0, 10, 100);
    kept.check_between(&broker.address(), 0, lost.end..i64::MAX);
    kept.check(&broker.address(), 1);
}

/// A batch of a segment that is neither its first nor its last.
fn middle_batch(segment: &Path) -> Batch {
    let batches = batches(segment);
    assert!(batches.len() >= 5, "{batches:?}");
    batches[batches.len() / 2].clone()
}

#[test]
fn a_flipped_bit_in_a_record_costs_its_batch_alone() {
    let (mut broker, mut kept) = stopped_broker();
    let (segment, ..) = middle_segment(&broker);
    let batch = middle_batch(&segment);
    flip(&segment, batch.at + HEADER_BYTES + 100);
    broker.restart().unwrap();
    let error = error_at(&broker, batch.offsets.start);
    assert_eq!(error, KafkaError::MessageConsumption(RDKafkaErrorCode::BadMessage));
    all_but(&broker, &mut kept, batch.offsets);
}

#[test]
fn a_flipped_bit_in_a_batchs_header_is_named_and_costs_no_more_than_the_way_to_the_next_index_entry() {
    let (mut broker, mut kept) = stopped_broker();
    let (segment, _, next_base) = middle_segment(&broker);
    let batch = middle_batch(&segment);
    // Its magic number, the offset that it starts with, its length: what its checksum does not cover.
    for at in [16, 4, 8] {
        flip(&segment, batch.at + at);
        broker.restart().unwrap();
        error_at(&broker, batch.offsets.start);
        let (path, byte) = (segment.display().to_string(), format!("at byte {}", batch.at));
        let line = format!("name {path} {byte}");
        broker.process().wait_for_line(&line, LIMIT, |line| names(line, &[&path, &byte])).unwrap();
        let readable_from = (batch.offsets.end..=next_base).find(|offset| is_readable(&broker, *offset)).unwrap();
        all_but(&broker, &mut kept, batch.offsets.start..readable_from);
        assert!(readable_from < next_base, "the rest of the segment can be read");
        broker.stop().unwrap();
        flip(&segment, batch.at + at);
    }
    broker.restart().unwrap();
    kept.check(&broker.address(), 0);
}

#[test]
fn a_segment_that_was_cut_is_named_and_costs_what_was_cut_off() {
    for which in [1, 2] {
        let (mut broker, mut kept) = stopped_broker();
        let segments = named(&partition_dir(&broker, 0), ".log");
        let (segment, next_base) = (&segments[which], segments.get(which + 1).map_or(600, base_offset));
        let batch = middle_batch(segment);
        cut(segment, batch.at + 100);
        is_lost(&mut broker, &mut kept, segment, batch.offsets.start..next_base);
    }
}

#[test]
fn a_segment_that_is_gone_is_named_and_costs_no_other() {
    for which in [0, 1, 2] {
        let (mut broker, mut kept) = stopped_broker();
        let segments = named(&partition_dir(&broker, 0), ".log");
        let segment = &segments[which];
        fs::remove_file(segment).unwrap();
        let lost = base_offset(segment)..segments.get(which + 1).map_or(600, base_offset);
        is_lost(&mut broker, &mut kept, segment, lost);
    }
}

#[track_caller]
fn is_lost(broker: &mut Broker, kept: &mut Kept, segment: &Path, lost: Range<i64>) {
    broker.restart().unwrap();
    error_at(broker, lost.start);
    let path = segment.display().to_string();
    broker.process().wait_for_line(&format!("name {path}"), LIMIT, |line| names(line, &[&path])).unwrap();
    all_but(broker, kept, lost.clone());
    // Nothing is put in the place of what is lost.
    broker.kill().unwrap();
    broker.restart().unwrap();
    error_at(broker, lost.start);
    all_but(broker, kept, lost);
}
