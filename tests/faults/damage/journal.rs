use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use support::LIMIT;
use support::librdkafka::{create_topic, producer};
use testkit::process::Broker;

use super::{killed_broker, launch, serves_all_but};
use crate::kit::files::{bytes_at, cut, flip, named, overwrite, position_of};
use crate::kit::records::Kept;
use crate::kit::refusal::{refusal, run_to_end};
use crate::kit::strace::Fault;

const PAGE_BYTES: u64 = 4096;

/// How a write of the journal begins.
const WRITE: &[u8] = b"TJW1";

/// Where a value stands in the journal, and where the write begins that it is part of.
pub(super) fn place_of(broker: &Broker, value: &str) -> (PathBuf, u64, u64) {
    let files = named(&broker.data_dir(), ".journal");
    let found = files.into_iter().find_map(|file| Some((position_of(&file, value.as_bytes())?, file)));
    let (at, file) = found.unwrap_or_else(|| panic!("{value} is not in the journal"));
    let mut write = at / PAGE_BYTES * PAGE_BYTES;
    while bytes_at(&file, write, WRITE.len()) != WRITE {
        write -= PAGE_BYTES;
    }
    (file, at, write)
}

#[test]
fn a_flipped_bit_in_an_entry_takes_its_shard_out_of_service_and_no_other() {
    let (mut broker, kept) = killed_broker();
    let (file, at, _) = place_of(&broker, "kept-0..........");
    flip(&file, at);
    serves_all_but(&mut broker, &kept, (1, 0), &[&file.display().to_string(), "is damaged at byte", "does not check"]);

    broker.kill().unwrap();
    flip(&file, at);
    broker.restart().unwrap();
    kept.check(&broker.address(), 0);
    kept.check(&broker.address(), 1);
}

#[test]
fn a_journal_that_a_damaged_shard_holds_grows_to_its_bound_and_no_further() {
    const CHECKPOINT_BYTES: u64 = 1 << 20;
    let (mut broker, mut kept) = killed_broker();
    let (file, at, _) = place_of(&broker, "kept-0..........");
    flip(&file, at);
    let small_journal = launch().set("journal.file.bytes", 1 << 20).set("journal.checkpoint.bytes", CHECKPOINT_BYTES);
    broker.restart_as(&small_journal).unwrap();
    let producer = producer(&broker.address(), &[("retries", "0"), ("linger.ms", "0")]);
    let mut refused = Vec::new();
    while refused.is_empty() {
        refused = kept.try_produce(&producer, 1, 50, 8000);
        assert!(kept.count(1) < 5000, "nothing is refused");
    }
    let expected = KafkaError::MessageProduction(RDKafkaErrorCode::KafkaStorageError);
    assert!(refused.iter().all(|error| *error == expected), "{refused:?}");
    broker.process().wait_for_lines("checkpoints do not free the journal", 1, LIMIT).unwrap();
    let bytes: u64 = named(&broker.data_dir(), ".journal").iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert!((16 * CHECKPOINT_BYTES..24 * CHECKPOINT_BYTES).contains(&bytes), "{bytes}");
    kept.check(&broker.address(), 1);

    broker.kill().unwrap();
    flip(&file, at);
    broker.restart_as(&small_journal).unwrap();
    for partition in [0, 1] {
        kept.produce(&broker.address(), partition, 10, 100);
        kept.check(&broker.address(), partition);
    }
}

#[test]
fn a_flipped_bit_that_nobody_can_tell_whose_it_was_is_refused() {
    let (mut broker, kept) = killed_broker();
    let (file, _, write) = place_of(&broker, "kept-0..........");
    for at in [write, write + 10, write + 70] {
        flip(&file, at);
        let words = refusal(&broker.data_dir(), &[]);
        let expected = format!("{} is damaged at byte {write} ", file.display());
        assert!(words.contains(&expected) && words.contains("restore the file"), "{words}");
        flip(&file, at);
    }
    broker.restart().unwrap();
    kept.check(&broker.address(), 0);
    kept.check(&broker.address(), 1);
}

