//! The ApiVersions request: the crate's ends at version 4, without KIP-1242's fields.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;

use super::{ApiVersionsResponse, Request, by_crate};
use crate::primitive::{put_compact_string, take_compact_string};
use crate::{ApiKey, Fault, Malformed, Unencodable};

/// What a client says of itself when it asks for the served versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiVersionsRequest {
    /// Name of the client library (KIP-511); from version 3.
    pub client_software_name: StrBytes,
    /// Version of the client library; from version 3.
    pub client_software_version: StrBytes,
    /// The cluster that the client thinks it speaks to (KIP-1242); from version 5.
    pub cluster_id: Option<StrBytes>,
    /// The broker that the client thinks it speaks to, -1 for none; from version 5.
    pub node_id: i32,
}

impl Default for ApiVersionsRequest {
    fn default() -> Self {
        ApiVersionsRequest {
            client_software_name: StrBytes::default(),
            client_software_version: StrBytes::default(),
            cluster_id: None,
            node_id: -1,
        }
    }
}

impl Request for ApiVersionsRequest {
    const API: ApiKey = ApiKey::ApiVersions;
    type Response = ApiVersionsResponse;

    fn read(body: &mut Bytes, version: i16) -> Result<Self, Malformed> {
        let mut request = ApiVersionsRequest::default();
        if version < 3 {
            return Ok(request);
        }
        let malformed = |fault: Fault| Malformed::Value { api: Self::API, version, reason: fault.to_string() };
        request.client_software_name = take_compact_string(body).map_err(malformed)?.unwrap_or_default();
        request.client_software_version = take_compact_string(body).map_err(malformed)?.unwrap_or_default();
        if version >= 5 {
            request.cluster_id = take_compact_string(body).map_err(malformed)?;
            request.node_id = body.try_get_i32().map_err(|_| malformed(Fault::Truncated))?;
        }
        Ok(request)
    }

    fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), Unencodable> {
        if version < 3 {
            return Ok(());
        }
        put_compact_string(out, Some(&self.client_software_name));
        put_compact_string(out, Some(&self.client_software_version));
        if version >= 5 {
            put_compact_string(out, self.cluster_id.as_deref());
            out.put_i32(self.node_id);
        }
        out.put_u8(0);
        Ok(())
    }

    fn read_response(body: &mut Bytes, version: i16) -> Result<ApiVersionsResponse, Malformed> {
        by_crate::read(Self::API, body, version)
    }
}
