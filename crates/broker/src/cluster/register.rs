//! Making this broker known to the cluster, or making the cluster.

use std::sync::Arc;
use std::time::Duration;

use config::BrokerConfig;
use controller::{Bootstrap, Command, Controller, Registration, SubmitError};
use peer::{Address, Message};
use tokio::time::{Instant, sleep};

use super::founding::address;
use super::kinds;
use super::links::Links;
use crate::error::StartError;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// How long brokers that start side by side wait for one another without a word in the log.
const UNEVENTFUL: Duration = Duration::from_secs(3);

/// Resolves when this broker's own image holds its registration. `bootstrap` comes from who founds the cluster alone.
pub(crate) async fn register(
    links: &Arc<Links>,
    config: &BrokerConfig,
    controller: &Controller,
    bootstrap: Option<Bootstrap>,
    registration: Registration,
) -> Result<(), StartError> {
    if links.peers().is_none() {
        controller.ready().await?;
        if let Some(bootstrap) = bootstrap {
            controller.bootstrap(bootstrap).await?;
        }
        return Ok(controller.register(registration).await?);
    }
    let mut status = controller.status();
    let (begun, mut told) = (Instant::now(), String::new());
    loop {
        let leader = status.borrow_and_update().leader;
        let done = match leader {
            Some(_) => as_member(controller, bootstrap.as_ref(), &registration).await,
            None if bootstrap.is_some() => Err("the controller has no leader yet".to_owned()),
            None => as_stranger(links, config, &registration).await,
        };
        match done {
            Ok(()) => break,
            Err(why) if told != why && begun.elapsed() > UNEVENTFUL => {
                tracing::warn!(why, "this broker is not registered yet");
                told = why;
            }
            Err(_) => {}
        }
        tokio::select! {
            biased;
            changed = status.changed() => if changed.is_err() { return Ok(controller.ready().await?) },
            () = sleep(PAUSE) => {}
        }
    }
    let mut images = controller.watch();
    let is_known = |image: &Arc<controller::ClusterImage>| {
        image.broker(registration.id).is_some_and(|known| registration.is_same_as(known))
    };
    images.wait_for(is_known).await.map(drop).map_err(|_| StartError::Controller(controller::ControllerError::Stopped))
}

/// Through the group, whose leader is known.
async fn as_member(
    controller: &Controller,
    bootstrap: Option<&Bootstrap>,
    broker: &Registration,
) -> Result<(), String> {
    let refused = |why: SubmitError| why.to_string();
    if !controller.image().is_bootstrapped() {
        let bootstrap = bootstrap.ok_or("the broker that founds the cluster has not done so yet")?;
        controller.bootstrap(bootstrap.clone()).await.map_err(refused)?;
    }
    controller.register(broker.clone()).await.map_err(refused)
}

/// Through any broker that answers: nobody sends this one the group's log before it is registered.
async fn as_stranger(links: &Links, config: &BrokerConfig, broker: &Registration) -> Result<(), String> {
    let Some(peers) = links.peers() else { return Ok(()) };
    let mut refused = "the controller has no leader yet".to_owned();
    for place in places(config) {
        let command = Command::RegisterBroker(broker.clone()).encode();
        match peers.ask(&place, kinds::RELAY, Message::from(command)).await {
            Ok(_) => return Ok(()),
            Err(peer::CallError::Myself) => {}
            Err(why) => refused = format!("{place}: {why}"),
        }
    }
    Err(refused)
}

fn places(config: &BrokerConfig) -> Vec<Address> {
    let cluster = config.cluster_config().into_iter();
    cluster.flat_map(|cluster| cluster.join.iter().chain(cluster.nodes.values())).map(address).collect()
}
