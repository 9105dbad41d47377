//! The first page of a file: which format, whose, which generation, how long.
//!
//! Writes are checked without it. It tells a newer format, a file of another directory, and a file
//! that was cut from what a crash leaves.

use crc32fast::Hasher;

use super::{PAGE_BYTES, VERSION, u16_at, u32_at, u64_at};

const MAGIC: &[u8; 8] = b"TIDEJRNL";

/// Bytes of the page that carry something; the rest is zeros.
const HEADER_BYTES: usize = 64;

/// See the module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FileHeader {
    pub(crate) version: u16,
    pub(crate) identity: [u8; 16],
    pub(crate) generation: u32,
    /// Length of the file when it was taken into use; it is never shorter.
    pub(crate) file_bytes: u64,
}

impl FileHeader {
    pub(crate) fn new(identity: [u8; 16], generation: u32, file_bytes: u64) -> Self {
        FileHeader { version: VERSION, identity, generation, file_bytes }
    }

    pub(crate) fn encode(&self) -> [u8; PAGE_BYTES as usize] {
        let mut page = [0; PAGE_BYTES as usize];
        page[..8].copy_from_slice(MAGIC);
        page[8..10].copy_from_slice(&self.version.to_le_bytes());
        page[16..32].copy_from_slice(&self.identity);
        page[32..36].copy_from_slice(&self.generation.to_le_bytes());
        page[40..48].copy_from_slice(&self.file_bytes.to_le_bytes());
        let crc = crc(&page);
        page[12..16].copy_from_slice(&crc.to_le_bytes());
        page
    }

    /// `None` if this is no header: zeros, or torn.
    pub(crate) fn decode(page: &[u8]) -> Option<Self> {
        if page.len() < HEADER_BYTES || page[..8] != *MAGIC || u32_at(page, 12) != crc(page) {
            return None;
        }
        Some(FileHeader {
            version: u16_at(page, 8),
            identity: page[16..32].try_into().expect("sixteen bytes"),
            generation: u32_at(page, 32),
            file_bytes: u64_at(page, 40),
        })
    }
}

fn crc(page: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&page[..12]);
    hasher.update(&page[16..HEADER_BYTES]);
    hasher.finalize()
}
