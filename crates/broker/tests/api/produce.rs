//! Produce (key 0).

use bytes::Bytes;
use model::ErrorCode;
use record::{BatchBuilder, Compression, HEADER_BYTES, TimestampType};
use uuid::Uuid;
use wire::messages::{ApiVersionsRequest, MetadataRequest, ProduceRequest};

use crate::support::broken::{LZ4, damaged, old_message, packed, patched};
use crate::support::records::{SOME_TIME, batch, fill};
use crate::support::requests::{fetch, produce, produce_many, produced};
use crate::support::{Connection, Target, Topic, error};

pub(crate) const NEWEST: i16 = 13;

/// Produces one batch, and gives back the error, the record errors and the message of its partition.
pub(crate) async fn refusal(
    connection: &mut Connection,
    topic: &Topic,
    records: Bytes,
) -> (ErrorCode, Vec<i32>, String) {
    let response = connection.call(NEWEST, &produce(NEWEST, topic, 0, records)).await;
    let partition = &response.responses[0].partition_responses[0];
    let blamed = partition.record_errors.iter().map(|record| record.batch_index).collect();
    let message = partition.error_message.as_ref().map_or_else(String::new, ToString::to_string);
    (error(partition.error_code), blamed, message)
}

pub(crate) async fn every_version_appends(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for version in 3..=NEWEST {
        let response = connection.call(version, &produce(version, &topic, 0, batch(&["x"]))).await;
        assert_eq!(produced(&response), (ErrorCode::None, i64::from(version - 3)));
        let partition = &response.responses[0].partition_responses[0];
        assert_eq!(partition.log_append_time_ms, -1, "the producer's timestamps stand");
        assert_eq!(partition.log_start_offset, if version < 5 { -1 } else { 0 });
    }
}

pub(crate) async fn acks_of_another_number_are_refused(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for acks in [2, -2, i16::MAX] {
        let request = produce(NEWEST, &topic, 0, batch(&["x"])).with_acks(acks);
        let response = connection.call(NEWEST, &request).await;
        assert_eq!(produced(&response), (ErrorCode::InvalidRequiredAcks, -1));
    }
    let response = connection.call(NEWEST, &produce(NEWEST, &topic, 0, batch(&["x"])).with_acks(1)).await;
    assert_eq!(produced(&response), (ErrorCode::None, 0), "nothing was appended before");
}

pub(crate) async fn acks_0_is_not_answered(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for _ in 0..3 {
        connection.send_unanswered(NEWEST, &produce(NEWEST, &topic, 0, batch(&["x"])).with_acks(0)).await;
    }
    let response = connection.call(NEWEST, &produce(NEWEST, &topic, 0, batch(&["x"]))).await;
    assert_eq!(produced(&response), (ErrorCode::None, 3), "all were appended, in order");
}

pub(crate) async fn acks_0_that_fails_closes_the_connection(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    connection.send_unanswered(NEWEST, &produce(NEWEST, &topic, 7, batch(&["x"])).with_acks(0)).await;
    connection.expect_close().await;
    let response = target.connect().await.call(NEWEST, &produce(NEWEST, &topic, 0, batch(&["x"]))).await;
    assert_eq!(produced(&response), (ErrorCode::None, 0), "others are not concerned");
}

pub(crate) async fn answers_come_in_the_order_of_the_requests(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for _ in 0..2 {
        connection.send(NEWEST, &produce(NEWEST, &topic, 0, batch(&["x"]))).await;
        connection.send(0, &ApiVersionsRequest::default()).await;
        connection.send(NEWEST, &produce(NEWEST, &topic, 9, batch(&["x"]))).await;
        connection.send(NEWEST, &produce(NEWEST, &topic, 0, batch(&["x"]))).await;
    }
    for round in 0..2 {
        assert_eq!(produced(&connection.receive::<ProduceRequest>(NEWEST).await), (ErrorCode::None, 2 * round));
        connection.hear::<ApiVersionsRequest>(0).await;
        let refused = connection.receive::<ProduceRequest>(NEWEST).await;
        assert_eq!(produced(&refused), (ErrorCode::UnknownTopicOrPartition, -1));
        assert_eq!(produced(&connection.receive::<ProduceRequest>(NEWEST).await), (ErrorCode::None, 2 * round + 1));
    }
}

