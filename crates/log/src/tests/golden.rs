//! The files of a small log to the byte, as `docs/architecture/segment-format.md` explains them and as Kafka's own
//! `DumpLogSegments` reads them. They must never change: later versions read what this one wrote.

use super::common::*;
use crate::{LogDescription, LogSettings, PartitionLog};

const FILES: [(&str, &[u8]); 6] = [
    ("00000000000000000000.index", include_bytes!("golden/00000000000000000000.index")),
    ("00000000000000000000.log", include_bytes!("golden/00000000000000000000.log")),
    ("00000000000000000000.timeindex", include_bytes!("golden/00000000000000000000.timeindex")),
    ("00000000000000000007.index", include_bytes!("golden/00000000000000000007.index")),
    ("00000000000000000007.log", include_bytes!("golden/00000000000000000007.log")),
    ("00000000000000000007.timeindex", include_bytes!("golden/00000000000000000007.timeindex")),
];

/// What a manifest keeps of it.
const DESCRIPTION: &[u8] = include_bytes!("golden/description.msgpack");

fn settings() -> LogSettings {
    LogSettings { segment_bytes: 400, index_interval_bytes: 100, ..LogSettings::default() }
}

/// Two segments: batches of one to three records, a second apart, and a second leader epoch.
fn golden_log(disk: &disk::SimDisk) -> PartitionLog {
    let log = new_log(disk, settings());
    for (count, epoch) in [(1, 3), (2, 3), (1, 3), (3, 3), (1, 5), (1, 5), (1, 5)] {
        let offset = log.log_end();
        let timestamp = 1_700_000_000_000 + offset * 1000;
        append_at(&log, &batch_of_epoch(offset, count, timestamp, 12, epoch), timestamp).unwrap();
    }
    log
}

#[test]
fn files_are_written_as_ever() {
    let disk = new_disk(1);
    let (description, job) = golden_log(&disk).begin_checkpoint();
    job.run().unwrap();
    let description = rmp_serde::to_vec_named(&description).unwrap();
    let written = contents(&disk, DIR);
    if let Ok(dir) = std::env::var("WRITE_GOLDEN_FILES_TO") {
        for (name, bytes) in &written {
            std::fs::write(format!("{dir}/{name}"), bytes).unwrap();
        }
        std::fs::write(format!("{dir}/description.msgpack"), &description).unwrap();
    }
    let written: Vec<(&str, &[u8])> = written.iter().map(|(name, bytes)| (&name[..], &bytes[..])).collect();
    assert_eq!(written, FILES);
    assert_eq!(description, DESCRIPTION);
}

#[test]
fn files_written_by_the_first_version_are_read() {
    let disk = new_disk(1);
    disk::Disk::create_dir_all(&disk, DIR.as_ref()).unwrap();
    for (name, bytes) in FILES {
        let file = disk::Disk::open(&disk, &path(name), disk::Open::Create).unwrap();
        file.write_all_at(&[std::io::IoSlice::new(bytes)], 0).unwrap();
    }
    let description: LogDescription = rmp_serde::from_slice(DESCRIPTION).unwrap();
    let log = PartitionLog::restore(files(&disk), DIR.into(), settings(), &description);
    assert_eq!((log.log_start(), log.log_end(), log.segments()), (0, 10, 2));
    assert_eq!(read(&log, 0, usize::MAX), [FILES[1].1, FILES[4].1].concat());
    assert_eq!(log.end_offset_for_epoch(3), (3, 7));
    append(&log, &batch(10, 1, 0, 12));
}

#[test]
fn a_description_with_fields_of_a_later_version_is_read() {
    #[derive(serde::Serialize)]
    struct Later {
        start: i64,
        next: i64,
        location: &'static str,
        segs: Vec<LaterSegment>,
    }
    #[derive(serde::Serialize)]
    struct LaterSegment {
        b: i64,
        l: u64,
        tier: u8,
    }
    let later = Later { start: 4, next: 9, location: "elsewhere", segs: vec![LaterSegment { b: 4, l: 77, tier: 1 }] };
    let description: LogDescription = rmp_serde::from_slice(&rmp_serde::to_vec_named(&later).unwrap()).unwrap();
    assert_eq!((description.log_start, description.next_offset, description.size_bytes()), (4, 9, 77));
}
