//! How a broker connects with others, in place of TCP.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use peer::{Address, BoxFuture, Dialer, Stream};
use tokio::time::sleep;

use super::wire;
use super::wires::{Attempt, End, Host, Wires};

/// What a connection takes to come about, up to.
const SLOWEST_MS: u64 = 5;

/// Where other brokers reach one.
pub(crate) fn cluster_address(id: i32) -> String {
    format!("broker-{id}.sim:9093")
}

/// The way of one process to others.
pub(crate) struct SimDialer {
    pub(crate) wires: Arc<Wires>,
    pub(crate) me: Host,
}

impl Dialer for SimDialer {
    fn dial(&self, to: &Address) -> BoxFuture<io::Result<Box<dyn Stream>>> {
        let to = to.to_string();
        let id = (1..=i32::from(u8::MAX)).find(|id| cluster_address(*id) == to);
        let (wires, me) = (self.wires.clone(), self.me.clone());
        Box::pin(async move {
            let id = id.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such host"))?;
            connect(&wires, &me, id).await
        })
    }
}

async fn connect(wires: &Arc<Wires>, me: &Host, to: i32) -> io::Result<Box<dyn Stream>> {
    let mut rng = wires.rng();
    let mut changes = wires.changes();
    loop {
        sleep(rng.millis(0..SLOWEST_MS) + wires.slowness(me.id, to)).await;
        let attempt = match *me.end.borrow() == End::Alive && !me.power.crashed() {
            true => wires.attempt(me.id, to),
            false => Attempt::Silence, // the process is dead and does not know it
        };
        match attempt {
            Attempt::Refused => return Err(io::ErrorKind::ConnectionRefused.into()),
            Attempt::Through(host, door) => {
                let (mine, theirs) = wire::lay(wires, me.clone(), host, rng.fork());
                let number = wires.next_number();
                let from = SocketAddr::from(([10, 0, 1, me.id as u8], number as u16));
                if door.try_send((Box::new(theirs), from)).is_ok() {
                    return Ok(Box::new(mine));
                }
            }
            Attempt::Silence => {}
        }
        // Whoever dials gives up after a while.
        changes.changed().await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
    }
}

impl fmt::Debug for SimDialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimDialer({})", self.me.id)
    }
}
