//! The bytes of messages: golden ones, and whatever else may arrive.

use bytes::{Bytes, BytesMut};
use journal::{Entry, EntryId};
use model::GroupId;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn voter(broker: i32) -> Voter {
    Voter { broker, directory: Uuid::from_bytes([broker as u8; 16]) }
}

fn id(term: u64, index: u64) -> EntryId {
    EntryId { term, node: 2, index }
}

fn leader() -> Ballot {
    Ballot { term: 7, voter: voter(2), elected: true }
}

/// As they arrive.
fn joined((head, parts): (Bytes, Vec<Bytes>)) -> Bytes {
    let mut all = BytesMut::from(head);
    parts.iter().for_each(|part| all.extend_from_slice(part));
    all.freeze()
}

/// Bytes written as hexadecimal digits, with blanks.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

const LEADER: &str = "01 0700000000000000 02000000 02020202020202020202020202020202";
const GROUP: GroupId = GroupId(9);
/// The group, and voter 4 to whom all is sent.
const TO: &str = "09000000 04000000 04040404040404040404040404040404";

fn assert_request(request: &Request, expected: &str) {
    let bytes = joined(encode_request(GROUP, voter(4), request));
    assert_eq!(bytes, hex(expected), "{request:?}: {bytes:02x?}");
    assert_eq!(decode_request(bytes), Some((GROUP, voter(4), request.clone())));
}

fn assert_reply(reply: &Reply, expected: &str) {
    let bytes = encode_reply(reply);
    assert_eq!(bytes, hex(expected), "{reply:?}: {bytes:02x?}");
    assert_eq!(decode_reply(bytes), Some(reply.clone()));
}

#[test]
fn requests_have_these_bytes() {
    let ballot = Ballot { term: 8, voter: voter(3), elected: false };
    let candidacy = Candidacy { ballot, last: Some(id(7, 5)), handed_over: true };
    let stands = "00 0800000000000000 03000000 03030303030303030303030303030303
        01 0700000000000000 02000000 0500000000000000 01";
    assert_request(&Request::PreVote(candidacy), &format!("01 00 {TO} {stands}"));
    assert_request(&Request::Vote(candidacy), &format!("01 01 {TO} {stands}"));

    let entry = |term, index, kind, payload: &'static str| Entry { id: id(term, index), kind, payload: payload.into() };
    let entries = vec![entry(6, 4, Entry::NORMAL, "abc"), entry(7, 5, Entry::BLANK, ""), entry(7, 6, 2, "d")];
    let append = Append {
        ballot: leader(),
        incarnation: 0x11,
        needed_from: 3,
        previous: Some(id(6, 3)),
        entries,
        committed: None,
    };
    assert_request(
        &Request::Append(append),
        &format!(
            "01 02 {TO} {LEADER} 1100000000000000 0300000000000000
            01 0600000000000000 02000000 0300000000000000 00 0000000000000000 00000000 0000000000000000 03000000
            01 0600000000000000 02000000 03000000  00 0700000000000000 02000000 00000000
            02 0700000000000000 02000000 01000000 616263 64"
        ),
    );
    let hand_over = HandOver { ballot: leader(), to: voter(1), last: Some(id(7, 5)) };
    assert_request(
        &Request::HandOver(hand_over),
        &format!(
            "01 03 {TO} {LEADER} 01000000 01010101010101010101010101010101
            01 0700000000000000 02000000 0500000000000000"
        ),
    );
    let applied = Applied { id: id(7, 5), membership: "ab".into() };
    assert_request(
        &Request::Install(Install { ballot: leader(), applied, offer: "cd".into() }),
        &format!("01 04 {TO} {LEADER} 0700000000000000 02000000 0500000000000000 02000000 6162 6364"),
    );
}

#[test]
fn replies_have_these_bytes() {
    let vote = Reply::Vote { ballot: leader(), last: None, granted: true };
    assert_reply(&vote, &format!("01 00 {LEADER} 00 0000000000000000 00000000 0000000000000000 01"));
    assert_reply(&Reply::Append(Appended::All), "01 01 00");
    let up_to = Reply::Append(Appended::UpTo(Some(id(7, 5))));
    assert_reply(&up_to, "01 01 01 01 0700000000000000 02000000 0500000000000000");
    assert_reply(&Reply::Append(Appended::Conflict), "01 01 02");
    assert_reply(&Reply::Append(Appended::Superseded(leader())), &format!("01 01 03 {LEADER}"));
    assert_reply(&Reply::HandOver { accepted: false }, "01 02 00");
    for (taken, byte) in [(Taken::All, "00"), (Taken::NotYet, "01"), (Taken::Failed, "02")] {
        assert_reply(&Reply::Install { ballot: leader(), taken }, &format!("01 03 {LEADER} {byte}"));
    }
}

#[test]
fn payloads_are_neither_copied_on_the_way_out_nor_on_the_way_in() {
    let payload = Bytes::from(vec![7; 1000]);
    let entries = vec![Entry { id: id(7, 0), kind: Entry::NORMAL, payload: payload.clone() }];
    let append = Append { ballot: leader(), incarnation: 1, needed_from: 0, previous: None, entries, committed: None };
    let (head, parts) = encode_request(GROUP, voter(4), &Request::Append(append));
    assert_eq!(parts[0].as_ptr(), payload.as_ptr());
    let frame = joined((head.clone(), parts));
    let Some((_, _, Request::Append(append))) = decode_request(frame.clone()) else { panic!("an append") };
    assert_eq!(append.entries[0].payload.as_ptr(), frame[head.len()..].as_ptr());
}

