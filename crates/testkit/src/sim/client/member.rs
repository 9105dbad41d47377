//! A member of a classic group: joins, gets its share, reads it, commits, beats, leaves, and comes back.

use std::time::Duration;

use bytes::Bytes;
use model::ErrorCode;
use tokio::time::{Instant, sleep};
use wire::ApiKey;
use wire::messages::join_group_request::JoinGroupRequestProtocol;
use wire::messages::leave_group_request::MemberIdentity;
use wire::messages::sync_group_request::SyncGroupRequestAssignment;
use wire::messages::{HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, SyncGroupRequest};

use super::Habitat;
use super::connection::{Connection, Gone, REQUEST_TIMEOUT};
use super::contacts::Contacts;
use super::fetcher::Fetcher;
use super::group::{Committer, REJOIN, committed, group_id, text};
use crate::sim::rng::Rng;
use crate::sim::topics::Place;
use crate::sim::world::Phase;

const SESSION_TIMEOUT_MS: i32 = 6_000;
const REBALANCE_TIMEOUT_MS: i32 = 10_000;
const HEARTBEAT: Duration = Duration::from_millis(1_500);
const PROTOCOL: &str = "range";

/// See the module.
pub(crate) struct Member {
    habitat: Habitat,
    contacts: Contacts,
    fetcher: Fetcher,
    name: String,
    group: String,
    /// All partitions that the group reads.
    places: Vec<Place>,
    rng: Rng,
    id: String,
    /// Its name with the group: static members have one.
    instance: Option<String>,
}

/// What being in a generation means.
struct Share {
    generation: i32,
    places: Vec<Place>,
}

/// Why a member no longer reads.
enum End {
    Rejoin,
    Over,
}

impl Member {
    pub(crate) fn new(habitat: &Habitat, group: &str, number: usize, places: Vec<Place>) -> Member {
        let mut rng = habitat.world.rng();
        let name = format!("{group}/member-{number}");
        let instance = rng.one_in(3).then(|| format!("instance-{number}"));
        let (contacts, fetcher) = (Contacts::new(habitat, &name), Fetcher::new(habitat, &name));
        let (habitat, group, id) = (habitat.clone(), group.to_owned(), String::new());
        Member { habitat, contacts, fetcher, name, group, places, rng, id, instance }
    }

    /// Takes part until the run is over.
    pub(crate) async fn run(mut self) {
        let world = self.habitat.world.clone();
        while world.phase() != Phase::Over {
            tokio::select! {
                biased;
                () = world.reached(Phase::Over) => return,
                Err(Gone) = self.take_part() => {}
            }
            sleep(self.rng.millis(10..300)).await;
        }
    }

    async fn take_part(&mut self) -> Result<(), Gone> {
        let mut coordinator: Option<(String, Connection)> = None;
        loop {
            if let Some(address) = self.contacts.coordinator(&self.group).await {
                let connection = match coordinator.take() {
                    Some((known, connection)) if known == address => connection,
                    _ => Connection::open(&self.habitat, &address, &self.name)?,
                };
                let (_, connection) = coordinator.insert((address, connection));
                if let Some(share) = self.join(connection).await?
                    && let End::Over = self.read(connection, &share).await?
                {
                    return Ok(());
                }
            }
            sleep(self.rng.millis(10..100)).await;
        }
    }

    /// Joins; its share, or nothing if it has to try again.
    async fn join(&mut self, connection: &mut Connection) -> Result<Option<Share>, Gone> {
        let world = self.habitat.world.clone();
        let version = connection.version(ApiKey::JoinGroup, if self.instance.is_some() { 5 } else { 1 }, i16::MAX);
        let protocol =
            JoinGroupRequestProtocol::default().with_name(text(PROTOCOL)).with_metadata(Bytes::from_static(b"all"));
        let request = JoinGroupRequest::default()
            .with_group_id(group_id(&self.group))
            .with_session_timeout_ms(SESSION_TIMEOUT_MS)
            .with_rebalance_timeout_ms(REBALANCE_TIMEOUT_MS)
            .with_member_id(text(&self.id))
            .with_group_instance_id(self.instance.as_deref().map(text))
            .with_protocol_type(text("consumer"))
            .with_protocols(vec![protocol]);
        let asked = world.promises(|promises| promises.generations.asked(&self.group));
        let patience = REQUEST_TIMEOUT + Duration::from_millis(REBALANCE_TIMEOUT_MS as u64);
        let joined = connection.call_for(version, &request, patience).await?;
        let expected = [REJOIN.as_slice(), &[ErrorCode::MemberIdRequired]].concat();
        match connection.judge(ApiKey::JoinGroup, joined.error_code, &expected) {
            Err(ErrorCode::MemberIdRequired) => {
                self.id = joined.member_id.to_string();
                return Ok(None);
            }
            Err(error) => {
                self.told(error);
                return Ok(None);
            }
            Ok(()) => {}
        }
        self.id = joined.member_id.to_string();
        world.hold(|promises| promises.generations.joined(&self.group, asked, joined.generation_id));
        self.sync(connection, joined).await
    }

