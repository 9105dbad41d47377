//! What little the broker reads of the consumers' own protocol: the topics that a member subscribes to.

use super::RecordError;
use super::bytes::Reader;

/// The protocol type of consumers; only its members' metadata is looked into.
pub(crate) const CONSUMER_PROTOCOL_TYPE: &str = "consumer";

/// Shows `visit` each topic of a member's ConsumerProtocolSubscription.
///
/// Version 0 is a prefix of all versions, so that a newer client's metadata is read all the same. The bytes come
/// from clients: each name is checked to lie within them, and nothing at all is allocated.
pub fn subscribed_topics(metadata: &[u8], mut visit: impl FnMut(&str)) -> Result<(), RecordError> {
    let mut reader = Reader::new("a consumer's subscription", metadata);
    let _version = reader.i16()?;
    for _ in 0..reader.count("topics")? {
        visit(reader.string("topic")?);
    }
    Ok(())
}
