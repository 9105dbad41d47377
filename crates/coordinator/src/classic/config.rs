//! The settings that classic groups obey, by Kafka's names.

/// What the broker's configuration says about classic groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `group.min.session.timeout.ms`: below it a join is refused.
    pub min_session_timeout_ms: i32,
    /// `group.max.session.timeout.ms`: above it a join is refused.
    pub max_session_timeout_ms: i32,
    /// `group.initial.rebalance.delay.ms`: how long the first rebalance of an empty group waits for more members.
    pub initial_rebalance_delay_ms: i32,
    /// `group.max.size`: members of one group.
    pub max_size: usize,
    /// `offset.metadata.max.bytes`: in spite of its name, UTF-16 characters.
    pub offset_metadata_max_chars: usize,
    /// `offsets.retention.minutes`, in ms.
    pub offsets_retention_ms: i64,
}

impl Default for Config {
    /// Kafka's defaults.
    fn default() -> Self {
        Config {
            min_session_timeout_ms: 6_000,
            max_session_timeout_ms: 1_800_000,
            initial_rebalance_delay_ms: 3_000,
            max_size: i32::MAX as usize,
            offset_metadata_max_chars: 4_096,
            offsets_retention_ms: 7 * 24 * 60 * 60 * 1_000,
        }
    }
}

/// A new member's JoinGroup waits at most so long, since it cannot heartbeat before it knows its id: without a bound,
/// clients that time out and retry would fill a slow rebalance with members that are gone. Kafka's own figure.
pub(super) const NEW_MEMBER_JOIN_TIMEOUT_MS: i32 = 5 * 60 * 1_000;

/// Member ids that were handed out and not yet used (KIP-394), for one group. Each costs some 200 bytes until its
/// session timeout; a client that only ever asks for ids must not fill the memory.
pub(super) const MAX_PENDING_MEMBERS: usize = 100_000;
