//! How a command gets to the broker that leads the controller's group.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use model::BrokerId;

/// Brings an encoded command to another broker, hands it to [`Controller::receive`] there, and
/// brings back what that returns. It gives up by itself, or the caller drops the future.
///
/// [`Controller::receive`]: crate::Controller::receive
pub trait Forward: Send + Sync + Debug + 'static {
    /// Sends a command to a broker.
    fn forward(&self, to: BrokerId, entry: Bytes) -> Forwarding;

    /// Who leads the controller's group, by what other brokers say. Asked where the group itself has
    /// not told: at a broker that it does not know yet, which has to register first.
    fn leader(&self) -> Option<BrokerId> {
        None
    }
}

/// An answer on its way.
pub type Forwarding = Pin<Box<dyn Future<Output = Result<Bytes, ForwardError>> + Send>>;

/// Why there is no answer. What was surely not sent is sent again, to whoever leads then.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ForwardError {
    /// Nothing left this broker.
    #[error("the command was not sent: {0}")]
    NotSent(String),
    /// It may have arrived.
    #[error("the command was sent and not answered: {0}")]
    Unanswered(String),
}

/// The way of a broker that knows no other.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl Forward for Alone {
    fn forward(&self, _: BrokerId, _: Bytes) -> Forwarding {
        let error = ForwardError::NotSent("this broker has no connections to others".to_owned());
        Box::pin(std::future::ready(Err(error)))
    }
}
