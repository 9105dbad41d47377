//! Data directories that a broker must not start on. It says so in one line, and leaves everything as it is.

use std::fs;
use std::path::{Path, PathBuf};

use support::librdkafka::create_topic;
use testkit::process::Broker;

use crate::kit::files::{bytes_at, named, overwrite, the_one};
use crate::kit::mount::Tmpfs;
use crate::kit::records::Kept;
use crate::kit::refusal::refusal;

/// A broker that has stored something and was stopped: its journal and its manifests are in use.
fn stopped_broker() -> (Broker, Kept) {
    let mut broker = Broker::start().unwrap();
    create_topic(&broker.address(), "kept", 2, &[]);
    let mut kept = Kept::of("kept");
    kept.produce(&broker.address(), 0, 10, 100);
    kept.produce(&broker.address(), 1, 10, 100);
    broker.stop().unwrap();
    (broker, kept)
}

#[track_caller]
fn assert_words(words: &str, expected: &[&str]) {
    let missing: Vec<_> = expected.iter().filter(|part| !words.contains(**part)).collect();
    assert!(missing.is_empty(), "{missing:?} not in: {words}");
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_second_broker_on_the_same_directory_leaves_the_first_alone() {
    let broker = Broker::start().unwrap();
    let words = refusal(&broker.data_dir(), &[]);
    assert_words(&words, &[&shown(&broker.data_dir()), "another broker", "--data-dir"]);
    create_topic(&broker.address(), "still-served", 1, &[]);
}

#[test]
fn a_port_in_use_is_found_before_a_directory_is_made() {
    let broker = Broker::start().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let data = elsewhere.path().join("data");
    let words = refusal(&data, &["--listen", &broker.address()]);
    assert_words(&words, &[&broker.address(), "in use", "--listen"]);
    assert!(!data.exists());
}

#[test]
fn a_file_in_place_of_the_directory_is_refused() {
    let elsewhere = tempfile::tempdir().unwrap();
    let data = elsewhere.path().join("data");
    fs::write(&data, "precious").unwrap();
    let words = refusal(&data, &[]);
    assert_words(&words, &[&shown(&data), "--data-dir"]);
}

#[test]
fn a_directory_that_cannot_be_written_is_refused() {
    let mount = Tmpfs::of_mib(4);
    let data = mount.path().join("data");
    mount.make_read_only();
    let words = refusal(&data, &[]);
    assert_words(&words, &[&shown(&data), "Read-only", "--data-dir"]);
    let words = refusal(mount.path(), &[]);
    assert_words(&words, &[&shown(mount.path()), "Read-only", "--data-dir"]);
}

#[test]
fn a_directory_of_a_newer_format_is_refused() {
    let (broker, _) = stopped_broker();
    let meta = broker.data_dir().join("tidelog.meta");
    let text = fs::read_to_string(&meta).unwrap();
    fs::write(&meta, text.replace("format = 1", "format = 2\nwhatever = [1]")).unwrap();
    // What a newer version does not need, this one must not bring back.
    fs::remove_dir_all(broker.data_dir().join("groups")).unwrap();
    let words = refusal(&broker.data_dir(), &[]);
    assert_words(&words, &[&shown(&meta), "format 2", "up to 1", "start the version that wrote it"]);
}

#[test]
fn a_directory_whose_name_file_is_gone_or_senseless_is_refused() {
    let (mut broker, kept) = stopped_broker();
    let meta = broker.data_dir().join("tidelog.meta");
    let text = fs::read(&meta).unwrap();

    fs::write(&meta, [0; 150]).unwrap();
    assert_words(&refusal(&broker.data_dir(), &[]), &[&shown(&meta), "restore it"]);
    fs::remove_file(&meta).unwrap();
    assert_words(&refusal(&broker.data_dir(), &[]), &[&shown(&meta), "missing", "restore it"]);

    fs::write(&meta, text).unwrap();
    broker.restart().unwrap();
    kept.check(&broker.address(), 0);
}

#[test]
fn a_directory_of_another_node_is_refused() {
    let (broker, _) = stopped_broker();
    let words = refusal(&broker.data_dir(), &["--node-id", "7"]);
    assert_words(&words, &[&shown(&broker.data_dir()), "node.id 1", "node.id is 7"]);
}

#[test]
fn a_journal_of_a_newer_format_is_refused() {
    let (mut broker, kept) = stopped_broker();
    let journal = named(&broker.data_dir(), ".journal").remove(0);
    let page = bytes_at(&journal, 0, 64);
    let mut newer = page.clone();
    newer[8..10].copy_from_slice(&2_u16.to_le_bytes());
    let crc = crc32fast::hash(&[&newer[..12], &newer[16..]].concat());
    newer[12..16].copy_from_slice(&crc.to_le_bytes());
    overwrite(&journal, 0, &newer);
    let words = refusal(&broker.data_dir(), &[]);
    assert_words(&words, &[&shown(&journal), "format version 2", "up to 1", "newer Tidelog"]);

    overwrite(&journal, 0, &page);
    broker.restart().unwrap();
    kept.check(&broker.address(), 0);
}

#[test]
fn a_journal_of_another_directory_is_refused() {
    let (broker, _) = stopped_broker();
    let (mut other, kept) = stopped_broker();
    let moved = |broker: &Broker| broker.data_dir().join("journal");
    let aside = other.data_dir().join("aside");
    fs::rename(moved(&other), &aside).unwrap();
    fs::rename(moved(&broker), moved(&other)).unwrap();
    let words = refusal(&other.data_dir(), &[]);
    assert_words(&words, &[&shown(&moved(&other)), "another data directory", "put it back"]);

    fs::remove_dir_all(moved(&other)).unwrap();
    fs::rename(aside, moved(&other)).unwrap();
    other.restart().unwrap();
    kept.check(&other.address(), 0);
}

#[test]
fn a_manifest_of_a_newer_format_is_refused() {
    let (mut broker, kept) = stopped_broker();
    for group in ["0", "1"] {
        let manifest = the_one(&broker.data_dir().join("groups").join(group), "manifest-");
        let header = bytes_at(&manifest, 0, 24);
        overwrite(&manifest, 0, &newer_manifest_header(&header));
        let words = refusal(&broker.data_dir(), &[]);
        assert_words(&words, &[&shown(&manifest), "format version 2", "up to 1", "run the version that wrote it"]);
        overwrite(&manifest, 0, &header);
    }
    broker.restart().unwrap();
    kept.check(&broker.address(), 0);
    kept.check(&broker.address(), 1);
}

fn newer_manifest_header(header: &[u8]) -> Vec<u8> {
    let mut newer = header[..20].to_vec();
    newer[8..12].copy_from_slice(&2_u32.to_le_bytes());
    let crc = crc32fast::hash(&newer);
    newer.extend(crc.to_le_bytes());
    newer
}

#[test]
fn a_directory_of_somebody_else_is_not_moved_into() {
    let elsewhere = tempfile::tempdir().unwrap();
    let precious: PathBuf = elsewhere.path().join("journal");
    fs::create_dir(&precious).unwrap();
    fs::write(precious.join("monday.txt"), "dear diary").unwrap();
    let words = refusal(elsewhere.path(), &[]);
    assert_words(&words, &[&shown(elsewhere.path()), "--data-dir"]);
}
