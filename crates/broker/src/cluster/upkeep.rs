//! What the cluster does by itself: brokers that are silent are fenced, leadership goes to who should have it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use controller::plan::{GroupSeen, HandOver, Known, Policy, Seen, hand_overs, liveness};
use controller::{ClusterImage, Command};
use model::{BrokerId, GroupId};
use peer::PeerState;
use tokio::time::{Instant, sleep};

use super::links::Member;
use crate::broker::Broker;

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
        let known = Known { brokers: observer.look(&broker, &image), groups: groups(&broker, &image) };
        let policy = policy(&broker);
        fence(&broker, &image, &known, &policy).await;
        if broker.config().auto_leader_rebalance_enable() {
            hand_over(&broker, hand_overs(&image, &known, &policy)).await;
        }
    }
}

fn policy(broker: &Broker) -> Policy {
    let session_timeout_ms = broker.config().broker_session_timeout_ms();
    let session_timeout = Duration::from_millis(u64::try_from(session_timeout_ms).unwrap_or(0));
    Policy { session_timeout, ..Policy::default() }
}

/// Takes brokers that are silent for dead, and those that are back for alive, if this broker leads the controller.
async fn fence(broker: &Broker, image: &ClusterImage, known: &Known, policy: &Policy) {
    let leads = broker.links.led().iter().any(|(group, _, _)| *group == GroupId::CONTROLLER);
    if !leads {
        return;
    }
    for change in liveness(image, known, policy, broker.env.clock.now_ms()) {
        tracing::info!(broker = %change.id, fenced = change.fenced, "a broker is taken for dead, or for alive again");
        if let Err(why) = broker.controller.submit(Command::FenceBroker(change)).await {
            tracing::warn!(%why, "that could not be made known, to be tried again");
        }
    }
}

/// Hands over the shards that this broker leads and others should.
async fn hand_over(broker: &Broker, wanted: Vec<HandOver>) {
    let led: BTreeMap<GroupId, Arc<dyn Member>> =
        broker.links.led().into_iter().map(|(group, _, member)| (group, member)).collect();
    for HandOver { shard, to, .. } in wanted.into_iter().filter(|it| it.from == broker.id()) {
        let Some(member) = led.get(&shard) else { continue };
        let Some(voter) = member.members().all_voters().into_iter().find(|voter| voter.broker() == to) else {
            continue;
        };
        tracing::info!(%shard, %to, "leadership is handed over, for balance");
        member.hand_over(Some(voter)).await;
    }
}

fn groups(broker: &Broker, image: &ClusterImage) -> BTreeMap<GroupId, GroupSeen> {
    let seen = |group: GroupId| {
        let lead = broker.lead_of(group)?;
        let in_sync = lead.in_sync.iter().copied().collect();
        Some((group, GroupSeen { leader: lead.leader, voters: image.voters(group), in_sync }))
    };
    image.shards().filter_map(|shard| seen(shard.id)).collect()
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
