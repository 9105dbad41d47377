//! What must hold whatever the disk does.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use disk::SimDisk;

use crate::{Manifest, ManifestError};

type Content = BTreeMap<Bytes, Bytes>;

const DIR: &str = "groups/1";

fn open(disk: &SimDisk) -> Result<(Manifest, Content), ManifestError> {
    Manifest::open(Arc::new(disk.clone()), Path::new(DIR))
}

fn put(key: &str, value: &str) -> (Bytes, Option<Bytes>) {
    (Bytes::copy_from_slice(key.as_bytes()), Some(Bytes::copy_from_slice(value.as_bytes())))
}

fn delete(key: &str) -> (Bytes, Option<Bytes>) {
    (Bytes::copy_from_slice(key.as_bytes()), None)
}

fn content(pairs: &[(&str, &str)]) -> Content {
    pairs.iter().map(|(key, value)| (put(key, "").0, put("", value).1.unwrap())).collect()
}

#[test]
fn a_directory_without_a_manifest_is_empty_and_stays_untouched() {
    let disk = SimDisk::new(1);
    let (_manifest, found) = open(&disk).unwrap();
    assert!(found.is_empty());
    assert_eq!(disk.mutations(), 0);
}

#[test]
fn what_was_committed_is_found_again() {
    let disk = SimDisk::new(1);
    let (manifest, _) = open(&disk).unwrap();
    manifest.commit(vec![put("a", "1"), put("b", "2"), delete("c")]).unwrap();
    manifest.commit(vec![put("b", "3"), put("d", ""), delete("a")]).unwrap();
    assert_eq!(open(&disk).unwrap().1, content(&[("b", "3"), ("d", "")]));
}