pub(crate) async fn each_partition_stands_or_falls_by_itself(target: Target) {
    let topic = target.topic_with("a", 2, &[]).await;
    let mut connection = target.connect().await;
    for version in [3, 12, NEWEST] {
        let batches =
            vec![(&topic, 0, Some(batch(&["x"]))), (&topic, 5, Some(batch(&["x"]))), (&topic, 1, Some(batch(&["x"])))];
        let response = connection.ask(version, &produce_many(version, batches)).await;
        let mut errors: Vec<_> = response.responses.iter().flat_map(|topic| &topic.partition_responses).collect();
        errors.sort_by_key(|partition| partition.index);
        let errors: Vec<_> = errors.iter().map(|partition| (partition.index, error(partition.error_code))).collect();
        assert_eq!(errors, [(0, ErrorCode::None), (1, ErrorCode::None), (5, ErrorCode::UnknownTopicOrPartition)]);
    }
}

pub(crate) async fn what_is_not_there_is_unknown(target: Target) {
    let topic = target.topic("a").await;
    let nobody = Topic { name: target.name("nobody"), id: Uuid::from_u128(77) };
    let mut connection = target.connect().await;
    for (version, topic, partition, expected) in [
        (12, &nobody, 0, ErrorCode::UnknownTopicOrPartition),
        (12, &topic, 1, ErrorCode::UnknownTopicOrPartition),
        (12, &topic, -1, ErrorCode::UnknownTopicOrPartition),
        (13, &nobody, 0, ErrorCode::UnknownTopicId),
        (13, &topic, 1, ErrorCode::UnknownTopicOrPartition),
        (13, &Topic { id: Uuid::nil(), ..topic.clone() }, 0, ErrorCode::UnknownTopicId),
    ] {
        let response = connection.call(version, &produce(version, topic, partition, batch(&["x"]))).await;
        assert_eq!(produced(&response), (expected, -1), "version {version}, partition {partition}");
    }
}

pub(crate) async fn a_partition_has_exactly_one_batch(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let one = batch(&["x"]);
    let two = Bytes::from([&one[..], &one[..]].concat());
    for version in [3, NEWEST] {
        for records in [Some(two.clone()), Some(Bytes::new())] {
            let response = connection.call(version, &produce(version, &topic, 0, records)).await;
            assert_eq!(produced(&response), (ErrorCode::InvalidRecord, -1));
        }
    }
}

pub(crate) async fn older_formats_are_refused(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for magic in [0, 1] {
        let (code, blamed, _) = refusal(&mut connection, &topic, old_message(magic, "x")).await;
        assert_eq!((code, blamed), (ErrorCode::InvalidRecord, vec![]), "magic {magic}");
    }
}

pub(crate) async fn a_batch_that_was_damaged_is_corrupt(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let (code, blamed, _) = refusal(&mut connection, &topic, damaged(&batch(&["x"]))).await;
    assert_eq!((code, blamed), (ErrorCode::CorruptMessage, vec![]));
}

pub(crate) async fn a_batch_beyond_max_message_bytes_is_too_large(target: Target) {
    let topic = target.topic_with("a", 1, &[("max.message.bytes", "200")]).await;
    let mut connection = target.connect().await;
    let sized = |bytes: usize| {
        // Two lengths take a byte more than in an empty record.
        let records = batch(&[&"x".repeat(bytes - batch(&[""]).len() - 2)]);
        assert_eq!(records.len(), bytes);
        records
    };
    assert_eq!(refusal(&mut connection, &topic, sized(200)).await.0, ErrorCode::None);
    let (code, blamed, _) = refusal(&mut connection, &topic, sized(201)).await;
    assert_eq!((code, blamed), (ErrorCode::MessageTooLarge, vec![]));
}

pub(crate) async fn zstd_needs_version_7(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let records = fill(BatchBuilder::new().compression(Compression::Zstd), &["x"]);
    for (version, expected) in [(6, ErrorCode::UnsupportedCompressionType), (7, ErrorCode::None)] {
        let response = connection.call(version, &produce(version, &topic, 0, records.clone())).await;
        assert_eq!(produced(&response).0, expected, "version {version}");
    }
}

