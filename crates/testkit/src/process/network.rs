//! Hosts of their own for brokers, with cables between them that can lose what is sent.
//!
//! A host is a network namespace. It lives as long as a process that waits in it, and that ends with this one, even if
//! this one is killed: nothing is left behind. There are no bridge and no forwarding: each two hosts have a cable, and each has
//! one to the tests' own network. Needs root, and Debian's iproute2.

use std::borrow::Borrow;
use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::{Child, ProcessError};

/// How long one step of the laying may take.
const LIMIT: Duration = Duration::from_secs(20);

/// The network for tests of networks (RFC 2544), of which each host has four addresses.
const NETWORK: u32 = 0xC612_0000;
const HOSTS: u32 = (1 << 17) / 4;

/// A card that no host has: what is sent there is lost without a word.
const NOWHERE: &str = "02:00:00:00:00:00";

/// Hosts that reach each other. They count from 1, like brokers.
#[derive(Debug)]
pub struct Network {
    hosts: Vec<Host>,
}

#[derive(Debug)]
struct Host {
    id: usize,
    /// Waits for the end of this process.
    holder: Child,
    /// The first of its four addresses is not used.
    base: u32,
}

impl Network {
    /// So many hosts, each with cables to all others and to the tests.
    ///
    /// # Errors
    /// Not root, or `unshare`, `nsenter` or `ip` is missing.
    pub fn of(hosts: usize) -> Result<Network, ProcessError> {
        let hosts: Vec<Host> = (1..=hosts).map(Host::new).collect::<Result<_, _>>()?;
        for (at, host) in hosts.iter().enumerate() {
            hosts[..at].iter().try_for_each(|other| host.lay_cable(other))?;
        }
        let network = Network { hosts };
        for (one, other) in network.pairs() {
            network.mend(one, other)?;
        }
        Ok(network)
    }

    /// From now on all that one host sends to another is lost, without either being told.
    ///
    /// # Errors
    /// [`ProcessError::Ended`] of `ip`.
    pub fn cut(&self, from: usize, to: usize) -> Result<(), ProcessError> {
        self.send_to(from, to, NOWHERE)
    }

    /// What it sends arrives again.
    ///
    /// # Errors
    /// [`ProcessError::Ended`] of `ip`.
    pub fn mend(&self, from: usize, to: usize) -> Result<(), ProcessError> {
        self.send_to(from, to, &card(to, from))
    }

    /// Every host with every other, in both directions.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let hosts = 1..=self.hosts.len();
        hosts
            .clone()
            .flat_map(move |one| hosts.clone().filter(move |other| one != *other).map(move |other| (one, other)))
    }

    fn send_to(&self, from: usize, to: usize, card: &str) -> Result<(), ProcessError> {
        let address = self.address(to);
        self.hosts[from - 1].ip(&format!("neighbour replace {address} lladdr {card} dev to{to} nud permanent"))
    }

    /// A host's address.
    pub(super) fn address(&self, host: usize) -> IpAddr {
        IpAddr::V4(self.hosts[host - 1].address())
    }

    /// The command that becomes a program on a host.
    pub(super) fn on(&self, host: usize) -> Vec<String> {
        self.hosts[host - 1].enter()
    }
}

impl Host {
    fn new(id: usize) -> Result<Host, ProcessError> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        // Tests run side by side in one process and in several.
        let number = std::process::id().wrapping_mul(61).wrapping_add(MADE.fetch_add(1, Ordering::Relaxed)) % HOSTS;
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", "echo made; exec cat"]).stdin(Stdio::piped());
        let mut holder = Child::spawn(&mut command)?;
        holder.wait_for_line("make a network namespace", LIMIT, |line| line.contains("made").then_some(()))?;
        let host = Host { id, holder, base: NETWORK + 4 * number };
        let (pid, here, there) = (host.holder.id(), format!("tl{}", host.holder.id()), host.address());
        run(&["ip"], &format!("link add {here} type veth peer name tests netns {pid}"))?;
        run(&["ip"], &format!("address add {}/30 dev {here}", Ipv4Addr::from(host.base + 2)))?;
        run(&["ip"], &format!("link set {here} up"))?;
        host.ip("link set lo up")?;
        host.ip(&format!("address add {there}/30 dev tests"))?;
        host.ip("link set tests up")?;
        Ok(host)
    }

    fn address(&self) -> Ipv4Addr {
        Ipv4Addr::from(self.base + 1)
    }

    fn lay_cable(&self, other: &Host) -> Result<(), ProcessError> {
        let ends = [(self, other), (other, self)];
        let [here, there] = ends.map(|(host, peer)| (format!("to{}", peer.id), card(host.id, peer.id)));
        let far = other.holder.id();
        self.ip(&format!(
            "link add {} address {} type veth peer name {} address {} netns {far}",
            here.0, here.1, there.0, there.1
        ))?;
        for (host, peer) in ends {
            host.ip(&format!("link set to{} up", peer.id))?;
            host.ip(&format!("route add {} dev to{} src {}", peer.address(), peer.id, host.address()))?;
        }
        Ok(())
    }

    /// What runs a program there.
    fn enter(&self) -> Vec<String> {
        let pid = self.holder.id().to_string();
        ["nsenter", "--target", &pid, "--net", "--"].map(str::to_owned).to_vec()
    }

    fn ip(&self, arguments: &str) -> Result<(), ProcessError> {
        let mut program = self.enter();
        program.push("ip".to_owned());
        run(&program, arguments)
    }
}

/// The address of a host's card on its cable to another.
fn card(host: usize, other: usize) -> String {
    format!("02:00:00:00:{host:02x}:{other:02x}")
}

fn run<S: AsRef<OsStr> + Borrow<str>>(program: &[S], arguments: &str) -> Result<(), ProcessError> {
    let mut command = Command::new(&program[0]);
    command.args(&program[1..]).args(arguments.split(' ')).stdin(Stdio::null());
    let ended = Child::spawn(&mut command)?.finish(LIMIT)?;
    if ended.status.success() {
        return Ok(());
    }
    Err(ProcessError::Ended {
        program: program.join(" "),
        status: ended.status.to_string(),
        what: arguments.to_owned(),
        output: ended.stderr,
    })
}
