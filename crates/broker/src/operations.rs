//! What a client may do (KIP-430). There is no access control yet: everything.

/// Bits of Kafka's `AclOperation`.
const READ: i32 = 1 << 3;
const WRITE: i32 = 1 << 4;
const CREATE: i32 = 1 << 5;
const DELETE: i32 = 1 << 6;
const ALTER: i32 = 1 << 7;
const DESCRIBE: i32 = 1 << 8;
const CLUSTER_ACTION: i32 = 1 << 9;
const DESCRIBE_CONFIGS: i32 = 1 << 10;
const ALTER_CONFIGS: i32 = 1 << 11;
const IDEMPOTENT_WRITE: i32 = 1 << 12;

/// Where a client did not ask.
const NOT_ASKED: i32 = i32::MIN;

/// All that can be done to a resource of some kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operations(i32);

impl Operations {
    pub(crate) const CLUSTER: Operations =
        Operations(CREATE | ALTER | DESCRIBE | CLUSTER_ACTION | DESCRIBE_CONFIGS | ALTER_CONFIGS | IDEMPOTENT_WRITE);
    pub(crate) const TOPIC: Operations =
        Operations(READ | WRITE | CREATE | DELETE | ALTER | DESCRIBE | DESCRIBE_CONFIGS | ALTER_CONFIGS);
    pub(crate) const GROUP: Operations = Operations(READ | DELETE | DESCRIBE | DESCRIBE_CONFIGS | ALTER_CONFIGS);

    /// The field of a response.
    pub(crate) fn if_asked(self, asked: bool) -> i32 {
        if asked { self.0 } else { NOT_ASKED }
    }
}
