use std::sync::Arc;

use model::{ErrorCode, GroupId, TopicId, TopicName};
use uuid::Uuid;

use super::*;
use crate::image::{PartitionImage, TopicImage};

fn topic() -> Arc<TopicImage> {
    let configs = [("retention.ms".to_owned(), "1000".to_owned())].into();
    let partitions = vec![PartitionImage { shard: GroupId(2), base_epoch: 4 }];
    let name = TopicName::parse("orders").unwrap();
    Arc::new(TopicImage { id: TopicId(Uuid::from_u128(1)), name, partitions, configs })
}

fn applied(outcome: Result<Outcome, Refusal>) -> Answer {
    Answer::Applied(Applied { index: 300, outcome })
}

/// One answer of each kind, one outcome of each sort, and what version 1 writes for it. Brokers of
/// different builds talk in these.
fn golden() -> Vec<(Answer, &'static [u8])> {
    let refusal = || Refusal::new(ErrorCode::TopicAlreadyExists, "no");
    vec![
        (Answer::NotLeader(NotLeader { leader: Some(BrokerId(3)) }), b"\x01\x02\x81\xa6leader\x03"),
        (Answer::NotLeader(NotLeader { leader: None }), b"\x01\x02\x81\xa6leader\xc0"),
        (Answer::Unknown(Unknown { reason: "late".into() }), b"\x01\x03\x81\xa6reason\xa4late"),
        (
            applied(Err(refusal())),
            b"\x01\x01\x82\xa5index\xcd\x01,\xa7outcome\x81\xa3Err\x82\xa4code$\xa7message\xa2no",
        ),
        (applied(Ok(Outcome::Bootstrapped)), b"\x01\x01\x82\xa5index\xcd\x01,\xa7outcome\x81\xa2Ok\xacbootstrapped"),
        (
            applied(Ok(Outcome::BrokerRegistered { epoch: 7 })),
            b"\x01\x01\x82\xa5index\xcd\x01,\xa7outcome\x81\xa2Ok\x81\xb1broker_registered\x81\xa5epoch\x07",
        ),
        (applied(Ok(Outcome::BrokerFenced)), b"\x01\x01\x82\xa5index\xcd\x01,\xa7outcome\x81\xa2Ok\xadbroker_fenced"),
        (
            applied(Ok(Outcome::Shards(vec![vec![GroupId(1), GroupId(2)]]))),
            b"\x01\x01\x82\xa5index\xcd\x01,\xa7outcome\x81\xa2Ok\x81\xa6shards\x91\x92\x01\x02",
        ),
        (
            applied(Ok(Outcome::TopicsCreated(vec![Ok(topic()), Err(refusal())]))),
            b"\x01\x01\x82\xa5index\xcd\x01,\xa7outcome\x81\xa2Ok\x81\xaetopics_created\x92\x81\xa2Ok\x84\xa2id\
              \xc4\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\xa4name\xa6orders\xaapartit\
              ions\x91\x82\xa5shard\x02\xaabase_epoch\x04\xa7configs\x81\xacretention.ms\xa41000\x81\xa3Err\x82\
              \xa4code$\xa7message\xa2no",
        ),
        (
            applied(Ok(Outcome::TopicsDeleted(vec![]))),
            b"\x01\x01\x82\xa5index\xcd\x01,\xa7outcome\x81\xa2Ok\x81\xaetopics_deleted\x90",
        ),
        (
            applied(Ok(Outcome::PartitionsCreated(vec![]))),
            b"\x01\x01\x82\xa5index\xcd\x01,\xa7outcome\x81\xa2Ok\x81\xb2partitions_created\x90",
        ),
        (
            applied(Ok(Outcome::PartitionsMoving(vec![Ok(())]))),
            b"\x01\x01\x82\xa5index\xcd\x01,\xa7outcome\x81\xa2Ok\x81\xb1partitions_moving\x91\x81\xa2Ok\xc0",
        ),
        (
            applied(Ok(Outcome::PartitionsMoved(vec![Ok(())]))),
            b"\x01\x01\x82\xa5index\xcd\x01,\xa7outcome\x81\xa2Ok\x81\xb0partitions_moved\x91\x81\xa2Ok\xc0",
        ),
        (
            applied(Ok(Outcome::Settings(vec![Ok(()), Err(refusal())]))),
            b"\x01\x01\x82\xa5index\xcd\x01,\xa7outcome\x81\xa2Ok\x81\xa8settings\x92\x81\xa2Ok\xc0\x81\xa3Err\x82\
              \xa4code$\xa7message\xa2no",
        ),
        (
            applied(Ok(Outcome::ProducerIds(1000..2000))),
            b"\x01\x01\x82\xa5index\xcd\x01,\xa7outcome\x81\xa2Ok\x81\xacproducer_ids\x82\xa5start\xcd\x03\xe8\xa3\
              end\xcd\x07\xd0",
        ),
        (
            applied(Ok(Outcome::FeaturesSet { epoch: 9 })),
            b"\x01\x01\x82\xa5index\xcd\x01,\xa7outcome\x81\xa2Ok\x81\xacfeatures_set\x81\xa5epoch\t",
        ),
        (
            applied(Ok(Outcome::BrokerUnregistered)),
            b"\x01\x01\x82\xa5index\xcd\x01,\xa7outcome\x81\xa2Ok\xb3broker_unregistered",
        ),
        (applied(Ok(Outcome::BrokerDrained)), b"\x01\x01\x82\xa5index\xcd\x01,\xa7outcome\x81\xa2Ok\xaebroker_drained"),
        (
            applied(Ok(Outcome::MembersChanged(vec![Ok(())]))),
            b"\x01\x01\x82\xa5index\xcd\x01,\xa7outcome\x81\xa2Ok\x81\xafmembers_changed\x91\x81\xa2Ok\xc0",
        ),
        (
            applied(Ok(Outcome::ControllersSet)),
            b"\x01\x01\x82\xa5index\xcd\x01,\xa7outcome\x81\xa2Ok\xafcontrollers_set",
        ),
        (
            applied(Ok(Outcome::BrokerId(BrokerId(4)))),
            b"\x01\x01\x82\xa5index\xcd\x01,\xa7outcome\x81\xa2Ok\x81\xa9broker_id\x04",
        ),
    ]
}

#[test]
fn answers_hold_these_bytes() {
    for (answer, bytes) in golden() {
        let written = answer.encode();
        assert_eq!(written.escape_ascii().to_string(), bytes.escape_ascii().to_string(), "{answer:?}");
        assert_eq!(Answer::decode(bytes), Ok(answer));
    }
}

#[test]
fn an_answer_cut_short_anywhere_is_an_error() {
    for (_, bytes) in golden() {
        for end in 0..bytes.len() {
            Answer::decode(&bytes[..end]).unwrap_err();
        }
    }
}

#[test]
fn what_a_newer_build_answers_is_an_error_that_says_so() {
    let refused = |answer: &[u8]| Answer::decode(answer).unwrap_err().to_string();
    let newer = "a controller's answer has format version 2, this build reads up to 1: start a newer build";
    assert_eq!(refused(&[2, 1, 0x80]), newer);
    assert_eq!(refused(&[1, 9, 0x80]), "a controller's answer is of the unknown kind 9: start a newer build");
    assert!(refused(b"\x01\x01\x82\xa5index\x01\xa7outcome\x81\xa2Ok\xa8tomorrow").contains("tomorrow"));
}
