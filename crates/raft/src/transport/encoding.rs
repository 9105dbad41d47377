//! Bytes of what members say to one another. Little-endian; the first byte is the version of the
//! encoding. All members must read what any of them writes: a broker takes part only if it does.
//!
//! | what | bytes |
//! |---|---|
//! | request | version u8, kind u8, group u32, to: voter, then by kind: |
//! | 0 pre-vote, 1 vote | ballot, last: id?, handed over u8 |
//! | 2 append | ballot, incarnation u64, needed from u64, previous: id?, committed: id?, entries u32, for each: kind u8, term u64, node i32, length u32; then all payloads |
//! | 3 hand over | ballot, to: voter, last: id? |
//! | 4 install | ballot, applied: term u64, node i32, index u64; membership: length u32, bytes; offer: the rest |
//! | reply | version u8, kind u8, then by kind: |
//! | 0 vote | ballot, last: id?, granted u8 |
//! | 1 append | 0 all, 1 up to: id?, 2 conflict, 3 superseded: ballot |
//! | 2 hand over | accepted u8 |
//! | 3 install | ballot |
//! | ballot | elected u8, term u64, voter |
//! | voter | broker i32, directory 16 bytes |
//! | id? | known u8 (0 or 1), term u64, node i32, index u64 |
//!
//! An append's entries follow on `previous`, so that their indexes are not there.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use journal::{Entry, EntryId};
use model::GroupId;
use uuid::Uuid;

use super::{Append, Appended, Ballot, Candidacy, HandOver, Install, Reply, Request, Taken};
use crate::{Applied, Voter};

const VERSION: u8 = 1;

const PRE_VOTE: u8 = 0;
const VOTE: u8 = 1;
const APPEND: u8 = 2;
const HAND_OVER: u8 = 3;
const INSTALL: u8 = 4;

const VOTED: u8 = 0;
const APPENDED: u8 = 1;
const HANDED_OVER: u8 = 2;
const INSTALLED: u8 = 3;

/// What a small request takes, so that the buffer need not grow.
const HEAD_BYTES: usize = 160;
/// What an entry takes besides its payload.
const ENTRY_BYTES: usize = 17;

/// The bytes of a request: a head, and payloads that are shared with it and not copied. They are to
/// arrive one after another, as one buffer.
pub fn encode_request(group: GroupId, to: Voter, request: &Request) -> (Bytes, Vec<Bytes>) {
    let entries = if let Request::Append(append) = request { append.entries.len() } else { 0 };
    let mut head = BytesMut::with_capacity(HEAD_BYTES + entries * ENTRY_BYTES);
    let mut start = |kind| {
        head.put_u8(VERSION);
        head.put_u8(kind);
        head.put_u32_le(group.0);
        put_voter(&mut head, to);
    };
    let parts = match request {
        Request::PreVote(candidacy) => {
            start(PRE_VOTE);
            put_candidacy(&mut head, candidacy)
        }
        Request::Vote(candidacy) => {
            start(VOTE);
            put_candidacy(&mut head, candidacy)
        }
        Request::Append(append) => {
            start(APPEND);
            put_append(&mut head, append)
        }
        Request::HandOver(HandOver { ballot, to, last }) => {
            start(HAND_OVER);
            put_ballot(&mut head, ballot);
            put_voter(&mut head, *to);
            put_id(&mut head, *last);
            Vec::new()
        }
        Request::Install(Install { ballot, applied, offer }) => {
            start(INSTALL);
            put_ballot(&mut head, ballot);
            put_known_id(&mut head, applied.id);
            head.put_u32_le(applied.membership.len() as u32);
            head.put_slice(&applied.membership);
            vec![offer.clone()]
        }
    };
    (head.freeze(), parts)
}

