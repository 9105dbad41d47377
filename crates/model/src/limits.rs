//! Bounds that more than one crate keeps, each with its reason.

/// Largest frame on a client connection (`socket.request.max.bytes`).
pub const MAX_FRAME_BYTES: usize = 100 * 1024 * 1024;

/// Elements in any array of a request: Kafka 4.4 closes the connection above this.
pub const MAX_ARRAY_ELEMENTS: usize = 1_000_000;

/// Tagged fields in one section of a request: Kafka 4.4 closes the connection above this.
pub const MAX_TAGGED_FIELDS: usize = 10_000;
