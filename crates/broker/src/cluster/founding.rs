//! Finding the cluster that a new broker belongs to, or founding it.
//!
//! Every founder asks each of the others until all have answered. If one of them belongs to a cluster
//! already, that is the one; this broker only lost its disk, or is late. If all are new, the one with the
//! lowest id founds: it chooses the cluster's id, and the controller's first voters are the brokers with the
//! directories that answered. The others take over the id from it. So it happens once, in any order of starts.

use std::collections::BTreeMap;
use std::time::Duration;

use config::{BrokerConfig, ClusterConfig};
use model::{BrokerId, Random};
use peer::{Address, Identity, Message, Peers};
use tokio::time::{Instant, sleep};

use super::kinds;
use crate::meta::{Founder, Founding, new_cluster_id};

/// Between two rounds of questions.
const PAUSE: Duration = Duration::from_millis(50);

/// How often to say whom we wait for.
const REMINDER: Duration = Duration::from_secs(10);

/// Asks until it is known which cluster this is.
pub(crate) async fn found(peers: &Peers, me: &Identity, config: &ClusterConfig, random: &dyn Random) -> Founding {
    let mut others: BTreeMap<BrokerId, Identity> = BTreeMap::new();
    let founders = config.nodes.iter().filter(|(id, _)| **id != me.broker);
    let asked: Vec<(Option<BrokerId>, Address)> = match config.nodes.is_empty() {
        false => founders.map(|(id, place)| (Some(*id), address(place))).collect(),
        true => config.join.iter().map(|place| (None, address(place))).collect(),
    };
    let mut told = Instant::now();
    loop {
        let mut missing = Vec::new();
        for (id, place) in &asked {
            let answer = peers.ask(place, kinds::STANDING, Message::default()).await;
            match answer.map_err(|why| why.to_string()).and_then(|(identity, _)| expected(*id, identity)) {
                Ok(Identity { cluster: Some(id), .. }) => return Founding::member(id),
                Ok(identity) => drop(others.insert(identity.broker, identity)),
                Err(why) => missing.push(format!("{place}: {why}")),
            }
        }
        let founds = !config.nodes.is_empty() && config.nodes.keys().next() == Some(&me.broker);
        if founds && missing.is_empty() {
            let founder = |it: &Identity| Founder { node_id: it.broker.0, directory_id: it.directory };
            let founders: Vec<Founder> = others.values().chain([me]).map(founder).collect();
            let cluster_id = new_cluster_id(random);
            tracing::info!(cluster = cluster_id, founders = founders.len(), "a cluster is founded");
            return Founding { cluster_id, founders };
        }
        if told.elapsed() >= REMINDER {
            told = Instant::now();
            let waiting_for = if missing.is_empty() { "the founder".to_owned() } else { missing.join("; ") };
            tracing::warn!(waiting_for, "the cluster is not found yet");
        }
        sleep(PAUSE).await;
    }
}

/// At each address there must be the broker whose it is in the list.
fn expected(id: Option<BrokerId>, found: Identity) -> Result<Identity, String> {
    match id {
        Some(id) if id != found.broker => Err(format!(
            "there is node.id {} where cluster.nodes has {id}; give each node the same list and its own id",
            found.broker
        )),
        _ => Ok(found),
    }
}

/// The brokers that found the cluster, as each is told.
pub(super) fn founders(config: &BrokerConfig) -> BTreeMap<BrokerId, Address> {
    let nodes = config.cluster_config().into_iter().flat_map(|cluster| &cluster.nodes);
    nodes.map(|(id, place)| (*id, address(place))).collect()
}

/// A configured address, as the cluster port's protocol has it.
pub(crate) fn address(place: &config::HostPort) -> Address {
    Address { host: place.host.clone(), port: place.port }
}
