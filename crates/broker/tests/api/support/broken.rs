//! Record batches that something is wrong with.

use bytes::{Bytes, BytesMut};
use record::{HEADER_BYTES, TimestampType};

use super::records::SOME_TIME;

/// A batch with other bytes from `at` on, and the checksum that belongs to them.
pub(crate) fn patched(batch: &Bytes, at: usize, bytes: &[u8]) -> Bytes {
    let mut copy = BytesMut::from(&batch[..]);
    copy[at..at + bytes.len()].copy_from_slice(bytes);
    let max_timestamp = i64::from_be_bytes(copy[35..43].try_into().unwrap());
    let stamped = i16::from_be_bytes([copy[21], copy[22]]) & 8 != 0;
    let stamp = if stamped { TimestampType::LogAppendTime } else { TimestampType::CreateTime };
    record::restamp(&mut copy, stamp, max_timestamp);
    copy.freeze()
}

/// `LZ4` among the attributes of a batch.
pub(crate) const LZ4: i16 = 3;

/// A batch with other records, in the codec that the attributes name.
pub(crate) fn packed(batch: &Bytes, attributes: i16, body: &[u8]) -> Bytes {
    let mut packed = BytesMut::from(&[&batch[..HEADER_BYTES], body].concat()[..]);
    let length = i32::try_from(packed.len() - 12).unwrap();
    packed[8..12].copy_from_slice(&length.to_be_bytes());
    patched(&packed.freeze(), 21, &attributes.to_be_bytes())
}

/// A batch with a byte changed and the checksum left as it was.
pub(crate) fn damaged(batch: &Bytes) -> Bytes {
    let mut copy = BytesMut::from(&batch[..]);
    *copy.last_mut().unwrap() ^= 1;
    copy.freeze()
}

/// A message of the formats before record batches, magic 0 or 1, without a key.
pub(crate) fn old_message(magic: u8, value: &str) -> Bytes {
    let mut covered = vec![magic, 0];
    if magic == 1 {
        covered.extend(SOME_TIME.to_be_bytes());
    }
    covered.extend((-1_i32).to_be_bytes());
    covered.extend(i32::try_from(value.len()).unwrap().to_be_bytes());
    covered.extend(value.as_bytes());
    let mut message = 0_i64.to_be_bytes().to_vec();
    message.extend(i32::try_from(covered.len() + 4).unwrap().to_be_bytes());
    message.extend(crc32(&covered).to_be_bytes());
    message.extend(covered);
    message.into()
}

/// CRC-32 as in zip files, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}
