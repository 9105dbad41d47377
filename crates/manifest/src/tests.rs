//! What must hold whatever the disk does.

use std::collections::BTreeMap;
use std::io::{ErrorKind, IoSlice};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use disk::{Disk, Open, SimDisk};

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

fn file_name(generation: u64) -> String {
    format!("{DIR}/manifest-{generation:020}")
}

fn names(disk: &SimDisk) -> Vec<String> {
    disk.list(Path::new(DIR)).unwrap().into_iter().map(|entry| entry.name).collect()
}

fn read(disk: &SimDisk, path: &str) -> Vec<u8> {
    let file = disk.open(Path::new(path), Open::Read).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

/// A disk that holds only this file, as the first generation.
fn disk_with(bytes: &[u8]) -> SimDisk {
    let disk = SimDisk::new(1);
    disk.create_dir_all(Path::new(DIR)).unwrap();
    let file = disk.open(Path::new(&file_name(1)), Open::CreateNew).unwrap();
    file.write_all_at(&[IoSlice::new(bytes)], 0).unwrap();
    disk
}

/// Three commits, and what the map was after each.
fn three_commits() -> (Vec<u8>, [u64; 3], [Content; 3]) {
    let disk = SimDisk::new(1);
    let (manifest, _) = open(&disk).unwrap();
    let mut ends = [0; 3];
    let commits = [
        vec![put("applied", "1"), put("file", "100")],
        vec![put("applied", "2"), delete("file"), put("other", "")],
        vec![put("applied", "3")],
    ];
    for (edits, end) in commits.into_iter().zip(&mut ends) {
        manifest.commit(edits).unwrap();
        *end = read(&disk, &file_name(1)).len() as u64;
    }
    let states = [
        content(&[("applied", "1"), ("file", "100")]),
        content(&[("applied", "2"), ("other", "")]),
        content(&[("applied", "3"), ("other", "")]),
    ];
    (read(&disk, &file_name(1)), ends, states)
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
    manifest.commit(vec![]).unwrap();
    assert_eq!(open(&disk).unwrap().1, content(&[("b", "3"), ("d", "")]));
}

#[test]
fn a_commit_is_one_write_and_one_sync() {
    let disk = SimDisk::new(1);
    let (manifest, _) = open(&disk).unwrap();
    manifest.commit(vec![put("a", "1")]).unwrap();
    let before = disk.mutations();
    manifest.commit(vec![put("b", "2"), put("c", "3")]).unwrap();
    assert_eq!(disk.mutations() - before, 2);
}

/// The bytes of the format page, `docs/architecture/manifest-format.md`.
#[test]
fn a_manifest_has_these_bytes() {
    let disk = SimDisk::new(1);
    let (manifest, _) = open(&disk).unwrap();
    manifest.commit(vec![put("k", "v")]).unwrap();
    manifest.commit(vec![put("key", "value"), delete("k")]).unwrap();
    let golden = include_bytes!("../tests/golden/manifest-v1");
    assert_eq!(read(&disk, &file_name(1)), golden);
    assert_eq!(open(&disk_with(golden)).unwrap().1, content(&[("key", "value")]));
}

#[test]
fn a_commit_that_was_cut_short_is_gone() {
    let (bytes, ends, states) = three_commits();
    for length in ends[1]..ends[2] {
        let disk = disk_with(&bytes[..length as usize]);
        let (manifest, found) = open(&disk).unwrap();
        assert_eq!(found, states[1], "cut at {length}");
        manifest.commit(vec![put("applied", "3")]).unwrap();
        assert_eq!(open(&disk).unwrap().1, states[2], "cut at {length}");
    }
}

#[test]
fn opening_writes_nothing_and_the_first_commit_tidies_up() {
    let (bytes, _, states) = three_commits();
    let disk = disk_with(&bytes[..bytes.len() - 1]);
    for leftover in ["manifest-00000000000000000000", "manifest-00000000000000000002.new"] {
        disk.open(&Path::new(DIR).join(leftover), Open::CreateNew).unwrap();
    }
    let before = disk.mutations();
    let (manifest, found) = open(&disk).unwrap();
    assert_eq!((found, disk.mutations()), (states[1].clone(), before));
    manifest.commit(vec![]).unwrap();
    assert_eq!(names(&disk), ["manifest-00000000000000000002"]);
    assert_eq!(open(&disk).unwrap().1, states[1]);
}

#[test]
fn a_flipped_bit_below_the_last_commit_is_damage_that_names_its_place() {
    let (bytes, ends, _) = three_commits();
    for position in 0..ends[1] as usize {
        let mut bad = bytes.clone();
        bad[position] ^= 0x10;
        let start = [0, 24, ends[0]].into_iter().rfind(|start| *start <= position as u64).unwrap();
        match open(&disk_with(&bad)).err() {
            Some(ManifestError::Damaged { path, position: named, .. }) => {
                assert_eq!((path.to_str().unwrap(), named), (file_name(1).as_str(), start), "byte {position}");
            }
            other => panic!("byte {position}: {other:?}"),
        }
    }
}

#[test]
fn a_flipped_bit_in_the_last_commit_never_shows_a_state_that_was_not() {
    let (bytes, ends, states) = three_commits();
    for position in ends[1] as usize..ends[2] as usize {
        let mut bad = bytes.clone();
        bad[position] ^= 0x10;
        // It can't be told from a write that a crash cut short.
        assert_eq!(open(&disk_with(&bad)).unwrap().1, states[1], "byte {position}");
    }
}

#[test]
fn a_bit_that_flips_after_the_file_was_opened_is_not_taken_for_a_torn_commit() {
    let (bytes, ends, states) = three_commits();
    for position in 24..ends[2] {
        let disk = disk_with(&bytes);
        let (manifest, _) = open(&disk).unwrap();
        // The first commit takes over what was there: nothing of it may get lost on the way.
        disk.flip_bit(Path::new(&file_name(1)), position, 4).unwrap();
        let refused = manifest.commit(vec![put("new", "1")]);
        assert!(matches!(refused, Err(ManifestError::Damaged { .. })), "byte {position}: {refused:?}");
        disk.flip_bit(Path::new(&file_name(1)), position, 4).unwrap();
        assert_eq!(open(&disk).unwrap().1, states[2], "byte {position}");
        manifest.commit(vec![put("new", "1")]).unwrap();
        assert_eq!(open(&disk).unwrap().1.len(), states[2].len() + 1);
    }
}

#[test]
fn a_file_of_a_later_version_is_refused_and_left_alone() {
    let (mut bytes, ..) = three_commits();
    bytes[8] = 2;
    let crc = crc32fast::hash(&bytes[..20]);
    bytes[20..24].copy_from_slice(&crc.to_le_bytes());
    let disk = disk_with(&bytes);
    let error = open(&disk).err().unwrap();
    assert!(matches!(error, ManifestError::Newer { found: 2, newest: 1, .. }), "{error}");
    assert!(matches!(Manifest::refuse_newer(&disk, Path::new(DIR)), Err(ManifestError::Newer { found: 2, .. })));
    assert_eq!(read(&disk, &file_name(1)), bytes);
}

#[test]
fn what_is_damaged_or_not_there_is_not_taken_for_newer() {
    let (mut bytes, ..) = three_commits();
    let refused = |bytes: &[u8]| Manifest::refuse_newer(&disk_with(bytes), Path::new(DIR));
    refused(&bytes).unwrap();
    refused(&bytes[..10]).unwrap();
    bytes[8] = 2; // without a checksum that fits
    refused(&bytes).unwrap();
    Manifest::refuse_newer(&disk::SimDisk::new(1), Path::new("groups/7")).unwrap();
}

#[test]
fn a_file_under_the_name_of_another_generation_is_damage() {
    let (bytes, ..) = three_commits();
    let disk = disk_with(&bytes);
    disk.rename(Path::new(&file_name(1)), Path::new(&file_name(2))).unwrap();
    assert!(matches!(open(&disk), Err(ManifestError::Damaged { position: 0, .. })));
}

#[test]
fn a_file_that_is_mostly_garbage_is_rewritten() {
    let disk = SimDisk::new(1);
    let (manifest, _) = open(&disk).unwrap();
    manifest.commit(vec![put("kept", "for ever"), put("gone", "soon")]).unwrap();
    manifest.commit(vec![delete("gone")]).unwrap();
    for round in 0..1000 {
        manifest.commit(vec![put("applied", &format!("{round:0400}"))]).unwrap();
        let bytes: u64 = disk.list(Path::new(DIR)).unwrap().iter().map(|entry| entry.len).sum();
        assert!(bytes < 70_000, "{bytes} bytes after round {round}");
    }
    assert_eq!(names(&disk).len(), 1);
    assert!(names(&disk)[0].as_str() > "manifest-00000000000000000003", "{:?}", names(&disk));
    let last = format!("{:0400}", 999);
    assert_eq!(open(&disk).unwrap().1, content(&[("applied", &last), ("kept", "for ever")]));
}

#[test]
fn a_file_that_only_grows_is_not_rewritten() {
    let disk = SimDisk::new(1);
    let (manifest, _) = open(&disk).unwrap();
    for round in 0..1000 {
        manifest.commit(vec![put(&format!("key {round}"), &"x".repeat(400))]).unwrap();
    }
    assert_eq!(names(&disk), ["manifest-00000000000000000001"]);
    assert_eq!(open(&disk).unwrap().1.len(), 1000);
}

#[test]
fn a_manifest_of_many_megabytes_is_rewritten_whole() {
    let disk = SimDisk::new(1);
    let (manifest, _) = open(&disk).unwrap();
    let key = |number: usize| format!("key {number}");
    for value in ["a", "b", "c"] {
        let edits = (0..1000).map(|number| put(&key(number), &value.repeat(4000))).collect();
        manifest.commit(edits).unwrap();
    }
    assert_eq!(names(&disk), ["manifest-00000000000000000002"]);
    let found = open(&disk).unwrap().1;
    assert_eq!(found.len(), 1000);
    assert!(found.values().all(|value| *value == "c".repeat(4000)));
}

#[test]
fn after_a_failed_fsync_nothing_more_is_committed() {
    let disk = SimDisk::new(1);
    let (manifest, _) = open(&disk).unwrap();
    manifest.commit(vec![put("a", "1")]).unwrap();
    disk.fail_syncs("manifest", 1);
    assert!(matches!(manifest.commit(vec![put("a", "2")]), Err(ManifestError::Io { .. })));
    assert!(matches!(manifest.commit(vec![put("a", "3")]), Err(ManifestError::Failed { .. })));
    let found = open(&disk.restart(1)).unwrap().1;
    assert!(found == content(&[("a", "1")]) || found == content(&[("a", "2")]), "{found:?}");
}

#[test]
fn a_full_disk_refuses_a_commit_and_takes_the_next_once_there_is_room() {
    let disk = SimDisk::new(1);
    let (manifest, _) = open(&disk).unwrap();
    manifest.commit(vec![put("a", "1")]).unwrap();
    disk.set_capacity(Some(8192));
    let refused = manifest.commit(vec![put("a", &"x".repeat(10_000))]);
    assert!(matches!(refused, Err(ManifestError::Io { ref source, .. }) if source.kind() == ErrorKind::StorageFull));
    assert_eq!(open(&disk).unwrap().1, content(&[("a", "1")]));
    manifest.commit(vec![put("b", "2")]).unwrap();
    assert_eq!(open(&disk).unwrap().1, content(&[("a", "1"), ("b", "2")]));
}

#[test]
fn a_rewrite_that_finds_no_room_leaves_the_file_as_it_was() {
    let disk = SimDisk::new(1);
    let (manifest, _) = open(&disk).unwrap();
    manifest.commit(vec![put("kept", &"x".repeat(40_000))]).unwrap();
    disk.set_capacity(Some(110_000));
    for round in 0..60 {
        manifest.commit(vec![put("applied", &format!("{round:0900}"))]).unwrap();
    }
    assert_eq!(names(&disk), ["manifest-00000000000000000001"]);
    let found = open(&disk).unwrap().1;
    assert_eq!(found[&b"applied"[..]], format!("{:0900}", 59));
}

#[test]
fn keys_beyond_the_format_are_refused() {
    let (manifest, _) = open(&SimDisk::new(1)).unwrap();
    let refused = manifest.commit(vec![put(&"k".repeat(65_536), "")]);
    assert!(matches!(refused, Err(ManifestError::TooLarge { bytes: 65_536, limit: 65_535, .. })));
    manifest.commit(vec![put(&"k".repeat(65_535), "")]).unwrap();
}

/// Commits that create, append to, and rewrite a manifest; gives how many succeeded.
fn run(disk: &SimDisk) -> usize {
    let Ok((manifest, _)) = open(disk) else { return 0 };
    (1..=60).take_while(|round| manifest.commit(edits(*round)).is_ok()).count()
}

fn edits(round: usize) -> Vec<(Bytes, Option<Bytes>)> {
    let (own, earlier) = (format!("key {round}"), format!("key {}", round / 2));
    vec![put("round", &format!("{round:02000}")), put(&own, "x"), delete(&earlier)]
}

fn after(rounds: usize) -> Content {
    let mut content = Content::new();
    for (key, value) in (1..=rounds).flat_map(edits) {
        match value {
            Some(value) => content.insert(key, value),
            None => content.remove(&key),
        };
    }
    content
}

#[test]
fn a_crash_at_any_operation_leaves_the_state_before_or_after_a_commit() {
    let whole = SimDisk::new(0);
    assert_eq!(run(&whole), 60);
    assert!(names(&whole)[0].as_str() > "manifest-00000000000000000001", "a rewrite is part of the test");
    for operation in 1..=whole.mutations() {
        for seed in 0..12 {
            let disk = SimDisk::new(seed);
            disk.crash_at(operation);
            let done = run(&disk);
            let restarted = disk.restart(seed);
            let (manifest, found) = open(&restarted).unwrap();
            assert!(found == after(done) || found == after(done + 1), "operation {operation}, seed {seed}");
            // And it goes on from there, once more through a power cut.
            manifest.commit(vec![put("round", "again")]).unwrap();
            let (_, again) = open(&restarted.restart(seed)).unwrap();
            assert_eq!(again[&b"round"[..]], "again", "operation {operation}, seed {seed}");
        }
    }
}

/// An error, and then the process is killed, while the machine and its page cache live on.
#[test]
fn a_process_that_takes_over_after_an_error_at_any_operation_loses_nothing() {
    let operations = {
        let disk = SimDisk::new(0);
        run(&disk);
        disk.mutations()
    };
    for operation in 1..=operations {
        for seed in 0..12 {
            let disk = SimDisk::new(seed);
            disk.fail_at(operation);
            let done = run(&disk);
            let (manifest, mut expected) = open(&disk).unwrap();
            assert!(expected == after(done) || expected == after(done + 1), "operation {operation}, seed {seed}");
            manifest.commit(vec![put("more", "1")]).unwrap();
            manifest.commit(vec![put("more", "2")]).unwrap();
            expected.insert("more".into(), "2".into());
            assert_eq!(open(&disk.restart(seed)).unwrap().1, expected, "operation {operation}, seed {seed}");
        }
    }
}

#[test]
fn an_error_at_any_operation_leaves_the_state_before_or_after_a_commit() {
    let operations = {
        let disk = SimDisk::new(0);
        run(&disk);
        disk.mutations()
    };
    for operation in 1..=operations {
        let disk = SimDisk::new(operation);
        disk.fail_at(operation);
        let done = run(&disk);
        let (_, found) = open(&disk.restart(operation)).unwrap();
        assert!(found == after(done) || found == after(done + 1), "operation {operation}");
    }
}
