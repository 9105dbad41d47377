//! Many groups whose members do nothing but say that they are there.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::time::{sleep, sleep_until};
use wire::StrBytes;
use wire::messages::join_group_request::JoinGroupRequestProtocol;
use wire::messages::{FindCoordinatorRequest, GroupId, HeartbeatRequest, JoinGroupRequest, Request, SyncGroupRequest};

use super::{all, connect, line, mib, seconds, share_of_a_core, usage};
use crate::Failure;
use crate::contender::Started;
use crate::exchange::Exchange;
use crate::requests::encode;

const GROUPS: usize = 1_000;
const MEMBERS: usize = 10;

/// `heartbeat.interval.ms` of clients, unless they say otherwise.
const HEARTBEAT: Duration = Duration::from_secs(3);

const FIND: i16 = 3;
/// The newest version in which a member joins with one request.
const JOIN: i16 = 3;
const SYNC: i16 = 3;
const BEAT: i16 = 3;

pub(super) async fn measure(broker: &mut Started, idle: Duration) -> Result<(), Failure> {
    let before = usage(broker)?;
    let begun = Instant::now();
    find_coordinator(&broker.address()).await?;
    let exchanges = connect(&broker.address(), GROUPS * MEMBERS, |_, exchange| async { Ok(exchange) }).await?;
    let joining = exchanges.into_iter().enumerate().map(|(number, exchange)| Member::join(number, exchange));
    let members = all(joining).await?;
    line("1,000 groups of 10 members, all joined after", &seconds(begun.elapsed()), "");
    let grown = usage(broker)?.memory_kib.saturating_sub(before.memory_kib);
    line("  memory for them and their connections", &mib(grown), "");
    let beats = all(members.into_iter().enumerate().map(|(number, member)| member.beat(number)));
    let measured = async {
        sleep(HEARTBEAT).await; // each has sent its first by then
        share_of_a_core(broker, sleep(idle)).await
    };
    tokio::select! {
        failed = beats => Err(failed.err().unwrap_or("no heartbeats".into())),
        share = measured => {
            line("  heartbeats, of one core", &share?, "5 %");
            Ok(())
        }
    }
}

/// A member of a group, with its connection.
struct Member {
    exchange: Exchange,
    heartbeat: Bytes,
}

impl Member {
    /// Joins, and shares out nothing if it is the one to do so.
    async fn join(number: usize, mut exchange: Exchange) -> Result<Self, Failure> {
        let group = GroupId(text(format!("group-{}", number / MEMBERS)));
        let protocol = JoinGroupRequestProtocol::default().with_name(text("range".to_owned()));
        let join = JoinGroupRequest::default()
            .with_group_id(group.clone())
            .with_session_timeout_ms(45_000)
            .with_rebalance_timeout_ms(300_000)
            .with_protocol_type(text("consumer".to_owned()))
            .with_protocols(vec![protocol]);
        let joined = call(&mut exchange, JOIN, &join).await?;
        check(joined.error_code)?;
        let sync = SyncGroupRequest::default()
            .with_group_id(group.clone())
            .with_member_id(joined.member_id.clone())
            .with_generation_id(joined.generation_id);
        check(call(&mut exchange, SYNC, &sync).await?.error_code)?;
        let heartbeat = HeartbeatRequest::default()
            .with_group_id(group)
            .with_member_id(joined.member_id)
            .with_generation_id(joined.generation_id);
        Ok(Member { exchange, heartbeat: encode(BEAT, &heartbeat)? })
    }

    /// Heartbeats at its own time, so that those of all are spread evenly.
    async fn beat(mut self, number: usize) -> Result<(), Failure> {
        let mut due = tokio::time::Instant::now() + HEARTBEAT * number as u32 / (GROUPS * MEMBERS) as u32;
        loop {
            sleep_until(due).await;
            due += HEARTBEAT;
            self.exchange.send(&self.heartbeat).await?;
            let (answer, _) = self.exchange.receive().await?;
            check(wire::decode_response::<HeartbeatRequest>(BEAT, answer)?.error_code)?;
        }
    }
}

/// Asks until there is one: the first to ask has the topic made that keeps the groups.
async fn find_coordinator(address: &str) -> Result<(), Failure> {
    const LIMIT: Duration = Duration::from_secs(60);
    const PAUSE: Duration = Duration::from_millis(10);
    let mut exchange = Exchange::connect(address).await?;
    let find = FindCoordinatorRequest::default().with_key(text("group-0".to_owned()));
    let asked = async {
        while call(&mut exchange, FIND, &find).await?.error_code != 0 {
            sleep(PAUSE).await;
        }
        Ok(())
    };
    tokio::time::timeout(LIMIT, asked).await.map_err(|_| "no coordinator within a minute")?
}

async fn call<R: Request>(exchange: &mut Exchange, version: i16, request: &R) -> Result<R::Response, Failure> {
    exchange.send(&encode(version, request)?).await?;
    let (answer, _) = exchange.receive().await?;
    Ok(wire::decode_response::<R>(version, answer)?)
}

fn check(error: i16) -> Result<(), Failure> {
    if error == 0 { Ok(()) } else { Err(format!("a member was refused with error code {error}").into()) }
}

fn text(text: String) -> StrBytes {
    StrBytes::from_string(text)
}
