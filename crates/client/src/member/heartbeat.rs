//! Saying that a member is there, and hearing what becomes of the group.

use std::collections::BTreeMap;

use model::ErrorCode;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use wire::messages::HeartbeatRequest;

use super::{MemberOptions, partition_counts};
use crate::connection::Connection;
use crate::groups::group_id;
use crate::retry::Retry;
use crate::topics::text;
use crate::{Client, ClientError};

/// How a session is.
#[derive(Clone, Debug)]
pub(super) enum Pulse {
    /// All is as it was at the last rebalance.
    Steady,
    /// The group rebalances, or went on without this member.
    Rebalance,
    /// The coordinator refuses, or cannot be reached.
    Failed(ClientError),
}

/// Beats for one session.
pub(super) struct Heart {
    pub(super) client: Client,
    pub(super) group: String,
    pub(super) member: String,
    pub(super) generation: i32,
    pub(super) options: MemberOptions,
    /// How many partitions there were to deal out; empty, if that is another member's care.
    pub(super) counts: BTreeMap<String, usize>,
}

impl Heart {
    /// Goes on beating while the group rebalances: the member has until the rebalance times out to join again.
    pub(super) async fn run(self, connection: Connection, beat: watch::Sender<Pulse>) {
        let request = HeartbeatRequest::default()
            .with_group_id(group_id(&self.group))
            .with_generation_id(self.generation)
            .with_member_id(text(&self.member));
        let mut connection = Some(connection);
        let mut retry = Retry::within(self.options.session_timeout);
        let mut looked = Instant::now();
        loop {
            sleep(self.options.heartbeat_interval).await;
            if looked.elapsed() >= self.options.topics_interval {
                looked = Instant::now();
                if self.has_more_to_deal().await {
                    // That this one joins again makes the whole group rebalance.
                    beat.send_replace(Pulse::Rebalance);
                }
            }
            let error = match self.beat(&mut connection, &request).await {
                Ok(()) => {
                    retry.succeeded();
                    continue;
                }
                Err(error) => error,
            };
            match error.code() {
                Some(ErrorCode::RebalanceInProgress) => {
                    retry.succeeded();
                    beat.send_replace(Pulse::Rebalance);
                }
                Some(ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration) => {
                    beat.send_replace(Pulse::Rebalance);
                    return;
                }
                _ => {
                    connection = None;
                    if let Err(why) = retry.after(error).await {
                        beat.send_replace(Pulse::Failed(why));
                        return;
                    }
                }
            }
        }
    }

    async fn has_more_to_deal(&self) -> bool {
        if self.counts.is_empty() {
            return false;
        }
        let now = partition_counts(&self.client, self.counts.keys()).await;
        now.is_ok_and(|now| now != self.counts)
    }

    async fn beat(&self, connection: &mut Option<Connection>, request: &HeartbeatRequest) -> Result<(), ClientError> {
        let open = match connection.take().filter(Connection::is_open) {
            Some(open) => open,
            None => self.client.own_coordinator(&self.group).await?,
        };
        let response = open.call(request).await?;
        *connection = Some(open);
        ClientError::check(response.error_code, || format!("staying in group {}", self.group), None)
    }
}
