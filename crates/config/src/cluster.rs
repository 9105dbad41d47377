//! How a broker finds its cluster, and the others find it: `cluster.nodes`, `cluster.join`, its cluster port.

use std::collections::BTreeMap;
use std::path::PathBuf;

use model::BrokerId;

use crate::broker::Layers;
use crate::error::ConfigError;
use crate::listeners::HostPort;

/// Where the port of an address in the cluster is left out.
const CLUSTER_PORT: u16 = 9093;

/// What a broker that is not alone knows of its cluster before it has found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterConfig {
    /// The brokers that found the cluster, by their ids: the same list everywhere. Empty for one that joins.
    pub nodes: BTreeMap<BrokerId, HostPort>,
    /// Brokers to ask to be let in.
    pub join: Vec<HostPort>,
    /// Where to bind the cluster port; none: on the way to who is asked to let us in, at any free port.
    pub listen: Option<HostPort>,
    /// Where other brokers reach it; none: where it is bound.
    pub advertised: Option<HostPort>,
    /// How brokers know one another besides the secret; none: by that alone.
    pub tls: Option<ClusterTls>,
}

/// `cluster.ssl.*`: files in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterTls {
    /// This broker's certificate, and those between it and a trusted one.
    pub chain: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities that are trusted.
    pub trusted: PathBuf,
    /// Whether a certificate has to be for the host that was dialled.
    pub checks_names: bool,
}

const CHAIN: &str = "cluster.ssl.keystore.certificate.chain.file";
const KEY: &str = "cluster.ssl.keystore.key.file";
const TRUSTED: &str = "cluster.ssl.truststore.certificates.file";

/// Reads the settings `cluster.*`; none where nothing of them is set, so that the broker is alone.
pub(crate) fn from_settings(layers: &Layers<'_>, node: BrokerId) -> Result<Option<ClusterConfig>, ConfigError> {
    let nodes = nodes(layers)?;
    let join = addresses(layers, "cluster.join")?;
    let listen = address(layers, "cluster.listen")?;
    let advertised = address(layers, "cluster.advertise")?;
    let tls = tls(layers)?;
    if !nodes.is_empty() && !join.is_empty() {
        let reason = "leave it out where cluster.nodes is set: who founds a cluster does not join one";
        return Err(layers.bad_value("cluster.join", reason));
    }
    let own = nodes.get(&node).cloned();
    if !nodes.is_empty() && own.is_none() {
        let known: Vec<String> = nodes.keys().map(|id| id.0.to_string()).collect();
        let reason = format!("has the nodes {}, but not node.id {node}; set node.id to one of them", known.join(", "));
        return Err(layers.bad_value("cluster.nodes", reason));
    }
    if nodes.is_empty() && join.is_empty() && listen.is_none() {
        const NO_PORT: &str = "needs cluster.listen, or cluster.nodes";
        return match (advertised, tls) {
            (Some(_), _) => Err(layers.bad_value("cluster.advertise", NO_PORT)),
            (None, Some(_)) => Err(layers.bad_value(CHAIN, NO_PORT)),
            (None, None) => Ok(None),
        };
    }
    let advertised = advertised.or_else(|| own.clone());
    Ok(Some(ClusterConfig { nodes, join, listen: listen.or(own), advertised, tls }))
}

/// All three files, or none.
fn tls(layers: &Layers<'_>) -> Result<Option<ClusterTls>, ConfigError> {
    let given = |name| layers.value(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    match [CHAIN, KEY, TRUSTED].map(given) {
        [Some(chain), Some(key), Some(trusted)] => {
            let checks_names = layers.value("cluster.ssl.endpoint.identification.algorithm") == Some("https");
            Ok(Some(ClusterTls { chain, key, trusted, checks_names }))
        }
        files => {
            let (there, missing): (Vec<_>, Vec<_>) =
                [CHAIN, KEY, TRUSTED].into_iter().zip(files).partition(|(_, file)| file.is_some());
            let Some((there, _)) = there.first() else { return Ok(None) };
            let missing: Vec<&str> = missing.into_iter().map(|(name, _)| name).collect();
            Err(layers.bad_value(
                there,
                format!("needs {} as well: TLS between brokers takes all three", missing.join(" and ")),
            ))
        }
    }
}

/// `host:port` each, numbered from 1, or `id@host:port` each.
fn nodes(layers: &Layers<'_>) -> Result<BTreeMap<BrokerId, HostPort>, ConfigError> {
    let bad = |reason: String| layers.bad_value("cluster.nodes", reason);
    let mut nodes = BTreeMap::new();
    let entries = elements(layers, "cluster.nodes");
    let by_hand = entries.iter().filter(|entry| entry.contains('@')).count();
    if by_hand != 0 && by_hand != entries.len() {
        return Err(bad("must name the id of each node, as 1@host:port, or of none".to_owned()));
    }
    for (number, entry) in (1..).zip(entries) {
        let (id, place) = match entry.split_once('@') {
            Some((id, place)) => (id.parse().ok().filter(|id| *id >= 0), place),
            None => (Some(number), entry),
        };
        let id = BrokerId(id.ok_or_else(|| bad(format!("has {entry}, whose id is not a number from 0 up")))?);
        let place = parse(place).map_err(&bad)?;
        if place.port == 0 || place.host.is_empty() {
            return Err(bad(format!("has {entry}, which others can't reach: it needs a host and a port")));
        }
        if nodes.values().any(|known| *known == place) || nodes.insert(id, place).is_some() {
            return Err(bad(format!("has {entry} twice: each node has its own id and address")));
        }
    }
    Ok(nodes)
}

fn addresses(layers: &Layers<'_>, name: &str) -> Result<Vec<HostPort>, ConfigError> {
    elements(layers, name).into_iter().map(|it| parse(it).map_err(|reason| layers.bad_value(name, reason))).collect()
}

fn address(layers: &Layers<'_>, name: &str) -> Result<Option<HostPort>, ConfigError> {
    let text = layers.value(name);
    text.map(|text| parse(text).map_err(|reason| layers.bad_value(name, reason))).transpose()
}

fn elements<'a>(layers: &Layers<'a>, name: &str) -> Vec<&'a str> {
    layers.value(name).unwrap_or("").split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect()
}

