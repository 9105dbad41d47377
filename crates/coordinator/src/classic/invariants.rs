//! What must hold after every turn; tests call it all the time.

use super::timers::Timer;
use super::{ClassicGroups, GroupState};

impl ClassicGroups {
    pub(super) fn check_invariants(&self) {
        let mut timers = 0;
        for (name, group) in &self.groups {
            timers += self.check_group(name, group);
        }
        assert_eq!(self.timers.len(), timers, "each timer belongs to someone who is there");
    }

    /// Counts the group's timers.
    fn check_group(&self, name: &str, group: &super::Group) -> usize {
        assert_eq!(&*group.name, name);
        assert!(!group.is_idle() || self.writes.any_for(name), "{name} has no reason to be held in memory");
        let waiting = group.members.values().filter(|member| member.joining.is_some()).count();
        assert_eq!(group.joined(), waiting, "who waits in JoinGroup is counted");
        assert_eq!(group.leader.is_none(), group.members.is_empty(), "a group with members has one leader");
        assert!(group.leader.iter().all(|leader| group.members.contains_key(leader)), "which is one of them");
        for (instance, id) in &group.static_members {
            assert_eq!(group.members[id].instance_id.as_ref(), Some(instance));
        }
        let of_static = group.members.values().filter(|member| member.is_static()).count();
        assert_eq!(group.static_members.len(), of_static);
        assert!(group.pending.iter().all(|id| !group.members.contains_key(id)), "an id is pending or a member's");
        assert!(group.unsynced.iter().all(|id| group.members.contains_key(id)));
        let armed = |timer: &Timer| usize::from(self.timers.is_armed(timer));
        let join = armed(&Timer::Join { group: group.name.clone() });
        let sync = armed(&Timer::Sync { group: group.name.clone() });
        let preparing = group.state == GroupState::PreparingRebalance;
        assert_eq!(join == 1, preparing, "the join phase has an end");
        assert_eq!(sync == 1, !group.unsynced.is_empty(), "waiting for a member's SyncGroup has an end");
        assert!(!preparing || group.unsynced.is_empty());
        match group.state {
            GroupState::Empty => assert!(group.members.is_empty() && group.protocol.is_none()),
            GroupState::PreparingRebalance => assert!(group.members.values().all(|member| member.syncing.is_none())),
            GroupState::CompletingRebalance => {
                assert!(!group.members.is_empty() && group.joined() == 0);
                assert_eq!(group.choose_protocol().is_some(), group.protocol.is_some());
            }
            GroupState::Stable => {
                assert!(!group.members.is_empty() && group.members.values().all(|member| member.syncing.is_none()));
            }
            GroupState::Dead => panic!("{name} is dead and yet here"),
        }
        let mut sessions = 0;
        for id in group.members.keys().chain(&group.pending) {
            let armed = armed(&Timer::Session { group: group.name.clone(), member: id.clone() });
            let waits = group.members.get(id).is_some_and(|member| member.waits());
            assert!(armed == 1 || waits, "{id} is silent or waits; it can't go on for ever");
            sessions += armed;
        }
        sessions + join + sync
    }
}