pub(crate) async fn compressed_batches_are_kept_as_they_come(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let codecs = [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];
    for (offset, codec) in codecs.into_iter().enumerate() {
        let sent = fill(BatchBuilder::new().compression(codec), &["x", "y"]);
        assert_eq!(refusal(&mut connection, &topic, sent.clone()).await.0, ErrorCode::None, "{codec:?}");
        let offset = 2 * i64::try_from(offset).unwrap();
        let fetched = connection.call(NEWEST, &fetch(NEWEST, &topic, 0, offset)).await;
        let records = fetched.responses[0].partitions[0].records.clone().unwrap();
        assert_eq!(records[61..], sent[61..], "{codec:?}");
    }
}

pub(crate) async fn a_compressed_batch_that_does_not_decompress_is_refused(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
        let whole = fill(BatchBuilder::new().compression(codec), &["x"]);
        let broken = patched(&whole, 61, &[0xff, 0xff, 0xff, 0xff]);
        let response = connection.ask(NEWEST, &produce(NEWEST, &topic, 0, broken)).await;
        assert_ne!(produced(&response).0, ErrorCode::None, "{codec:?}");
    }
}

pub(crate) async fn lz4_blocks_that_depend_on_one_another_are_refused(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let plain = batch(&["x"]);
    for (flags, checksum, is_taken) in [(0x60, 0x82, true), (0x40, 0xc0, false)] {
        // A frame of one stored block: nothing in it depends on anything, whatever the flag says.
        let block = &plain[HEADER_BYTES..];
        let length = u32::try_from(block.len()).unwrap() | 1 << 31;
        let descriptor = [0x04, 0x22, 0x4d, 0x18, flags, 0x40, checksum];
        let frame = [&descriptor[..], &length.to_le_bytes(), block, &[0; 4]].concat();
        let (code, blamed, _) = refusal(&mut connection, &topic, packed(&plain, LZ4, &frame)).await;
        // Kafka's reader throws something that it has no code for.
        let refusals = [ErrorCode::InvalidRecord, ErrorCode::UnknownServerError];
        assert!(if is_taken { code == ErrorCode::None } else { refusals.contains(&code) }, "flags {flags:x}: {code}");
        assert!(blamed.is_empty());
    }
}

pub(crate) async fn what_follows_a_batch_and_is_no_batch_is_dropped(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let whole = batch(&["x"]);
    let magic_9 = patched(&whole, 16, &[9]);
    for (what, rest, expected) in [
        ("a byte", &[0][..], ErrorCode::None),
        ("a batch cut short", &whole[..whole.len() - 1], ErrorCode::None),
        ("a length that cannot be", &[0; 12], ErrorCode::CorruptMessage),
        ("an unknown magic", &magic_9[..17], ErrorCode::CorruptMessage),
    ] {
        let (code, ..) = refusal(&mut connection, &topic, [&whole[..], rest].concat().into()).await;
        assert_eq!(code, expected, "{what}");
    }
    let fetched = connection.call(NEWEST, &fetch(NEWEST, &topic, 0, 0)).await;
    let records = fetched.responses[0].partitions[0].records.clone().unwrap();
    assert_eq!(records.len(), 2 * whole.len(), "only the batches are kept");
}

pub(crate) async fn flags_that_are_the_brokers_to_set_are_taken(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let [stamped, horizon] = [0x08_i16, 0x40];
    for (offset, (flag, kept)) in [(stamped, 0), (horizon, horizon)].into_iter().enumerate() {
        let flagged = patched(&batch(&["x"]), 21, &flag.to_be_bytes());
        assert_eq!(refusal(&mut connection, &topic, flagged).await.0, ErrorCode::None, "flag {flag:x}");
        let fetched = connection.call(NEWEST, &fetch(NEWEST, &topic, 0, offset as i64)).await;
        let records = fetched.responses[0].partitions[0].records.clone().unwrap();
        let stored = record::BatchView::new(&records).unwrap();
        stored.verify_crc().unwrap();
        assert_eq!(stored.attributes().0, kept, "the stamp is the topic's to ask for");
    }
    let by_broker = target.topic_with("stamps", 1, &[("message.timestamp.type", "LogAppendTime")]).await;
    let stamped = patched(&batch(&["x"]), 21, &stamped.to_be_bytes());
    let response = connection.ask(NEWEST, &produce(NEWEST, &by_broker, 0, stamped)).await;
    assert_eq!(produced(&response), (ErrorCode::InvalidTimestamp, -1), "there it is a contradiction");
}

