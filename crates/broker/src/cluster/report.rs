//! A group as its leader describes it to whoever asks: how far each member has come.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use model::GroupId;
use raft::{Follower, Group, StateMachine, Voter};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

/// A group as its leader sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) leader: i32,
    pub(crate) term: u64,
    /// The index after the last entry that is known to be committed.
    pub(crate) committed: u64,
    /// Whether no change of members is under way.
    pub(crate) is_settled: bool,
    pub(crate) members: Vec<MemberReport>,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MemberReport {
    pub(crate) broker: i32,
    pub(crate) directory: Uuid,
    pub(crate) votes: bool,
    /// The index after the last entry that it is known to have; none if nothing was heard of it.
    pub(crate) end: Option<u64>,
    /// How long ago it was heard.
    pub(crate) heard_ms: Option<u64>,
    /// How long ago it had all that the leader had.
    pub(crate) caught_up_ms: Option<u64>,
}

impl Report {
    /// The report of a group that this broker leads, and surely still does.
    pub(super) fn of<S: StateMachine>(group: &Group<S>) -> Option<Report> {
        if !group.holds_lease() {
            return None;
        }
        let status = *group.status().borrow();
        let (leader, members, followers, reach) = (status.leader?, group.members(), group.followers(), group.reach());
        let voters = members.all_voters();
        let member = |voter: Voter| {
            let follower = followers.iter().find(|follower| follower.voter == voter);
            let of_leader = (voter.broker() == leader).then_some((Some(reach.end), Some(0), Some(0)));
            let (end, heard_ms, caught_up_ms) = of_leader.or(follower.map(told)).unwrap_or_default();
            let votes = voters.contains(&voter);
            MemberReport { broker: voter.broker, directory: voter.directory, votes, end, heard_ms, caught_up_ms }
        };
        Some(Report {
            leader: leader.0,
            term: status.term,
            committed: reach.applied,
            is_settled: members.is_settled(),
            members: members.all().into_iter().map(member).collect(),
        })
    }

    /// Whether that member is none any more, and nobody counts on it.
    pub(super) fn is_without(&self, voter: Voter) -> bool {
        let is_it = |it: &MemberReport| (it.broker, it.directory) == (voter.broker, voter.directory);
        self.is_settled && !self.members.iter().any(is_it)
    }
}

type Told = (Option<u64>, Option<u64>, Option<u64>);

fn told(follower: &Follower) -> Told {
    let ago = |at: Option<Instant>| at.map(|at| ms(at.elapsed()));
    (follower.matched.map(|id| id.index + 1), ago(follower.heard), ago(follower.caught_up))
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The question about groups, as it stands on the wire.
pub(super) fn question(groups: &[GroupId]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(groups.len() * 4);
    groups.iter().for_each(|group| bytes.put_u32_le(group.0));
    bytes.freeze()
}

pub(super) fn asked(question: &[u8]) -> impl Iterator<Item = GroupId> {
    question.chunks_exact(4).map(|id| GroupId(u32::from_le_bytes(id.try_into().expect("chunks of four"))))
}

/// The answer: a report for each group that the one who answers leads.
pub(super) fn answer(reports: &[(GroupId, Report)]) -> Bytes {
    let reports: Vec<(u32, &Report)> = reports.iter().map(|(group, report)| (group.0, report)).collect();
    rmp_serde::to_vec(&reports).expect("writing numbers to memory cannot fail").into()
}

pub(super) fn answered(answer: &[u8]) -> Vec<(GroupId, Report)> {
    let reports: Vec<(u32, Report)> = rmp_serde::from_slice(answer).unwrap_or_default();
    reports.into_iter().map(|(group, report)| (GroupId(group), report)).collect()
}

#[cfg(test)]
mod tests {
    use model::BrokerId;

    use super::*;

    fn report() -> Report {
        let member = |broker: i32| MemberReport {
            broker,
            directory: Uuid::from_u128(broker as u128),
            votes: broker < 3,
            end: Some(9),
            heard_ms: Some(50),
            caught_up_ms: None,
        };
        Report { leader: 1, term: 4, committed: 8, is_settled: true, members: (1..=3).map(member).collect() }
    }

    #[test]
    fn reports_arrive_as_they_were_and_other_words_are_none() {
        assert_eq!(asked(&question(&[GroupId(0), GroupId(7)])).collect::<Vec<_>>(), [GroupId(0), GroupId(7)]);
        assert_eq!(answered(&answer(&[(GroupId(7), report())])), [(GroupId(7), report())]);
        assert_eq!(answered(b"\xff"), []);
    }

    #[test]
    fn a_group_is_without_a_member_once_no_change_is_under_way() {
        let voter = |broker: i32, directory: u128| Voter::new(BrokerId(broker), Uuid::from_u128(directory));
        assert!(!report().is_without(voter(3, 3)), "a learner");
        assert!(report().is_without(voter(4, 4)));
        assert!(report().is_without(voter(3, 9)), "another directory");
        assert!(!Report { is_settled: false, ..report() }.is_without(voter(4, 4)));
    }
}
