//! Commands about brokers.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{BrokerId, ErrorCode};

use super::shards::{self, FIRST_SHARD, MAX_SHARDS};
use super::{MAX_CONTROLLERS, Outcome, Refusal, features};
use crate::command::{Bootstrap, DrainBroker, FenceBroker, Registration, ShardWish, UnregisterBroker};
use crate::image::{BrokerImage, Draft, Resource};

/// The setting of all brokers that names those which are drained: what is wished for, in a form that Kafka's tools
/// read and change. A broker's own mark follows it.
pub const DRAINED: &str = "drained.brokers";

/// The epoch of a broker that others named as a founder of the cluster: below all that register.
const UNREGISTERED: u64 = 0;

pub(super) fn bootstrap(draft: &mut Draft, command: Bootstrap, index: u64) -> Result<Outcome, Refusal> {
    if draft.image().is_bootstrapped() {
        let message = format!("The cluster {} exists already.", draft.image().cluster_id());
        return Err(Refusal::new(ErrorCode::InconsistentClusterId, message));
    }
    if command.cluster_id.is_empty() || command.shards == 0 || command.shards as usize > MAX_SHARDS {
        return Err(Refusal::invalid_request("A cluster needs an id, and a broker at least one shard."));
    }
    let ids: BTreeSet<BrokerId> = [&command.broker].into_iter().chain(&command.founders).map(|it| it.id).collect();
    if ids.len() != command.founders.len() + 1 {
        return Err(Refusal::invalid_request("Two founders of the cluster have the same broker id."));
    }
    let finalized = features::merge(draft.image().features(), &command.features, index)?;
    let members = vec![command.broker.id];
    draft.set_cluster_id(&command.cluster_id);
    draft.set_features(finalized);
    draft.set_next_shard(FIRST_SHARD);
    let mut controllers = members.clone();
    put(draft, command.broker, index);
    for founder in command.founders {
        controllers.push(founder.id);
        let founder = image_of(founder, UNREGISTERED);
        draft.put_broker(BrokerImage { fenced: true, ..founder });
    }
    controllers.truncate(MAX_CONTROLLERS);
    draft.set_controllers(controllers);
    shards::fulfil(draft, &ShardWish { members, at_least: command.shards, pinned: false });
    Ok(Outcome::Bootstrapped)
}

/// A directory that is not the one known under this broker's id is another replica: it may take
/// the id over only from a broker that is known not to serve.
pub(super) fn register(draft: &mut Draft, command: Registration, index: u64) -> Result<Outcome, Refusal> {
    if !draft.image().is_bootstrapped() {
        // The founders stand in the first command, fenced: it would undo this.
        return Err(Refusal::stale("The cluster is not founded yet."));
    }
    let known = draft.image().broker(command.id);
    if known.is_some_and(|known| known.directory != command.directory && !known.fenced) {
        let message = "Another broker is registered with that broker id.";
        return Err(Refusal::new(ErrorCode::DuplicateBrokerRegistration, message));
    }
    put(draft, command, index);
    Ok(Outcome::BrokerRegistered { epoch: index })
}

/// Gives away an id that no broker has or had.
pub(super) fn allocate_id(draft: &mut Draft) -> Result<Outcome, Refusal> {
    let image = draft.image();
    let last = image.brokers().map(|broker| broker.id.0).max().unwrap_or(0);
    let id = image.next_broker().max(last.saturating_add(1));
    if id == i32::MAX {
        return Err(Refusal::new(ErrorCode::PolicyViolation, "No broker id is left: give the new broker one."));
    }
    draft.set_next_broker(id + 1);
    Ok(Outcome::BrokerId(BrokerId(id)))
}

fn put(draft: &mut Draft, broker: Registration, epoch: u64) {
    let drained = drained(draft).contains(&broker.id);
    draft.put_broker(BrokerImage { drained, ..image_of(broker, epoch) });
}

fn image_of(broker: Registration, epoch: u64) -> BrokerImage {
    let Registration { id, directory, rack, listeners, cluster, shards } = broker;
    let (fenced, drained, away_since_ms) = (false, false, None);
    BrokerImage { id, directory, rack, listeners, fenced, epoch, cluster, shards, drained, away_since_ms }
}

