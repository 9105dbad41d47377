use super::*;
use crate::schema::{KeyValue, encode_group, encode_offset};

fn offset(offset: i64) -> CommittedOffset {
    CommittedOffset {
        offset,
        leader_epoch: 3,
        metadata: "m".into(),
        commit_timestamp: 1_000,
        expire_timestamp: None,
        topic_id: TopicId::NIL,
        record_offset: -1,
    }
}

fn commit(group: &str, topic: &str, partition: i32, value: i64) -> KeyValue {
    (Key::Offset { group, topic, partition }.encode(), Some(encode_offset(&offset(value))))
}

fn remove(group: &str, topic: &str, partition: i32) -> KeyValue {
    (Key::Offset { group, topic, partition }.encode(), None)
}

fn generation(group: &str, generation: i32) -> KeyValue {
    (Key::Group(group).encode(), Some(encode_group(&StoredGroup { generation, ..StoredGroup::default() })))
}

fn store(records: &[KeyValue]) -> GroupStore {
    let mut store = GroupStore::default();
    for (at, (key, value)) in records.iter().enumerate() {
        store.apply(at as i64, key, value.as_deref()).unwrap();
    }
    store
}

fn offsets(store: &GroupStore, group: &str) -> Vec<(String, i32, i64)> {
    store.offsets_of(group).map(|(topic, partition, offset)| (topic.to_owned(), partition, offset.offset)).collect()
}

#[test]
fn the_last_commit_of_a_partition_counts() {
    let store = store(&[commit("g", "t", 0, 5), commit("g", "t", 0, 9), commit("g", "t", 1, 2)]);
    assert_eq!(offsets(&store, "g"), [("t".into(), 0, 9), ("t".into(), 1, 2)]);
    assert_eq!(store.offset("g", "t", 0).unwrap().record_offset, 1);
    assert_eq!(store.offset("g", "t", 2), None);
    assert_eq!(store.offset("other", "t", 0), None);
}

#[test]
fn offsets_come_in_the_order_of_topics_and_partitions() {
    let store = store(&[commit("g", "z", 1, 1), commit("g", "a", 10, 2), commit("g", "a", 9, 3)]);
    assert_eq!(offsets(&store, "g"), [("a".into(), 9, 3), ("a".into(), 10, 2), ("z".into(), 1, 1)]);
}

#[test]
fn a_group_is_known_by_its_offsets_alone() {
    let store = store(&[commit("simple", "t", 0, 5), generation("grouped", 4)]);
    assert_eq!(store.group("simple"), None);
    assert!(store.contains("simple") && store.contains("grouped"));
    assert_eq!(store.group("grouped").unwrap().generation, 4);
    assert_eq!(store.groups().map(|(name, _)| name).collect::<Vec<_>>(), ["grouped", "simple"]);
    assert_eq!(store.groups_after(Some("grouped")).map(|(name, _)| name).collect::<Vec<_>>(), ["simple"]);
}

#[test]
fn a_group_that_loses_its_last_record_is_gone() {
    let mut records = vec![commit("g", "t", 0, 5), generation("g", 1), remove("g", "t", 0)];
    assert!(store(&records).contains("g"));
    records.push((Key::Group("g").encode(), None));
    assert!(store(&records).is_empty());
}

#[test]
fn a_groups_tombstone_leaves_its_offsets() {
    let store = store(&[commit("g", "t", 0, 5), generation("g", 1), (Key::Group("g").encode(), None)]);
    assert_eq!((store.group("g"), offsets(&store, "g")), (None, vec![("t".into(), 0, 5)]));
}

#[test]
fn tombstones_of_what_was_never_there_do_no_harm() {
    assert!(store(&[remove("g", "t", 0), (Key::Group("g").encode(), None)]).is_empty());
}

#[test]
fn records_of_other_kinds_of_groups_are_passed_over() {
    let mut store = GroupStore::default();
    for kind in 3..30i16 {
        store.apply(0, &[&kind.to_be_bytes()[..], b"whatever"].concat(), Some(b"whatever")).unwrap();
    }
    assert!(store.is_empty() && store.take_dirty().is_empty());
}

