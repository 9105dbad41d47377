//! This broker among others: finding its cluster, Raft's messages, orders for the controller, who leads what.
//!
//! | module | what it holds |
//! |---|---|
//! | `enter`, `port` | taking a place in the cluster, and the port for it |
//! | `register` | making this broker known |
//! | `founding` | which cluster this is, and beginning it |
//! | `links` | the face to other brokers: where each kind of call goes |
//! | `transport`, `forward` | Raft's messages and commands, over the connections |
//! | `leaders` | who leads which shard, as it is heard |
//! | `follow` | from the image to shards that run here, and to whom there are connections with |
//! | `members` | groups' members, as the image wants them |
//! | `moves` | partitions on their way from one shard to another |
//! | `upkeep` | who is taken for dead, and who should lead |

mod enter;
pub(crate) mod follow;
mod forward;
mod founding;
mod leaders;
mod links;
pub(crate) mod members;
pub(crate) mod moves;
mod port;
mod register;
mod transport;
pub(crate) mod upkeep;

/// Kinds of calls between brokers, as they stand on the wire.
pub(crate) mod kinds {
    /// A message of a Raft group.
    pub(crate) const RAFT: u8 = 1;
    /// A command for the controller's leader.
    pub(crate) const COMMAND: u8 = 2;
    /// Who are you? The handshake has told it already.
    pub(crate) const STANDING: u8 = 3;
    /// A command for the controller, whoever leads it: of a broker that is no member yet.
    pub(crate) const RELAY: u8 = 4;
    /// A new broker asks for a `node.id`.
    pub(crate) const JOIN: u8 = 5;
    /// What a shard that takes over a partition asks of the one that has it.
    pub(crate) const MOVE: u8 = 7;
}

pub(crate) use enter::enter;
pub(crate) use forward::PeerForward;
pub(crate) use founding::address;
pub(crate) use leaders::Lead;
pub(crate) use links::Links;
pub use port::Incoming;
pub(crate) use port::Port;
pub(crate) use register::register;
pub(crate) use transport::PeerTransport;
