//! How bytes get from one broker to another.

use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};

use crate::Address;

/// A future that can be handed to another thread.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

/// A connection's bytes, both ways. Vectored writes matter: without them each frame is written piece by piece.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

/// Makes connections.
pub trait Dialer: Send + Sync + Debug + 'static {
    /// Connects to a broker's cluster port.
    ///
    /// # Errors
    /// [`io::ErrorKind::ConnectionRefused`] only where the machine is there and no process listens: it is
    /// taken for a sign that the process is gone.
    fn dial(&self, to: &Address) -> BoxFuture<io::Result<Box<dyn Stream>>>;

    /// What becomes of a connection that another has made to this broker's cluster port. As it is, unless there is
    /// something between the bytes and the brokers.
    ///
    /// # Errors
    /// Who has made it is not to be let in: [`io::ErrorKind::InvalidData`] if a person has to see to that.
    fn accept(&self, stream: Box<dyn Stream>) -> BoxFuture<io::Result<Box<dyn Stream>>> {
        Box::pin(std::future::ready(Ok(stream)))
    }
}

/// TCP, without delay.
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpDialer;

impl Dialer for TcpDialer {
    fn dial(&self, to: &Address) -> BoxFuture<io::Result<Box<dyn Stream>>> {
        let Address { host, port } = to.clone();
        Box::pin(async move {
            let mut failed = io::Error::new(io::ErrorKind::NotFound, format!("{host} stands for no address"));
            for address in lookup_host((host.as_str(), port)).await? {
                match TcpStream::connect(address).await {
                    Ok(stream) => {
                        stream.set_nodelay(true)?;
                        return Ok(Box::new(stream) as Box<dyn Stream>);
                    }
                    // One address that refuses says nothing as long as another may be the right one.
                    Err(why) if is_refusal(&failed) || failed.kind() == io::ErrorKind::NotFound => failed = why,
                    Err(_) => {}
                }
            }
            Err(failed)
        })
    }
}

/// Whether the machine is there and no process listens.
pub(crate) fn is_refusal(why: &io::Error) -> bool {
    why.kind() == io::ErrorKind::ConnectionRefused
}
