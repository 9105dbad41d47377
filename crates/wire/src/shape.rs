//! The walk over a body before it is decoded.
//!
//! `kafka-protocol`'s decoder reserves room for as many elements as a count on the wire says: five
//! bytes can ask for 309 GB and abort the process. So each body is first walked by a table of
//! shapes. What passes the walk, the decoder can read without reserving more than the *memory rule*
//! allows:
//!
//! * no single allocation above what arrived plus [`SLACK_BYTES`];
//! * all of them together not above [`DECODED_FACTOR`] times what arrived plus [`SLACK_BYTES`].
//!   (Decoded elements are larger than their bytes: a partition of an OffsetCommit is 18 bytes on
//!   the wire and 80 in memory. A commit for 10,000 partitions fits, a million empty names do not.)
//!
//! Kafka 4.4's own limits hold besides: elements of an array, tagged fields of a section, and counts
//! above the bytes left close the connection. Bytes behind the end are ignored, as Kafka does.
//!
//! # The notation
//!
//! `requests.shapes` and `responses.shapes` have one entry for each API: the fields in the order of
//! the wire, without their names. They are derived from Kafka's definitions by
//! `tests/golden/derive_shapes.py`.
//!
//! | written | means |
//! |---|---|
//! | `i8` `i16` `i32` `i64` `uuid` | so many bytes (`i8` is a bool too) |
//! | `str` `bytes` | a string; bytes or records |
//! | `{...}` | a struct; in flexible versions it ends in tagged fields |
//! | `[...]` | an array of what is inside |
//! | `?` or `?2-7` | may be null (in these versions) |
//! | `@7+` or `@2-4` | is there only in these versions |
//! | `#1` | is a tagged field with this tag |

use std::sync::OnceLock;

use bytes::Bytes;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopics;

use crate::{ApiKey, Malformed};

mod parse;
mod reader;
#[cfg(test)]
mod tests;
mod walk;

pub(crate) use reader::Reader;

/// What may be allocated above what arrived: so much that ordinary requests never come near.
pub const SLACK_BYTES: usize = 1024 * 1024;

/// How many times larger than its bytes a decoded body may be.
pub const DECODED_FACTOR: usize = 4;

const REQUESTS: &str = include_str!("shape/requests.shapes");
const RESPONSES: &str = include_str!("shape/responses.shapes");

/// More versions than any API has.
const VERSIONS: usize = 24;
const APIS: usize = crate::APIS.len();

/// Shapes made ready for one version, on its first use.
type Ready = [[OnceLock<walk::Shape>; VERSIONS]; APIS];

/// Walks the body of a request.
pub(crate) fn check_request(api: ApiKey, version: i16, body: &Bytes) -> Result<(), Malformed> {
    static READY: Ready = [const { [const { OnceLock::new() }; VERSIONS] }; APIS];
    check(&READY, REQUESTS, api, version, body, raised_bytes(api, version))
}

/// Walks the body of a response.
pub(crate) fn check_response(api: ApiKey, version: i16, body: &Bytes) -> Result<(), Malformed> {
    static READY: Ready = [const { [const { OnceLock::new() }; VERSIONS] }; APIS];
    check(&READY, RESPONSES, api, version, body, 0)
}

/// What an element of an old version's array takes in the newest form, to which it is copied
/// (`messages::request_forms`).
fn raised_bytes(api: ApiKey, version: i16) -> usize {
    match (api, version) {
        (ApiKey::OffsetFetch, ..=7) => size_of::<OffsetFetchRequestTopics>(),
        (ApiKey::DeleteTopics, ..=5) => size_of::<DeleteTopicState>(),
        _ => 0,
    }
}

fn check(
    ready: &Ready,
    shapes: &'static str,
    api: ApiKey,
    version: i16,
    body: &Bytes,
    raised_bytes: usize,
) -> Result<(), Malformed> {
    let unsupported = Malformed::UnsupportedVersion { api, version };
    let place = usize::try_from(version).ok().and_then(|version| ready[api.position()].get(version));
    let Some(place) = place.filter(|_| api.api().kafka.contains(version)) else { return Err(unsupported) };
    let Some(text) = entry(shapes, api) else { return Err(unsupported) };
    let shape = place.get_or_init(|| parse::parse(text, version, api.is_flexible(version), raised_bytes));
    let mut reader = Reader::new(body);
    shape.walk(&mut reader).map_err(|fault| Malformed::Shape { api, version, position: reader.position(), fault })
}

/// The entry of one API: what stands behind its name, up to the next line that is not indented.
fn entry(shapes: &'static str, api: ApiKey) -> Option<&'static str> {
    let mut rest = shapes;
    loop {
        let end = rest.match_indices('\n').map(|(at, _)| at + 1).find(|at| !rest[*at..].starts_with(' '))?;
        let (entry, next) = rest.split_at(end);
        if let Some(fields) = entry.strip_prefix(api.name()).and_then(|entry| entry.strip_prefix(':')) {
            return Some(fields);
        }
        rest = next;
    }
}
