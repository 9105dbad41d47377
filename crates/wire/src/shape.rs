//! The walk over a body before it is decoded.
//!
//! `kafka-protocol`'s decoder reserves room for as many elements as a count on the wire says: five
//! bytes can ask for 309 GB and abort the process. So each body is first walked by a table of
//! shapes. What passes the walk, the decoder can read without reserving more than the *memory rule*
//! allows:
//!
//! * no single allocation above what arrived plus [`SLACK_BYTES`];
//! * all of them together not above [`DECODED_FACTOR`] times what arrived plus [`SLACK_BYTES`]
//!   ([`DECODED_RESPONSE_FACTOR`] times for responses, single allocations included).
//!   (Decoded elements are larger than their bytes: a partition of an OffsetCommit is 18 bytes on
//!   the wire and 80 in memory. A commit for 10,000 partitions fits, a million empty names do not.)
//!
//! Kafka 4.4's own limits hold besides: elements of an array, tagged fields of a section, and counts
//! above the bytes left close the connection. Bytes behind the end are ignored, as Kafka does.
//! Refused although Kafka lets it pass, since no client sends it: a length below -1 (null in Kafka),
//! a tagged field whose content is shorter than its size, a fifth byte of a varint above 15, a tag
//! above 31 bits, and (by the decoder) text that is not UTF-8.
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
use walk::{Limits, Shape};

/// What may be allocated above what arrived: so much that ordinary requests never come near.
pub const SLACK_BYTES: usize = 1024 * 1024;

/// How many times larger than its bytes a decoded request may be.
pub const DECODED_FACTOR: usize = 4;

/// The same for a response, which a client reads: a broker is trusted to send many small things, such
/// as the partitions of a large cluster.
pub const DECODED_RESPONSE_FACTOR: usize = 16;

const REQUESTS: &str = include_str!("shape/requests.shapes");
const RESPONSES: &str = include_str!("shape/responses.shapes");

/// More versions than any API has.
const VERSIONS: usize = 24;
const APIS: usize = crate::APIS.len();

/// Shapes made ready for one version, on its first use.
type Ready = [[OnceLock<Shape>; VERSIONS]; APIS];

/// Walks the body of a request.
pub(crate) fn check_request(api: ApiKey, version: i16, body: &Bytes) -> Result<(), Malformed> {
    static READY: Ready = [const { [const { OnceLock::new() }; VERSIONS] }; APIS];
    let limits =
        Limits { single_bytes: body.len() + SLACK_BYTES, total_bytes: DECODED_FACTOR * body.len() + SLACK_BYTES };
    let shape = shape_of(&READY, REQUESTS, api, version, raised_bytes(api, version))?;
    check(shape, limits, api, version, body)
}

/// Walks the body of a response.
pub(crate) fn check_response(api: ApiKey, version: i16, body: &Bytes) -> Result<(), Malformed> {
    static READY: Ready = [const { [const { OnceLock::new() }; VERSIONS] }; APIS];
    let bytes = DECODED_RESPONSE_FACTOR * body.len() + SLACK_BYTES;
    let limits = Limits { single_bytes: bytes, total_bytes: bytes };
    let shape = shape_of(&READY, RESPONSES, api, version, 0)?;
    check(shape, limits, api, version, body)
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

/// The shape of one version, made ready if it is its first use.
fn shape_of<'r>(
    ready: &'r Ready,
    shapes: &'static str,
    api: ApiKey,
    version: i16,
    raised_bytes: usize,
) -> Result<&'r Shape, Malformed> {
    let unsupported = Malformed::UnsupportedVersion { api, version };
    let place = usize::try_from(version).ok().and_then(|version| ready[api.position()].get(version));
    let Some(place) = place.filter(|_| api.api().kafka.contains(version)) else { return Err(unsupported) };
    if let Some(shape) = place.get() {
        return Ok(shape);
    }
    let text = entry(shapes, api).ok_or(unsupported)?;
    Ok(place.get_or_init(|| parse::parse(text, version, api.is_flexible(version), raised_bytes)))
}

fn check(shape: &Shape, limits: Limits, api: ApiKey, version: i16, body: &Bytes) -> Result<(), Malformed> {
    let mut reader = Reader::new(body);
    let walked = shape.walk(&mut reader, limits);
    walked.map_err(|fault| Malformed::Shape { api, version, position: reader.position(), fault })
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