pub(crate) async fn of_a_partition_listed_twice_the_last_batch_counts(target: Target) {
    let topic = target.topic_with("a", 2, &[]).await;
    let mut connection = target.connect().await;
    let (good, bad) = (batch(&["good"]), damaged(&batch(&["bad"])));
    for version in [3, 12, NEWEST] {
        for (first, second, expected) in [(&bad, &good, ErrorCode::None), (&good, &bad, ErrorCode::CorruptMessage)] {
            let batches = [(0, first), (1, &good), (0, second)];
            let batches = batches.map(|(partition, batch)| (&topic, partition, Some(batch.clone())));
            let in_three_topics = produce_many(version, batches.to_vec());
            let mut in_one = in_three_topics.clone();
            let partitions = in_one.topic_data.drain(1..).flat_map(|topic| topic.partition_data).collect::<Vec<_>>();
            in_one.topic_data[0].partition_data.extend(partitions);
            for request in [in_three_topics, in_one] {
                let mut response = connection.ask(version, &request).await;
                assert_eq!(response.responses.len(), 1);
                // In which order they are answered is the broker's to choose.
                let answers = &mut response.responses[0].partition_responses;
                answers.sort_by_key(|answer| answer.index);
                target.transcript.note(format!("{answers:?}"));
                let answers: Vec<_> = answers.iter().map(|answer| (answer.index, error(answer.error_code))).collect();
                assert_eq!(answers, [(0, expected), (1, ErrorCode::None)], "version {version}");
            }
        }
    }
    let fetched = connection.call(NEWEST, &fetch(NEWEST, &topic, 0, 0)).await;
    assert_eq!(fetched.responses[0].partitions[0].high_watermark, 6, "each is stored once");
}

pub(crate) async fn a_topic_without_partitions_is_left_out(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    for version in [3, 12, NEWEST] {
        let mut request =
            produce_many(version, vec![(&topic, 0, Some(batch(&["x"]))), (&topic, 0, Some(batch(&["y"])))]);
        request.topic_data[0].partition_data.clear();
        connection.call(version, &request).await;
        request.topic_data.truncate(1);
        assert!(connection.call(version, &request).await.responses.is_empty());
    }
}

pub(crate) async fn zstd_is_refused_before_the_records_are_looked_at(target: Target) {
    let topic = target.topic("a").await;
    let nobody = Topic { name: target.name("nobody"), id: Uuid::nil() };
    let mut connection = target.connect().await;
    let zstd = fill(BatchBuilder::new().compression(Compression::Zstd), &["x"]);
    for (topic, records, expected) in [
        (&topic, damaged(&zstd), ErrorCode::UnsupportedCompressionType),
        (&topic, patched(&zstd, 0, &[9]), ErrorCode::UnsupportedCompressionType),
        (&nobody, zstd.clone(), ErrorCode::UnknownTopicOrPartition),
    ] {
        for acks in [-1, 7] {
            let response = connection.call(6, &produce(6, topic, 0, records.clone()).with_acks(acks)).await;
            assert_eq!(produced(&response), (expected, -1), "acks {acks}");
        }
    }
}

pub(crate) async fn a_compacted_topic_wants_keys(target: Target) {
    let topic = target.topic_with("a", 1, &[("cleanup.policy", "compact")]).await;
    let mut connection = target.connect().await;
    assert_eq!(refusal(&mut connection, &topic, batch(&["x"])).await.0, ErrorCode::None);
    for without_key in [&[1][..], &[0, 2], &[0, 1, 2, 3]] {
        let keys = (0..4).map(|at| (!without_key.contains(&at)).then_some(&b"key"[..]));
        let fill = |batch: BatchBuilder, key| batch.record(SOME_TIME, key, Some(b"x"));
        let records = keys.fold(BatchBuilder::new(), fill).build().unwrap();
        let response = connection.call(NEWEST, &produce(NEWEST, &topic, 0, records)).await;
        let refused = &response.responses[0].partition_responses[0];
        assert_eq!((produced(&response).0, refused.log_start_offset), (ErrorCode::InvalidRecord, 0));
        let sentence = format!("Compacted topic cannot accept message without key in topic partition {}-0", topic.name);
        let named = refused.record_errors.iter();
        let named: Vec<_> = named
            .map(|record| (record.batch_index, record.batch_index_error_message.as_deref().unwrap_or_default()))
            .collect();
        assert_eq!(named, without_key.iter().map(|at| (*at, &*sentence)).collect::<Vec<_>>());
    }
}

