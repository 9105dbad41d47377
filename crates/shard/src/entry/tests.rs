use bytes::Bytes;
use log::LogSettings;
use model::{PartitionId, TopicId, TopicName};
use uuid::Uuid;

use super::*;

fn partition(index: i32) -> PartitionId {
    PartitionId { topic: TopicId(Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10)), index }
}

#[test]
fn an_append_is_laid_out_as_its_page_says() {
    let mut entry = AppendEntry::default();
    entry.push(partition(1), b"ab");
    entry.push(partition(2), b"c");
    let mut expected = vec![1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0];
    expected.extend([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 1, 0, 0, 0, 2, 0, 0, 0]);
    expected.extend([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 2, 0, 0, 0, 1, 0, 0, 0]);
    expected.extend(b"abc");
    assert_eq!(entry.encode(5), expected);
}

#[test]
fn an_append_gives_back_its_batches_in_order() {
    let mut entry = AppendEntry::default();
    entry.push(partition(1), b"ab");
    entry.push(partition(2), b"c");
    let (clock_ms, Command::Append(appends)) = decode(&entry.encode(5)).unwrap() else { panic!() };
    assert_eq!((clock_ms, appends.len()), (5, 2));
    let batches: Vec<_> = appends.collect();
    assert_eq!(batches, [(partition(1), Bytes::from("ab")), (partition(2), Bytes::from("c"))]);
}

#[test]
fn what_opened_a_partition_can_be_read_back() {
    let settings =
        PartitionSettings { log: LogSettings::default(), producer_expiration_ms: 1, file_delete_delay_ms: 2 };
    let open = OpenPartition {
        id: partition(3),
        topic: TopicName::parse("orders").unwrap(),
        settings,
        epoch_base: 4,
        start_offset: 5,
    };
    let open = OpenPartitions { as_of: 6, partitions: vec![open] };
    let (_, Command::Open(read)) = decode(&super::open(0, &open)).unwrap() else { panic!() };
    assert_eq!(read, open);
}

#[test]
fn an_entry_of_a_newer_version_is_told_as_such() {
    for head in [[2, 0], [1, 99]] {
        let mut entry = head.to_vec();
        entry.extend([0; 8]);
        assert_eq!(decode(&entry.into()).unwrap_err(), EntryError::Newer(head[0], head[1]));
    }
}

#[test]
fn no_cut_entry_is_understood() {
    let mut entry = AppendEntry::default();
    entry.push(partition(1), b"ab");
    let whole = entry.encode(5);
    for length in 0..whole.len() {
        assert!(decode(&whole.slice(..length)).is_err(), "{length} bytes");
    }
}
