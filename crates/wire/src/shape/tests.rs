use super::*;
use crate::{APIS, Fault, Support};

#[path = "../../tests/golden_file/mod.rs"]
mod golden_file;
use golden_file::Golden;

/// Walks a golden message; how far it came.
fn walk(golden: &Golden, body: &[u8]) -> Result<usize, Fault> {
    let api = APIS.iter().find(|api| api.name == golden.name).unwrap().key;
    let shapes = if golden.direction == "request" { REQUESTS } else { RESPONSES };
    let shape = parse::parse(entry(shapes, api).unwrap(), golden.version, api.is_flexible(golden.version), 0);
    let mut reader = Reader::new(body);
    let limits = Limits { single_bytes: usize::MAX, total_bytes: usize::MAX };
    shape.walk(&mut reader, limits).map(|()| reader.position())
}

#[test]
fn whatever_kafka_writes_is_walked_exactly_to_its_end() {
    let messages = golden_file::all().filter(|golden| !golden.name.ends_with("Header"));
    for golden in messages {
        assert_eq!(walk(&golden, &golden.body), Ok(golden.body.len()), "{golden}");
        for end in 0..golden.body.len() {
            assert!(walk(&golden, &golden.body[..end]).is_err(), "{golden} cut at {end}");
        }
    }
}

#[test]
fn every_api_of_a_broker_has_a_shape_in_every_version() {
    for api in APIS.iter().filter(|api| !matches!(api.support, Support::LeftOut(why) if why.contains("controllers"))) {
        for version in api.kafka.iter() {
            for shapes in [REQUESTS, RESPONSES] {
                let text = entry(shapes, api.key).unwrap_or_else(|| panic!("{} has no shape", api.name));
                parse::parse(text, version, api.key.is_flexible(version), 0);
            }
        }
    }
}

fn check_metadata(version: i16, body: &'static [u8]) -> Result<(), Fault> {
    check_request(ApiKey::Metadata, version, &Bytes::from_static(body)).map_err(|malformed| match malformed {
        Malformed::Shape { fault, .. } => fault,
        other => panic!("{other}"),
    })
}

#[test]
fn a_count_that_the_rest_of_the_frame_cannot_hold_is_refused() {
    assert_eq!(check_metadata(12, &[0xff, 0xff, 0xff, 0xff, 0x0f]), Err(Fault::Count));
    assert_eq!(check_metadata(0, &[0x7f, 0xff, 0xff, 0xff]), Err(Fault::Count));
    assert_eq!(check_metadata(0, &[0, 0, 0, 1, 0]), Err(Fault::Count));
    assert_eq!(check_metadata(0, &[0, 0, 0, 1, 0, 1]), Err(Fault::Truncated));
    assert_eq!(check_metadata(0, &[0, 0, 0, 1, 0, 0]), Ok(()));
}

#[test]
fn null_is_refused_where_the_version_does_not_know_it() {
    assert_eq!(check_metadata(0, &[0xff; 4]), Err(Fault::Null));
    assert_eq!(check_metadata(1, &[0xff; 4]), Ok(()));
    assert_eq!(check_metadata(1, &[0xff, 0xff, 0xff, 0xfe]), Err(Fault::Null));
    assert_eq!(check_metadata(1, &[0, 0, 0, 1, 0xff, 0xff]), Err(Fault::Null));
}

#[test]
fn a_varint_of_six_bytes_is_refused() {
    assert_eq!(check_metadata(12, &[0x81, 0x80, 0x80, 0x80, 0x80, 0x00]), Err(Fault::Varint));
}

#[test]
fn bytes_behind_the_end_are_ignored_as_kafka_does() {
    assert_eq!(check_metadata(0, &[0, 0, 0, 0, 1, 2, 3]), Ok(()));
}

#[test]
fn a_million_empty_names_are_refused_and_ten_thousand_real_ones_are_not() {
    let names = |count: u32, name: &[u8]| {
        let mut body = count.to_be_bytes().to_vec();
        for _ in 0..count {
            body.extend_from_slice(&(name.len() as u16).to_be_bytes());
            body.extend_from_slice(name);
        }
        check_request(ApiKey::Metadata, 0, &Bytes::from(body))
    };
    assert!(names(1_000_000, b"").is_err());
    assert!(names(20_000, b"").is_err());
    assert_eq!(names(10_000, b"some-topic"), Ok(()));
    assert_eq!(names(30_000, b"a-topic-with-a-longer-name-of-fifty-bytes-or-there"), Ok(()));
}