/// The group, the voter and the request for it that these bytes are, if this version knows it. Payloads are slices of `bytes`: the
/// journal's cache keeps them, so the buffer should hold nothing else.
pub fn decode_request(mut bytes: Bytes) -> Option<(GroupId, Voter, Request)> {
    let bytes = &mut bytes;
    let kind = get_version_and_kind(bytes)?;
    let group = GroupId(bytes.try_get_u32_le().ok()?);
    let receiver = get_voter(bytes)?;
    let request = match kind {
        PRE_VOTE => Request::PreVote(get_candidacy(bytes)?),
        VOTE => Request::Vote(get_candidacy(bytes)?),
        APPEND => Request::Append(get_append(bytes)?),
        HAND_OVER => {
            let (ballot, to) = (get_leader(bytes)?, get_voter(bytes)?);
            Request::HandOver(HandOver { ballot, to, last: get_id(bytes)? })
        }
        INSTALL => {
            let (ballot, id) = (get_leader(bytes)?, get_known_id(bytes)?);
            let length = bytes.try_get_u32_le().ok()? as usize;
            let applied = Applied { id, membership: split(bytes, length)? };
            Request::Install(Install { ballot, applied, offer: std::mem::take(bytes) })
        }
        _ => return None,
    };
    bytes.is_empty().then_some((group, receiver, request))
}

/// The bytes of a reply.
pub fn encode_reply(reply: &Reply) -> Bytes {
    let mut bytes = BytesMut::with_capacity(HEAD_BYTES);
    bytes.put_u8(VERSION);
    match reply {
        Reply::Vote { ballot, last, granted } => {
            bytes.put_u8(VOTED);
            put_ballot(&mut bytes, ballot);
            put_id(&mut bytes, *last);
            bytes.put_u8(u8::from(*granted));
        }
        Reply::Append(appended) => {
            bytes.put_u8(APPENDED);
            put_appended(&mut bytes, appended);
        }
        Reply::HandOver { accepted } => {
            bytes.put_u8(HANDED_OVER);
            bytes.put_u8(u8::from(*accepted));
        }
        Reply::Install { ballot, taken } => {
            bytes.put_u8(INSTALLED);
            put_ballot(&mut bytes, ballot);
            bytes.put_u8(match taken {
                Taken::All => 0,
                Taken::NotYet => 1,
                Taken::Failed => 2,
            });
        }
    }
    bytes.freeze()
}

/// The reply that these bytes are, if this version knows it.
pub fn decode_reply(mut bytes: Bytes) -> Option<Reply> {
    let bytes = &mut bytes;
    let reply = match get_version_and_kind(bytes)? {
        VOTED => Reply::Vote { ballot: get_ballot(bytes)?, last: get_id(bytes)?, granted: get_flag(bytes)? },
        APPENDED => Reply::Append(match bytes.try_get_u8().ok()? {
            0 => Appended::All,
            1 => Appended::UpTo(get_id(bytes)?),
            2 => Appended::Conflict,
            3 => Appended::Superseded(get_ballot(bytes)?),
            _ => return None,
        }),
        HANDED_OVER => Reply::HandOver { accepted: get_flag(bytes)? },
        INSTALLED => Reply::Install { ballot: get_ballot(bytes)?, taken: get_taken(bytes)? },
        _ => return None,
    };
    bytes.is_empty().then_some(reply)
}

fn get_taken(bytes: &mut Bytes) -> Option<Taken> {
    match bytes.try_get_u8().ok()? {
        0 => Some(Taken::All),
        1 => Some(Taken::NotYet),
        2 => Some(Taken::Failed),
        _ => None,
    }
}

fn put_append(head: &mut BytesMut, append: &Append) -> Vec<Bytes> {
    let Append { ballot, incarnation, needed_from, previous, entries, committed } = append;
    put_ballot(head, ballot);
    head.put_u64_le(*incarnation);
    head.put_u64_le(*needed_from);
    put_id(head, *previous);
    put_id(head, *committed);
    head.put_u32_le(entries.len() as u32);
    for Entry { id, kind, payload } in entries {
        head.put_u8(*kind);
        head.put_u64_le(id.term);
        head.put_i32_le(id.node);
        head.put_u32_le(payload.len() as u32);
    }
    entries.iter().map(|entry| entry.payload.clone()).filter(|payload| !payload.is_empty()).collect()
}

