//! The cluster port: where other brokers come in.

use std::net::SocketAddr;

use config::{ClusterConfig, HostPort};
use peer::{Address, Peers, Stream};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;

use crate::error::StartError;
use crate::listener::{self, Bound};

/// Brokers that may wait to be accepted: a cluster has tens.
const BACKLOG: u32 = 128;

/// Connections that come by another way than a socket, each with where it comes from.
pub type Incoming = mpsc::Receiver<(Box<dyn Stream>, SocketAddr)>;

/// The port, bound; nobody is let in yet.
pub(crate) struct Port {
    /// What other brokers are told.
    pub(crate) address: Address,
    from: From,
}

enum From {
    Sockets(Vec<TcpListener>),
    Elsewhere(Incoming),
}

impl Port {
    /// Binds the port that the settings name, or any where the broker joins a cluster.
    pub(crate) async fn bind(config: &ClusterConfig) -> Result<Port, StartError> {
        let bind = match (&config.listen, config.join.first()) {
            (Some(listen), _) => listen.clone(),
            (None, Some(join)) => HostPort { host: own_host(join).await?, port: 0 },
            (None, None) => HostPort { host: "localhost".to_owned(), port: 0 },
        };
        let advertised = config.advertised.clone().unwrap_or_else(|| bind.clone());
        let configured = config::Listener { name: "CLUSTER".to_owned(), bind, advertised };
        let Bound { listener, sockets } = listener::bind(&configured, BACKLOG).await?;
        let controller::Endpoint { host, port } = listener.advertised.clone();
        Ok(Port { address: Address { host, port }, from: From::Sockets(sockets) })
    }

    /// A port that nobody has bound.
    pub(crate) fn elsewhere(config: &ClusterConfig, incoming: Incoming) -> Port {
        let advertised = config.advertised.clone().or_else(|| config.listen.clone());
        let HostPort { host, port } = advertised.unwrap_or(HostPort { host: "localhost".to_owned(), port: 0 });
        Port { address: Address { host, port }, from: From::Elsewhere(incoming) }
    }

    /// Lets others in, until the connections are shut down.
    pub(crate) fn open(self, peers: &Peers) {
        match self.from {
            From::Sockets(sockets) => {
                for socket in sockets {
                    peers.listen(socket);
                }
            }
            From::Elsewhere(mut incoming) => {
                let peers = peers.clone();
                model::spawn(async move {
                    while let Some((stream, from)) = incoming.recv().await {
                        peers.attach(stream, from);
                    }
                });
            }
        }
    }
}

/// This machine's address on the way to another.
async fn own_host(to: &HostPort) -> Result<String, StartError> {
    let failed = |why: std::io::Error| StartError::Listen {
        address: to.to_string(),
        why: format!("{why}; check cluster.join, or set cluster.listen to where others reach this broker"),
    };
    let addresses: Vec<SocketAddr> =
        tokio::net::lookup_host((to.host.as_str(), to.port)).await.map_err(failed)?.collect();
    let to = addresses.first().copied().ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
    let any: SocketAddr = if to.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0; 16], 0).into() };
    // Nothing is sent: the system only chooses a route.
    let socket = UdpSocket::bind(any).await.map_err(failed)?;
    socket.connect(to).await.map_err(failed)?;
    Ok(socket.local_addr().map_err(failed)?.ip().to_string())
}