    async fn sync(&mut self, connection: &mut Connection, joined: JoinGroupResponse) -> Result<Option<Share>, Gone> {
        let generation = joined.generation_id;
        let version = connection.version(ApiKey::SyncGroup, if self.instance.is_some() { 3 } else { 0 }, i16::MAX);
        let mut request = SyncGroupRequest::default()
            .with_group_id(group_id(&self.group))
            .with_generation_id(generation)
            .with_member_id(text(&self.id))
            .with_group_instance_id(self.instance.as_deref().map(text))
            .with_assignments(self.assignments(&joined));
        if version >= 5 {
            request.protocol_type = Some(text("consumer"));
            request.protocol_name = Some(text(PROTOCOL));
        }
        let synced = connection.call(version, &request).await?;
        if let Err(error) = connection.judge(ApiKey::SyncGroup, synced.error_code, &REJOIN) {
            self.told(error);
            return Ok(None);
        }
        let world = &self.habitat.world;
        world.count("shares of a group");
        world.promises(|promises| promises.generations.settled(&self.group, generation));
        let places = synced.assignment.iter().filter_map(|number| self.places.get(usize::from(*number)).cloned());
        Ok(Some(Share { generation, places: places.collect() }))
    }

    /// As leader: the places' numbers, dealt out in turn.
    fn assignments(&self, joined: &JoinGroupResponse) -> Vec<SyncGroupRequestAssignment> {
        if *joined.leader != *self.id {
            return Vec::new();
        }
        let members = joined.members.iter().enumerate().map(|(turn, member)| {
            let numbers = (0..self.places.len() as u8).skip(turn).step_by(joined.members.len());
            SyncGroupRequestAssignment::default()
                .with_member_id(member.member_id.clone())
                .with_assignment(numbers.collect::<Vec<u8>>().into())
        });
        members.collect()
    }

    /// Draws the conclusions from an error.
    fn told(&mut self, error: ErrorCode) {
        if matches!(error, ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration | ErrorCode::FencedInstanceId) {
            self.id = String::new();
        }
    }

    /// Reads its share and commits until it has to join again.
    async fn read(&mut self, connection: &mut Connection, share: &Share) -> Result<End, Gone> {
        let world = self.habitat.world.clone();
        let Some(committed) = committed(&self.habitat, connection, &self.group, &share.places).await? else {
            return Ok(End::Rejoin);
        };
        self.fetcher.assign(share.places.iter().cloned().zip(committed.into_iter().map(|offset| offset.max(0))));
        let mut beat_at = Instant::now();
        let stays_for = self.rng.millis(1_000..40_000);
        let leaves_at = Instant::now() + stays_for;
        loop {
            if world.phase() == Phase::Over {
                return Ok(End::Over);
            }
            if world.phase() == Phase::Storm && Instant::now() >= leaves_at {
                self.leave(connection).await?;
                return Ok(End::Rejoin);
            }
            if Instant::now() >= beat_at {
                beat_at = Instant::now() + HEARTBEAT;
                if let Err(error) = self.beat(connection, share).await? {
                    self.told(error);
                    return Ok(End::Rejoin);
                }
            }
            if share.places.is_empty() {
                sleep(Duration::from_millis(300)).await;
                continue;
            }
            let polled = self.fetcher.poll(300).await;
            self.fetcher.go_on_from_start(&polled).await;
            if (polled.records > 0 || !polled.out_of_range.is_empty()) && self.rng.one_in(2) || self.rng.one_in(16) {
                let positions = self.fetcher.positions();
                let (group, member) = (&self.group, &self.id);
                let committer = Committer { habitat: &self.habitat, group, member, generation: share.generation };
                if let Err(error) = committer.commit(connection, &positions).await? {
                    self.told(error);
                    return Ok(End::Rejoin);
                }
            }
            if polled.records == 0 {
                sleep(self.rng.millis(10..100)).await;
            }
        }
    }

    async fn beat(&mut self, connection: &mut Connection, share: &Share) -> Result<Result<(), ErrorCode>, Gone> {
        let version = connection.version(ApiKey::Heartbeat, if self.instance.is_some() { 3 } else { 0 }, i16::MAX);
        let request = HeartbeatRequest::default()
            .with_group_id(group_id(&self.group))
            .with_generation_id(share.generation)
            .with_member_id(text(&self.id))
            .with_group_instance_id(self.instance.as_deref().map(text));
        let response = connection.call(version, &request).await?;
        Ok(connection.judge(ApiKey::Heartbeat, response.error_code, &REJOIN))
    }

    async fn leave(&mut self, connection: &mut Connection) -> Result<(), Gone> {
        let version = connection.version(ApiKey::LeaveGroup, 3, i16::MAX);
        let member = MemberIdentity::default()
            .with_member_id(text(&self.id))
            .with_group_instance_id(self.instance.as_deref().map(text));
        let request = LeaveGroupRequest::default().with_group_id(group_id(&self.group)).with_members(vec![member]);
        let response = connection.call(version, &request).await?;
        connection.judge(ApiKey::LeaveGroup, response.error_code, &REJOIN).ok();
        self.id = String::new();
        sleep(self.rng.millis(0..3_000)).await;
        Ok(())
    }
}
