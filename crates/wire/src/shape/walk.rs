//! Walks a body by a shape that was made ready for its version.

use model::limits::MAX_ARRAY_ELEMENTS;

use super::Reader;
use crate::Fault;

/// Kafka's longest string, in compact versions too.
const MAX_STRING_BYTES: usize = i16::MAX as usize;

/// What the first unknown tagged field of a section costs once decoded: a node of the map.
const FIRST_TAG_MEMORY_BYTES: usize = 512;
/// What each further one costs.
const TAG_MEMORY_BYTES: usize = 64;

/// A message as it is in one version.
#[derive(Debug)]
pub(super) struct Shape {
    steps: Vec<Step>,
    flexible: bool,
}

/// One thing to pass over.
#[derive(Debug)]
pub(super) enum Step {
    /// Fields of a fixed size, joined.
    Skip(usize),
    Str {
        nullable: bool,
    },
    Bytes {
        nullable: bool,
    },
    Array(Box<Array>),
    /// A struct that may be null.
    Option(Vec<Step>),
    /// The tagged fields that are known, by tag.
    Tags(Vec<(u32, Vec<Step>)>),
}

/// An array and what the decoder makes of its elements.
#[derive(Debug)]
pub(super) struct Array {
    pub(super) nullable: bool,
    pub(super) each: Vec<Step>,
    /// The fewest bytes that an element takes on the wire.
    pub(super) min_bytes: usize,
    /// The bytes that an element takes once decoded, or a little more.
    pub(super) memory_bytes: usize,
    /// The bytes that it takes in the newest form, if it is copied to that afterwards, else 0.
    pub(super) raised_bytes: usize,
}

/// The memory that the decoder may be led to take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// By one allocation.
    pub(super) single_bytes: usize,
    /// By all together.
    pub(super) total_bytes: usize,
}

/// A walk through one body.
struct Walk<'r, 'b> {
    reader: &'r mut Reader<'b>,
    flexible: bool,
    left: Limits,
}

impl Shape {
    pub(super) fn new(steps: Vec<Step>, flexible: bool) -> Self {
        Shape { steps, flexible }
    }

    #[cfg(test)]
    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Walks the whole message; what is left of `reader` afterwards lies behind its end.
    pub(super) fn walk(&self, reader: &mut Reader<'_>, limits: Limits) -> Result<(), Fault> {
        Walk { reader, flexible: self.flexible, left: limits }.steps(&self.steps)
    }
}

impl Walk<'_, '_> {
    fn steps(&mut self, steps: &[Step]) -> Result<(), Fault> {
        for step in steps {
            match step {
                Step::Skip(bytes) => self.reader.skip(*bytes)?,
                Step::Str { nullable } => self.string(*nullable)?,
                Step::Bytes { nullable } => self.bytes(*nullable)?,
                Step::Array(array) => self.array(array)?,
                Step::Option(steps) => match self.reader.int8()? {
                    -1 => {}
                    1 => self.steps(steps)?,
                    _ => return Err(Fault::Null),
                },
                Step::Tags(known) => self.tags(known)?,
            }
        }
        Ok(())
    }

    fn string(&mut self, nullable: bool) -> Result<(), Fault> {
        let length = if self.flexible { self.compact()? } else { length(i32::from(self.reader.int16()?))? };
        match length {
            Some(length) if length > MAX_STRING_BYTES => Err(Fault::LongString),
            Some(length) => self.reader.skip(length),
            None if nullable => Ok(()),
            None => Err(Fault::Null),
        }
    }

    fn bytes(&mut self, nullable: bool) -> Result<(), Fault> {
        match self.length()? {
            Some(length) => self.reader.skip(length),
            None if nullable => Ok(()),
            None => Err(Fault::Null),
        }
    }

    fn array(&mut self, array: &Array) -> Result<(), Fault> {
        let count = match self.length()? {
            Some(count) => count,
            None if array.nullable => return Ok(()),
            None => return Err(Fault::Null),
        };
        if count > self.reader.left() / array.min_bytes {
            return Err(Fault::Count);
        }
        let largest_bytes = count * array.memory_bytes.max(array.raised_bytes);
        if count > MAX_ARRAY_ELEMENTS || largest_bytes > self.left.single_bytes {
            return Err(Fault::TooManyElements);
        }
        self.spend(count * (array.memory_bytes + array.raised_bytes))?;
        if let [Step::Skip(bytes)] = array.each[..] {
            return self.reader.skip(count * bytes);
        }
        (0..count).try_for_each(|_| self.steps(&array.each))
    }

    /// A tagged field that is known is read by the decoder as its type says, whatever its size
    /// says: so the two must agree.
    fn tags(&mut self, known: &[(u32, Vec<Step>)]) -> Result<(), Fault> {
        let mut cost = FIRST_TAG_MEMORY_BYTES;
        for _ in 0..self.reader.tag_count()? {
            let tag = self.reader.tag()?;
            let size = self.reader.varint()? as usize;
            if let Some((_, steps)) = known.iter().find(|(known, _)| *known == tag) {
                let start = self.reader.position();
                self.steps(steps)?;
                if self.reader.position() - start != size {
                    return Err(Fault::TagSize);
                }
            } else {
                self.spend(cost)?;
                cost = TAG_MEMORY_BYTES;
                self.reader.skip(size)?;
            }
        }
        Ok(())
    }

    fn spend(&mut self, memory_bytes: usize) -> Result<(), Fault> {
        let left = self.left.total_bytes.checked_sub(memory_bytes);
        self.left.total_bytes = left.ok_or(Fault::TooManyElements)?;
        Ok(())
    }

    fn length(&mut self) -> Result<Option<usize>, Fault> {
        if self.flexible { self.compact() } else { length(self.reader.int32()?) }
    }

    fn compact(&mut self) -> Result<Option<usize>, Fault> {
        Ok((self.reader.varint()? as usize).checked_sub(1))
    }
}

/// A length that is not compact: -1 is null.
fn length(length: i32) -> Result<Option<usize>, Fault> {
    match length {
        -1 => Ok(None),
        length => usize::try_from(length).map(Some).map_err(|_| Fault::Null),
    }
}
