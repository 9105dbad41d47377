//! What several targets need: checksums that are right, and disks with files on them.

use std::io::IoSlice;
use std::path::Path;

use disk::{Disk, Open, SimDisk};

/// Where a batch's length stands, its magic, its CRC, and what the CRC covers.
const LENGTH: std::ops::Range<usize> = 8..12;
const MAGIC: usize = 16;
const CRC: std::ops::Range<usize> = 17..21;
const COVERED: usize = 21;

/// Makes length, magic and CRC of a batch right.
pub fn mend_batch(batch: &mut [u8]) {
    if batch.len() < record::HEADER_BYTES {
        return;
    }
    let length = (batch.len() - LENGTH.end) as u32;
    batch[LENGTH].copy_from_slice(&length.to_be_bytes());
    batch[MAGIC] = 2;
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &batch[COVERED..]) as u32;
    batch[CRC].copy_from_slice(&crc.to_be_bytes());
}

/// A disk with these files on it.
pub fn disk_with(files: &[(&str, &[u8])]) -> SimDisk {
    let disk = SimDisk::new(1);
    for (path, bytes) in files {
        let path = Path::new(path);
        disk.create_dir_all(path.parent().expect("files have a directory")).expect("a disk without faults");
        let file = disk.open(path, Open::CreateNew).expect("a disk without faults");
        file.write_all_at(&[IoSlice::new(bytes)], 0).expect("a disk without faults");
    }
    disk
}

/// Writes a little-endian CRC.
pub fn put_crc(at: &mut [u8], crc: u32) {
    at.copy_from_slice(&crc.to_le_bytes());
}