#[test]
fn an_append_is_refused_whose_terms_go_back_or_whose_indexes_overflow() {
    let append = |previous, terms: &[u64]| {
        let entry = |(index, term): (usize, &u64)| Entry {
            id: id(*term, index as u64),
            kind: Entry::NORMAL,
            payload: Bytes::new(),
        };
        let entries = terms.iter().enumerate().map(entry).collect();
        let append = Append { ballot: leader(), incarnation: 1, needed_from: 0, previous, entries, committed: None };
        decode_request(joined(encode_request(GROUP, voter(4), &Request::Append(append))))
    };
    assert!(append(None, &[5, 5, 7]).is_some());
    assert!(append(None, &[5, 4]).is_none());
    assert!(append(Some(id(6, 9)), &[5]).is_none());
    assert!(append(None, &[8]).is_none(), "later than the leader");
    assert!(append(Some(id(1, u64::MAX)), &[5]).is_none());
}

#[test]
fn a_count_that_the_bytes_do_not_hold_reserves_nothing() {
    let empty = Append {
        ballot: leader(),
        incarnation: 0,
        needed_from: 0,
        previous: None,
        entries: Vec::new(),
        committed: None,
    };
    let mut bytes = BytesMut::from(joined(encode_request(GROUP, voter(4), &Request::Append(empty))));
    let count = bytes.len() - 4;
    bytes[count..].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(decode_request(bytes.freeze()), None);
}

fn any_voter() -> impl Strategy<Value = Voter> {
    (any::<i32>(), any::<[u8; 16]>())
        .prop_map(|(broker, directory)| Voter { broker, directory: Uuid::from_bytes(directory) })
}

fn any_ballot(elected: bool) -> impl Strategy<Value = Ballot> {
    (any::<u64>(), any_voter()).prop_map(move |(term, voter)| Ballot { term, voter, elected })
}

fn any_id() -> impl Strategy<Value = EntryId> {
    (any::<u64>(), any::<i32>(), any::<u64>()).prop_map(|(term, node, index)| EntryId { term, node, index })
}

fn any_bytes() -> impl Strategy<Value = Bytes> {
    proptest::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from)
}

fn any_append() -> impl Strategy<Value = Append> {
    let entries = proptest::collection::vec((any::<u8>(), any::<i32>(), any_bytes()), 0..6);
    let previous = proptest::option::of((0..5_u64, any::<i32>(), 0..u64::MAX / 2));
    let numbers = (5..u64::MAX, any::<u64>(), any::<u64>());
    (numbers, any_voter(), previous, entries, proptest::option::of(any_id())).prop_map(
        |((term, incarnation, needed_from), voter, previous, entries, committed)| {
            let previous = previous.map(|(term, node, index)| EntryId { term, node, index });
            let first = previous.map_or(0, |id| id.index + 1);
            let entry = |(index, (kind, node, payload))| Entry { id: EntryId { term: 5, node, index }, kind, payload };
            let entries = (first..).zip(entries).map(entry).collect();
            let ballot = Ballot { term, voter, elected: true };
            Append { ballot, incarnation, needed_from, previous, entries, committed }
        },
    )
}

fn any_request() -> impl Strategy<Value = Request> {
    let candidacy = || {
        (any_ballot(false), proptest::option::of(any_id()), any::<bool>())
            .prop_map(|(ballot, last, handed_over)| Candidacy { ballot, last, handed_over })
    };
    prop_oneof![
        candidacy().prop_map(Request::PreVote),
        candidacy().prop_map(Request::Vote),
        any_append().prop_map(Request::Append),
        (any_ballot(true), any_voter(), proptest::option::of(any_id()))
            .prop_map(|(ballot, to, last)| Request::HandOver(HandOver { ballot, to, last })),
        (any_ballot(true), any_id(), any_bytes(), any_bytes()).prop_map(|(ballot, id, membership, offer)| {
            Request::Install(Install { ballot, applied: Applied { id, membership }, offer })
        }),
    ]
}

proptest! {
    #[test]
    fn every_request_survives_its_bytes(group: u32, to in any_voter(), request in any_request()) {
        let bytes = joined(encode_request(GroupId(group), to, &request));
        prop_assert_eq!(decode_request(bytes), Some((GroupId(group), to, request)));
    }

    /// What is understood at all is understood in one way: no bytes are ignored.
    #[test]
    fn what_arrives_changed_is_refused_or_says_something_else(
        request in any_request(), at: prop::sample::Index, flip in 1..=255_u8, cut: prop::sample::Index,
    ) {
        let bytes = joined(encode_request(GROUP, voter(4), &request));
        let mut changed = bytes.to_vec();
        let at = at.index(changed.len());
        changed[at] ^= flip;
        if let Some((group, to, other)) = decode_request(changed.clone().into()) {
            prop_assert_eq!(joined(encode_request(group, to, &other)), changed);
        }
        // An offer is opaque and ends with the frame.
        if !matches!(request, Request::Install(_)) {
            prop_assert_eq!(decode_request(bytes.slice(..cut.index(bytes.len()))), None);
            prop_assert_eq!(decode_request([&bytes[..], b"x"].concat().into()), None);
        }
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400), kind in 0..6_u8) {
        let shaped = [&[1, kind], &bytes[..]].concat();
        for bytes in [bytes, shaped] {
            if let Some((group, to, request)) = decode_request(bytes.clone().into()) {
                prop_assert_eq!(joined(encode_request(group, to, &request)), bytes.clone());
            }
            if let Some(reply) = decode_reply(bytes.clone().into()) {
                prop_assert_eq!(encode_reply(&reply), bytes);
            }
        }
    }
}
