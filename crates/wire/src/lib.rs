//! Kafka's wire protocol: the table of APIs, frames and headers, hardened decoding, and an encoder
//! that references records instead of copying them.
//!
//! It is not: a connection, a handler, or a reader of record batches (see `record`).
//!
//! ```
//! use wire::messages::{MetadataRequest, MetadataResponse};
//! use wire::{Incoming, decode, encode_request, encode_response, parse_request};
//!
//! // A client asks ...
//! let request = encode_request(12, 7, Some("doc"), &MetadataRequest::default()).unwrap();
//! let frame = request.to_bytes().slice(4..); // behind the length
//!
//! // ... and the broker answers.
//! let Incoming::Request(header, body) = parse_request(frame).unwrap() else { panic!() };
//! let request: MetadataRequest = decode(header.version, body).unwrap();
//! assert!(request.topics.is_some_and(|topics| topics.is_empty()));
//! let answer = MetadataResponse::default();
//! let response = encode_response(header.version, header.correlation_id, answer).unwrap();
//! assert_eq!(wire::response_correlation_id(&response.to_bytes()[4..]), Ok(7));
//! ```

mod api;
mod api_versions;
mod compatibility;
mod decode;
mod encode;
mod error;
mod frame;
mod header;
pub mod messages;
mod primitive;
mod shape;
mod versions;

pub use api::{APIS, Api, ApiKey, Support};
pub use api_versions::{Feature, api_versions_response, unsupported_api_versions_response};
pub use compatibility::compatibility_tables;
pub use decode::{decode, decode_response, response_correlation_id};
pub use encode::{Pieces, SPLICE_FROM_BYTES, encode_request, encode_response};
pub use error::{Fault, Malformed, Unencodable};
pub use frame::{Frame, FrameReader};
pub use header::{Incoming, RequestHeader, parse_request};
pub use kafka_protocol::protocol::StrBytes;
pub use shape::{DECODED_FACTOR, DECODED_RESPONSE_FACTOR, SLACK_BYTES};
pub use versions::Versions;