fn get_append(bytes: &mut Bytes) -> Option<Append> {
    let ballot = get_leader(bytes)?;
    let incarnation = bytes.try_get_u64_le().ok()?;
    let needed_from = bytes.try_get_u64_le().ok()?;
    let (previous, committed) = (get_id(bytes)?, get_id(bytes)?);
    let count = bytes.try_get_u32_le().ok()? as usize;
    // The count is believed as far as the bytes go.
    let mut heads = split(bytes, count.checked_mul(ENTRY_BYTES)?)?;
    let mut entries = Vec::with_capacity(count);
    let mut before = previous;
    for _ in 0..count {
        let kind = heads.get_u8();
        let (term, node) = (heads.get_u64_le(), heads.get_i32_le());
        let index = before.map_or(Some(0), |before| before.index.checked_add(1))?;
        if term > ballot.term || before.is_some_and(|before| before.term > term) {
            return None;
        }
        let id = EntryId { term, node, index };
        let length = heads.get_u32_le() as usize;
        entries.push(Entry { id, kind, payload: split(bytes, length)? });
        before = Some(id);
    }
    Some(Append { ballot, incarnation, needed_from, previous, entries, committed })
}

fn put_candidacy(bytes: &mut BytesMut, candidacy: &Candidacy) -> Vec<Bytes> {
    put_ballot(bytes, &candidacy.ballot);
    put_id(bytes, candidacy.last);
    bytes.put_u8(u8::from(candidacy.handed_over));
    Vec::new()
}

fn get_candidacy(bytes: &mut Bytes) -> Option<Candidacy> {
    let ballot = get_ballot(bytes).filter(|ballot| !ballot.elected)?;
    Some(Candidacy { ballot, last: get_id(bytes)?, handed_over: get_flag(bytes)? })
}

fn put_appended(bytes: &mut BytesMut, appended: &Appended) {
    match appended {
        Appended::All => bytes.put_u8(0),
        Appended::UpTo(last) => {
            bytes.put_u8(1);
            put_id(bytes, *last);
        }
        Appended::Conflict => bytes.put_u8(2),
        Appended::Superseded(ballot) => {
            bytes.put_u8(3);
            put_ballot(bytes, ballot);
        }
    }
}

fn put_ballot(bytes: &mut BytesMut, ballot: &Ballot) {
    bytes.put_u8(u8::from(ballot.elected));
    bytes.put_u64_le(ballot.term);
    put_voter(bytes, ballot.voter);
}

fn get_ballot(bytes: &mut Bytes) -> Option<Ballot> {
    let elected = get_flag(bytes)?;
    Some(Ballot { elected, term: bytes.try_get_u64_le().ok()?, voter: get_voter(bytes)? })
}

/// The ballot of one that may act as a leader.
fn get_leader(bytes: &mut Bytes) -> Option<Ballot> {
    get_ballot(bytes).filter(|ballot| ballot.elected)
}

fn put_voter(bytes: &mut BytesMut, voter: Voter) {
    bytes.put_i32_le(voter.broker);
    bytes.put_slice(voter.directory.as_bytes());
}

fn get_voter(bytes: &mut Bytes) -> Option<Voter> {
    let broker = bytes.try_get_i32_le().ok()?;
    let mut directory = [0; 16];
    bytes.try_copy_to_slice(&mut directory).ok()?;
    Some(Voter { broker, directory: Uuid::from_bytes(directory) })
}

fn put_id(bytes: &mut BytesMut, id: Option<EntryId>) {
    bytes.put_u8(u8::from(id.is_some()));
    put_known_id(bytes, id.unwrap_or_default());
}

fn get_id(bytes: &mut Bytes) -> Option<Option<EntryId>> {
    let known = get_flag(bytes)?;
    let id = get_known_id(bytes)?;
    match known {
        true => Some(Some(id)),
        // There is one way to write each message.
        false => (id == EntryId::default()).then_some(None),
    }
}

fn put_known_id(bytes: &mut BytesMut, id: EntryId) {
    bytes.put_u64_le(id.term);
    bytes.put_i32_le(id.node);
    bytes.put_u64_le(id.index);
}

fn get_known_id(bytes: &mut Bytes) -> Option<EntryId> {
    let term = bytes.try_get_u64_le().ok()?;
    let node = bytes.try_get_i32_le().ok()?;
    Some(EntryId { term, node, index: bytes.try_get_u64_le().ok()? })
}

fn get_flag(bytes: &mut Bytes) -> Option<bool> {
    match bytes.try_get_u8().ok()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

fn get_version_and_kind(bytes: &mut Bytes) -> Option<u8> {
    let version = bytes.try_get_u8().ok()?;
    let kind = bytes.try_get_u8().ok()?;
    (version == VERSION).then_some(kind)
}

fn split(bytes: &mut Bytes, length: usize) -> Option<Bytes> {
    (length <= bytes.len()).then(|| bytes.split_to(length))
}
