//! Bytes of what Raft keeps besides proposals: votes (in the journal) and memberships (in the journal
//! and with each checkpoint). Little-endian; the first byte is the version of the encoding.
//!
//! | what | bytes |
//! |---|---|
//! | voter | broker i32, directory 16 bytes |
//! | vote | version, elected u8 (0 or 1), term u64, voter |
//! | membership | version, configs u8, for each: count u16, voters; learners: count u16, voters |
//! | stored membership | version, known u8 (0 or 1), term u64, node i32, index u64, membership |

use std::collections::BTreeSet;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use journal::EntryId;
use uuid::Uuid;

use super::types::{Candidate, Membership, StoredMembership, Vote, entry_id, log_id};
use crate::Voter;

const VERSION: u8 = 1;

pub(super) fn encode_vote(vote: &Vote) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_u8(VERSION);
    bytes.put_u8(u8::from(vote.committed));
    bytes.put_u64_le(vote.leader_id.term);
    put_voter(&mut bytes, vote.leader_id.voter);
    bytes.freeze()
}

/// What the journal holds as the vote of a member that has heard of this leader, and of nothing before.
pub(crate) fn encode_followed(term: u64, leader: Voter) -> Bytes {
    encode_vote(&Vote { leader_id: Candidate { term, voter: leader }, committed: true })
}

/// The vote, or `None` if these bytes are not one that this version knows.
pub(super) fn decode_vote(mut bytes: &[u8]) -> Option<Vote> {
    let committed = version_and_flag(&mut bytes)?;
    let term = bytes.try_get_u64_le().ok()?;
    let leader_id = Candidate { term, voter: get_voter(&mut bytes)? };
    bytes.is_empty().then_some(Vote { leader_id, committed })
}

pub(super) fn encode_membership(membership: &Membership) -> Bytes {
    let mut bytes = BytesMut::new();
    put_membership(&mut bytes, membership);
    bytes.freeze()
}

pub(super) fn decode_membership(mut bytes: &[u8]) -> Option<Membership> {
    let membership = get_membership(&mut bytes)?;
    bytes.is_empty().then_some(membership)
}

pub(super) fn encode_stored_membership(stored: &StoredMembership) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_u8(VERSION);
    bytes.put_u8(u8::from(stored.log_id().is_some()));
    let id = stored.log_id().map(entry_id).unwrap_or_default();
    bytes.put_u64_le(id.term);
    bytes.put_i32_le(id.node);
    bytes.put_u64_le(id.index);
    put_membership(&mut bytes, stored.membership());
    bytes.freeze()
}

pub(super) fn decode_stored_membership(mut bytes: &[u8]) -> Option<StoredMembership> {
    let known = version_and_flag(&mut bytes)?;
    let term = bytes.try_get_u64_le().ok()?;
    let node = bytes.try_get_i32_le().ok()?;
    let index = bytes.try_get_u64_le().ok()?;
    let id = known.then(|| log_id(EntryId { term, node, index }));
    let membership = get_membership(&mut bytes)?;
    bytes.is_empty().then(|| StoredMembership::new(id, membership))
}

fn put_membership(bytes: &mut BytesMut, membership: &Membership) {
    bytes.put_u8(VERSION);
    bytes.put_u8(membership.get_joint_config().len() as u8);
    for voters in membership.get_joint_config() {
        put_voters(bytes, voters);
    }
    put_voters(bytes, &membership.learner_ids().collect());
}

fn get_membership(bytes: &mut &[u8]) -> Option<Membership> {
    if bytes.try_get_u8().ok()? != VERSION {
        return None;
    }
    let configs = bytes.try_get_u8().ok()?;
    let configs = (0..configs).map(|_| get_voters(bytes)).collect::<Option<Vec<_>>>()?;
    let learners = get_voters(bytes)?;
    if configs.is_empty() {
        return Some(Membership::default());
    }
    Some(Membership::new_with_defaults(configs, learners))
}

fn put_voters(bytes: &mut BytesMut, voters: &BTreeSet<Voter>) {
    bytes.put_u16_le(voters.len() as u16);
    for voter in voters {
        put_voter(bytes, *voter);
    }
}

fn get_voters(bytes: &mut &[u8]) -> Option<BTreeSet<Voter>> {
    let count = bytes.try_get_u16_le().ok()?;
    (0..count).map(|_| get_voter(bytes)).collect()
}

fn put_voter(bytes: &mut BytesMut, voter: Voter) {
    bytes.put_i32_le(voter.broker);
    bytes.put_slice(voter.directory.as_bytes());
}

fn get_voter(bytes: &mut &[u8]) -> Option<Voter> {
    let broker = bytes.try_get_i32_le().ok()?;
    let mut directory = [0; 16];
    bytes.try_copy_to_slice(&mut directory).ok()?;
    Some(Voter { broker, directory: Uuid::from_bytes(directory) })
}

fn version_and_flag(bytes: &mut &[u8]) -> Option<bool> {
    match (bytes.try_get_u8().ok()?, bytes.try_get_u8().ok()?) {
        (VERSION, 0) => Some(false),
        (VERSION, 1) => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voter(broker: i32) -> Voter {
        Voter { broker, directory: Uuid::from_bytes([broker as u8; 16]) }
    }

    fn voters(brokers: &[i32]) -> BTreeSet<Voter> {
        brokers.iter().map(|broker| voter(*broker)).collect()
    }

    #[test]
    fn a_vote_has_these_bytes() {
        let vote = Vote { leader_id: Candidate { term: 5, voter: voter(3) }, committed: true };
        let mut expected = vec![1, 1, 5, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0];
        expected.extend([3; 16]);
        assert_eq!(encode_vote(&vote), expected);
        assert_eq!(decode_vote(&expected), Some(vote));
    }

    #[test]
    fn a_membership_has_these_bytes() {
        let membership = Membership::new_with_defaults(vec![voters(&[1])], voters(&[2]));
        let mut expected = vec![1, 1, 1, 0, 1, 0, 0, 0];
        expected.extend([1; 16]);
        expected.extend([1, 0, 2, 0, 0, 0]);
        expected.extend([2; 16]);
        assert_eq!(encode_membership(&membership), expected);
        assert_eq!(decode_membership(&expected), Some(membership));
    }

    #[test]
    fn a_joint_membership_and_its_place_in_the_log_survive() {
        let membership = Membership::new_with_defaults(vec![voters(&[1, 2, 3]), voters(&[2, 3, 4])], voters(&[9]));
        let id = log_id(EntryId { term: 7, node: 2, index: 99 });
        for stored in [StoredMembership::new(Some(id), membership), StoredMembership::default()] {
            assert_eq!(decode_stored_membership(&encode_stored_membership(&stored)), Some(stored));
        }
    }

    #[test]
    fn bytes_that_are_cut_or_of_a_later_version_are_not_understood() {
        let vote = encode_vote(&Vote { leader_id: Candidate { term: 5, voter: voter(3) }, committed: false });
        let membership = Membership::new_with_defaults(vec![voters(&[1, 2])], voters(&[3]));
        let membership = encode_stored_membership(&StoredMembership::new(None, membership));
        for length in 0..vote.len() {
            assert_eq!(decode_vote(&vote[..length]), None);
        }
        for length in 0..membership.len() {
            assert_eq!(decode_stored_membership(&membership[..length]), None);
        }
        assert_eq!(decode_vote(&[&[2], &vote[1..]].concat()), None);
    }
}
