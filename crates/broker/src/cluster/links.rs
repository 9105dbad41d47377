//! The face of this broker to others: where each kind of call goes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};
use std::time::Duration;

use bytes::Bytes;
use controller::Controller;
use futures::future::join_all;
use model::{BrokerId, GroupId};
use peer::{Address, BoxFuture, Identity, Message, Peers, Urgency};
use raft::transport::{Reply, Request, decode_request, encode_reply};
use raft::{ChangeError, Follower, Group, Members, RaftError, StateMachine, Status, Voter};
use shard::Shard;
use tokio::sync::watch;
use tokio::time::Instant;

use super::catch_up;
use super::hand_over;
use super::kinds;
use super::leaders::{Leaders, Told, news};
use super::mending;
use super::moves::Question;
use super::report::{self, Report};
use super::roster;
use super::throttle::Throttle;
use super::void::Void;
use crate::broker::Broker;

/// `replica.lag.time.max.ms` until the settings are known.
const DEFAULT_LAG_MS: u64 = 30_000;

/// `catch.up.max.bytes.per.second` until the settings are known.
const DEFAULT_COPY_RATE: u64 = 1 << 20;

/// To calls that come while this broker starts.
const NOT_STARTED: &str = "the controller is not started yet";

/// A group with a member here, whatever it applies.
pub(crate) trait Member: Send + Sync {
    /// Answers another member, if this is the one that is meant. Requests count in the order of these calls.
    fn receive(&self, to: Voter, request: Request) -> BoxFuture<Result<Reply, RaftError>>;
    /// Who leads, in which term.
    fn status(&self) -> watch::Receiver<Status>;
    /// A broker's process is known to be dead.
    fn leader_gone(&self, leader: BrokerId, incarnation: u64) -> BoxFuture<()>;
    /// At the leader: the other members that had all within so long.
    fn keeping_up(&self, within: Duration) -> Vec<BrokerId>;
    /// Who belongs to it.
    fn members(&self) -> Members;
    /// Changes who belongs to it; at the leader.
    fn set_members(&self, voters: BTreeSet<Voter>, learners: BTreeSet<Voter>) -> BoxFuture<Result<(), String>>;
    /// Has another member lead, or that one; resolves when it does, or can't.
    fn hand_over(&self, to: Option<Voter>) -> BoxFuture<()>;
    /// At the leader: how far all have come.
    fn report(&self) -> Option<Report>;
}

impl<S: StateMachine> Member for Group<S> {
    fn receive(&self, to: Voter, request: Request) -> BoxFuture<Result<Reply, RaftError>> {
        Box::pin(Group::receive(self, to, request))
    }

    fn status(&self) -> watch::Receiver<Status> {
        Group::status(self)
    }

    fn leader_gone(&self, leader: BrokerId, incarnation: u64) -> BoxFuture<()> {
        let group = self.clone();
        Box::pin(async move { group.leader_gone(leader, incarnation).await })
    }

    fn keeping_up(&self, within: Duration) -> Vec<BrokerId> {
        let keeps_up = |it: &Follower| it.caught_up.is_some_and(|at| at.elapsed() <= within);
        self.followers().into_iter().filter(keeps_up).map(|it| it.voter.broker()).collect()
    }

    fn members(&self) -> Members {
        Group::members(self)
    }

    fn set_members(&self, voters: BTreeSet<Voter>, learners: BTreeSet<Voter>) -> BoxFuture<Result<(), String>> {
        let group = self.clone();
        Box::pin(async move {
            match group.set_members(&voters, &learners).await {
                Ok(()) | Err(ChangeError::NotLeader { .. }) => Ok(()), // the next leader goes on
                Err(why) => Err(why.to_string()),
            }
        })
    }

    fn hand_over(&self, to: Option<Voter>) -> BoxFuture<()> {
        let group = self.clone();
        Box::pin(async move { drop(group.hand_over(to).await) })
    }

