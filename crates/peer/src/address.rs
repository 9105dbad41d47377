//! Where a broker's cluster port is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest host name of the Domain Name System (RFC 1035).
const MAX_HOST_BYTES: usize = 255;

/// A host and a port, as one broker tells the others where it can be reached.
///
/// ```
/// let address: peer::Address = "broker-1.example:9190".parse()?;
/// assert_eq!((address.host.as_str(), address.port), ("broker-1.example", 9190));
/// assert_eq!("[::1]:9190".parse::<peer::Address>()?.to_string(), "[::1]:9190");
/// # Ok::<(), peer::InvalidAddress>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Address {
    /// A name, an IPv4 address, or an IPv6 address without its brackets. Never empty.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl Address {
    /// What the handshake and the command line can carry.
    pub(crate) fn is_legal(&self) -> bool {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '%');
        (1..=MAX_HOST_BYTES).contains(&self.host.len()) && self.host.chars().all(legal) && self.port != 0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address of a broker; write host:port, e.g. broker-1:9190 or [::1]:9190")]
pub struct InvalidAddress(String);

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let invalid = || InvalidAddress(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(invalid)?;
        let host = match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
            Some(inside) => inside.ok_or_else(invalid)?,
            None if host.contains(':') => return Err(invalid()), // whose last part would pass for a port
            None => host,
        };
        let address = Address { host: host.to_owned(), port: port.parse().map_err(|_| invalid())? };
        if address.is_legal() { Ok(address) } else { Err(invalid()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_printed_as_it_is_written() {
        for text in ["a:1", "10.0.0.7:65535", "[fe80::1%eth0]:9190", "broker_1.example-2.org:9190"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_nobody_could_dial_is_no_address() {
        let long = format!("{}:1", "a".repeat(256));
        for text in ["", "a", ":1", "a:", "a:0", "a:65536", "a b:1", "::1:9190", "[::1:9190", "[]:1", "a/b:1", &long] {
            let refused = text.parse::<Address>().unwrap_err().to_string();
            assert!(refused.contains("host:port"), "{refused}");
        }
    }
}
