//! Where clients connect: `listeners`, `advertised.listeners`, and the flags that stand for them.
//!
//! The default is `localhost:9092`: nothing asks clients who they are yet, so a broker that was just
//! started on a laptop must not serve the café's network. `--listen :9092` opens it to all, as
//! Kafka's own default does.

use std::collections::BTreeMap;
use std::fmt;

use crate::broker::Layers;
use crate::error::ConfigError;

/// Where a port is left out.
pub const DEFAULT_PORT: u16 = 9092;

/// One address to accept connections on, and the one that clients are told for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// In capitals.
    pub name: String,
    /// Where to bind: every address that the host name stands for; an empty host is every
    /// interface, port 0 is any free one.
    pub bind: HostPort,
    /// What Metadata tells; port 0 is the one that was bound.
    pub advertised: HostPort,
}

/// A host (a name, or an address without brackets) and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// Empty for every interface.
    pub host: String,
    /// 0 for any free one.
    pub port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl HostPort {
    /// Reads what people write: `host:port`, `[::1]:port`, `host` (port 9092), `port` (on localhost),
    /// `:port` (on every interface).
    ///
    /// # Errors
    /// One sentence that says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        HostPort::parse_with(text, DEFAULT_PORT)
    }

    /// The same with another port where it is left out.
    pub(crate) fn parse_with(text: &str, default_port: u16) -> Result<Self, String> {
        if let Ok(port) = text.parse() {
            return Ok(HostPort { host: "localhost".to_owned(), port });
        }
        let (host, port) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((host, ""))) => (host, None),
            Some(Some((host, port))) => (host, Some(port.strip_prefix(':').ok_or_else(expected)?)),
            Some(None) => return Err(expected()),
            None => match text.rsplit_once(':') {
                Some((host, _)) if host.contains(':') => {
                    return Err(format!("must have an IPv6 address in brackets, e.g. [::1]:{DEFAULT_PORT}"));
                }
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '%');
        if !host.chars().all(legal) || (host.is_empty() && port.is_none()) {
            return Err(expected());
        }
        let port = port.map_or(Ok(default_port), |port| port.parse().map_err(|_| expected()))?;
        Ok(HostPort { host: host.to_owned(), port })
    }

    /// Nobody can connect to "every interface".
    fn is_wildcard(&self) -> bool {
        matches!(self.host.as_str(), "" | "0.0.0.0" | "::" | "0:0:0:0:0:0:0:0")
    }
}

fn expected() -> String {
    format!(
        "must be HOST:PORT, e.g. localhost:{DEFAULT_PORT}, [::1]:{DEFAULT_PORT}, or :{DEFAULT_PORT} for every interface"
    )
}

/// `listeners` that the flags stand for: the first is called PLAINTEXT, further ones PLAINTEXT-2 and so on.
pub(crate) fn from_flags(addresses: &[String]) -> Result<String, String> {
    let mut elements = Vec::new();
    for (at, address) in addresses.iter().enumerate() {
        let name = if at == 0 { "PLAINTEXT".to_owned() } else { format!("PLAINTEXT-{}", at + 1) };
        elements.push(format!("{name}://{}", HostPort::parse(address)?));
    }
    Ok(elements.join(","))
}

/// `advertised.listeners` that the flags stand for. One address is that of all `--listen`ers,
/// else there must be one for each listener.
pub(crate) fn advertised_from_flags(
    addresses: &[String],
    listeners: &str,
    one_for_all: bool,
) -> Result<String, String> {
    let names: Vec<(String, HostPort)> = listeners.split(',').map(split).collect::<Result<_, _>>()?;
    if addresses.len() != names.len() && !(addresses.len() == 1 && one_for_all) {
        return Err(format!("there are {} listeners: say it once for each, in their order", names.len()));
    }
    let mut elements = Vec::new();
    for (at, (name, bind)) in names.iter().enumerate() {
        let text = addresses.get(at).unwrap_or(&addresses[0]);
        let mut address = HostPort::parse(text)?;
        if !text.contains(':') || text.ends_with(']') {
            address.port = bind.port;
        }
        elements.push(format!("{name}://{address}"));
    }
    Ok(elements.join(","))
}

