//! The members of groups that this broker leads which ask it to go on without them, since they can't trust what they
//! have. They come back as new ones.
//!
//! In memory only, and not for long: a member asks again and again until it has heard that it is none any more, of
//! whoever leads then. What is lost of this costs time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::GroupId;
use raft::Voter;
use tokio::time::Instant;

/// How long a request counts. Members repeat it every half second.
const LASTS: Duration = Duration::from_secs(3);

/// So many are known at a time: more than all members that a leader of a thousand groups has.
const MOST: usize = 4096;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Void(Mutex<BTreeMap<(GroupId, Voter), Instant>>);

impl Void {
    /// A member has asked.
    pub(super) fn note(&self, group: GroupId, member: Voter, now: Instant) {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|_, at| now.duration_since(*at) < LASTS);
        if asked.len() < MOST {
            asked.insert((group, member), now);
        }
    }

    /// The members without which the group is to go on.
    pub(super) fn of(&self, group: GroupId, now: Instant) -> BTreeSet<Voter> {
        let asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let live = asked.iter().filter(|((of, _), at)| *of == group && now.duration_since(**at) < LASTS);
        live.map(|((_, member), _)| *member).collect()
    }
}

#[cfg(test)]
mod tests {
    use model::BrokerId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_request_counts_for_its_group_while_it_is_repeated() {
        let (void, begun) = (Void::default(), Instant::now());
        let member = |id: i32| Voter::new(BrokerId(id), Uuid::from_u128(7));
        void.note(GroupId(1), member(1), begun);
        void.note(GroupId(2), member(2), begun);
        assert_eq!(void.of(GroupId(1), begun), [member(1)].into());
        let later = begun + Duration::from_secs(2);
        void.note(GroupId(2), member(2), later);
        let end = begun + LASTS;
        assert_eq!((void.of(GroupId(1), end), void.of(GroupId(2), end)), ([].into(), [member(2)].into()));
    }

    #[test]
    fn whoever_asks_for_much_is_not_remembered_without_end() {
        let (void, now) = (Void::default(), Instant::now());
        (0..MOST as u128 + 9).for_each(|id| void.note(GroupId(1), Voter::new(BrokerId(1), Uuid::from_u128(id)), now));
        assert_eq!(void.of(GroupId(1), now).len(), MOST);
    }
}
