//! Who a broker is.

use model::{BrokerId, Random};
use uuid::Uuid;

use crate::Address;

/// A broker's process, as it introduces itself to others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Its `node.id`.
    pub broker: BrokerId,
    /// Its data directory. Only one process has it open at a time.
    pub directory: Uuid,
    /// Its process: another number with each start, not an ordered one.
    pub incarnation: u64,
    /// Where others reach its cluster port.
    pub address: Address,
    /// The cluster that it belongs to, once it is known: 64 bytes at most.
    pub cluster: Option<String>,
}

impl Identity {
    /// A process that has just been started.
    pub fn new(
        broker: BrokerId,
        directory: Uuid,
        address: Address,
        cluster: Option<String>,
        random: &dyn Random,
    ) -> Self {
        let incarnation = Uuid::from_bytes(random.bytes()).as_u64_pair().1;
        Identity { broker, directory, incarnation, address, cluster }
    }

    /// Whether this is the very same process.
    pub fn is_process(&self, other: &Identity) -> bool {
        let process = |identity: &Identity| (identity.broker, identity.directory, identity.incarnation);
        process(self) == process(other)
    }
}
