//! A manifest's file, its checksums made right: it is opened or refused, and one that was opened can be written to.
#![no_main]

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use manifest::Manifest;
use tidelog_fuzz::{disk_with, put_crc};

const FILE: &str = "groups/1/manifest-00000000000000000001";
const GENERATION: u64 = 1;
const HEADER_BYTES: usize = 24;

/// Header and commits as in `docs/architecture/manifest-format.md`.
fn mend(file: &mut [u8]) {
    if file.len() < HEADER_BYTES {
        return;
    }
    let crc = crc32fast::hash(&file[..20]);
    put_crc(&mut file[20..24], crc);
    let mut rest = &mut file[HEADER_BYTES..];
    while rest.len() >= 16 {
        let length = u32::from_le_bytes([rest[4], rest[5], rest[6], rest[7]]) as usize;
        let Some(end) = length.checked_add(16).filter(|end| *end <= rest.len()) else { return };
        let (commit, behind) = rest.split_at_mut(end);
        let mut crc = crc32fast::Hasher::new();
        crc.update(&GENERATION.to_le_bytes());
        crc.update(&commit[4..]);
        put_crc(&mut commit[..4], crc.finalize());
        rest = behind;
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut file = bytes.to_vec();
    mend(&mut file);
    let disk = Arc::new(disk_with(&[(FILE, &file)]));
    let Ok((manifest, mut content)) = Manifest::open(disk.clone(), Path::new("groups/1")) else { return };
    let (key, value) = (Bytes::from_static(b"a new key"), Bytes::from_static(b"its value"));
    if manifest.commit(vec![(key.clone(), Some(value.clone()))]).is_ok() {
        content.insert(key, value);
        let (_, again) = Manifest::open(disk, Path::new("groups/1")).expect("what was written can be opened");
        assert_eq!(again, content);
    }
});