pub(crate) async fn timestamps_out_of_bounds_are_refused(target: Target) {
    let bounds = [("message.timestamp.before.max.ms", "1000"), ("message.timestamp.after.max.ms", "1000")];
    let topic = target.topic_with("a", 1, &bounds).await;
    let mut connection = target.connect().await;
    let (code, blamed, message) = refusal(&mut connection, &topic, batch(&["too old", "too"])).await;
    assert_eq!((code, blamed), (ErrorCode::InvalidTimestamp, vec![0, 1]));
    assert_eq!(message, "One or more records have been rejected due to invalid timestamp");
    let future = BatchBuilder::new().record(i64::MAX / 2, None, Some(b"x")).build().unwrap();
    let (code, blamed, _) = refusal(&mut connection, &topic, future).await;
    assert_eq!((code, blamed), (ErrorCode::InvalidTimestamp, vec![0]));
    let timeless = BatchBuilder::new().record(-1, None, Some(b"x")).build().unwrap();
    assert_eq!(
        refusal(&mut connection, &topic, timeless).await.0,
        ErrorCode::None,
        "no timestamp is within all bounds"
    );
}

pub(crate) async fn log_append_time_is_answered_and_kept(target: Target) {
    let topic = target.topic_with("a", 1, &[("message.timestamp.type", "LogAppendTime")]).await;
    let mut connection = target.connect().await;
    for version in [3, NEWEST] {
        let response = connection.call(version, &produce(version, &topic, 0, batch(&["x", "y"]))).await;
        let answered = response.responses[0].partition_responses[0].log_append_time_ms;
        let offset = produced(&response).1;
        let fetched = connection.ask(NEWEST, &fetch(NEWEST, &topic, 0, offset)).await;
        let records = fetched.responses[0].partitions[0].records.clone().unwrap();
        let stored = record::BatchView::new(&records).unwrap();
        stored.verify_crc().unwrap();
        assert_eq!(stored.attributes().timestamp_type(), TimestampType::LogAppendTime);
        assert_eq!(stored.max_timestamp(), answered);
    }
}

pub(crate) async fn the_greatest_timestamp_of_a_batch_is_that_of_its_records(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let lying = patched(&batch(&["x", "y"]), 35, &5_i64.to_be_bytes());
    assert_eq!(refusal(&mut connection, &topic, lying).await.0, ErrorCode::None);
    let fetched = connection.call(NEWEST, &fetch(NEWEST, &topic, 0, 0)).await;
    let records = fetched.responses[0].partitions[0].records.clone().unwrap();
    assert_eq!(record::BatchView::new(&records).unwrap().max_timestamp(), SOME_TIME + 1);
}

