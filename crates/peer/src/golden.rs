//! Bytes that other versions of this broker have to understand: `docs/architecture/peer-protocol.md`.

use bytes::Bytes;
use model::BrokerId;
use proptest::prelude::*;
use uuid::Uuid;

use crate::frame::{Goodbye, HEAD_BYTES, Head, What};
use crate::handshake::greeting::{
    Answer, Introduction, Opening, Purpose, Reason, Refusal, Windows, put_identity, take_identity,
};
use crate::{Address, Identity, Secret, Urgency};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn secret() -> Secret {
    "0123456789abcdef".parse().unwrap()
}

fn identity() -> Identity {
    Identity {
        broker: BrokerId(3),
        directory: Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff),
        incarnation: 0x0102_0304_0506_0708,
        address: Address { host: "b3".to_owned(), port: 9190 },
        cluster: Some("abc".to_owned()),
    }
}

const IDENTITY: &str = "0300000000112233445566778899aabbccddeeff0807060504030201e62302623303616263";
const WINDOWS: Windows = Windows { urgent: 0x0020_0000, bulk: 0x0200_0000 };

#[test]
fn a_knock_and_its_challenge() {
    let knock = Opening::knock(&secret(), [0xaa; 32]);
    let said = format!("5449444550454552{}{}", "01010000", "aa".repeat(32));
    assert_eq!(hex(&knock.0), said + "3f4a6e29a970a1c8545189ad28b0ce30a48d7318c28dc6924913ec11f9f5e287");
    let challenge = Opening::challenge(&secret(), &knock, [0xbb; 32]);
    let said = format!("5449444550454552{}{}", "01010100", "bb".repeat(32));
    assert_eq!(hex(&challenge.0), said + "7fc14ad0a6435a8e854b2281358ef58de9e93086e992a2672cf188e9d957c33a");
    assert!(knock.is_honest_knock(&secret()) && challenge.is_honest_challenge(&secret(), &knock));
    assert!(!challenge.is_honest_knock(&secret()), "no message can stand for another");
}

#[test]
fn an_introduction() {
    let introduction = |purpose, to| Introduction { purpose, to, windows: WINDOWS, identity: identity() };
    let pair = introduction(Purpose::Pair, Some(BrokerId(5)));
    assert_eq!(hex(&pair.encode()), format!("01050000000000200000000002{IDENTITY}"));
    let ask = introduction(Purpose::Ask, None);
    assert_eq!(hex(&ask.encode()), format!("02ffffffff0000200000000002{IDENTITY}"));
    for introduction in [pair, ask] {
        let later_version = [introduction.encode(), vec![1, 2, 3]].concat();
        assert_eq!(Introduction::decode(&later_version), Some(introduction));
    }
}

#[test]
fn an_answer() {
    let welcome = Answer::Welcome { windows: WINDOWS, identity: identity() };
    assert_eq!(hex(&welcome.encode()), format!("000000200000000002{IDENTITY}"));
    let refusal = |reason, words: &str| Answer::Refusal(Refusal { reason, words: words.to_owned() });
    assert_eq!(hex(&refusal(Reason::Misplaced, "no").encode()), "016e6f");
    for answer in [
        welcome,
        refusal(Reason::Misplaced, "no"),
        refusal(Reason::Myself, ""),
        refusal(Reason::Duplicate, "ü"),
        refusal(Reason::Later, "busy"),
    ] {
        assert_eq!(Answer::decode(&answer.encode()), Some(answer));
    }
    assert_eq!(Answer::decode(b"\x09?"), Some(refusal(Reason::Later, "?")), "a reason of a later version");
    assert_eq!(refusal(Reason::Later, &"ü".repeat(1000)).encode().len(), 401);
}

#[test]
fn frames() {
    let head = |what, kind, lane, call, length, left| Head { what, kind, lane, call, length, left };
    let (urgent, bulk) = (Urgency::Urgent, Urgency::Bulk);
    for (head, body, bytes) in [
        (
            head(What::Request, 7, bulk, 0x0102_0304, 5, 0x1000),
            "hello",
            "6d40a7ba0500000000100000040302010000000001070100",
        ),
        (head(What::Reply, 0, bulk, 9, 5, 0), "hello", "fcb2dd7a0500000000000000090000000000000002000100"),
        (head(What::Failure, 0, urgent, 9, 2, 0), "no", "c96a900a0200000000000000090000000000000003000000"),
        (head(What::Cancel, 0, urgent, 9, 0, 0), "", "8c64f4780000000000000000090000000000000004000000"),
        (head(What::Heartbeat, 0, urgent, 0, 4, 0), "news", "1439fdfa0400000000000000000000000000000005000000"),
        (head(What::Retire, 0, urgent, 0, 0, 0), "", "f4eec5a50000000000000000000000000000000007000000"),
        (
            head(What::Goodbye, Goodbye::Stopping as u8, urgent, 0, 3, 0),
            "bye",
            "111efc740300000000000000000000000000000008010000",
        ),
    ] {
        let encoded = head.encode([body.as_bytes()]);
        assert_eq!(hex(&encoded), bytes, "{head:?}");
        assert_eq!(Head::decode(&encoded), Ok(head));
    }
    assert_eq!((What::Identity as u8, Goodbye::Dropped as u8, Goodbye::OtherCluster as u8), (6, 2, 3));
}

proptest! {
    #[test]
    fn no_bytes_upset_the_handshake(bytes: Vec<u8>) {
        for body in [bytes.clone(), [vec![1, 255, 255, 255, 255], bytes.clone()].concat(), [vec![0], bytes].concat()] {
            if let Some(introduction) = Introduction::decode(&body) {
                prop_assert!(introduction.encode().len() <= 512);
            }
            if let Some(answer) = Answer::decode(&body) {
                prop_assert!(answer.encode().len() <= 512);
            }
        }
    }

    #[test]
    fn an_identity_survives(
        broker in 0..i32::MAX, directory: u128, incarnation: u64, port in 1..u16::MAX,
        host in "[a-z0-9.-]{1,255}", cluster in proptest::option::of("[!-~]{1,64}"),
    ) {
        let (directory, address) = (Uuid::from_u128(directory), Address { host, port });
        let identity = Identity { broker: BrokerId(broker), directory, incarnation, address, cluster };
        let mut body = Vec::new();
        put_identity(&mut body, &identity);
        prop_assert!(body.len() <= 360, "with the rest of an introduction: below 512 bytes");
        prop_assert_eq!(take_identity(&mut &body[..]), Some(identity));
        for length in 0..body.len() {
            prop_assert!(take_identity(&mut &body[..length]).is_none());
        }
    }

    #[test]
    fn no_bytes_upset_the_head_of_a_frame(bytes: [u8; HEAD_BYTES]) {
        if let Ok(head) = Head::decode(&bytes) && head.what != What::Unknown {
            let again = head.encode([&Bytes::new()[..]]);
            prop_assert_eq!(Head::decode(&again), Ok(head));
        }
    }
}
