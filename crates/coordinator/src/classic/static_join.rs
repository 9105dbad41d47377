//! A static member that comes back without its member id (KIP-345): it takes its own place under a new id, and the
//! old id is fenced. In a stable group nobody else need notice.

use std::sync::Arc;

use model::ErrorCode;

use super::group::Group;
use super::request::JoinRequest;
use super::turn::Turn;
use super::writes::{After, Renamed};
use super::{CallerId, GroupState, JoinReply, Reply, SyncReply};

impl Turn<'_> {
    pub(super) fn rejoin_static(
        &mut self,
        group: &mut Group,
        caller: CallerId,
        old_id: &Arc<str>,
        new_id: &Arc<str>,
        request: JoinRequest,
    ) {
        let old_leader = group.leader.clone();
        let can_skip_assignment = request.can_skip_assignment;
        self.rename(group, old_id, new_id);
        let (old_contract, _) = group.update(new_id, caller, request);
        self.keep_alive(group, new_id);
        match group.state {
            GroupState::Stable if group.choose_protocol() == group.protocol => {
                let after = After::Renamed(Box::new(Renamed {
                    caller,
                    old_id: old_id.clone(),
                    new_id: new_id.clone(),
                    old_contract,
                    old_leader,
                    generation: group.generation,
                    can_skip_assignment,
                }));
                self.write_group(group, |member| member.assignment.clone(), after);
            }
            // In CompletingRebalance the leader may assign to the old id: the new one would go without.
            _ => {
                self.rebalance(group);
            }
        }
    }

    /// Gives a static member a new id, and fences whoever waits under the old one: two processes with one instance id.
    fn rename(&mut self, group: &mut Group, old_id: &Arc<str>, new_id: &Arc<str>) {
        let (joining, syncing) = group.rename(old_id, new_id);
        self.end_session(group, old_id);
        if let Some(caller) = joining {
            self.refuse_join(caller, ErrorCode::FencedInstanceId, old_id);
        }
        if let Some(caller) = syncing {
            self.reply(caller, Reply::Sync(SyncReply::error(ErrorCode::FencedInstanceId)));
        }
    }

    /// The new id is durable, or is not to be. If a rebalance began meanwhile, the member takes part in it and is answered
    /// by it; if it was replaced once more, it was fenced.
    pub(super) fn renamed(&mut self, group: &mut Group, renamed: Renamed, result: Result<(), ErrorCode>) {
        let waits = group.members.get(&renamed.new_id).is_some_and(|member| member.joining == Some(renamed.caller));
        if !waits || group.state != GroupState::Stable || group.generation != renamed.generation {
            return;
        }
        group.set_joining(&renamed.new_id, None);
        match result {
            Ok(()) => {
                let reply = self.welcome_back(group, &renamed);
                self.reply(renamed.caller, Reply::Join(reply));
                self.keep_alive(group, &renamed.new_id);
            }
            Err(error) => {
                group.set_contract(&renamed.new_id, renamed.old_contract);
                self.rename(group, &renamed.new_id, &renamed.old_id);
                self.keep_alive(group, &renamed.old_id);
                self.refuse_join(renamed.caller, error, "");
            }
        }
    }

    /// The leader that came back must not assign anew, for the others would not hear of it. Newer clients are told so
    /// (KIP-814); older ones are told that someone else leads: its own former id.
    fn welcome_back(&self, group: &Group, renamed: &Renamed) -> JoinReply {
        let reply = self.joined(group, &renamed.new_id);
        if renamed.can_skip_assignment {
            return JoinReply { skip_assignment: group.is_leader(&renamed.new_id), ..reply };
        }
        let old_leader = renamed.old_leader.as_deref().unwrap_or_default();
        JoinReply { leader: old_leader.to_owned(), members: Vec::new(), ..reply }
    }
}
