//! Produce (key 0) to topics that have a codec of their own (`compression.type`).

use bytes::Bytes;
use model::ErrorCode;
use record::{Attributes, BatchBuilder, BatchView, Compression, HEADER_BYTES, Records, TimestampType};

use crate::support::records::{SOME_TIME, batch, fill};
use crate::support::requests::{fetch, produce, produced};
use crate::support::{Connection, Target, Topic, error};

const NEWEST: i16 = 13;

/// As the topic setting spells them.
const CODECS: [(&str, Compression); 5] = [
    ("uncompressed", Compression::None),
    ("gzip", Compression::Gzip),
    ("snappy", Compression::Snappy),
    ("lz4", Compression::Lz4),
    ("zstd", Compression::Zstd),
];

/// Every codec makes something smaller of these.
fn values() -> Vec<String> {
    (0..20).map(|n| format!("value {n} {}", "again and ".repeat(50))).collect()
}

fn packed(compression: Compression) -> Bytes {
    let values = values();
    fill(BatchBuilder::new().compression(compression), &values.iter().map(String::as_str).collect::<Vec<_>>())
}

async fn append(connection: &mut Connection, topic: &Topic, records: Bytes) -> (ErrorCode, i64) {
    produced(&connection.call(NEWEST, &produce(NEWEST, topic, 0, records)).await)
}

/// The batch at an offset, as it is stored.
async fn stored(connection: &mut Connection, topic: &Topic, offset: i64) -> Bytes {
    let fetched = connection.ask(NEWEST, &fetch(NEWEST, topic, 0, offset)).await;
    let records = fetched.responses[0].partitions[0].records.clone().unwrap();
    let (first, _) = BatchView::split_first(&records).unwrap();
    first.verify_crc().unwrap();
    records.slice(..first.bytes().len())
}

/// What a batch says of itself, without its size and leader epoch.
fn header(batch: &Bytes) -> String {
    let head = BatchView::new(batch).unwrap().head();
    format!(
        "offsets {} to {}, attributes {:#x}, {} records, times {} to {}, producer {} epoch {} sequence {}",
        head.base_offset(),
        head.last_offset(),
        head.attributes().0,
        head.count(),
        head.base_timestamp(),
        head.max_timestamp(),
        head.producer_id(),
        head.producer_epoch(),
        head.base_sequence(),
    )
}

/// The records' timestamps and values.
fn records(batch: &Bytes) -> Vec<(i64, String)> {
    let records = Records::of(&BatchView::new(batch).unwrap(), 1 << 20).unwrap();
    let record =
        |record: record::RecordView<'_>| (record.timestamp, String::from_utf8(record.value.unwrap().to_vec()).unwrap());
    records.iter().map(|one| record(one.unwrap())).collect()
}

