//! What can be wrong with bytes that came in, and with a message that should go out.

use crate::ApiKey;

/// Why a request or a response could not be read. On a connection it means: close it, as Kafka
/// does, without an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The frame's announced length is negative, or larger than the listener takes.
    #[error("a frame of {announced} bytes was announced; allowed are 0 to {allowed} (socket.request.max.bytes)")]
    FrameLength {
        /// The announced length.
        announced: i32,
        /// The largest length that is taken.
        allowed: usize,
    },
    /// The frame ends inside its header.
    #[error("the frame ends inside the request header")]
    Header,
    /// An API key that Kafka does not have, or that is not spoken on this listener.
    #[error("unknown api key {0}")]
    UnknownApi(i16),
    /// A version of a known API that is not served.
    #[error("{api} {version} is not served; ask for the served versions with ApiVersions")]
    UnsupportedVersion {
        /// The API.
        api: ApiKey,
        /// The version that the header asks for.
        version: i16,
    },
    /// A length, count or varint of the body that what arrived can't hold, or above a limit.
    #[error("{api} {version}: {fault} at byte {position} of the body")]
    Shape {
        /// The API.
        api: ApiKey,
        /// The version by which the body was read.
        version: i16,
        /// Where in the body.
        position: usize,
        /// What is wrong there.
        fault: Fault,
    },
    /// The body has the right shape but a value that can't be, such as text that is not UTF-8.
    #[error("{api} {version}: {reason}")]
    Value {
        /// The API.
        api: ApiKey,
        /// The version by which the body was read.
        version: i16,
        /// What the decoder says.
        reason: String,
    },
}

/// What is wrong with the shape of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A field reaches beyond the end.
    #[error("the body ends inside a field")]
    Truncated,
    /// A length below -1, or -1 (null) where null may not be.
    #[error("a negative or null length where a value must be")]
    Null,
    /// A varint of more than five bytes or 32 bits; a tag of more than 31.
    #[error("a varint out of range")]
    Varint,
    /// More elements than what is left of the body can hold.
    #[error("a count of elements that the body can't hold")]
    Count,
    /// More elements than [`model::limits::MAX_ARRAY_ELEMENTS`], or than memory may be spent on.
    #[error("more elements than a request may have")]
    TooManyElements,
    /// More tagged fields than [`model::limits::MAX_TAGGED_FIELDS`].
    #[error("more tagged fields than a section may have")]
    TooManyTags,
    /// A tagged field whose size is not that of its content.
    #[error("a tagged field of a wrong size")]
    TagSize,
    /// A string above Kafka's bound.
    #[error("a string of more than 32,767 bytes")]
    LongString,
    /// Text that is not UTF-8.
    #[error("text that is not UTF-8")]
    Text,
}

/// A message of ours that can't be put on the wire: a fault in the handler that built it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{api} {version} can't be encoded: {reason}; build it for this version")]
pub struct Unencodable {
    /// The API.
    pub api: ApiKey,
    /// The version.
    pub version: i16,
    /// What the encoder says.
    pub reason: String,
}

impl From<Fault> for String {
    fn from(fault: Fault) -> String {
        fault.to_string()
    }
}