#[test]
fn a_journal_file_that_was_cut_is_refused() {
    let (mut broker, kept) = killed_broker();
    let (file, _, write) = place_of(&broker, "kept-0..........");
    let bytes = fs::read(&file).unwrap();
    for len in [0, 100, write + 10] {
        cut(&file, len);
        let words = refusal(&broker.data_dir(), &[]);
        assert!(words.contains(&file.display().to_string()) && words.contains("was cut"), "{words}");
        fs::write(&file, &bytes).unwrap();
    }
    broker.restart().unwrap();
    kept.check(&broker.address(), 0);
    kept.check(&broker.address(), 1);
}

#[test]
fn a_journal_file_that_is_missing_is_told() {
    let mut broker = launch().start().unwrap();
    create_topic(&broker.address(), "kept", 2, &[]);
    let mut kept = Kept::of("kept");
    kept.produce(&broker.address(), 0, 500, 1000);
    kept.produce(&broker.address(), 1, 500, 1000);
    broker.kill().unwrap();

    let files = named(&broker.data_dir(), ".journal");
    assert!(files.len() > 1, "{files:?}");
    let aside = broker.data_dir().join("aside");
    for gone in [files.as_slice(), &files[..1]] {
        fs::create_dir(&aside).unwrap();
        let moved: Vec<_> = gone.iter().map(|file| (file, aside.join(file.file_name().unwrap()))).collect();
        moved.iter().for_each(|(from, to)| fs::rename(from, to).unwrap());
        let ended = run_to_end(&broker.data_dir(), &[]);
        assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains("journal") && ended.stderr.contains("restore"), "{}", ended.stderr);
        // What such a start has made is not what was there.
        fs::remove_file(&files[0]).ok();
        moved.iter().for_each(|(from, to)| fs::rename(to, from).unwrap());
        fs::remove_dir(&aside).unwrap();
    }
    broker.restart().unwrap();
    kept.check(&broker.address(), 0);
    kept.check(&broker.address(), 1);
}

#[test]
fn a_torn_last_write_loses_nothing_that_was_acknowledged() {
    let mut broker = launch().start().unwrap();
    create_topic(&broker.address(), "kept", 2, &[]);
    let mut kept = Kept::of("kept");
    kept.produce(&broker.address(), 0, 100, 100);
    for kills in 1..=5 {
        // Dies between the write and its sync: nobody was told of it.
        let dies = Fault::at("fdatasync", 10 + kills);
        broker.kill().unwrap();
        broker.restart_as(&dies.kills(&launch())).unwrap();
        let producer = producer(&broker.address(), &[("message.timeout.ms", "300"), ("linger.ms", "0")]);
        let deadline = Instant::now() + LIMIT;
        while broker.process().is_running() {
            assert!(Instant::now() < deadline, "it does not die");
            kept.try_produce(&producer, 0, 1, 3000);
        }

        let (file, last) = last_write(&broker);
        let torn_at = last + 64 * kills as u64;
        overwrite(&file, torn_at, &vec![0; (PAGE_BYTES - torn_at % PAGE_BYTES) as usize]);
        broker.restart().unwrap();
        kept.check(&broker.address(), 0);
        kept.produce(&broker.address(), 1, 10, 100);
    }
    kept.check(&broker.address(), 0);
    kept.check(&broker.address(), 1);
}

/// Where the last write of the journal begins.
fn last_write(broker: &Broker) -> (PathBuf, u64) {
    let of_file = |file: &Path| -> Option<(u64, u64)> {
        let pages = 1..fs::metadata(file).unwrap().len() / PAGE_BYTES;
        let positions = pages.filter_map(|page| {
            let head = bytes_at(file, page * PAGE_BYTES, 16);
            let position = u64::from_le_bytes(head[8..16].try_into().unwrap());
            (head.starts_with(WRITE) && position & 0xffff_ffff == page * PAGE_BYTES).then_some((position, page))
        });
        positions.max()
    };
    let files = named(&broker.data_dir(), ".journal");
    let last = files.into_iter().filter_map(|file| Some((of_file(&file)?, file))).max().unwrap();
    (last.1, last.0.1 * PAGE_BYTES)
}
