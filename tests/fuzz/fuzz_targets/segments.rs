//! The files of a partition's log with bytes written over: it is restored or refused, its indexes are mended, and reads
//! give batches or name the damage.
#![no_main]

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::{Disk, Open, SimDisk};
use libfuzzer_sys::fuzz_target;
use log::{FileCache, LogError, LogSettings, PartitionLog};
use record::{BatchBuilder, BatchHead, HEADER_BYTES};
use tidelog_fuzz::mend_batch;

const DIR: &str = "topics/orders/0";
const BATCHES: i64 = 12;

fn append(log: &PartitionLog, offset: i64) -> Result<(), LogError> {
    let batch =
        BatchBuilder::new().base_offset(offset).record(1_000 + offset, Some(b"key"), Some(&[offset as u8; 900]));
    let batch = batch.build().expect("one small record");
    let head = BatchHead::copy_of(&batch).expect("a batch has a head");
    log.append(&head, &batch[HEADER_BYTES..], 1_000)
}

fn files(disk: &SimDisk) -> Vec<PathBuf> {
    let entries = disk.list(Path::new(DIR)).expect("the log's directory");
    entries.into_iter().map(|entry| Path::new(DIR).join(entry.name)).collect()
}

/// Writes over a file: three bytes say where, the rest of the piece is what. Batches get lengths and CRCs that are right
/// if the first byte is odd.
fn damage(disk: &SimDisk, piece: &[u8]) {
    let [which, high, low, new @ ..] = piece else { return };
    let files = files(disk);
    let path = &files[usize::from(which / 2) % files.len()];
    let file = disk.open(path, Open::Write).expect("a file of the log");
    let at = u64::from(u16::from_be_bytes([*high, *low])) % file.len().expect("its length").max(1);
    file.write_all_at(&[IoSlice::new(new)], at).expect("a disk without faults");
    if which % 2 == 1 && path.extension().is_some_and(|extension| extension == "log") {
        let mut bytes = vec![0; file.len().expect("its length") as usize];
        file.read_exact_at(&mut bytes, 0).expect("a disk without faults");
        let batch = bytes.len() / BATCHES as usize;
        bytes.chunks_exact_mut(batch).for_each(mend_batch);
        file.write_all_at(&[IoSlice::new(&bytes)], 0).expect("a disk without faults");
    }
}

fuzz_target!(|bytes: &[u8]| {
    let disk = SimDisk::new(1);
    disk.create_dir_all(Path::new("topics/orders")).expect("a disk without faults");
    let cache = || FileCache::new(Arc::new(disk.clone()), 8);
    let settings = LogSettings { segment_bytes: 4_000, index_interval_bytes: 1_000, ..LogSettings::default() };
    let log = PartitionLog::create(cache(), DIR.into(), settings.clone(), 0);
    (0..BATCHES).try_for_each(|offset| append(&log, offset)).expect("a disk without faults");
    let (description, job) = log.begin_checkpoint();
    job.run().expect("a disk without faults");
    drop(log);

    bytes.chunks(24).for_each(|piece| damage(&disk, piece));

    let log = PartitionLog::restore(cache(), DIR.into(), settings, &description);
    for offset in -1..=BATCHES {
        drop(log.read(offset, 1 << 20, true));
        drop(log.read_cold(offset, 1 << 20, true));
        drop(log.offset_for_timestamp(1_000 + offset));
    }
    drop(log.max_timestamp());
    // A log that cannot be restored takes nothing more.
    drop((BATCHES..2 * BATCHES).try_for_each(|offset| append(&log, offset)));
});
