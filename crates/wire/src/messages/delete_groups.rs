//! DeleteGroups 3, whose response the crate lacks: as version 2, with a message for each group (KIP-1331).

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult as OldResult;
use kafka_protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse as OldResponse, GroupId};
use kafka_protocol::protocol::StrBytes;

use super::by_crate::{read, write};
use super::{Request, Response};
use crate::encode::Pieces;
use crate::primitive::{put_compact_string, put_count, put_tags, take_compact_array, take_compact_string, take_tags};
use crate::{ApiKey, Fault, Malformed, Unencodable};

/// The highest version that the crate knows.
const WITHOUT_MESSAGE: i16 = 2;

/// What became of each group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeleteGroupsResponse {
    /// How long the client is to be quiet, in milliseconds.
    pub throttle_time_ms: i32,
    /// Group by group.
    pub results: Vec<DeletableGroupResult>,
}

/// What became of one group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeletableGroupResult {
    /// The group.
    pub group_id: GroupId,
    /// 0 if it is deleted.
    pub error_code: i16,
    /// Why it is not; from version 3.
    pub error_message: Option<StrBytes>,
}

impl Request for DeleteGroupsRequest {
    const API: ApiKey = ApiKey::DeleteGroups;
    type Response = DeleteGroupsResponse;

    fn read(body: &mut Bytes, version: i16) -> Result<Self, Malformed> {
        read(Self::API, body, version)
    }

    fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), Unencodable> {
        write(Self::API, self, out, version)
    }

    fn read_response(body: &mut Bytes, version: i16) -> Result<DeleteGroupsResponse, Malformed> {
        if version <= WITHOUT_MESSAGE {
            return read(Self::API, body, version).map(from_old);
        }
        take_response(body).map_err(|reason| Malformed::Value { api: Self::API, version, reason })
    }
}

impl Response for DeleteGroupsResponse {
    const API: ApiKey = ApiKey::DeleteGroups;

    fn fit(&mut self, version: i16) {
        if version <= WITHOUT_MESSAGE {
            self.results.iter_mut().for_each(|result| result.error_message = None);
        }
    }

    fn write(&self, out: &mut Pieces, version: i16) -> Result<(), Unencodable> {
        if version <= WITHOUT_MESSAGE {
            return write(Self::API, &to_old(self), out.small(), version);
        }
        put_response(out.small(), self);
        Ok(())
    }
}

fn from_old(old: OldResponse) -> DeleteGroupsResponse {
    let result = |old: OldResult| DeletableGroupResult {
        group_id: old.group_id,
        error_code: old.error_code,
        error_message: None,
    };
    DeleteGroupsResponse {
        throttle_time_ms: old.throttle_time_ms,
        results: old.results.into_iter().map(result).collect(),
    }
}

fn to_old(new: &DeleteGroupsResponse) -> OldResponse {
    let result = |new: &DeletableGroupResult| {
        OldResult::default().with_group_id(new.group_id.clone()).with_error_code(new.error_code)
    };
    let results = new.results.iter().map(result).collect();
    OldResponse::default().with_throttle_time_ms(new.throttle_time_ms).with_results(results)
}

fn take_response(body: &mut Bytes) -> Result<DeleteGroupsResponse, String> {
    let throttle_time_ms = body.try_get_i32().map_err(|_| Fault::Truncated)?;
    let results = take_compact_array(body, take_result)?.ok_or(Fault::Null)?;
    take_tags(body)?;
    Ok(DeleteGroupsResponse { throttle_time_ms, results })
}

fn take_result(body: &mut Bytes) -> Result<DeletableGroupResult, String> {
    let group_id = take_compact_string(body)?.ok_or(Fault::Null)?.into();
    let error_code = body.try_get_i16().map_err(|_| Fault::Truncated)?;
    let error_message = take_compact_string(body)?;
    take_tags(body)?;
    Ok(DeletableGroupResult { group_id, error_code, error_message })
}

fn put_response(out: &mut BytesMut, response: &DeleteGroupsResponse) {
    out.put_i32(response.throttle_time_ms);
    put_count(out, true, Some(response.results.len()));
    for result in &response.results {
        put_compact_string(out, Some(&result.group_id));
        out.put_i16(result.error_code);
        put_compact_string(out, result.error_message.as_deref());
        put_tags(out, &Default::default());
    }
    put_tags(out, &Default::default());
}
