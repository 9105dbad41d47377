//! Whether bytes that came are the batches that they should be.

use record::{BatchHead, BatchView, HEADER_BYTES};

/// Holds each batch of one segment against the one before it.
pub(crate) struct Batches {
    /// The next one's offsets are not below this.
    next: i64,
    /// All are below this.
    end: i64,
}

impl Batches {
    pub(crate) fn new(next: i64, end: i64) -> Self {
        Batches { next, end }
    }

    /// How many of the bytes are whole batches. What is wrong with one is said when it is the first; those before one
    /// that is wrong count.
    pub(super) fn whole_in(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let mut whole = 0;
        loop {
            match self.first_in(&bytes[whole..]) {
                Ok(0) => return Ok(whole),
                Ok(size) => whole += size,
                Err(_) if whole > 0 => return Ok(whole),
                Err(why) => return Err(why),
            }
        }
    }

    /// Those that follow have this offset or a greater one.
    pub(crate) fn next_offset(&self) -> i64 {
        self.next
    }

    /// The size of the first batch, which counts then; 0 if it is not all there.
    pub(crate) fn first_in(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let Some(head) = BatchHead::copy_of(bytes) else { return Ok(0) };
        let size = head.size_bytes();
        if head.magic() != 2 || size < HEADER_BYTES {
            return Err("no header of a batch".to_owned());
        }
        let (first, last) = (head.base_offset(), head.last_offset());
        if first < self.next || last < first || last >= self.end {
            return Err(format!("offsets {first} to {last} where those from {} to {} belong", self.next, self.end));
        }
        let Some(batch) = bytes.get(..size) else { return Ok(0) };
        BatchView::new(batch).and_then(|batch| batch.verify_crc()).map_err(|why| why.to_string())?;
        self.next = last + 1;
        Ok(size)
    }
}
