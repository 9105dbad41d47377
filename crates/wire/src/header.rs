//! Request headers, and what to do with a frame before its body is read.

use bytes::{Buf, Bytes};
use kafka_protocol::protocol::StrBytes;

use crate::shape::Reader;
use crate::{ApiKey, Malformed};

/// The header of a request that is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHeader {
    /// What is asked for.
    pub api: ApiKey,
    /// In which version.
    pub version: i16,
    /// To be given back in the response.
    pub correlation_id: i32,
    /// What the client calls itself (`client.id`), for logs and quotas.
    pub client_id: Option<StrBytes>,
}

/// A frame from a client whose header could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A request of an API and version that are served, with its body still to be decoded.
    Request(RequestHeader, Bytes),
    /// ApiVersions of a version that is not served: the one request that is answered all the same,
    /// by [`crate::unsupported_api_versions_response`] (in version 0), so that the client can choose
    /// another. Its body must not be read.
    UnsupportedApiVersions {
        /// To be given back in the response.
        correlation_id: i32,
    },
}

/// Reads the header of a frame.
///
/// # Errors
/// Each of them means that the connection must be closed: a key or version that is not served, or
/// a header that ends too early.
pub fn parse_request(mut frame: Bytes) -> Result<Incoming, Malformed> {
    if frame.len() < 8 {
        return Err(Malformed::Header);
    }
    let code = frame.get_i16();
    let version = frame.get_i16();
    let correlation_id = frame.get_i32();
    let api = ApiKey::from_code(code).ok_or(Malformed::UnknownApi(code))?;
    if !api.serves(version) {
        return match api {
            ApiKey::ApiVersions => Ok(Incoming::UnsupportedApiVersions { correlation_id }),
            _ if api.api().served().is_none() => Err(Malformed::UnknownApi(code)),
            _ => Err(Malformed::UnsupportedVersion { api, version }),
        };
    }
    let client_id = take_client_id(&mut frame)?;
    if api.request_header_version(version) == 2 {
        skip_tagged_fields(&mut frame)?;
    }
    Ok(Incoming::Request(RequestHeader { api, version, correlation_id, client_id }, frame))
}

/// A nullable string with a length of 16 bits in header v2 too, where all else is compact (KIP-482).
fn take_client_id(frame: &mut Bytes) -> Result<Option<StrBytes>, Malformed> {
    let length = frame.try_get_i16().map_err(|_| Malformed::Header)?;
    match usize::try_from(length) {
        Err(_) if length == -1 => Ok(None),
        Ok(length) if length <= frame.len() => {
            StrBytes::from_utf8(frame.split_to(length)).map(Some).map_err(|_| Malformed::Header)
        }
        _ => Err(Malformed::Header),
    }
}

fn skip_tagged_fields(frame: &mut Bytes) -> Result<(), Malformed> {
    let mut reader = Reader::new(frame);
    reader.skip_unknown_tags().map_err(|_| Malformed::Header)?;
    let read = reader.position();
    frame.advance(read);
    Ok(())
}

#[cfg(test)]
mod tests;
