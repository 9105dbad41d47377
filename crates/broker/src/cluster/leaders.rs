//! Who leads which shard, and which members keep up, as brokers tell each other with every heartbeat.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use model::{BrokerId, GroupId};
use tokio::sync::watch;

/// A shard's leader in a term. The greatest term wins, from wherever it is heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lead {
    pub(crate) term: u64,
    pub(crate) leader: BrokerId,
    /// The members that keep up, the leader among them, by their ids.
    pub(crate) in_sync: Arc<[BrokerId]>,
}

/// What was heard last of each shard.
#[derive(Debug, Default)]
pub(crate) struct Leaders {
    known: RwLock<BTreeMap<GroupId, Lead>>,
    /// Counts what was news.
    changes: watch::Sender<u64>,
}

impl Leaders {
    /// The leader that was heard of last.
    pub(crate) fn of(&self, group: GroupId) -> Option<Lead> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&group).cloned()
    }

    /// Takes in what `from` says that it leads.
    pub(crate) fn heard(&self, from: BrokerId, news: &[u8]) {
        let Ok(led) = rmp_serde::from_slice::<Vec<Row>>(news) else { return };
        let mut changed = false;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for (group, term, in_sync) in led {
            let is_news = known.get(&GroupId(group)).is_none_or(|known| {
                known.term < term
                    || (known.term == term && !known.in_sync.iter().map(|id| id.0).eq(in_sync.iter().copied()))
            });
            if is_news {
                let in_sync = in_sync.into_iter().map(BrokerId).collect();
                known.insert(GroupId(group), Lead { term, leader: from, in_sync });
                changed = true;
            }
        }
        drop(known);
        if changed {
            self.changes.send_modify(|count| *count += 1);
        }
    }

    /// Tells of each change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

/// A shard that the sender leads: the shard, the term, the members that keep up.
type Row = (u32, u64, Vec<i32>);

/// What a broker says that leads these groups.
pub(crate) fn news(led: impl IntoIterator<Item = (GroupId, u64, Vec<BrokerId>)>) -> Bytes {
    let row = |(group, term, in_sync): (GroupId, u64, Vec<BrokerId>)| -> Row {
        (group.0, term, in_sync.into_iter().map(|id| id.0).collect())
    };
    let led: Vec<Row> = led.into_iter().map(row).collect();
    if led.is_empty() {
        return Bytes::new();
    }
    rmp_serde::to_vec(&led).expect("writing numbers to memory cannot fail").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(leaders: &Leaders, from: i32, group: u32, term: u64, in_sync: &[i32]) {
        let in_sync = in_sync.iter().copied().map(BrokerId).collect();
        leaders.heard(BrokerId(from), &news([(GroupId(group), term, in_sync)]));
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
    fn news_that_are_none_change_nothing() {
        let leaders = Leaders::default();
        leaders.heard(BrokerId(2), b"\xff");
        leaders.heard(BrokerId(2), b"");
        assert_eq!(leaders.of(GroupId(0)), None);
    }
}
