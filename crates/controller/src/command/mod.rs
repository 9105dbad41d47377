//! Commands: what a controller's entry asks of the image.
//!
//! An entry is one byte of format version, one byte of kind, and the command's fields as a
//! MessagePack map with names (`docs/architecture/cluster-image.md`). A new field is added with a
//! default that means what its absence meant; a change that an older build must not overlook
//! raises the version or takes a new kind, and older builds refuse it by a typed error.

mod bodies;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::format::{self, FormatError};

pub use bodies::{
    AllocateBrokerId, AllocateProducerIds, Arrival, Bootstrap, ChangeShardMembers, CreatePartitions, CreateShards,
    CreateTopics, DeleteTopics, DrainBroker, FenceBroker, FinishMoves, MembersChange, MovePartitions, NewPartitions,
    NewTopic, PartitionMove, Precondition, Registration, SetControllers, SetFeatures, SetSettings, SettingChange,
    SettingsChange, ShardWish, UnregisterBroker,
};

/// Format version of an entry that this build writes, and the newest that it reads.
pub const COMMAND_VERSION: u8 = 1;

/// Largest entry: it must replicate and apply within a few heartbeats. Kafka's controllers bound
/// their batches alike.
pub const MAX_COMMAND_BYTES: usize = 8 * 1024 * 1024;

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident($body:ty) = $kind:literal;)*) => {
        /// A change to the cluster image.
        #[derive(Clone, PartialEq, Debug)]
        pub enum Command {
            $($(#[$doc])* $name($body),)*
        }

        impl Command {
            /// The byte that names this command in an entry. Kinds are never reused.
            pub fn kind(&self) -> u8 {
                match self {
                    $(Command::$name(_) => $kind,)*
                }
            }

            /// The entry that carries this command.
            pub fn encode(&self) -> Bytes {
                match self {
                    $(Command::$name(body) => entry($kind, body),)*
                }
            }

            /// Reads an entry. Fails, rather than guesses, on one that a newer build wrote.
            pub fn decode(entry: &[u8]) -> Result<Command, FormatError> {
                let (kind, body) = kind_and_body(entry)?;
                match kind {
                    $($kind => Ok(Command::$name(fields(body)?)),)*
                    unknown => Err(FormatError::UnknownKind { kind: unknown }),
                }
            }
        }
    };
}

commands! {
    /// The first command of a cluster: its id, its first broker, that broker's shards, in one entry.
    Bootstrap(Bootstrap) = 1;
    /// A broker says where it is.
    RegisterBroker(Registration) = 2;
    /// A broker is taken out of what clients are told, or back in.
    FenceBroker(FenceBroker) = 3;
    /// Raft groups for partitions to live in.
    CreateShards(CreateShards) = 4;
    /// New topics, each by itself.
    CreateTopics(CreateTopics) = 5;
    /// Topics to drop, each by itself.
    DeleteTopics(DeleteTopics) = 6;
    /// More partitions for topics, each by itself.
    CreatePartitions(CreatePartitions) = 7;
    /// Settings of resources, each by itself.
    SetSettings(SetSettings) = 8;
    /// A block of producer ids for one broker.
    AllocateProducerIds(AllocateProducerIds) = 9;
    /// Feature levels, all or none.
    SetFeatures(SetFeatures) = 10;
    /// A broker is forgotten, which carries nothing.
    UnregisterBroker(UnregisterBroker) = 11;
    /// A broker is to carry nothing, or may again.
    DrainBroker(DrainBroker) = 12;
    /// Other members for shards, each by itself.
    ChangeShardMembers(ChangeShardMembers) = 13;
    /// The voters that the controller's group is to have.
    SetControllers(SetControllers) = 14;
    /// Partitions are to live in other shards, each by itself.
    MovePartitions(MovePartitions) = 15;
    /// Partitions live in other shards from now on, each by itself.
    FinishMoves(FinishMoves) = 16;
    /// An id for a broker that joins without one.
    AllocateBrokerId(AllocateBrokerId) = 17;
}

impl Command {
    /// Whether having it applied twice is as good as once, so that it may be sent again where
    /// nobody knows what became of it: at worst some ids are lost, or a broker registers with a higher
    /// epoch.
    pub fn is_repeatable(&self) -> bool {
        use Command::{AllocateBrokerId, AllocateProducerIds, CreateShards, RegisterBroker};
        matches!(self, AllocateBrokerId(_) | AllocateProducerIds(_) | CreateShards(_) | RegisterBroker(_))
    }
}

fn entry(kind: u8, body: &impl Serialize) -> Bytes {
    let mut entry = vec![COMMAND_VERSION, kind];
    format::write_fields(&mut entry, body);
    entry.into()
}

fn kind_and_body(entry: &[u8]) -> Result<(u8, &[u8]), FormatError> {
    let body = format::check_version("command", COMMAND_VERSION, entry)?;
    let (kind, fields) = body.split_first().ok_or(FormatError::Empty { what: "command" })?;
    Ok((*kind, fields))
}

fn fields<T: DeserializeOwned>(body: &[u8]) -> Result<T, FormatError> {
    format::read_fields("command", body)
}
