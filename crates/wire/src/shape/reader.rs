//! A cursor that never reads beyond its end.

use model::limits::MAX_TAGGED_FIELDS;

use crate::Fault;

/// Reads lengths and skips contents.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, position: 0 }
    }

    /// How far it has read.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// What is left.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// Passes over `count` bytes.
    pub(crate) fn skip(&mut self, count: usize) -> Result<(), Fault> {
        if count > self.left() {
            return Err(Fault::Truncated);
        }
        self.position += count;
        Ok(())
    }

    pub(crate) fn int8(&mut self) -> Result<i8, Fault> {
        Ok(i8::from_be_bytes(self.array()?))
    }

    pub(crate) fn int16(&mut self) -> Result<i16, Fault> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    pub(crate) fn int32(&mut self) -> Result<i32, Fault> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// An unsigned varint of at most five bytes, and at most 32 bits.
    pub(crate) fn varint(&mut self) -> Result<u32, Fault> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array::<1>()?;
            if shift == 28 && byte > 0x0f {
                return Err(Fault::Varint);
            }
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Fault::Varint)
    }

    /// The number of fields in a tagged section.
    pub(crate) fn tag_count(&mut self) -> Result<usize, Fault> {
        let count = self.varint()? as usize;
        if count > MAX_TAGGED_FIELDS {
            return Err(Fault::TooManyTags);
        }
        Ok(count)
    }

    /// The tag of a tagged field: at most 31 bits, else it could not be written again.
    pub(crate) fn tag(&mut self) -> Result<u32, Fault> {
        self.varint().and_then(|tag| if i32::try_from(tag).is_ok() { Ok(tag) } else { Err(Fault::Varint) })
    }

    /// A tagged section in which no field is known.
    pub(crate) fn skip_unknown_tags(&mut self) -> Result<(), Fault> {
        for _ in 0..self.tag_count()? {
            let _tag = self.tag()?;
            let size = self.varint()? as usize;
            self.skip(size)?;
        }
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let array = self.bytes[self.position..].first_chunk::<N>().ok_or(Fault::Truncated)?;
        self.position += N;
        Ok(*array)
    }
}
