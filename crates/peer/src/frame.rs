//! Frames: what crosses a connection once both ends have proved themselves. See
//! `docs/architecture/peer-protocol.md`.

use crc_fast::{CrcAlgorithm, Digest};

use crate::{CallError, Urgency};

/// A head's length.
pub(crate) const HEAD_BYTES: usize = 24;

/// What a frame is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum What {
    /// A call, or a piece of it.
    Request = 1,
    /// Its reply, or a piece of it.
    Reply = 2,
    /// The words with which a service refused it.
    Failure = 3,
    /// The caller has given up.
    Cancel = 4,
    /// A sign of life, with news.
    Heartbeat = 5,
    /// The sender says anew who it is: it knows its cluster now.
    Identity = 6,
    /// No more calls will come on this connection, since there is a better one.
    Retire = 7,
    /// The sender closes the connection, for the reason in `kind` and in the words that follow.
    Goodbye = 8,
    /// From here on: for later versions. Whoever does not know such a frame passes it over.
    Unknown = 128,
}

/// Why one end closes a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Goodbye {
    /// Its process ends.
    Stopping = 1,
    /// It has been told to have nothing to do with the other.
    Dropped = 2,
    /// It belongs to another cluster.
    OtherCluster = 3,
}

/// What stands before each frame's body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    pub(crate) what: What,
    /// Of a call: what is asked. Of a good-bye: the reason. Otherwise 0.
    pub(crate) kind: u8,
    pub(crate) lane: Urgency,
    /// Which call it belongs to, as the caller counts them; or 0.
    pub(crate) call: u64,
    /// Bytes of body in this frame.
    pub(crate) length: u32,
    /// Bytes of the same message in later frames.
    pub(crate) left: u32,
}

impl Head {
    /// A frame that is not a piece of a longer message.
    pub(crate) fn whole(what: What, lane: Urgency, call: u64, length: usize) -> Self {
        Head { what, kind: 0, lane, call, length: length as u32, left: 0 }
    }

    /// The bytes before the body's, with the check over both.
    pub(crate) fn encode<'a>(&self, body: impl IntoIterator<Item = &'a [u8]>) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        bytes[4..8].copy_from_slice(&self.length.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.left.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.call.to_le_bytes());
        bytes[20] = self.what as u8;
        bytes[21] = self.kind;
        bytes[22] = self.lane as u8;
        let mut check = Check::new(&bytes);
        body.into_iter().for_each(|part| check.update(part));
        bytes[..4].copy_from_slice(&check.value().to_le_bytes());
        bytes
    }

    /// The reverse.
    pub(crate) fn decode(bytes: &[u8; HEAD_BYTES]) -> Result<Head, Violation> {
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let what = match bytes[20] {
            1 => What::Request,
            2 => What::Reply,
            3 => What::Failure,
            4 => What::Cancel,
            5 => What::Heartbeat,
            6 => What::Identity,
            7 => What::Retire,
            8 => What::Goodbye,
            128.. => What::Unknown,
            unknown => return Err(Violation::Unknown(unknown)),
        };
        let lane = match bytes[22] {
            0 => Urgency::Urgent,
            1 => Urgency::Bulk,
            unknown => return Err(Violation::Unknown(unknown)),
        };
        let call = u64::from(number(12)) | u64::from(number(16)) << 32;
        Ok(Head { what, kind: bytes[21], lane, call, length: number(4), left: number(8) })
    }

    /// The length of the whole message, from its first frame.
    pub(crate) fn message_bytes(&self) -> usize {
        self.length as usize + self.left as usize
    }
}

/// CRC-32C of a frame: what it says of itself, and its body. TCP's own sum lets one damaged packet of 65,536
/// pass, and what is damaged here would be stored as if it had been acknowledged so.
#[derive(Debug)]
pub(crate) struct Check {
    digest: Digest,
    stated: u32,
}

impl Check {
    pub(crate) fn new(head: &[u8; HEAD_BYTES]) -> Self {
        let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
        digest.update(&head[4..]);
        Check { digest, stated: u32::from_le_bytes([head[0], head[1], head[2], head[3]]) }
    }

    pub(crate) fn update(&mut self, body: &[u8]) {
        self.digest.update(body);
    }

    fn value(&self) -> u32 {
        self.digest.finalize() as u32
    }

    /// # Errors
    /// When the frame is not what its sender wrote.
    pub(crate) fn verify(&self) -> Result<(), Violation> {
        if self.value() == self.stated { Ok(()) } else { Err(Violation::Damaged) }
    }
}

/// What breaks a connection, since nothing after it could be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Violation {
    #[error("a frame arrived damaged; check the network, and the memory of both machines")]
    Damaged,
    #[error("a frame of an unknown kind arrived ({0}); run the same version on both brokers")]
    Unknown(u8),
    #[error("a frame of {0} bytes arrived, which is more than is allowed")]
    TooLong(usize),
    #[error("the pieces of a message do not fit together")]
    Pieces,
    #[error("more calls arrived than were agreed on")]
    Window,
    #[error("a frame arrived that has no place on this connection")]
    OutOfPlace,
}

/// What a call counts for beside its bytes, so that empty ones are bounded too: about what they take in memory.
const CALL_OVERHEAD_BYTES: usize = 256;

/// What a call of so many bytes takes of a window. Both ends must count alike.
pub(crate) fn charge(message_bytes: usize) -> usize {
    message_bytes + CALL_OVERHEAD_BYTES
}

/// The lane of a message.
pub(crate) fn lane_of(wanted: Urgency, message_bytes: usize) -> Result<Urgency, CallError> {
    match message_bytes {
        bytes if bytes > crate::MAX_MESSAGE_BYTES => Err(CallError::TooLong { bytes }),
        bytes if bytes > crate::MAX_URGENT_BYTES => Ok(Urgency::Bulk),
        _ => Ok(wanted),
    }
}
