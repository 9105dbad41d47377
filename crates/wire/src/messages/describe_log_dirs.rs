//! DescribeLogDirs 5, whose response the crate lacks: as version 4, and each directory says whether it
//! takes new replicas (KIP-1066).

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::describe_log_dirs_response::{DescribeLogDirsResult as OldResult, DescribeLogDirsTopic};
use kafka_protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse as OldResponse};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};

use super::by_crate::{read, write};
use super::{Request, Response};
use crate::encode::{Pieces, unencodable};
use crate::primitive::{put_compact_string, put_count, put_tags, take_compact_array, take_compact_string, take_tags};
use crate::{ApiKey, Fault, Malformed, Unencodable};

/// The highest version that the crate knows.
const WITHOUT_CORDON: i16 = 4;

/// Sizes are known from this version on.
const SIZED_SINCE: i16 = 4;

/// The data directories of a broker.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DescribeLogDirsResponse {
    /// How long the client is to be quiet, in milliseconds.
    pub throttle_time_ms: i32,
    /// Of the request as a whole; from version 3.
    pub error_code: i16,
    /// Directory by directory.
    pub results: Vec<DescribeLogDirsResult>,
}

/// One data directory.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribeLogDirsResult {
    /// KAFKA_STORAGE_ERROR for a directory that has failed.
    pub error_code: i16,
    /// Its path.
    pub log_dir: StrBytes,
    /// What it holds of what was asked for.
    pub topics: Vec<DescribeLogDirsTopic>,
    /// Size of the file system, -1 if unknown; from version 4.
    pub total_bytes: i64,
    /// Free space for the broker, -1 if unknown; from version 4.
    pub usable_bytes: i64,
    /// Whether no new replicas are placed there; from version 5.
    pub is_cordoned: bool,
}

impl Request for DescribeLogDirsRequest {
    const API: ApiKey = ApiKey::DescribeLogDirs;
    type Response = DescribeLogDirsResponse;

    fn read(body: &mut Bytes, version: i16) -> Result<Self, Malformed> {
        read(Self::API, body, version)
    }

    fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), Unencodable> {
        write(Self::API, self, out, version)
    }

    fn read_response(body: &mut Bytes, version: i16) -> Result<DescribeLogDirsResponse, Malformed> {
        if version <= WITHOUT_CORDON {
            return read(Self::API, body, version).map(from_old);
        }
        take_response(body).map_err(|reason| Malformed::Value { api: Self::API, version, reason })
    }
}

impl Response for DescribeLogDirsResponse {
    const API: ApiKey = ApiKey::DescribeLogDirs;

    fn fit(&mut self, version: i16) {
        if version < 3 {
            self.error_code = 0;
        }
        for result in &mut self.results {
            if version < SIZED_SINCE {
                (result.total_bytes, result.usable_bytes) = (-1, -1);
            }
            if version <= WITHOUT_CORDON {
                result.is_cordoned = false;
            }
        }
    }

    fn write(&self, out: &mut Pieces, version: i16) -> Result<(), Unencodable> {
        if version <= WITHOUT_CORDON {
            return write(Self::API, &to_old(self), out.small(), version);
        }
        put_response(out.small(), self).map_err(|reason| unencodable(Self::API, version, reason))
    }
}

fn from_old(old: OldResponse) -> DescribeLogDirsResponse {
    let result = |old: OldResult| DescribeLogDirsResult {
        error_code: old.error_code,
        log_dir: old.log_dir,
        topics: old.topics,
        total_bytes: old.total_bytes,
        usable_bytes: old.usable_bytes,
        is_cordoned: false,
    };
    DescribeLogDirsResponse {
        throttle_time_ms: old.throttle_time_ms,
        error_code: old.error_code,
        results: old.results.into_iter().map(result).collect(),
    }
}

fn to_old(new: &DescribeLogDirsResponse) -> OldResponse {
    let result = |new: &DescribeLogDirsResult| {
        OldResult::default()
            .with_error_code(new.error_code)
            .with_log_dir(new.log_dir.clone())
            .with_topics(new.topics.clone())
            .with_total_bytes(new.total_bytes)
            .with_usable_bytes(new.usable_bytes)
    };
    OldResponse::default()
        .with_throttle_time_ms(new.throttle_time_ms)
        .with_error_code(new.error_code)
        .with_results(new.results.iter().map(result).collect())
}

fn take_response(body: &mut Bytes) -> Result<DescribeLogDirsResponse, String> {
    let throttle_time_ms = body.try_get_i32().map_err(|_| Fault::Truncated)?;
    let error_code = body.try_get_i16().map_err(|_| Fault::Truncated)?;
    let results = take_compact_array(body, take_result)?.ok_or(Fault::Null)?;
    take_tags(body)?;
    Ok(DescribeLogDirsResponse { throttle_time_ms, error_code, results })
}

fn take_result(body: &mut Bytes) -> Result<DescribeLogDirsResult, String> {
    let error_code = body.try_get_i16().map_err(|_| Fault::Truncated)?;
    let log_dir = take_compact_string(body)?.ok_or(Fault::Null)?;
    let topic = |body: &mut Bytes| DescribeLogDirsTopic::decode(body, WITHOUT_CORDON).map_err(|why| why.to_string());
    let topics = take_compact_array(body, topic)?.ok_or(Fault::Null)?;
    let total_bytes = body.try_get_i64().map_err(|_| Fault::Truncated)?;
    let usable_bytes = body.try_get_i64().map_err(|_| Fault::Truncated)?;
    let is_cordoned = body.try_get_u8().map_err(|_| Fault::Truncated)? != 0;
    take_tags(body)?;
    Ok(DescribeLogDirsResult { error_code, log_dir, topics, total_bytes, usable_bytes, is_cordoned })
}

fn put_response(out: &mut BytesMut, response: &DescribeLogDirsResponse) -> Result<(), String> {
    out.put_i32(response.throttle_time_ms);
    out.put_i16(response.error_code);
    put_count(out, true, Some(response.results.len()));
    for result in &response.results {
        out.put_i16(result.error_code);
        put_compact_string(out, Some(&result.log_dir));
        put_count(out, true, Some(result.topics.len()));
        for topic in &result.topics {
            topic.encode(out, WITHOUT_CORDON).map_err(|why| why.to_string())?;
        }
        out.put_i64(result.total_bytes);
        out.put_i64(result.usable_bytes);
        out.put_u8(u8::from(result.is_cordoned));
        put_tags(out, &Default::default());
    }
    put_tags(out, &Default::default());
    Ok(())
}
