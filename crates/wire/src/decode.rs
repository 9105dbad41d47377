//! Reading bodies: first a walk that bounds every count and length, then the decoder.

use bytes::{Buf, Bytes};

use crate::messages::Request;
use crate::shape::{self, Reader};
use crate::{ApiKey, Malformed};

/// Reads the body of a request. Strings and records point into `body`: copy what is to be kept,
/// since the slice pins the whole frame.
///
/// Before the decoder runs, the body is walked, so that no count or length in it can make the
/// decoder reserve more than the memory rule allows (see [`SLACK_BYTES`](crate::SLACK_BYTES)). Bytes behind the
/// message's end are ignored, as Kafka does.
///
/// # Errors
/// The connection must be closed.
pub fn decode<M: Request>(version: i16, body: Bytes) -> Result<M, Malformed> {
    let mut body = body;
    shape::check_request(M::API, version, &body)?;
    M::read(&mut body, version)
}

/// The correlation id of a response frame, by which a client finds out what it is an answer to.
///
/// # Errors
/// If the frame is shorter than that.
pub fn response_correlation_id(frame: &[u8]) -> Result<i32, Malformed> {
    frame.first_chunk().map(|id| i32::from_be_bytes(*id)).ok_or(Malformed::Header)
}

/// Reads a response frame (its length cut off) to a request `M` of `version`.
///
/// # Errors
/// The connection is of no more use.
pub fn decode_response<M: Request>(version: i16, mut frame: Bytes) -> Result<M::Response, Malformed> {
    skip_response_header(M::API, version, &mut frame)?;
    shape::check_response(M::API, version, &frame)?;
    M::read_response(&mut frame, version)
}

fn skip_response_header(api: ApiKey, version: i16, frame: &mut Bytes) -> Result<(), Malformed> {
    response_correlation_id(frame)?;
    frame.advance(4);
    if api.response_header_version(version) == 1 {
        let mut reader = Reader::new(frame);
        reader.skip_unknown_tags().map_err(|_| Malformed::Header)?;
        let read = reader.position();
        frame.advance(read);
    }
    Ok(())
}