pub(crate) async fn batches_are_stored_in_the_codec_of_their_topic(target: Target) {
    let mut connection = target.connect().await;
    let expected: Vec<_> = (SOME_TIME..).zip(values()).collect();
    for (name, codec) in CODECS {
        let topic = target.topic_with(name, 1, &[("compression.type", name)]).await;
        for (number, (_, sent)) in (0_i32..).zip(CODECS) {
            let first = number * 20;
            let values = values();
            let builder = BatchBuilder::new().compression(sent).producer(4711, 0, first);
            let sent = fill(builder, &values.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(append(&mut connection, &topic, sent.clone()).await, (ErrorCode::None, first.into()));
            let stored = stored(&mut connection, &topic, first.into()).await;
            target.transcript.note(format!("{name}: {}", header(&stored)));
            let head = BatchView::new(&stored).unwrap().head();
            assert_eq!(head.attributes().compression(), Ok(codec), "{name}");
            assert_eq!((head.producer_id(), head.base_sequence()), (4711, first));
            assert_eq!(records(&stored), expected);
            let again = append(&mut connection, &topic, sent).await;
            assert_eq!(again, (ErrorCode::None, first.into()), "a duplicate is one by its sequence");
        }
    }
}

pub(crate) async fn a_batch_in_the_codec_of_its_topic_is_kept_as_it_comes(target: Target) {
    let mut connection = target.connect().await;
    for (name, codec) in CODECS {
        let topic = target.topic_with(name, 1, &[("compression.type", name)]).await;
        let sent = packed(codec);
        assert_eq!(append(&mut connection, &topic, sent.clone()).await, (ErrorCode::None, 0));
        let stored = stored(&mut connection, &topic, 0).await;
        assert_eq!(stored[HEADER_BYTES..], sent[HEADER_BYTES..], "{name}");
    }
}

pub(crate) async fn levels_are_taken(target: Target) {
    let mut connection = target.connect().await;
    for (codec, setting, levels) in [
        ("gzip", "compression.gzip.level", ["-1", "1", "9"]),
        ("lz4", "compression.lz4.level", ["1", "9", "17"]),
        ("zstd", "compression.zstd.level", ["-7", "1", "22"]),
    ] {
        for level in levels {
            let name = format!("{codec}{level}");
            let topic = target.topic_with(&name, 1, &[("compression.type", codec), (setting, level)]).await;
            assert_eq!(append(&mut connection, &topic, packed(Compression::None)).await, (ErrorCode::None, 0));
            let stored = stored(&mut connection, &topic, 0).await;
            assert_eq!(records(&stored).len(), 20, "{name}");
        }
    }
}

pub(crate) async fn the_brokers_time_is_that_of_every_record(target: Target) {
    let settings = [("compression.type", "gzip"), ("message.timestamp.type", "LogAppendTime")];
    let topic = target.topic_with("a", 1, &settings).await;
    let mut connection = target.connect().await;
    for (_, codec) in CODECS {
        let response = connection.ask(NEWEST, &produce(NEWEST, &topic, 0, packed(codec))).await;
        let answered = response.responses[0].partition_responses[0].log_append_time_ms;
        let stored = stored(&mut connection, &topic, produced(&response).1).await;
        target.transcript.note(header(&stored));
        let head = BatchView::new(&stored).unwrap().head();
        assert_eq!(head.attributes().timestamp_type(), TimestampType::LogAppendTime);
        assert!(records(&stored).iter().all(|(timestamp, _)| *timestamp == answered));
    }
}

pub(crate) async fn flags_that_are_the_brokers_to_set_are_dropped(target: Target) {
    let topic = target.topic_with("a", 1, &[("compression.type", "gzip")]).await;
    let mut connection = target.connect().await;
    let mut sent = packed(Compression::None).to_vec();
    sent[21..23].copy_from_slice(&0x240_i16.to_be_bytes());
    record::restamp(&mut sent, TimestampType::CreateTime, SOME_TIME + 19);
    assert_eq!(append(&mut connection, &topic, sent.into()).await, (ErrorCode::None, 0));
    let stored = stored(&mut connection, &topic, 0).await;
    target.transcript.note(header(&stored));
    assert_eq!(BatchView::new(&stored).unwrap().attributes(), Attributes(1));
}

pub(crate) async fn max_message_bytes_holds_before_and_after(target: Target) {
    let mut connection = target.connect().await;
    for (name, sent, expected) in [
        ("uncompressed", Compression::Zstd, ErrorCode::MessageTooLarge),
        ("uncompressed", Compression::None, ErrorCode::MessageTooLarge),
        ("gzip", Compression::None, ErrorCode::MessageTooLarge),
        ("gzip", Compression::Zstd, ErrorCode::None),
    ] {
        let settings = [("compression.type", name), ("max.message.bytes", "2000")];
        let topic = target.topic_with(&format!("{name}-{sent}"), 1, &settings).await;
        let response = connection.ask(NEWEST, &produce(NEWEST, &topic, 0, packed(sent))).await;
        let partition = &response.responses[0].partition_responses[0];
        target.transcript.note(format!("{:?} {}", produced(&response), partition.log_start_offset));
        assert_eq!(produced(&response).0, expected, "{sent} to {name}");
    }
}

pub(crate) async fn zstd_is_given_to_clients_of_any_version(target: Target) {
    let mut connection = target.connect().await;
    let topic = target.topic_with("a", 1, &[("compression.type", "zstd")]).await;
    assert_eq!(append(&mut connection, &topic, batch(&["x"])).await, (ErrorCode::None, 0));
    for version in [4, 9, 10] {
        let response = connection.ask(version, &fetch(version, &topic, 0, 0)).await;
        let partition = &response.responses[0].partitions[0];
        assert_eq!(error(partition.error_code), ErrorCode::None, "version {version}");
        assert_eq!(records(partition.records.as_ref().unwrap()), [(SOME_TIME, "x".to_owned())]);
    }
}

scenarios! {
    batches_are_stored_in_the_codec_of_their_topic
    a_batch_in_the_codec_of_its_topic_is_kept_as_it_comes
    levels_are_taken
    the_brokers_time_is_that_of_every_record
    flags_that_are_the_brokers_to_set_are_dropped
    max_message_bytes_holds_before_and_after
    zstd_is_given_to_clients_of_any_version
}
