//! The protocol's primitive types, for the codecs of our own.

use std::collections::BTreeMap;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;

use crate::Fault;
use crate::shape::Reader;

pub(crate) fn take_varint(body: &mut Bytes) -> Result<u32, Fault> {
    let mut reader = Reader::new(body);
    let value = reader.varint()?;
    let read = reader.position();
    body.advance(read);
    Ok(value)
}

/// A compact string, or `None` for null. It points into `body`.
pub(crate) fn take_compact_string(body: &mut Bytes) -> Result<Option<StrBytes>, Fault> {
    let Some(length) = (take_varint(body)? as usize).checked_sub(1) else { return Ok(None) };
    if length > body.len() {
        return Err(Fault::Truncated);
    }
    StrBytes::from_utf8(body.split_to(length)).map(Some).map_err(|_| Fault::Text)
}

/// A compact array, or `None` for null. The walk before has bounded its count.
pub(crate) fn take_compact_array<T>(
    body: &mut Bytes,
    take: impl Fn(&mut Bytes) -> Result<T, String>,
) -> Result<Option<Vec<T>>, String> {
    let Some(count) = (take_varint(body)? as usize).checked_sub(1) else { return Ok(None) };
    let mut array = Vec::with_capacity(count);
    for _ in 0..count {
        array.push(take(body)?);
    }
    Ok(Some(array))
}

/// A section of tagged fields of which none is known.
pub(crate) fn take_tags(body: &mut Bytes) -> Result<BTreeMap<i32, Bytes>, Fault> {
    let mut tags = BTreeMap::new();
    for _ in 0..take_varint(body)? {
        let tag = take_varint(body)?;
        let size = take_varint(body)? as usize;
        if size > body.len() {
            return Err(Fault::Truncated);
        }
        tags.insert(tag as i32, body.split_to(size));
    }
    Ok(tags)
}

/// A section of tagged fields of which none is known.
pub(crate) fn put_tags(out: &mut BytesMut, tags: &BTreeMap<i32, Bytes>) {
    put_varint(out, tags.len() as u32);
    for (tag, field) in tags {
        put_varint(out, *tag as u32);
        put_varint(out, field.len() as u32);
        out.put_slice(field);
    }
}

pub(crate) fn put_varint(out: &mut BytesMut, mut value: u32) {
    while value >= 0x80 {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

/// A length or count, compact in flexible versions.
pub(crate) fn put_count(out: &mut BytesMut, flexible: bool, count: Option<usize>) {
    let count = count.map(|count| i32::try_from(count).expect("messages are bounded far below 2 GiB"));
    match (flexible, count) {
        (true, count) => put_varint(out, count.map_or(0, |count| count as u32 + 1)),
        (false, count) => out.put_i32(count.unwrap_or(-1)),
    }
}

/// A nullable string in a flexible version.
pub(crate) fn put_compact_string(out: &mut BytesMut, string: Option<&str>) {
    put_count(out, true, string.map(str::len));
    out.put_slice(string.unwrap_or_default().as_bytes());
}

/// A string. In versions that are not flexible its length is 16 bits.
pub(crate) fn put_string(out: &mut BytesMut, flexible: bool, string: &str) {
    if flexible {
        return put_compact_string(out, Some(string));
    }
    let length = i16::try_from(string.len()).expect("names and hosts are bounded far below 32 KiB");
    out.put_i16(length);
    out.put_slice(string.as_bytes());
}
