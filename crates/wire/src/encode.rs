//! Writing frames: small fields into one buffer, records by reference.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};

use crate::messages::{Request, Response};
use crate::{ApiKey, Frame, Unencodable};

/// Records below this many bytes are copied: a piece of its own costs more in `writev` than that.
pub const SPLICE_FROM_BYTES: usize = 2048;

const TOO_LONG: &str = "a frame of more than 2 GiB";

/// Encodes a response with its length and header. What `version` has no place for is dropped
/// ([`Response::fit`]), so a handler may fill in all it knows.
///
/// # Errors
/// If the handler built what no version can hold, such as a null where null may not be.
pub fn encode_response<R: Response>(version: i16, correlation_id: i32, mut response: R) -> Result<Frame, Unencodable> {
    response.fit(version);
    let mut out = Pieces::with_capacity(256);
    out.small.put_i32(correlation_id);
    if R::API.response_header_version(version) == 1 {
        out.small.put_u8(0); // no tagged fields
    }
    response.write(&mut out, version)?;
    out.into_frame().ok_or_else(|| unencodable(R::API, version, TOO_LONG))
}

/// Encodes a request with its length and header (for clients).
///
/// # Errors
/// If `version` has no place for a field that is set.
pub fn encode_request<M: Request>(
    version: i16,
    correlation_id: i32,
    client_id: Option<&str>,
    request: &M,
) -> Result<Frame, Unencodable> {
    let mut out = Pieces::with_capacity(256);
    out.small.put_i16(M::API.code());
    out.small.put_i16(version);
    out.small.put_i32(correlation_id);
    put_client_id(&mut out.small, client_id).map_err(|reason| unencodable(M::API, version, reason))?;
    if M::API.request_header_version(version) == 2 {
        out.small.put_u8(0); // no tagged fields
    }
    request.write(&mut out.small, version)?;
    out.into_frame().ok_or_else(|| unencodable(M::API, version, TOO_LONG))
}

fn put_client_id(out: &mut BytesMut, client_id: Option<&str>) -> Result<(), &'static str> {
    let Some(client_id) = client_id else {
        out.put_i16(-1);
        return Ok(());
    };
    let length = i16::try_from(client_id.len()).map_err(|_| "a client id of more than 32,767 bytes")?;
    out.put_i16(length);
    out.put_slice(client_id.as_bytes());
    Ok(())
}

pub(crate) fn unencodable(api: ApiKey, version: i16, reason: impl ToString) -> Unencodable {
    Unencodable { api, version, reason: reason.to_string() }
}

/// A frame being written: one buffer for all that is small, and the places in it where a large
/// slice belongs.
#[derive(Debug)]
pub struct Pieces {
    small: BytesMut,
    large: Vec<(usize, Bytes)>,
}

impl Pieces {
    /// Room for `capacity` small bytes; the frame's length comes first.
    fn with_capacity(capacity: usize) -> Self {
        let mut small = BytesMut::with_capacity(capacity);
        small.put_i32(0);
        Pieces { small, large: Vec::new() }
    }

    /// The buffer for small fields.
    pub(crate) fn small(&mut self) -> &mut BytesMut {
        &mut self.small
    }

    /// Appends `bytes`, by reference if they are worth it.
    pub(crate) fn put(&mut self, bytes: &Bytes) {
        if bytes.len() < SPLICE_FROM_BYTES {
            self.small.put_slice(bytes);
        } else {
            self.large.push((self.small.len(), bytes.clone()));
        }
    }

    /// The finished frame, unless its length does not fit its four bytes.
    fn into_frame(mut self) -> Option<Frame> {
        let large_bytes: usize = self.large.iter().map(|(_, bytes)| bytes.len()).sum();
        let length = i32::try_from(self.small.len() - 4 + large_bytes).ok()?;
        self.small[..4].copy_from_slice(&length.to_be_bytes());
        let own_bytes = self.small.len();
        let mut small = self.small.freeze();
        let mut pieces = VecDeque::with_capacity(2 * self.large.len() + 1);
        let mut cut = 0;
        for (position, bytes) in self.large {
            if position > cut {
                pieces.push_back(small.split_to(position - cut));
                cut = position;
            }
            pieces.push_back(bytes);
        }
        if !small.is_empty() {
            pieces.push_back(small);
        }
        Some(Frame::from_pieces(pieces, own_bytes))
    }
}
