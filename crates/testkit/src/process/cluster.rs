//! Several brokers' processes that are one cluster.

use std::net::{IpAddr, SocketAddr};
use std::thread;

use super::broker::own_loopback_address;
use super::{Broker, Launch, Network, ProcessError};

/// Where each broker accepts the others: it has a loopback address of its own.
const CLUSTER_PORT: u16 = 9093;

/// What the brokers prove to each other to know.
const SECRET: (&str, &str) = ("TIDELOG_CLUSTER_SECRET", "a secret of this test's cluster");

/// The brokers of a cluster, each with its data directory. Dropping it kills them.
#[derive(Debug)]
pub struct Cluster {
    brokers: Vec<Broker>,
    /// Where each accepts the others.
    ports: Vec<String>,
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
        Cluster::start_at(launches, &addresses)
    }

    /// The same with each broker on a host of its own; `network` must have as many, and outlive the cluster.
    ///
    /// # Errors
    /// As [`Broker::start`], for any of them.
    pub fn start_on(network: &Network, launches: &[Launch]) -> Result<Cluster, ProcessError> {
        let addresses: Vec<IpAddr> = (1..=launches.len()).map(|host| network.address(host)).collect();
        let on = |(launch, host): (&Launch, usize)| launch.clone().under(network.on(host));
        Cluster::start_at(&launches.iter().zip(1..).map(on).collect::<Vec<_>>(), &addresses)
    }

    fn start_at(launches: &[Launch], addresses: &[IpAddr]) -> Result<Cluster, ProcessError> {
        let nodes: Vec<String> = addresses.iter().map(|ip| format!("{ip}:{CLUSTER_PORT}")).collect();
        // Each waits for the others, so they start side by side.
        let brokers = thread::scope(|scope| {
            let starting: Vec<_> = launches
                .iter()
                .zip(addresses)
                .zip(1..)
                .map(|((launch, ip), id)| {
                    let launch = launch.clone().argument("--cluster").argument(&nodes.join(","));
                    let launch = launch.argument("--node-id").argument(&format!("{id}"));
                    let launch = launch.env(SECRET.0, SECRET.1);
                    scope.spawn(move || launch.start_at(SocketAddr::new(*ip, 0)))
                })
                .collect();
            let started = starting.into_iter().map(|start| start.join().unwrap_or_else(|_| unreachable!("it returns")));
            started.collect::<Result<Vec<Broker>, ProcessError>>()
        })?;
        Ok(Cluster { brokers, ports: nodes })
    }

    /// Adds a broker that joins by itself, and so gets its id; it serves when this returns.
    ///
    /// # Errors
    /// As [`Broker::start`].
    pub fn join(&mut self, launch: &Launch) -> Result<(), ProcessError> {
        let ip = own_loopback_address().ip();
        let launch = launch.clone().argument("--join").argument(&self.ports.join(","));
        let launch = launch.set("cluster.listen", format!("{ip}:{CLUSTER_PORT}")).env(SECRET.0, SECRET.1);
        self.brokers.push(launch.start_at(SocketAddr::new(ip, 0))?);
        self.ports.push(format!("{ip}:{CLUSTER_PORT}"));
        Ok(())
    }

    /// The broker with this id; they count from 1.
    pub fn broker(&mut self, id: usize) -> &mut Broker {
        &mut self.brokers[id - 1]
    }

    /// All of them, by their ids.
    pub fn brokers(&self) -> &[Broker] {
        &self.brokers
    }

    /// The same, to start and stop several at a time.
    pub fn brokers_mut(&mut self) -> &mut [Broker] {
        &mut self.brokers
    }

    /// `host:port` of each, for clients, separated by commas.
    pub fn addresses(&self) -> String {
        let addresses: Vec<String> = self.brokers.iter().map(Broker::address).collect();
        addresses.join(",")
    }
}