    fn report(&self) -> Option<Report> {
        Report::of(self)
    }
}

/// What other brokers may reach here. There before the broker is, which others help to start.
pub(crate) struct Links {
    me: BrokerId,
    /// The same, with its directory.
    voter: Voter,
    /// Another number with each start.
    pub(crate) incarnation: u64,
    /// `replica.lag.time.max.ms`
    lag_ms: AtomicU64,
    groups: RwLock<BTreeMap<GroupId, Here>>,
    controller: OnceLock<Controller>,
    peers: OnceLock<Peers>,
    broker: OnceLock<Weak<Broker>>,
    pub(crate) leaders: Leaders,
    /// Members of groups that this broker leads, which ask to be left out.
    pub(crate) void: Void,
    /// What is copied of shards' states: to this broker, and from it.
    pub(crate) taken: Throttle,
    pub(crate) given: Throttle,
}

struct Here {
    member: Arc<dyn Member>,
    status: watch::Receiver<Status>,
}

impl Links {
    pub(crate) fn new(me: &Identity) -> Arc<Links> {
        Arc::new(Links {
            me: me.broker,
            voter: Voter::new(me.broker, me.directory),
            incarnation: me.incarnation,
            lag_ms: AtomicU64::new(DEFAULT_LAG_MS),
            groups: RwLock::default(),
            controller: OnceLock::new(),
            peers: OnceLock::new(),
            broker: OnceLock::new(),
            leaders: Leaders::default(),
            void: Void::default(),
            taken: Throttle::new(DEFAULT_COPY_RATE),
            given: Throttle::new(DEFAULT_COPY_RATE),
        })
    }

    /// The connections; none while the broker is alone, or not started yet.
    pub(crate) fn peers(&self) -> Option<&Peers> {
        self.peers.get()
    }

    pub(crate) fn set_peers(&self, peers: Peers) {
        self.peers.set(peers).ok();
    }

    /// Lets others ask for what only a broker that has started can tell.
    pub(crate) fn set_broker(&self, broker: &Arc<Broker>) {
        self.broker.set(Arc::downgrade(broker)).ok();
    }

    /// This broker as a member of groups.
    pub(super) fn voter(&self) -> Voter {
        self.voter
    }

    fn broker(&self) -> Result<Arc<Broker>, String> {
        self.broker.get().and_then(Weak::upgrade).ok_or_else(|| format!("broker {} is starting", self.me))
    }

    pub(crate) fn set_controller(self: &Arc<Self>, controller: Controller) {
        self.add(GroupId::CONTROLLER, Arc::new(controller.group().clone()));
        self.controller.set(controller).ok();
    }

    /// Lets others reach a group's member here.
    pub(crate) fn add(self: &Arc<Self>, group: GroupId, member: Arc<dyn Member>) {
        let status = member.status();
        model::spawn(announce(Arc::downgrade(self), status.clone()));
        self.groups.write().unwrap_or_else(PoisonError::into_inner).insert(group, Here { member, status });
    }

    /// A shard with a replica here.
    pub(super) fn shard(&self, group: GroupId) -> Result<Shard, String> {
        let here = self.broker()?.shards.load().get(&group).map(|here| here.shard.clone());
        here.ok_or_else(|| format!("{group} does not run on broker {}", self.me))
    }

    /// A group has no member here any more.
    pub(crate) fn remove(&self, group: GroupId) {
        self.groups.write().unwrap_or_else(PoisonError::into_inner).remove(&group);
    }

    /// How it is with those of these groups that this broker leads.
    pub(super) fn reports(&self, groups: &[GroupId]) -> Vec<(GroupId, Report)> {
        groups.iter().filter_map(|group| Some((*group, self.member(*group)?.report()?))).collect()
    }

