//! Listeners: where clients come in.
//!
//! A listener's address is bound before anything else is started, so that a port in use is said at
//! once; connections are accepted when the broker is ready.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use config::HostPort;
use controller::Endpoint;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, lookup_host};

use crate::broker::Broker;
use crate::connection::{self, Peer};
use crate::connections::Counted;
use crate::error::StartError;

/// How long to wait when the system has no more descriptors for us.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A listener, as clients know it.
pub struct Listener {
    /// `PLAINTEXT`, or as configured.
    pub name: String,
    /// What clients are told to connect to.
    pub advertised: Endpoint,
    /// Where it is bound.
    pub bound: Vec<SocketAddr>,
}

impl Listener {
    /// `host:port`, as a client is to be told.
    pub fn address(&self) -> String {
        HostPort { host: self.advertised.host.clone(), port: self.advertised.port }.to_string()
    }
}

/// A listener and its sockets, before they are accepted from.
pub(crate) struct Bound {
    pub(crate) listener: Arc<Listener>,
    pub(crate) sockets: Vec<TcpListener>,
}

/// Binds one listener to every address that its host name stands for.
pub(crate) async fn bind(configured: &config::Listener, backlog: u32) -> Result<Bound, StartError> {
    let HostPort { host, port } = &configured.bind;
    let failed = |address: String, why: String| StartError::Listen { address, why };
    let addresses: Vec<SocketAddr> = match host.is_empty() {
        true => vec![SocketAddr::from(([0, 0, 0, 0], *port)), SocketAddr::from(([0; 16], *port))],
        false => {
            let found = lookup_host((host.as_str(), *port)).await;
            found.map_err(|why| failed(configured.bind.to_string(), why.to_string()))?.collect()
        }
    };
    let mut sockets: Vec<TcpListener> = Vec::new();
    let mut refused = None;
    for mut address in addresses {
        if let Some(first) = sockets.first().and_then(|socket| socket.local_addr().ok()) {
            address.set_port(first.port()); // "any free port" is one port for all addresses
        }
        match listen(address, backlog) {
            Ok(socket) => sockets.push(socket),
            // A machine without IPv6 still has localhost; a port in use is another matter.
            Err(why) if why.kind() == std::io::ErrorKind::AddrInUse => {
                let remedy = format!("{why}; stop who uses the port, or choose another with --listen");
                return Err(failed(address.to_string(), remedy));
            }
            Err(why) => refused = Some((address, why)),
        }
    }
    let bound: Vec<SocketAddr> = sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect();
    let Some(first) = bound.first() else {
        let (address, why) = match refused {
            Some((address, why)) => (address.to_string(), why.to_string()),
            None => (configured.bind.to_string(), "the name stands for no address".to_owned()),
        };
        return Err(failed(address, why));
    };
    let HostPort { host, port } = configured.advertised.clone();
    let port = if port == 0 { first.port() } else { port };
    let advertised = Endpoint { host, port };
    Ok(Bound { listener: Arc::new(Listener { name: configured.name.clone(), advertised, bound }), sockets })
}

/// A listener that clients are told of, but whose address is not bound.
pub(crate) fn unbound(configured: &config::Listener) -> Arc<Listener> {
    let HostPort { host, port } = configured.advertised.clone();
    Arc::new(Listener { name: configured.name.clone(), advertised: Endpoint { host, port }, bound: Vec::new() })
}

fn listen(address: SocketAddr, backlog: u32) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?; // a restart must not wait for old connections to time out
    if address.is_ipv6() {
        rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
    }
    socket.bind(address)?;
    socket.listen(backlog)
}

/// Accepts connections until the broker stops.
pub(crate) async fn accept(broker: Arc<Broker>, listener: Arc<Listener>, socket: TcpListener) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = broker.stop.requested() => return,
            accepted = socket.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                if let Err(why) = stream.set_nodelay(true) {
                    tracing::debug!(%why, "a connection went away as it came");
                    continue;
                }
                let turn = broker.pace.turn(|| broker.config().max_connection_creation_rate());
                tokio::select! {
                    biased;
                    () = broker.stop.requested() => return,
                    () = turn => admit(&broker, &listener, address, stream),
                }
            }
            Err(why) => {
                tracing::warn!(%why, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Lets a client in, if there is room for one more.
pub(crate) fn admit<S>(broker: &Arc<Broker>, listener: &Arc<Listener>, address: SocketAddr, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Some(counted) = broker.connections.admit(&broker.config(), address.ip()) else {
        tracing::info!(client = %address, "too many connections; one was closed");
        return;
    };
    let peer = Peer { address, listener: listener.clone(), software: Arc::default(), gaps: Arc::default() };
    model::spawn(until_stop(broker.clone(), peer, stream, counted));
}

async fn until_stop<S>(broker: Arc<Broker>, peer: Peer, stream: S, _counted: Counted)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let stopping = broker.clone();
    tokio::select! {
        biased;
        () = stopping.stop.requested() => {}
        () = connection::serve(broker, peer, stream) => {}
    }
}
