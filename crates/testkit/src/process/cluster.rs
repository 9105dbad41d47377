//! Several brokers' processes that are one cluster.

use std::net::{IpAddr, SocketAddr};
use std::thread;

use super::broker::own_loopback_address;
use super::{Broker, Launch, ProcessError};

/// Where each broker accepts the others: it has a loopback address of its own.
const CLUSTER_PORT: u16 = 9093;

/// The brokers of a cluster, each with its data directory. Dropping it kills them.
#[derive(Debug)]
pub struct Cluster {
    brokers: Vec<Broker>,
}

impl Cluster {
    /// A cluster of so many brokers, which serves when this returns.
    ///
    /// # Errors
    /// As [`Broker::start`], for any of them.
    pub fn start(brokers: usize) -> Result<Cluster, ProcessError> {
        Cluster::start_as(&vec![Broker::launch(); brokers])
    }

    /// The same with a launch for each broker.
    ///
    /// # Errors
    /// As [`Broker::start`], for any of them.
    pub fn start_as(launches: &[Launch]) -> Result<Cluster, ProcessError> {
        let addresses: Vec<IpAddr> = launches.iter().map(|_| own_loopback_address().ip()).collect();
        let nodes: Vec<String> = addresses.iter().map(|ip| format!("{ip}:{CLUSTER_PORT}")).collect();
        // Each waits for the others, so they start side by side.
        let brokers = thread::scope(|scope| {
            let starting: Vec<_> = launches
                .iter()
                .zip(&addresses)
                .zip(1..)
                .map(|((launch, ip), id)| {
                    let launch = launch.clone().argument("--cluster").argument(&nodes.join(","));
                    let launch = launch.argument("--node-id").argument(&format!("{id}"));
                    let launch = launch.env("TIDELOG_CLUSTER_SECRET", "a secret of this test's cluster");
                    scope.spawn(move || launch.start_at(SocketAddr::new(*ip, 0)))
                })
                .collect();
            let started = starting.into_iter().map(|start| start.join().unwrap_or_else(|_| unreachable!("it returns")));
            started.collect::<Result<Vec<Broker>, ProcessError>>()
        })?;
        Ok(Cluster { brokers })
    }

    /// The broker with this id; they count from 1.
    pub fn broker(&mut self, id: usize) -> &mut Broker {
        &mut self.brokers[id - 1]
    }

    /// All of them, by their ids.
    pub fn brokers(&self) -> &[Broker] {
        &self.brokers
    }

    /// `host:port` of each, for clients, separated by commas.
    pub fn addresses(&self) -> String {
        let addresses: Vec<String> = self.brokers.iter().map(Broker::address).collect();
        addresses.join(",")
    }
}