/// What the walk thinks that the elements of each array take, outer before inner.
fn element_bytes(steps: &[walk::Step], sizes: &mut Vec<usize>) {
    for step in steps {
        match step {
            walk::Step::Array(array) => {
                sizes.push(array.memory_bytes);
                element_bytes(&array.each, sizes);
            }
            walk::Step::Option(steps) => element_bytes(steps, sizes),
            walk::Step::Tags(tagged) => tagged.iter().for_each(|(_, steps)| element_bytes(steps, sizes)),
            walk::Step::Skip(_) | walk::Step::Str { .. } | walk::Step::Bytes { .. } => {}
        }
    }
}

#[test]
fn elements_are_not_thought_smaller_than_the_decoder_makes_them() {
    use crate::messages::*;
    let check = |api: ApiKey, version, real: &[usize]| {
        let shape = parse::parse(entry(REQUESTS, api).unwrap(), version, api.is_flexible(version), 0);
        let mut thought = Vec::new();
        element_bytes(shape.steps(), &mut thought);
        assert_eq!(thought.len(), real.len(), "{api}");
        for (thought, real) in thought.iter().zip(real) {
            assert!(thought >= real && *thought <= real + 8, "{api}: {thought} for {real}");
        }
    };
    let (text, number) = (size_of::<crate::StrBytes>(), size_of::<i32>());
    use {create_topics_request as create, delete_records_request as records, fetch_request as fetch};
    use {list_offsets_request as list, offset_commit_request as commit, offset_fetch_request as offsets};
    use {offset_for_leader_epoch_request as epochs, produce_request as produce};
    check(ApiKey::Produce, 13, &[size_of::<produce::TopicProduceData>(), size_of::<produce::PartitionProduceData>()]);
    let fetched = [size_of::<fetch::FetchTopic>(), size_of::<fetch::FetchPartition>()];
    check(ApiKey::Fetch, 18, &[&fetched[..], &[size_of::<fetch::ForgottenTopic>(), number]].concat());
    check(ApiKey::ListOffsets, 11, &[size_of::<list::ListOffsetsTopic>(), size_of::<list::ListOffsetsPartition>()]);
    check(ApiKey::Metadata, 13, &[size_of::<metadata_request::MetadataRequestTopic>()]);
    let committed = [size_of::<commit::OffsetCommitRequestTopic>(), size_of::<commit::OffsetCommitRequestPartition>()];
    check(ApiKey::OffsetCommit, 10, &committed);
    let groups = [size_of::<offsets::OffsetFetchRequestGroup>(), size_of::<offsets::OffsetFetchRequestTopics>()];
    check(ApiKey::OffsetFetch, 10, &[&groups[..], &[number]].concat());
    check(ApiKey::OffsetFetch, 7, &[size_of::<offsets::OffsetFetchRequestTopic>(), number]);
    check(ApiKey::FindCoordinator, 6, &[text]);
    check(ApiKey::JoinGroup, 9, &[size_of::<join_group_request::JoinGroupRequestProtocol>()]);
    check(ApiKey::LeaveGroup, 5, &[size_of::<leave_group_request::MemberIdentity>()]);
    check(ApiKey::SyncGroup, 5, &[size_of::<sync_group_request::SyncGroupRequestAssignment>()]);
    check(ApiKey::DescribeGroups, 6, &[text]);
    check(ApiKey::ListGroups, 5, &[text, text]);
    let assigned = [size_of::<create::CreatableTopic>(), size_of::<create::CreatableReplicaAssignment>(), number];
    check(ApiKey::CreateTopics, 7, &[&assigned[..], &[size_of::<create::CreatableTopicConfig>()]].concat());
    check(ApiKey::DeleteTopics, 6, &[size_of::<delete_topics_request::DeleteTopicState>()]);
    let deleted = [size_of::<records::DeleteRecordsTopic>(), size_of::<records::DeleteRecordsPartition>()];
    check(ApiKey::DeleteRecords, 2, &deleted);
    let led = [size_of::<epochs::OffsetForLeaderTopic>(), size_of::<epochs::OffsetForLeaderPartition>()];
    check(ApiKey::OffsetForLeaderEpoch, 4, &led);
}
