//! What the cluster does by itself, as the controller's planner says: brokers that are silent are fenced, others take
//! over from those that are lost or drained, newcomers get their part, leadership goes to who should have it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use controller::plan::{GroupSeen, HandOver, Known, Policy, Seen, commands, hand_overs};
use controller::{ClusterImage, Command};
use model::{BrokerId, GroupId};
use peer::PeerState;
use tokio::time::{Instant, sleep};

use super::members::is_as_wanted;
use crate::broker::Broker;
use crate::start::shards_per_broker;

/// How often to look.
const PERIOD: Duration = Duration::from_millis(500);

/// Looks after the cluster until the broker stops.
pub(crate) async fn run(broker: Arc<Broker>) {
    let mut observer = Observer::new();
    loop {
        tokio::select! {
            biased;
            () = broker.stop.requested() => return,
            () = sleep(PERIOD) => {}
        }
        let image = broker.image();
        broker.links.news(); // of what this broker leads, which nobody asks for while it has no connections
        let known = Known { brokers: observer.look(&broker, &image), groups: groups(&broker, &image) };
        let policy = policy(&broker);
        act(&broker, &image, &known, &policy).await;
        if broker.config().auto_leader_rebalance_enable() {
            hand_over(&broker, hand_overs(&image, &known, &policy)).await;
        }
    }
}

fn policy(broker: &Broker) -> Policy {
    let config = broker.config();
    let ms = |value: i64| Duration::from_millis(u64::try_from(value).unwrap_or(0));
    Policy {
        session_timeout: ms(config.broker_session_timeout_ms().into()),
        replacement: ms(config.broker_replacement_ms()),
        internal_replicas: usize::try_from(config.offsets_topic_replication_factor()).unwrap_or(1),
        shards_per_broker: shards_per_broker(&config),
        ..Policy::default()
    }
}

/// Has carried out what is planned, if this broker leads the controller.
async fn act(broker: &Broker, image: &ClusterImage, known: &Known, policy: &Policy) {
    let leads = broker.links.led().iter().any(|(group, _, _)| *group == GroupId::CONTROLLER);
    if !leads {
        return;
    }
    for command in commands(image, known, policy, broker.env.clock.now_ms()) {
        tell(&command);
        if let Err(why) = broker.controller.submit(command).await {
            tracing::warn!(%why, "that could not be made known, to be tried again");
        }
    }
}

fn tell(command: &Command) {
    let shown = |ids: &[BrokerId]| ids.iter().map(BrokerId::to_string).collect::<Vec<_>>().join(",");
    match command {
        Command::FenceBroker(change) => {
            tracing::info!(broker = %change.id, fenced = change.fenced, "a broker is taken for dead, or for alive again");
        }
        Command::SetControllers(change) => {
            tracing::info!(from = shown(&change.from), to = shown(&change.to), "the controller's voters change");
        }
        Command::ChangeShardMembers(change) => {
            for change in &change.shards {
                let (from, to) = (shown(&change.from), shown(&change.to));
                tracing::info!(shard = %change.shard, from, to, "a shard is to have other members");
            }
        }
        Command::CreateShards(create) => {
            for wish in &create.wishes {
                tracing::info!(members = shown(&wish.members), in_all = wish.at_least, "shards are added");
            }
        }
        other => tracing::info!(kind = other.kind(), "a change is planned"),
    }
}

/// Hands over the shards that this broker leads and others should.
async fn hand_over(broker: &Broker, wanted: Vec<HandOver>) {
    for HandOver { shard, to, .. } in wanted.into_iter().filter(|it| it.from == broker.id()) {
        tracing::info!(%shard, %to, "leadership is handed over, for balance");
        broker.links.hand_over_to(shard, to).await;
    }
}

fn groups(broker: &Broker, image: &ClusterImage) -> BTreeMap<GroupId, GroupSeen> {
    let seen = |group: GroupId| {
        let lead = broker.lead_of(group)?;
        let members = lead.members?;
        let in_sync = lead.in_sync.iter().copied().collect();
        let is_changing = !is_as_wanted(&members, &members.all_voters(), &image.learners(group));
        Some((group, GroupSeen { leader: lead.leader, voters: members.all_voters(), is_changing, in_sync }))
    };
    image.shards().map(|shard| shard.id).chain([GroupId::CONTROLLER]).filter_map(seen).collect()
}

/// Since when each broker is there, or away.
struct Observer {
    begun: Instant,
    brokers: BTreeMap<BrokerId, Track>,
}

#[derive(Clone, Copy)]
struct Track {
    last: Instant,
    /// Since when without a break; none while it is away.
    up_since: Option<Instant>,
}

impl Observer {
    fn new() -> Self {
        Observer { begun: Instant::now(), brokers: BTreeMap::new() }
    }

    /// Looks who is there, and tells how each broker of the image is heard of.
    fn look(&mut self, broker: &Broker, image: &ClusterImage) -> BTreeMap<BrokerId, Seen> {
        let (now, begun) = (Instant::now(), self.begun);
        let states = broker.links.peers().map(|peers| peers.states().borrow().clone()).unwrap_or_default();
        self.brokers.retain(|id, _| image.broker(*id).is_some());
        let seen = image.brokers().map(|known| {
            let state = states.get(&known.id);
            let identity = state.and_then(PeerState::identity);
            let track = self.brokers.entry(known.id).or_insert(Track { last: begun, up_since: None });
            if known.id == broker.id() || identity.is_some() {
                track.last = now;
                track.up_since.get_or_insert(now);
            } else {
                track.up_since = None;
            }
            let seen = Seen {
                silent: now.duration_since(track.last),
                steady: track.up_since.map_or(Duration::ZERO, |since| now.duration_since(since)),
                gone: state.is_some_and(PeerState::is_gone),
                directory: identity.map_or(known.directory, |identity| identity.directory),
            };
            (known.id, seen)
        });
        seen.collect()
    }
}
