//! What the leaders of groups say of them, as brokers tell each other with every heartbeat: who leads, in which term,
//! which members keep up, and who the members are. And which replicas consumers may read that do not lead (KIP-392).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use model::{BrokerId, GroupId};
use raft::{Members, Voter};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use uuid::Uuid;

/// A group's leader in a term. The greatest term wins, from wherever it is heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lead {
    pub(crate) term: u64,
    pub(crate) leader: BrokerId,
    /// The members that keep up, the leader among them, by their ids.
    pub(crate) in_sync: Arc<[BrokerId]>,
    /// The members, as the leader said; `None` if it was not the leader who told.
    pub(crate) members: Option<Arc<Members>>,
}

/// What was heard last of each group.
#[derive(Debug, Default)]
pub(crate) struct Leaders {
    known: RwLock<BTreeMap<GroupId, Lead>>,
    /// The groups whose replicas there may be read, as each broker said last.
    readable: RwLock<BTreeMap<BrokerId, BTreeSet<GroupId>>>,
    /// Counts what was news.
    changes: watch::Sender<u64>,
}

impl Leaders {
    /// The leader that was heard of last.
    pub(crate) fn of(&self, group: GroupId) -> Option<Lead> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&group).cloned()
    }

    /// Takes in what a member of the shard here knows.
    pub(crate) fn saw(&self, group: GroupId, term: u64, leader: BrokerId) {
        if self.of(group).is_none_or(|known| known.term < term) {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            if known.get(&group).is_none_or(|known| known.term < term) {
                known.insert(group, Lead { term, leader, in_sync: [].into(), members: None });
            }
        }
    }

    /// Takes in what `from` says that it leads.
    pub(crate) fn heard(&self, from: BrokerId, news: &[u8]) {
        let Ok(news) = rmp_serde::from_slice::<News>(news) else { return };
        let readable = news.readable.iter().copied().map(GroupId).collect();
        self.readable.write().unwrap_or_else(PoisonError::into_inner).insert(from, readable);
        let mut changed = false;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for (group, lead) in news.leads(from) {
            let before = known.get(&group);
            if before.is_none_or(|before| before.term < lead.term || (before.term == lead.term && *before != lead)) {
                known.insert(group, lead);
                changed = true;
            }
        }
        drop(known);
        if changed {
            self.changes.send_modify(|count| *count += 1);
        }
    }

    /// Whether a broker has said of its replica of a group, which it does not lead, that it may be read.
    pub(crate) fn is_readable(&self, group: GroupId, at: BrokerId) -> bool {
        let readable = self.readable.read().unwrap_or_else(PoisonError::into_inner);
        readable.get(&at).is_some_and(|groups| groups.contains(&group))
    }

    /// Tells of each change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

/// A group that the sender leads.
pub(crate) struct Told {
    pub(crate) group: GroupId,
    pub(crate) term: u64,
    pub(crate) in_sync: Vec<BrokerId>,
    pub(crate) members: Members,
}

/// On the wire: each voter once, since all groups have the same few, and for each group the places of its members
/// in that list.
#[derive(Default, Serialize, Deserialize)]
struct News {
    voters: Vec<(i32, Uuid)>,
    groups: Vec<Row>,
    /// Groups that the sender follows so closely that consumers may read them there.
    #[serde(default)]
    readable: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    group: u32,
    term: u64,
    in_sync: Vec<i32>,
    /// Two sets while they change.
    voters: Vec<Vec<u16>>,
    learners: Vec<u16>,
    committed: bool,
}