pub(crate) async fn a_batch_that_contradicts_itself_is_refused(target: Target) {
    let topic = target.topic("a").await;
    let mut connection = target.connect().await;
    let whole = batch(&["x", "y"]);
    for (what, records, expected) in [
        ("another magic", patched(&whole, 16, &[3]), ErrorCode::CorruptMessage),
        ("a length below the header's", patched(&whole, 8, &10_i32.to_be_bytes()), ErrorCode::CorruptMessage),
        ("more records than counted", patched(&whole, 57, &1_i32.to_be_bytes()), ErrorCode::InvalidRecord),
        ("fewer records than counted", patched(&whole, 57, &3_i32.to_be_bytes()), ErrorCode::InvalidRecord),
        ("no record", patched(&whole, 57, &0_i32.to_be_bytes()), ErrorCode::InvalidRecord),
        ("a negative count", patched(&whole, 57, &(-1_i32).to_be_bytes()), ErrorCode::InvalidRecord),
        ("a last offset that is not the count's", patched(&whole, 23, &5_i32.to_be_bytes()), ErrorCode::InvalidRecord),
        ("a base offset", patched(&whole, 0, &7_i64.to_be_bytes()), ErrorCode::InvalidRecord),
        ("a control batch", patched(&whole, 21, &0x20_i16.to_be_bytes()), ErrorCode::InvalidRecord),
        ("an id without an epoch", patched(&whole, 43, &7_i64.to_be_bytes()), ErrorCode::InvalidRecord),
    ] {
        let response = connection.call(NEWEST, &produce(NEWEST, &topic, 0, records)).await;
        target.transcript.note(format!("{what}: {:?}", produced(&response)));
        assert_eq!(produced(&response), (expected, -1), "{what}");
    }
}

pub(crate) async fn internal_topics_are_not_for_clients(target: Target) {
    target.coordinator(&target.name("g")).await;
    let internal = Topic { name: "__consumer_offsets".to_owned(), id: Uuid::nil() };
    let response = target.connect().await.call(12, &produce(12, &internal, 0, batch(&["x"]))).await;
    assert_eq!(produced(&response), (ErrorCode::InvalidTopicException, -1));
}

pub(crate) async fn more_replicas_than_there_are_are_not_waited_for(target: Target) {
    let topic = target.topic_with("a", 1, &[("min.insync.replicas", "2")]).await;
    let mut connection = target.connect().await;
    for acks in [1, -1] {
        let response = connection.call(NEWEST, &produce(NEWEST, &topic, 0, batch(&["x"])).with_acks(acks)).await;
        assert_eq!(produced(&response).0, ErrorCode::None, "acks {acks}");
    }
}

pub(crate) async fn a_request_without_topics_is_answered_without_topics(target: Target) {
    let mut connection = target.connect().await;
    let empty = ProduceRequest::default().with_acks(-1).with_timeout_ms(1000);
    for version in [3, 9, NEWEST] {
        assert!(connection.call(version, &empty).await.responses.is_empty());
    }
}

pub(crate) async fn versions_below_3_close_the_connection(target: Target) {
    for version in [0_i16, 1, 2, 14] {
        let mut connection = target.connect().await;
        let header = [&0_i16.to_be_bytes()[..], &version.to_be_bytes(), &1_i32.to_be_bytes(), &(-1_i16).to_be_bytes()];
        let body = header.concat();
        connection.send_bytes(&i32::try_from(body.len()).unwrap().to_be_bytes()).await;
        connection.send_bytes(&body).await;
        connection.expect_close().await;
    }
    target.connect().await.call(1, &MetadataRequest::default().with_topics(Some(vec![]))).await;
}

scenarios! {
    every_version_appends
    acks_of_another_number_are_refused
    acks_0_is_not_answered
    acks_0_that_fails_closes_the_connection
    answers_come_in_the_order_of_the_requests
    each_partition_stands_or_falls_by_itself
    what_is_not_there_is_unknown
    a_partition_has_exactly_one_batch
    older_formats_are_refused
    a_batch_that_was_damaged_is_corrupt
    a_batch_beyond_max_message_bytes_is_too_large
    zstd_needs_version_7
    compressed_batches_are_kept_as_they_come
    a_compressed_batch_that_does_not_decompress_is_refused
    lz4_blocks_that_depend_on_one_another_are_refused
    what_follows_a_batch_and_is_no_batch_is_dropped
    flags_that_are_the_brokers_to_set_are_taken
    of_a_partition_listed_twice_the_last_batch_counts
    a_topic_without_partitions_is_left_out
    zstd_is_refused_before_the_records_are_looked_at
    a_compacted_topic_wants_keys
    timestamps_out_of_bounds_are_refused
    log_append_time_is_answered_and_kept
    the_greatest_timestamp_of_a_batch_is_that_of_its_records
    a_batch_that_contradicts_itself_is_refused
    internal_topics_are_not_for_clients
    more_replicas_than_there_are_are_not_waited_for
    a_request_without_topics_is_answered_without_topics
    versions_below_3_close_the_connection
}
