//! Having another member lead a group, wherever its leader is.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use model::{BrokerId, GroupId};
use tokio::time::{sleep, timeout};

use super::kinds;
use super::links::Links;
use crate::broker::Broker;

/// How often to look without being told.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Broker {
    /// Has that member lead a group; whether it does after so long.
    pub(crate) async fn have_lead(&self, group: GroupId, to: BrokerId, within: Duration) -> bool {
        let mut heard = self.links.leaders.changes();
        let done = async {
            if let Some(lead) = self.lead_of(group) {
                // Who leads then tells how it went.
                self.links.ask(lead.leader, kinds::HAND_OVER, order(group, to)).await.ok();
            }
            while self.lead_of(group).is_none_or(|lead| lead.leader != to) {
                tokio::select! {
                    biased;
                    _ = heard.changed() => {}
                    () = sleep(LOOK_AGAIN) => {}
                }
            }
        };
        timeout(within, done).await.is_ok()
    }
}

impl Links {
    /// Has another member lead a group, if this broker does; resolves when it does, or can't.
    pub(super) async fn hand_over_to(&self, group: GroupId, to: BrokerId) {
        let led = self.led().into_iter().find(|(led, ..)| *led == group);
        let Some((_, _, member)) = led else { return };
        let voter = member.members().all_voters().into_iter().find(|voter| voter.broker() == to);
        if let Some(voter) = voter {
            member.hand_over(Some(voter)).await;
        }
    }
}

fn order(group: GroupId, to: BrokerId) -> Bytes {
    let mut order = BytesMut::with_capacity(8);
    order.put_u32_le(group.0);
    order.put_i32_le(to.0);
    order.freeze()
}

/// Reads an order.
pub(super) fn ordered(order: &[u8]) -> Option<(GroupId, BrokerId)> {
    let (group, to) = order.split_at_checked(4)?;
    let group = u32::from_le_bytes(group.try_into().ok()?);
    Some((GroupId(group), BrokerId(i32::from_le_bytes(to.try_into().ok()?))))
}