impl News {
    fn place(&mut self, voter: &Voter) -> u16 {
        let voter = (voter.broker, voter.directory);
        let known = self.voters.iter().position(|known| *known == voter);
        let place = known.unwrap_or_else(|| {
            self.voters.push(voter);
            self.voters.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX) // a cluster has tens of brokers
    }

    fn add(&mut self, told: &Told) {
        let Told { group, term, in_sync, members } = told;
        let in_sync = in_sync.iter().map(|id| id.0).collect();
        let voters = members.voters.iter().map(|set| set.iter().map(|voter| self.place(voter)).collect()).collect();
        let learners = members.learners.iter().map(|voter| self.place(voter)).collect();
        self.groups.push(Row { group: group.0, term: *term, in_sync, voters, learners, committed: members.committed });
    }

    fn leads(self, leader: BrokerId) -> impl Iterator<Item = (GroupId, Lead)> {
        let News { voters, groups, .. } = self;
        let set = move |places: &[u16]| -> BTreeSet<Voter> {
            let voter = |(id, directory): &(i32, Uuid)| Voter::new(BrokerId(*id), *directory);
            places.iter().filter_map(|place| voters.get(usize::from(*place))).map(voter).collect()
        };
        groups.into_iter().map(move |row| {
            let members = Members {
                voters: row.voters.iter().map(|places| set(places)).collect(),
                learners: set(&row.learners),
                committed: row.committed,
            };
            let in_sync = row.in_sync.into_iter().map(BrokerId).collect();
            (GroupId(row.group), Lead { term: row.term, leader, in_sync, members: Some(Arc::new(members)) })
        })
    }
}

/// What a broker says that leads the first of these groups, and follows the others closely.
pub(crate) fn news(led: &[Told], readable: &[GroupId]) -> Bytes {
    let readable = readable.iter().map(|group| group.0).collect();
    let mut news = News { readable, ..News::default() };
    led.iter().for_each(|told| news.add(told));
    rmp_serde::to_vec(&news).expect("writing numbers to memory cannot fail").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(leaders: &Leaders, from: i32, group: u32, term: u64, in_sync: &[i32]) {
        says_with(leaders, from, group, term, in_sync, Members::default());
    }

    fn says_with(leaders: &Leaders, from: i32, group: u32, term: u64, in_sync: &[i32], members: Members) {
        let in_sync = in_sync.iter().copied().map(BrokerId).collect();
        leaders.heard(BrokerId(from), &news(&[Told { group: GroupId(group), term, in_sync, members }], &[]));
    }

    fn set(ids: &[i32]) -> BTreeSet<Voter> {
        ids.iter().map(|id| Voter::new(BrokerId(*id), Uuid::from_u128(*id as u128))).collect()
    }

    fn heard(leaders: &Leaders, group: u32) -> Option<(i32, u64, usize)> {
        leaders.of(GroupId(group)).map(|lead| (lead.leader.0, lead.term, lead.in_sync.len()))
    }

    #[test]
    fn the_leader_of_the_greatest_term_is_believed_whoever_is_heard_last() {
        let leaders = Leaders::default();
        says(&leaders, 2, 7, 5, &[1, 2]);
        says(&leaders, 1, 7, 4, &[1]);
        assert_eq!(heard(&leaders, 7), Some((2, 5, 2)));
        says(&leaders, 1, 7, 6, &[1]);
        assert_eq!(heard(&leaders, 7), Some((1, 6, 1)));
        assert_eq!(heard(&leaders, 8), None);
    }

    #[test]
    fn a_leader_tells_anew_who_keeps_up() {
        let leaders = Leaders::default();
        says(&leaders, 2, 7, 5, &[1, 2]);
        says(&leaders, 2, 7, 5, &[2]);
        assert_eq!(heard(&leaders, 7), Some((2, 5, 1)));
    }

    #[test]
    fn a_change_of_members_arrives_as_the_leader_sees_it() {
        let leaders = Leaders::default();
        let of_members = |leaders: &Leaders| leaders.of(GroupId(7)).and_then(|lead| lead.members);
        let joint = Members { voters: vec![set(&[1]), set(&[1, 2, 3])], learners: set(&[9]), committed: false };
        says_with(&leaders, 1, 7, 5, &[1], joint.clone());
        assert_eq!(of_members(&leaders).as_deref(), Some(&joint));
        let done = Members { voters: vec![set(&[1, 2, 3])], learners: set(&[]), committed: true };
        says_with(&leaders, 1, 7, 5, &[1], done.clone());
        assert_eq!(of_members(&leaders).as_deref(), Some(&done));
    }

    #[test]
    fn news_of_many_groups_fit_a_heartbeat() {
        let members = || Members { voters: vec![set(&[1, 2, 3])], learners: set(&[]), committed: true };
        let told = |group| Told {
            group: GroupId(group),
            term: 1 << 40,
            in_sync: (1..=3).map(BrokerId).collect(),
            members: members(),
        };
        let all: Vec<Told> = (0..1000).map(told).collect();
        let readable: Vec<GroupId> = (1000..2000).map(GroupId).collect();
        let bytes = news(&all, &readable).len();
        assert!(bytes < peer::MAX_NEWS_BYTES / 2, "{bytes}");
    }

    #[test]
    fn a_replica_may_be_read_for_as_long_as_its_broker_says_so() {
        let leaders = Leaders::default();
        let is_readable = |group, at| leaders.is_readable(GroupId(group), BrokerId(at));
        leaders.heard(BrokerId(2), &news(&[], &[GroupId(7), GroupId(8)]));
        assert_eq!((is_readable(7, 2), is_readable(8, 2), is_readable(7, 3)), (true, true, false));
        says(&leaders, 3, 7, 5, &[2, 3]);
        assert_eq!((is_readable(7, 2), is_readable(7, 3)), (true, false), "each broker speaks for itself");
        leaders.heard(BrokerId(2), &news(&[], &[GroupId(8)]));
        assert_eq!((is_readable(7, 2), is_readable(8, 2)), (false, true));
        leaders.heard(BrokerId(2), &news(&[], &[]));
        assert!(!is_readable(8, 2));
    }

    #[test]
    fn what_a_member_here_knew_is_not_forgotten_for_older_news() {
        let leaders = Leaders::default();
        says(&leaders, 1, 7, 4, &[1]);
        leaders.saw(GroupId(7), 5, BrokerId(2));
        leaders.saw(GroupId(7), 3, BrokerId(3));
        says(&leaders, 1, 7, 4, &[1, 2]);
        assert_eq!(heard(&leaders, 7), Some((2, 5, 0)));
        says(&leaders, 2, 7, 5, &[1, 2]);
        assert_eq!(heard(&leaders, 7), Some((2, 5, 2)), "the leader itself tells who keeps up");
    }

    #[test]
    fn news_that_are_none_change_nothing() {
        let leaders = Leaders::default();
        leaders.heard(BrokerId(2), b"\xff");
        leaders.heard(BrokerId(2), b"");
        assert_eq!(leaders.of(GroupId(0)), None);
    }
}