    /// What this broker has to tell of the groups that it leads, and of those that it follows closely; it has heard
    /// it, too.
    pub(crate) fn news(&self) -> Bytes {
        let told = |(group, term, member): (GroupId, u64, Arc<dyn Member>)| Told {
            group,
            term,
            in_sync: self.in_sync(&*member),
            members: member.members(),
        };
        let led: Vec<Told> = self.led().into_iter().map(told).collect();
        let readable = self.broker().map(|broker| broker.readable_shards()).unwrap_or_default();
        let news = news(&led, &readable);
        self.leaders.heard(self.me, &news);
        news
    }

    /// Tells all groups that a process is dead: those that it led elect at once.
    pub(crate) fn gone(&self, broker: BrokerId, incarnation: u64) {
        let groups = self.groups.read().unwrap_or_else(PoisonError::into_inner);
        groups.values().for_each(|here| drop(model::spawn(here.member.leader_gone(broker, incarnation))));
    }

    /// The groups that this broker leads, each with its term.
    pub(crate) fn led(&self) -> Vec<(GroupId, u64, Arc<dyn Member>)> {
        let groups = self.groups.read().unwrap_or_else(PoisonError::into_inner);
        let led = groups.iter().filter_map(|(group, here)| {
            let status = *here.status.borrow();
            let leads = status.ready && status.leader == Some(self.me);
            leads.then(|| (*group, status.term, here.member.clone()))
        });
        led.collect()
    }

    /// `replica.lag.time.max.ms`
    pub(crate) fn lag(&self) -> Duration {
        Duration::from_millis(self.lag_ms.load(Ordering::Relaxed))
    }

    /// The members of a group that this broker leads which keep up, this broker among them, by their ids.
    pub(crate) fn in_sync(&self, group: &dyn Member) -> Vec<BrokerId> {
        let mut in_sync = group.keeping_up(self.lag());
        in_sync.push(self.me);
        in_sync.sort_unstable();
        in_sync
    }

    /// Has others lead what this broker leads; resolves when they do.
    pub(crate) async fn hand_over(&self) {
        let led = self.led().into_iter().filter(|(_, _, member)| member.members().all_voters().len() > 1);
        join_all(led.map(|(_, _, member)| async move { member.hand_over(None).await })).await;
    }

    /// `catch.up.max.bytes.per.second`
    pub(crate) fn set_copy_rate(&self, bytes_per_second: u64) {
        self.taken.set(bytes_per_second);
        self.given.set(bytes_per_second);
    }

    pub(crate) fn set_lag_ms(&self, lag_ms: i64) {
        self.lag_ms.store(u64::try_from(lag_ms).unwrap_or(0), Ordering::Relaxed);
    }

    fn member(&self, group: GroupId) -> Option<Arc<dyn Member>> {
        self.groups.read().unwrap_or_else(PoisonError::into_inner).get(&group).map(|here| here.member.clone())
    }

    /// A `node.id` that nobody has had.
    async fn next_id(&self) -> Result<Bytes, String> {
        let controller = self.controller.get().ok_or(NOT_STARTED)?;
        let id = controller.allocate_broker_id().await.map_err(|why| why.to_string())?;
        Ok(Bytes::copy_from_slice(&id.0.to_le_bytes()))
    }

    /// The cluster's brokers that others reach, with where, as the image here has them.
    pub(crate) fn roster(&self) -> BTreeMap<BrokerId, Address> {
        self.controller.get().map(|controller| roster::of(&controller.image())).unwrap_or_default()
    }

    fn raft(&self, body: Bytes) -> Result<(Arc<dyn Member>, Voter, Request), String> {
        let (group, to, request) = decode_request(body).ok_or("a message that this version does not know")?;
        let member = self.member(group).ok_or_else(|| format!("group {group} has no member on broker {}", self.me))?;
        Ok((member, to, request))
    }
}

