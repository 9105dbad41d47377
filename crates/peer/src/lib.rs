//! One authenticated connection between each pair of brokers: calls in both directions, small urgent ones
//! ahead of bulk, heartbeats that carry news, and word of who is there and who is gone.
//!
//! It is not a place for what brokers say to one another: a call is a kind and bytes, what they mean is for
//! [`Service`]. Nor does it know where bytes come from: under simulation another [`Dialer`] is at work, and
//! [`TlsDialer`] puts TLS below all that.
//!
//! ```
//! use std::sync::Arc;
//! use bytes::Bytes;
//! use model::{BrokerId, SystemRandom};
//! use peer::{BoxFuture, Identity, Message, Options, PeerState, Peers, Secret, Service, TcpDialer, Urgency};
//! use tokio::net::TcpListener;
//! use uuid::Uuid;
//!
//! /// Replies with its own name and what it was sent.
//! struct Parrot(&'static str);
//!
//! impl Service for Parrot {
//!     fn serve(&self, _from: &Identity, _kind: u8, body: Bytes) -> BoxFuture<Result<Message, String>> {
//!         let head = Bytes::from(self.0);
//!         Box::pin(async move { Ok(Message { head, parts: vec![body] }) })
//!     }
//!     fn news(&self) -> Bytes { Bytes::new() }
//!     fn heard(&self, _from: &Identity, _news: Bytes) {}
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret: Secret = "known to all brokers".parse()?;
//! let mut brokers = Vec::new();
//! for (id, name) in [(1, "anna"), (2, "bert")] {
//!     let socket = TcpListener::bind("127.0.0.1:0").await?;
//!     let address = format!("127.0.0.1:{}", socket.local_addr()?.port()).parse()?;
//!     let me = Identity::new(BrokerId(id), Uuid::from_u128(id as u128), address, None, &SystemRandom);
//!     let seams = (Arc::new(TcpDialer), Arc::new(Parrot(name)), Arc::new(SystemRandom));
//!     let peers = Peers::new(me, secret.clone(), Options::default(), seams.0, seams.1, seams.2);
//!     peers.listen(socket);
//!     brokers.push(peers);
//! }
//! let (anna, bert) = (&brokers[0], brokers[1].me());
//! anna.know([(bert.broker, bert.address.clone())].into());
//! anna.states().wait_for(|states| states.get(&bert.broker).is_some_and(PeerState::is_up)).await?;
//!
//! let message = Message::new(": ", vec![Bytes::from("hello")]);
//! assert_eq!(anna.call(bert.broker, 1, Urgency::Urgent, message).await?, "bert: hello");
//! # Ok(())
//! # }
//! ```
//!
//! Bytes on the wire: `docs/architecture/peer-protocol.md`. Where to start reading: `connection/mod.rs` for what
//! one connection does, `peers/table.rs` for which ones there are.

mod address;
mod call;
mod connection;
mod error;
mod frame;
#[cfg(test)]
mod golden;
mod handshake;
mod identity;
mod link;
mod lock;
mod message;
mod options;
mod peers;
mod secret;
mod service;
mod state;
mod stream;
mod tls;

pub use address::{Address, InvalidAddress};
pub use call::Call;
pub use error::{CallError, SecretError};
pub use identity::Identity;
pub use message::{MAX_MESSAGE_BYTES, MAX_URGENT_BYTES, Message, Urgency};
pub use options::Options;
pub use peers::Peers;
pub use secret::{MIN_SECRET_BYTES, Secret};
pub use service::{MAX_NEWS_BYTES, Service};
pub use state::PeerState;
pub use stream::{BoxFuture, Dialer, Stream, TcpDialer};
pub use tls::{Credentials, PemFile, ReadCredentials, TlsDialer, TlsError};
