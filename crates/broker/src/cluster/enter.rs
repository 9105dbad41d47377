//! From a data directory to a place in a cluster.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use config::{BrokerConfig, ClusterConfig, HostPort};
use model::BrokerId;
use peer::{CallError, Dialer, Identity, Message, Options, Peers, Secret};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::certificates;
use super::founding::{address, found, founders};
use super::kinds;
use super::links::{Face, Links};
use super::port::Port;
use crate::env::Env;
use crate::error::StartError;
use crate::meta::Meta;

/// How long a cluster that is being started may take to give an id.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two questions for one.
const PAUSE: Duration = Duration::from_millis(200);

/// Who a broker is while it asks for its id.
const NOBODY: BrokerId = BrokerId(i32::MAX);

/// Gives a new directory its identity, opens the cluster port, and finds or founds the cluster.
pub(crate) async fn enter(
    config: &BrokerConfig,
    env: &Env,
    dir: &Path,
    meta: Option<Meta>,
    port: Option<Port>,
) -> Result<(Meta, Arc<Links>), StartError> {
    let (Some(cluster), Some(port)) = (config.cluster_config(), port) else {
        return alone(config, env, dir, meta);
    };
    let secret = secret(config)?;
    let dialer = certificates::dialer(cluster.tls.as_ref(), env, &port.address).await?;
    let mut meta = match meta {
        Some(meta) => meta,
        None => {
            let id = match config.has_node_id() || cluster.join.is_empty() {
                true => config.node_id(),
                false => ask_for_id(cluster, env, (&secret, &dialer), &port).await?,
            };
            Meta::make(env, dir, id.0)?
        }
    };
    let (me, random) = (BrokerId(meta.node_id), &*env.random);
    let known = meta.cluster().map(str::to_owned);
    let identity = Identity::new(me, meta.directory_id, port.address.clone(), known, random);
    let links = Links::new(&identity);
    let peers = connections(&identity, (secret, dialer), env, &links);
    links.set_peers(peers.clone());
    port.open(&peers);
    if meta.cluster().is_none() {
        let founding = match cluster.nodes.is_empty() && cluster.join.is_empty() {
            true => meta.alone(env),
            false => found(&peers, &identity, cluster, random).await,
        };
        meta.settle(env, dir, founding)?;
        peers.set_cluster(&meta.cluster_id);
    }
    let mut others = founders(config);
    others.remove(&me);
    peers.know(others);
    Ok((meta, links))
}

/// Without a cluster port.
fn alone(config: &BrokerConfig, env: &Env, dir: &Path, meta: Option<Meta>) -> Result<(Meta, Arc<Links>), StartError> {
    let meta = match meta {
        None => Meta::make_alone(env, dir, config.node_id().0)?,
        Some(mut meta) => {
            if meta.cluster().is_none() {
                meta.settle(env, dir, meta.alone(env))?; // the others were never found
            }
            meta
        }
    };
    let nowhere = peer::Address { host: "localhost".to_owned(), port: 0 };
    let me = Identity::new(BrokerId(meta.node_id), meta.directory_id, nowhere, None, &*env.random);
    Ok((meta, Links::new(&me)))
}

fn connections(me: &Identity, (secret, dialer): (Secret, Arc<dyn Dialer>), env: &Env, links: &Arc<Links>) -> Peers {
    let face = Arc::new(Face(Arc::downgrade(links)));
    Peers::new(me.clone(), secret, Options::default(), dialer, face, env.random.clone())
}

/// Has the cluster that this broker joins choose its `node.id`. One that is just being started is waited for.
async fn ask_for_id(
    cluster: &ClusterConfig,
    env: &Env,
    (secret, dialer): (&Secret, &Arc<dyn Dialer>),
    port: &Port,
) -> Result<BrokerId, StartError> {
    let nobody = Identity::new(NOBODY, Uuid::nil(), port.address.clone(), None, &*env.random);
    let peers = connections(&nobody, (secret.clone(), dialer.clone()), env, &Links::new(&nobody));
    let begun = Instant::now();
    let asked = loop {
        match ask_each(&peers, &cluster.join).await {
            Err(NotGiven { is_starting: true, .. }) if begun.elapsed() < PATIENCE => sleep(PAUSE).await,
            asked => break asked,
        }
    };
    peers.shutdown().await;
    asked.map_err(|NotGiven { why, .. }| StartError::Join(why))
}

/// Why there is no id.
struct NotGiven {
    /// Whether somebody is there who could not give one.
    is_starting: bool,
    why: String,
}

async fn ask_each(peers: &Peers, places: &[HostPort]) -> Result<BrokerId, NotGiven> {
    let (mut refused, mut is_starting) = (Vec::new(), false);
    for place in places {
        match peers.ask(&address(place), kinds::JOIN, Message::default()).await {
            Ok((_, answer)) => match <[u8; 4]>::try_from(&answer[..]) {
                Ok(id) => return Ok(BrokerId(i32::from_le_bytes(id))),
                Err(_) => refused.push(format!("{place} answered in words of another version")),
            },
            Err(why) => {
                is_starting |= matches!(why, CallError::Failed(_));
                refused.push(format!("{place}: {why}"));
            }
        }
    }
    Err(NotGiven { is_starting, why: refused.join("; ") })
}

fn secret(config: &BrokerConfig) -> Result<Secret, StartError> {
    let text = config.cluster_secret().ok_or_else(|| StartError::Secret("none is set".to_owned()))?;
    text.parse().map_err(|why: peer::SecretError| StartError::Secret(why.to_string()))
}
