//! A journal's file, its positions and checksums made right: it is opened or refused, and what it is said to hold can
//! be read.
#![no_main]

use std::path::Path;
use std::sync::Arc;

use journal::{Journal, Options};
use libfuzzer_sys::fuzz_target;
use model::{GroupId, Inline};
use tidelog_fuzz::{disk_with, put_crc};

const FILE: &str = "journal/00000000000000000001.journal";
const DIRECTORY: [u8; 16] = [7; 16];
const PAGE: usize = 4096;
const FILE_BYTES: usize = 16 * PAGE;
const HEAD_BYTES: usize = 64;
const RECORD_BYTES: usize = 40;

/// The first page, as in `docs/architecture/journal-format.md`.
fn header() -> [u8; PAGE] {
    let mut page = [0; PAGE];
    page[..8].copy_from_slice(b"TIDEJRNL");
    page[8] = 1;
    page[16..32].copy_from_slice(&DIRECTORY);
    page[32] = 1;
    page[40..48].copy_from_slice(&(FILE_BYTES as u64).to_le_bytes());
    let crc = crc32fast::hash(&[&page[..12], &page[16..64]].concat());
    put_crc(&mut page[12..16], crc);
    page
}

fn number(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
}

/// Makes right what says that a write is one: magic, position, lengths, checksums.
fn mend(write: &mut [u8], position: u64) {
    let records = number(write, 40) % 8;
    write[..4].copy_from_slice(b"TJW1");
    write[8..16].copy_from_slice(&position.to_le_bytes());
    write[40..44].copy_from_slice(&(records as u32).to_le_bytes());
    let control = HEAD_BYTES + records * RECORD_BYTES;
    let mut payload = control;
    for record in (HEAD_BYTES..control).step_by(RECORD_BYTES) {
        let length = number(write, record + 28) % 200;
        write[record + 28..record + 32].copy_from_slice(&(length as u32).to_le_bytes());
        let crc = crc32fast::hash(&write[payload..payload + length]);
        put_crc(&mut write[record + 32..record + 36], crc);
        payload += length;
    }
    write[48..56].copy_from_slice(&((payload - control) as u64).to_le_bytes());
    let crc = crc32fast::hash(&[&DIRECTORY, &write[8..control]].concat());
    put_crc(&mut write[4..8], crc);
}

fuzz_target!(|bytes: &[u8]| {
    let mut file = vec![0; FILE_BYTES];
    file[..PAGE].copy_from_slice(&header());
    for (page, write) in bytes.chunks(PAGE / 4).take(FILE_BYTES / PAGE - 1).enumerate() {
        let at = (page + 1) * PAGE;
        file[at..at + write.len()].copy_from_slice(write);
        // The first byte says whether it is to be a write, or what a crash left.
        if file[at] != 0 {
            mend(&mut file[at..at + PAGE], 1 << 32 | at as u64);
        }
    }
    let disk = disk_with(&[(FILE, &file)]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O");
    runtime.block_on(async {
        let options = Options { first_file_bytes: FILE_BYTES as u64, ..Options::default() };
        let Ok((journal, _)) =
            Journal::open(Arc::new(disk), Path::new("journal"), DIRECTORY, options, Arc::new(Inline))
        else {
            return;
        };
        for group in 0..4 {
            let log = journal.group(GroupId(group));
            let state = log.state();
            if let Some(last) = state.last {
                let first = state.purged.map_or(0, |purged| purged.index.saturating_add(1));
                drop(log.read(first..last.index.saturating_add(1), 1 << 20));
            }
        }
        journal.shutdown().await;
    });
});
