//! This broker among others: finding its cluster, Raft's messages, orders for the controller, who leads what.
//!
//! | module | what it holds |
//! |---|---|
//! | `enter`, `port`, `certificates` | taking a place in the cluster, and the port for it |
//! | `register`, `roster` | making this broker known, to whom it finds |
//! | `founding` | which cluster this is, and beginning it |
//! | `links` | the face to other brokers: where each kind of call goes |
//! | `transport`, `forward` | Raft's messages and commands, over the connections |
//! | `catch_up`, `throttle` | shards' states, for members that lack entries, and how fast they go |
//! | `leaders`, `cut_off` | who leads which shard, as it is heard; whether that may be old |
//! | `follow` | from the image to shards that run here, and to whom there are connections with |
//! | `members`, `leave` | groups' members, as the image wants them; removing a replica that is none any more |
//! | `rejoin`, `void`, `doubt` | members that must not be trusted any more come back as new ones |
//! | `mending` | damaged batches are replaced by another replica's |
//! | `moves` | partitions on their way from one shard to another |
//! | `report` | a group as its leader describes it |
//! | `hand_over` | having another member lead a group |
//! | `upkeep` | what the cluster does by itself |

mod catch_up;
mod certificates;
mod cut_off;
pub(crate) mod doubt;
mod enter;
pub(crate) mod follow;
mod forward;
mod founding;
mod hand_over;
mod leaders;
mod leave;
mod links;
pub(crate) mod members;
pub(crate) mod mending;
pub(crate) mod moves;
mod port;
mod register;
pub(crate) mod rejoin;
mod report;
mod roster;
mod throttle;
mod transport;
pub(crate) mod upkeep;
mod void;

/// Kinds of calls between brokers, as they stand on the wire.
pub(crate) mod kinds {
    /// A message of a Raft group.
    pub(crate) const RAFT: u8 = 1;
    /// A command for the controller's leader.
    pub(crate) const COMMAND: u8 = 2;
    /// Who are you? The handshake has told it already.
    pub(crate) const STANDING: u8 = 3;
    /// Where are the brokers of the cluster? Asked by one that none of them has heard of.
    pub(crate) const ROSTER: u8 = 4;
    /// A new broker asks for a `node.id`.
    pub(crate) const JOIN: u8 = 5;
    /// A piece of what a shard's leader offered.
    pub(crate) const CATCH_UP: u8 = 6;
    /// What a shard that takes over a partition asks of the one that has it.
    pub(crate) const MOVE: u8 = 7;
    /// How is it with the groups that you lead?
    pub(crate) const REPORT: u8 = 8;
    /// Have that broker lead a group that you lead.
    pub(crate) const HAND_OVER: u8 = 9;
    /// Go on without my members of the groups that you lead: they come back as new ones. Answered like [`REPORT`].
    pub(crate) const REJOIN: u8 = 10;
    /// Do you trust what you have of these groups?
    pub(crate) const STANDING_OF: u8 = 11;
    /// Batches of a partition, for a replica of which some are damaged.
    pub(crate) const BATCHES: u8 = 12;
}

pub(crate) use catch_up::PeerCatchUp;
pub(crate) use enter::enter;
pub(crate) use forward::PeerForward;
pub(crate) use leaders::Lead;
pub(crate) use links::Links;
pub use port::Incoming;
pub(crate) use port::Port;
pub(crate) use register::register;
pub(crate) use report::{MemberReport, Report};
pub(crate) use transport::PeerTransport;