/// Tells all others at once when this broker begins to lead a group, until the group ends: clients are sent there.
async fn announce(links: Weak<Links>, mut status: watch::Receiver<Status>) {
    let mut told = 0;
    loop {
        let Some(links) = links.upgrade() else { return };
        let now = *status.borrow_and_update();
        if now.ready && now.leader == Some(links.me) && now.term > told {
            told = now.term;
            links.news();
            links.peers().into_iter().for_each(Peers::spread_news);
        }
        drop(links);
        if status.changed().await.is_err() {
            return;
        }
    }
}

/// What the connections call. They are of the links themselves, which could never go if this held them.
pub(crate) struct Face(pub(crate) Weak<Links>);

impl peer::Service for Face {
    fn serve(&self, from: &Identity, kind: u8, body: Bytes) -> BoxFuture<Result<Message, String>> {
        match self.0.upgrade() {
            Some(links) => links.serve(Voter::new(from.broker, from.directory), kind, body),
            None => Box::pin(async { Err("this broker has stopped".to_owned()) }),
        }
    }

    fn news(&self) -> Bytes {
        self.0.upgrade().map_or_else(Bytes::new, |links| links.news())
    }

    fn heard(&self, from: &Identity, news: Bytes) {
        if let Some(links) = self.0.upgrade().filter(|_| !news.is_empty()) {
            links.leaders.heard(from.broker, &news);
        }
    }
}

impl Links {
    /// Asks a broker, which may be this one.
    pub(super) async fn ask(self: &Arc<Self>, to: BrokerId, kind: u8, body: Bytes) -> Result<Bytes, String> {
        if to == self.me {
            return self.clone().serve(self.voter, kind, body).await.map(Bytes::from);
        }
        let peers = self.peers().ok_or("this broker is alone")?;
        peers.call(to, kind, Urgency::Bulk, Message::from(body)).await.map_err(|why| why.to_string())
    }

    fn serve(self: Arc<Self>, from: Voter, kind: u8, body: Bytes) -> BoxFuture<Result<Message, String>> {
        let links = self;
        match kind {
            kinds::RAFT => {
                let received = links.raft(body).map(|(member, to, request)| member.receive(to, request));
                Box::pin(async move {
                    let reply = received?.await.map_err(|why| why.to_string())?;
                    Ok(Message::from(encode_reply(&reply)))
                })
            }
            kinds::COMMAND => Box::pin(async move {
                let controller = links.controller.get().ok_or(NOT_STARTED)?;
                Ok(Message::from(controller.receive(body).await))
            }),
            kinds::STANDING => Box::pin(async { Ok(Message::default()) }),
            kinds::ROSTER => Box::pin(async move { Ok(Message::from(roster::encode(&links.roster()))) }),
            kinds::REPORT => Box::pin(async move {
                let groups: Vec<GroupId> = report::asked(&body).collect();
                Ok(Message::from(report::answer(&links.reports(&groups))))
            }),
            kinds::REJOIN => Box::pin(async move {
                let groups: Vec<GroupId> = report::asked(&body).collect();
                let reports = links.reports(&groups);
                reports.iter().for_each(|(group, _)| links.void.note(*group, from, Instant::now()));
                Ok(Message::from(report::answer(&reports)))
            }),
            kinds::STANDING_OF => Box::pin(async move {
                let groups: Vec<GroupId> = report::asked(&body).collect();
                Ok(Message::from(links.broker()?.standings(&groups)))
            }),
            kinds::HAND_OVER => Box::pin(async move {
                let (group, to) = hand_over::ordered(&body).ok_or("an order of another version")?;
                links.hand_over_to(group, to).await;
                Ok(Message::default())
            }),
            kinds::JOIN => Box::pin(async move { links.next_id().await.map(Message::from) }),
            kinds::MOVE => Box::pin(async move { Question::serve(&links.broker()?, body).await }),
            kinds::BATCHES => Box::pin(async move { mending::serve(&links, links.broker()?, body).await }),
            kinds::CATCH_UP => Box::pin(async move { catch_up::serve(&links, body).await }),
            other => Box::pin(async move { Err(format!("calls of kind {other} are not known to this version")) }),
        }
    }
}
