//! Where a broker is reached.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Kafka's usual port, where none is said.
pub const DEFAULT_PORT: u16 = 9092;

/// A host, by name or address, and a port.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Address {
    /// A name, or an IP address without brackets.
    pub host: String,
    /// A port.
    pub port: u16,
}

/// A text that is no address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("'{0}' is no address: write HOST:PORT, such as localhost:9092 or [::1]:9092")]
pub struct InvalidAddress(String);

impl Address {
    /// Whether it can only be this machine, where a broker is easily started.
    pub fn is_local(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }

    /// Several addresses, separated by commas as in Kafka's `bootstrap.servers`.
    ///
    /// # Errors
    /// The first one that is none.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, InvalidAddress> {
        text.split(',').map(str::trim).map(str::parse).collect()
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    /// `host:port`, `host` (port 9092), `[::1]:port`.
    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let invalid = || InvalidAddress(text.to_owned());
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, behind) = rest.split_once(']').ok_or_else(invalid)?;
                match behind {
                    "" => (host, None),
                    _ => (host, Some(behind.strip_prefix(':').ok_or_else(invalid)?)),
                }
            }
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map_or(Ok(DEFAULT_PORT), |port| port.parse().map_err(|_| invalid()))?;
        let is_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
        if host.is_empty() || port == 0 || !host.chars().all(is_host) {
            return Err(invalid());
        }
        Ok(Address { host: host.to_owned(), port })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood_and_printed_again() {
        for (text, host, port, printed) in [
            ("localhost:9092", "localhost", 9092, "localhost:9092"),
            ("broker-1.example", "broker-1.example", 9092, "broker-1.example:9092"),
            ("10.0.0.7:19092", "10.0.0.7", 19092, "10.0.0.7:19092"),
            ("[::1]:9093", "::1", 9093, "[::1]:9093"),
            ("[::1]", "::1", 9092, "[::1]:9092"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.host.as_str(), address.port), (host, port), "{text}");
            assert_eq!(address.to_string(), printed);
        }
        assert_eq!(Address::parse_list("a:1, b:2").unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_address_is_refused_with_an_example() {
        for text in
            ["", ":9092", "host:", "host:0", "host:70000", "::1", "[::1", "[::1]9092", "http://host:9092", "a b"]
        {
            let refused = text.parse::<Address>().unwrap_err();
            assert!(refused.to_string().contains("localhost:9092"), "{text}");
        }
    }

    #[test]
    fn only_loopback_is_local() {
        let is_local = |text: &str| text.parse::<Address>().unwrap().is_local();
        assert!(is_local("localhost:1") && is_local("127.3.2.1:1") && is_local("[::1]:1"));
        assert!(!is_local("localhost.example:1") && !is_local("10.0.0.1:1"));
    }
}
