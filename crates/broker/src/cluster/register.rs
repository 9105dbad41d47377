//! Making this broker known to the cluster, or making the cluster.
//!
//! Nobody sends a broker the controller's log before it is registered: so it asks those that the settings name where
//! all brokers are, keeps connections with them, and hears from whoever leads the controller that it does.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use config::BrokerConfig;
use controller::{Bootstrap, ClusterImage, Controller, ControllerError, Registration, SubmitError};
use model::{BrokerId, GroupId};
use peer::{Address, CallError, Message, Peers};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::founding::{address, founders};
use super::kinds;
use super::links::Links;
use super::roster;
use crate::error::StartError;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// How long brokers that start side by side wait for one another without a word in the log.
const UNEVENTFUL: Duration = Duration::from_secs(3);

/// Resolves when this broker's own image holds its registration. `bootstrap` comes from who founds the cluster.
pub(crate) async fn register(
    links: &Arc<Links>,
    config: &BrokerConfig,
    controller: &Controller,
    bootstrap: Option<Bootstrap>,
    registration: Registration,
) -> Result<(), StartError> {
    let Some(peers) = links.peers() else {
        controller.ready().await?;
        return Ok(once(controller, bootstrap.as_ref(), &registration).await?);
    };
    let troubles = watch::Sender::new(String::new());
    tokio::select! {
        biased;
        registered = among_others(links, controller, bootstrap.as_ref(), &registration, &troubles) => registered?,
        never = meet(links, peers, config, &troubles) => match never {},
    }
    let mut images = controller.watch();
    let is_known =
        |image: &Arc<ClusterImage>| image.broker(registration.id).is_some_and(|known| registration.is_same_as(known));
    images.wait_for(is_known).await.map(drop).map_err(|_| StartError::Controller(ControllerError::Stopped))
}

/// Tries until it is done.
async fn among_others(
    links: &Links,
    controller: &Controller,
    bootstrap: Option<&Bootstrap>,
    registration: &Registration,
    troubles: &watch::Sender<String>,
) -> Result<(), StartError> {
    let mut status = controller.status();
    let (begun, mut told) = (Instant::now(), String::new());
    loop {
        let leader = status.borrow_and_update().leader.or_else(|| controller_leader(links));
        let why = match leader {
            Some(_) => match once(controller, bootstrap, registration).await {
                Ok(()) => return Ok(()),
                Err(why) => why.to_string(),
            },
            None => format!("the controller has no leader yet{}", *troubles.borrow()),
        };
        if told != why && begun.elapsed() > UNEVENTFUL {
            tracing::warn!(why, "this broker is not registered yet");
            told = why;
        }
        tokio::select! {
            biased;
            changed = status.changed() => if changed.is_err() { return Ok(controller.ready().await?) },
            () = sleep(PAUSE) => {}
        }
    }
}

fn controller_leader(links: &Links) -> Option<BrokerId> {
    links.leaders.of(GroupId::CONTROLLER).map(|lead| lead.leader)
}

async fn once(
    controller: &Controller,
    bootstrap: Option<&Bootstrap>,
    broker: &Registration,
) -> Result<(), SubmitError> {
    if let Some(bootstrap) = bootstrap.filter(|_| !controller.image().is_bootstrapped()) {
        controller.bootstrap(bootstrap.clone()).await?;
    }
    controller.register(broker.clone()).await
}

/// Keeps connections with the brokers that are known, and asks those in the settings for more.
pub(super) async fn meet(
    links: &Links,
    peers: &Peers,
    config: &BrokerConfig,
    troubles: &watch::Sender<String>,
) -> Infallible {
    let cluster = config.cluster_config();
    let listed = cluster.into_iter().flat_map(|cluster| cluster.join.iter().chain(cluster.nodes.values()));
    let listed: Vec<Address> = listed.map(address).collect();
    let mut known = founders(config);
    loop {
        known.extend(links.roster());
        let mut failed = String::new();
        for place in &listed {
            match peers.ask(place, kinds::ROSTER, Message::default()).await {
                Ok((identity, brokers)) => {
                    known.insert(identity.broker, identity.address);
                    known.extend(roster::decode(&brokers).unwrap_or_default());
                }
                Err(CallError::Myself) => {}
                Err(why) => failed.push_str(&format!("; {place}: {why}")),
            }
        }
        known.remove(&peers.me().broker);
        peers.know(known.clone());
        troubles.send_replace(failed);
        sleep(PAUSE).await;
    }
}