#[test]
fn a_damaged_record_changes_nothing_and_is_named() {
    let mut store = store(&[commit("g", "t", 0, 5), generation("g", 1)]);
    store.take_dirty();
    for (key, _) in [commit("g", "t", 0, 5), generation("g", 1)] {
        assert!(store.apply(9, &key, Some(&[0, 9])).is_err());
        assert!(store.apply(9, &key, Some(&[0])).is_err());
        assert!(store.apply(9, &key[..key.len() - 1], None).is_err());
    }
    assert_eq!((offsets(&store, "g"), store.group("g").unwrap().generation), (vec![("t".into(), 0, 5)], 1));
    assert!(store.take_dirty().is_empty());
}

#[test]
fn offsets_of_a_topic_are_found_in_all_groups() {
    let store =
        store(&[commit("a", "t", 0, 5), commit("b", "u", 0, 5), commit("c", "t", 2, 5), commit("c", "t", 1, 5)]);
    assert_eq!(store.offsets_of_topic("t").collect::<Vec<_>>(), [("a", 0), ("c", 1), ("c", 2)]);
}

/// A manifest that takes what is dirty after every so many records.
fn through_manifest(records: &[KeyValue], every: usize) -> GroupStore {
    let mut manifest = BTreeMap::new();
    let mut live = GroupStore::default();
    for (at, (key, value)) in records.iter().enumerate() {
        live.apply(at as i64, key, value.as_deref()).unwrap();
        if at % every == 0 || at + 1 == records.len() {
            for (key, value) in live.take_dirty() {
                match value {
                    Some(value) => manifest.insert(key, value),
                    None => manifest.remove(&key),
                };
            }
        }
    }
    let mut restored = GroupStore::default();
    for (key, value) in &manifest {
        restored.restore(key, value).unwrap();
    }
    assert!(restored.take_dirty().is_empty(), "what was restored is in the manifest already");
    restored
}

#[test]
fn a_store_is_restored_as_it_was() {
    let records = [
        commit("g", "t", 0, 5),
        generation("g", 1),
        commit("h", "t", 0, 5),
        commit("g", "t", 0, 6),
        remove("h", "t", 0),
        generation("i", 2),
        (Key::Group("i").encode(), None),
        commit("g", "u", 1, 7),
        generation("g", 3),
    ];
    let live = format!("{:?}", store(&records).groups);
    for every in 1..=records.len() {
        assert_eq!(format!("{:?}", through_manifest(&records, every).groups), live, "every {every}");
    }
}

#[test]
fn only_what_changed_is_written_again() {
    let mut store = store(&[commit("g", "t", 0, 5), commit("g", "t", 1, 5), generation("g", 1)]);
    assert_eq!(store.take_dirty().len(), 3);
    assert_eq!(store.take_dirty(), []);
    let (key, value) = commit("g", "t", 1, 6);
    store.apply(3, &key, value.as_deref()).unwrap();
    store.apply(4, &key, value.as_deref()).unwrap();
    assert_eq!(store.take_dirty().into_iter().map(|(key, _)| key).collect::<Vec<_>>(), [key]);
}

#[test]
fn an_entry_of_the_manifest_has_its_bytes() {
    let mut store = store(&[commit("g", "t", 1, 5)]);
    let [(key, Some(value))] = &store.take_dirty()[..] else { panic!("one entry") };
    assert_eq!(&key[..], b"\x00\x01\x00\x01g\x00\x01t\x00\x00\x00\x01");
    let record = b"\x00\x04\0\0\0\0\0\0\0\x05\0\0\0\x03\x02m\0\0\0\0\0\0\x03\xe8\0";
    assert_eq!(value[..], [&b"\x01\0\0\0\0\0\0\0\0"[..], record].concat());
}

#[test]
fn an_entry_of_a_later_format_is_refused_by_name() {
    let error = GroupStore::default().restore(b"\x00\x02\x00\x01g", b"\x02\0\0\0\0\0\0\0\0\x00\x03").unwrap_err();
    assert_eq!(
        error.to_string(),
        "a group's entry in the manifest has version 2, which this version of the broker does not know; upgrade it"
    );
    assert!(GroupStore::default().restore(b"\x00\x02\x00\x01g", b"\x01\0").is_err());
}
