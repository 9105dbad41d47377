//! How many connections there are, in all and from each address.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use config::BrokerConfig;

/// The connections of a broker.
#[derive(Default)]
pub(crate) struct Connections(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    total: i64,
    by_address: BTreeMap<IpAddr, i64>,
}

/// A connection that counts as long as this lives.
pub(crate) struct Counted {
    connections: Arc<Connections>,
    address: IpAddr,
}

impl Connections {
    /// Counts a new connection, unless there are as many as there may be (`max.connections`,
    /// `max.connections.per.ip` and its overrides). Kafka closes what is too much without a word.
    pub(crate) fn admit(self: &Arc<Self>, config: &BrokerConfig, address: IpAddr) -> Option<Counted> {
        let mut counts = self.lock();
        let from_there = counts.by_address.get(&address).copied().unwrap_or(0);
        let most_from_there = i64::from(config.max_connections_of(&address.to_string()));
        if counts.total >= i64::from(config.max_connections()) || from_there >= most_from_there {
            return None;
        }
        counts.total += 1;
        *counts.by_address.entry(address).or_default() += 1;
        Some(Counted { connections: self.clone(), address })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.connections.lock();
        counts.total -= 1;
        if let Some(count) = counts.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use config::Sources;

    use super::*;

    #[test]
    fn connections_beyond_the_limits_are_not_admitted_until_others_leave() {
        let set = vec!["max.connections=3".to_owned(), "max.connections.per.ip=2".to_owned()];
        let config = BrokerConfig::load(&Sources { set, ..Sources::default() }).unwrap();
        let connections = Arc::new(Connections::default());
        let (here, there) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let first = connections.admit(&config, here).unwrap();
        let _second = connections.admit(&config, here).unwrap();
        assert!(connections.admit(&config, here).is_none(), "two from one address");
        let _third = connections.admit(&config, there).unwrap();
        assert!(connections.admit(&config, there).is_none(), "three in all");
        drop(first);
        assert!(connections.admit(&config, here).is_some());
    }
}