/// The listeners of these settings.
pub(crate) fn from_settings(layers: &Layers<'_>, host_name: &str) -> Result<Vec<Listener>, ConfigError> {
    let bound = endpoints(layers, "listeners")?;
    let advertised = endpoints(layers, "advertised.listeners")?;
    if let Some((stranger, _)) = advertised.iter().find(|(name, _)| bound.iter().all(|(known, _)| known != name)) {
        return Err(layers.bad_value("advertised.listeners", format!("there is no listener {stranger} in `listeners`")));
    }
    check_ports(layers, &bound)?;
    let mut listeners = Vec::new();
    for (name, bind) in bound {
        check_protocol(layers, &name)?;
        let told = advertised.iter().find(|(known, _)| *known == name).map(|(_, address)| address.clone());
        let setting = if told.is_some() { "advertised.listeners" } else { "listeners" };
        let mut advertised = told.unwrap_or_else(|| bind.clone());
        if advertised.host.is_empty() {
            advertised.host = if host_name.is_empty() { "localhost".to_owned() } else { host_name.to_owned() };
        }
        if advertised.is_wildcard() {
            let reason = format!(
                "no client can connect to {}: say how this broker is reached with --advertise HOST:PORT or advertised.listeners",
                advertised.host
            );
            return Err(layers.bad_value(setting, reason));
        }
        listeners.push(Listener { name, bind, advertised });
    }
    Ok(listeners)
}

fn endpoints(layers: &Layers<'_>, setting: &str) -> Result<Vec<(String, HostPort)>, ConfigError> {
    let mut found: Vec<(String, HostPort)> = Vec::new();
    for element in layers.value(setting).unwrap_or_default().split(',').filter(|element| !element.is_empty()) {
        let (name, address) = split(element).map_err(|reason| layers.bad_value(setting, reason))?;
        if found.iter().any(|(known, _)| *known == name) {
            return Err(
                layers.bad_value(setting, format!("names {name} twice; each listener must have a different name"))
            );
        }
        found.push((name, address));
    }
    Ok(found)
}

/// `NAME://host:port`
fn split(element: &str) -> Result<(String, HostPort), String> {
    let (name, address) = element
        .split_once("://")
        .ok_or_else(|| format!("must be NAME://HOST:PORT, e.g. PLAINTEXT://localhost:{DEFAULT_PORT}"))?;
    Ok((name.to_uppercase(), HostPort::parse(address)?))
}

/// Two listeners may share a port only on different addresses.
fn check_ports(layers: &Layers<'_>, bound: &[(String, HostPort)]) -> Result<(), ConfigError> {
    for (at, (name, one)) in bound.iter().enumerate() {
        let overlaps = |other: &HostPort| {
            one.port == other.port && (one.host == other.host || one.is_wildcard() || other.is_wildcard())
        };
        if let Some((other, _)) = bound[..at].iter().find(|(_, other)| one.port != 0 && overlaps(other)) {
            let reason =
                format!("{other} and {name} both want port {}; each listener must have a different port", one.port);
            return Err(layers.bad_value("listeners", reason));
        }
    }
    Ok(())
}

fn check_protocol(layers: &Layers<'_>, listener: &str) -> Result<(), ConfigError> {
    const MAP: &str = "listener.security.protocol.map";
    for entry in layers.value(MAP).unwrap_or_default().split(',').filter(|entry| !entry.is_empty()) {
        let Some((name, protocol)) = entry.trim().rsplit_once(':') else {
            return Err(layers.bad_value(MAP, "must be NAME:PROTOCOL, separated by commas"));
        };
        let protocol = protocol.to_uppercase();
        if !matches!(protocol.as_str(), "PLAINTEXT" | "SSL" | "SASL_PLAINTEXT" | "SASL_SSL") {
            return Err(layers.bad_value(MAP, format!("there is no protocol {protocol}; it must be PLAINTEXT")));
        }
        if name.to_uppercase() == listener {
            return match protocol.as_str() {
                "PLAINTEXT" => Ok(()),
                _ => Err(layers.bad_value(
                    "listeners",
                    format!("{listener} speaks {protocol}, which is not there yet; only PLAINTEXT is"),
                )),
            };
        }
    }
    let from_a_flag = listener.strip_prefix("PLAINTEXT-").is_some_and(|number| number.parse::<u16>().is_ok());
    if from_a_flag {
        return Ok(());
    }
    Err(layers.bad_value("listeners", format!("{listener} has no protocol; add {listener}:PLAINTEXT to {MAP}")))
}

/// `max.connections.per.ip.overrides`
pub(crate) fn limits_per_address(layers: &Layers<'_>) -> Result<BTreeMap<String, i32>, ConfigError> {
    const NAME: &str = "max.connections.per.ip.overrides";
    let mut limits = BTreeMap::new();
    for entry in layers.value(NAME).unwrap_or_default().split(',').filter(|entry| !entry.is_empty()) {
        let parsed =
            entry.rsplit_once(':').and_then(|(address, limit)| Some((address.trim(), limit.trim().parse().ok()?)));
        let Some((address, limit)) = parsed.filter(|(address, limit)| !address.is_empty() && *limit >= 0) else {
            return Err(layers.bad_value(NAME, "must be ADDRESS:LIMIT, separated by commas, e.g. 127.0.0.1:100"));
        };
        limits.insert(address.trim_matches(['[', ']']).to_owned(), limit);
    }
    Ok(limits)
}