fn parse(text: &str) -> Result<HostPort, String> {
    HostPort::parse_with(text, CLUSTER_PORT)
}

#[cfg(test)]
mod tests {
    use crate::{BrokerConfig, Sources};

    fn load(settings: &[&str]) -> Result<BrokerConfig, String> {
        let set = settings.iter().map(|text| (*text).to_owned()).collect();
        BrokerConfig::load(&Sources { set, ..Sources::default() }).map_err(|why| why.to_string())
    }

    #[test]
    fn a_broker_without_settings_of_a_cluster_is_alone() {
        assert_eq!(load(&[]).unwrap().cluster_config(), None);
    }

    #[test]
    fn nodes_are_numbered_in_their_order_unless_they_say_their_ids() {
        let plain = load(&["cluster.nodes=a:1,b:2,c", "node.id=3"]).unwrap();
        let plain = plain.cluster_config().unwrap();
        let shown: Vec<String> = plain.nodes.iter().map(|(id, place)| format!("{id}@{place}")).collect();
        assert_eq!(shown, ["1@a:1", "2@b:2", "3@c:9093"]);
        assert_eq!(plain.listen.as_ref().map(ToString::to_string), Some("c:9093".to_owned()));
        let named = load(&["cluster.nodes=7@a:1,9@b:2", "node.id=9", "cluster.listen=:2"]).unwrap();
        let named = named.cluster_config().unwrap();
        assert_eq!(named.listen.as_ref().map(ToString::to_string), Some(":2".to_owned()));
        assert_eq!(named.advertised.as_ref().map(ToString::to_string), Some("b:2".to_owned()));
    }

    #[test]
    fn a_list_that_can_not_be_is_refused_with_the_remedy() {
        let refused = |settings: &[&str]| load(settings).unwrap_err();
        assert!(refused(&["cluster.nodes=a:1,b:2", "node.id=3"]).contains("set node.id to one of them"));
        assert!(refused(&["cluster.nodes=1@a:1,2@a:1"]).contains("has 2@a:1 twice"));
        assert!(refused(&["cluster.nodes=1@a:1,1@b:1"]).contains("has 1@b:1 twice"));
        assert!(refused(&["cluster.nodes=1@a:1,b:1"]).contains("must name the id of each node"));
        assert!(refused(&["cluster.nodes=x@a:1"]).contains("not a number"));
        assert!(refused(&["cluster.nodes=:1"]).contains("needs a host and a port"));
        assert!(refused(&["cluster.nodes=a:1", "cluster.join=b:1"]).contains("leave it out"));
        assert!(refused(&["cluster.advertise=a:1"]).contains("needs cluster.listen"));
    }

    #[test]
    fn tls_between_brokers_takes_three_files_and_a_cluster() {
        let files = ["certificate.chain.file=c", "key.file=k"].map(|file| format!("cluster.ssl.keystore.{file}"));
        let [chain, key] = files.each_ref().map(String::as_str);
        let (trusted, nodes) = ("cluster.ssl.truststore.certificates.file=t", "cluster.nodes=a:1");
        let tls = |settings: &[&str]| load(settings).unwrap().cluster_config().unwrap().tls.clone();
        assert_eq!(tls(&[nodes]), None);
        assert!(tls(&[nodes, chain, key, trusted]).unwrap().checks_names);
        let any_name = "cluster.ssl.endpoint.identification.algorithm=";
        assert!(!tls(&[nodes, chain, key, trusted, any_name]).unwrap().checks_names);
        let refused = |settings: &[&str]| load(settings).unwrap_err();
        assert!(refused(&[nodes, chain]).contains("needs cluster.ssl.keystore.key.file and cluster.ssl.truststore"));
        assert!(refused(&[nodes, chain, trusted]).contains("needs cluster.ssl.keystore.key.file as well"));
        assert!(refused(&[chain, key, trusted]).contains("needs cluster.listen"));
    }
}