/// Who is fenced again keeps the time since when it is away.
pub(super) fn fence(draft: &mut Draft, command: &FenceBroker) -> Result<Outcome, Refusal> {
    let mut broker = BrokerImage::clone(registered(draft, command.id)?.as_ref());
    if broker.epoch != command.epoch {
        let message = format!("Expected broker epoch {}, but got broker epoch {}", broker.epoch, command.epoch);
        return Err(Refusal::new(ErrorCode::StaleBrokerEpoch, message));
    }
    broker.away_since_ms = if command.fenced { broker.away_since_ms.or(command.at_ms) } else { None };
    broker.fenced = command.fenced;
    draft.put_broker(broker);
    Ok(Outcome::BrokerFenced)
}

pub(super) fn drain(draft: &mut Draft, command: &DrainBroker) -> Result<Outcome, Refusal> {
    registered(draft, command.id)?;
    set_drained(draft, command.id, command.drained);
    Ok(Outcome::BrokerDrained)
}

fn set_drained(draft: &mut Draft, id: BrokerId, is_drained: bool) {
    let mut ids = drained(draft);
    let changed = if is_drained { ids.insert(id) } else { ids.remove(&id) };
    if !changed {
        return;
    }
    let mut settings = draft.image().settings(&Resource::ClusterDefault).cloned().unwrap_or_default();
    let list = ids.iter().map(BrokerId::to_string).collect::<Vec<_>>().join(",");
    match list.is_empty() {
        true => settings.remove(DRAINED),
        false => settings.insert(DRAINED.to_owned(), list),
    };
    draft.put_settings(Resource::ClusterDefault, settings);
    follow_drained(draft);
}

/// The brokers that the setting names, whether they are registered or not.
fn drained(draft: &Draft) -> BTreeSet<BrokerId> {
    let settings = draft.image().settings(&Resource::ClusterDefault);
    let list = settings.and_then(|settings| settings.get(DRAINED)).map_or("", String::as_str);
    list.split(',').filter_map(|id| id.trim().parse().ok()).map(BrokerId).collect()
}

/// Has the brokers be as the setting says.
pub(super) fn follow_drained(draft: &mut Draft) {
    let ids = drained(draft);
    let differs = |broker: &&Arc<BrokerImage>| broker.drained != ids.contains(&broker.id);
    let others: Vec<BrokerImage> = draft.image().brokers().filter(differs).map(|it| BrokerImage::clone(it)).collect();
    for broker in others {
        draft.put_broker(BrokerImage { drained: !broker.drained, ..broker });
    }
}

/// Forgets a broker. Kafka would leave its replicas behind; here they would be voters that never
/// answer.
pub(super) fn unregister(draft: &mut Draft, command: &UnregisterBroker) -> Result<Outcome, Refusal> {
    let id = command.id;
    let image = draft.image();
    if image.broker(id).is_none() {
        let message = format!("Broker ID {id} is not currently registered");
        return Err(Refusal::new(ErrorCode::BrokerIdNotRegistered, message));
    }
    let carried = image.shards().filter(|shard| shard.members.contains(&id)).count();
    if carried > 0 {
        let message = format!(
            "Broker {id} has replicas in {carried} shard(s): drain it (`tidelog cluster drain {id}`) and wait until others have them."
        );
        return Err(Refusal::invalid_request(message));
    }
    if image.controllers().contains(&id) {
        return Err(Refusal::invalid_request(format!(
            "Broker {id} votes in the controller's group: drain it (`tidelog cluster drain {id}`) first."
        )));
    }
    let next = image.next_broker().max(id.0.saturating_add(1));
    draft.set_next_broker(next); // the id is not for the next one to join
    set_drained(draft, id, false);
    draft.remove_broker(id);
    Ok(Outcome::BrokerUnregistered)
}

pub(super) fn registered(draft: &Draft, id: BrokerId) -> Result<Arc<BrokerImage>, Refusal> {
    let unknown = || Refusal::new(ErrorCode::BrokerIdNotRegistered, format!("Broker ID {id} not found."));
    draft.image().broker(id).cloned().ok_or_else(unknown)
}
