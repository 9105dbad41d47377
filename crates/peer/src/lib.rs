//! One authenticated connection between each pair of brokers: calls in both directions, small urgent ones
//! ahead of bulk, heartbeats that carry news, and word of who is there and who is gone.
//!
//! It is not a place for what brokers say to one another: a call is a kind and bytes, what they mean is for
//! [`Service`]. Nor does it know sockets by more than one [`Dialer`]: under simulation another one is at work.

mod address;
mod error;
mod identity;
mod message;
mod options;
mod secret;
mod service;
mod state;
mod stream;

pub use address::{Address, InvalidAddress};
pub use error::{CallError, SecretError};
pub use identity::Identity;
pub use message::{MAX_MESSAGE_BYTES, MAX_URGENT_BYTES, Message, Urgency};
pub use options::Options;
pub use secret::{MIN_SECRET_BYTES, Secret};
pub use service::{MAX_NEWS_BYTES, Service};
pub use state::PeerState;
pub use stream::{BoxFuture, Dialer, Stream, TcpDialer};
