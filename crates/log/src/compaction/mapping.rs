//! The first half of a pass: the last offset of each key in the dirty part of the log.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use record::{BatchView, MAX_DECOMPRESSED_BATCH_BYTES, walk_keys};

use super::input::Input;
use super::key_map::KeyMap;
use crate::LogError;
use crate::partition_log::Shared;
use crate::segment::Segment;

pub(super) struct Mapping {
    map: KeyMap,
    segments: VecDeque<Segment>,
    input: Option<Input>,
    /// Records before this were looked at by earlier passes.
    from: i64,
    /// Where to stop: where the segments end, or, once the map is full, at the first record that had no room.
    to: i64,
    is_done: bool,
}

impl Mapping {
    pub(super) fn new(map: KeyMap, segments: VecDeque<Segment>, from: i64, to: i64) -> Self {
        Mapping { map, segments, input: None, from, to, is_done: false }
    }

    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// The map, and the offset up to which it knows all keys.
    pub(super) fn into_map(self) -> (KeyMap, i64) {
        (self.map, self.to)
    }

    /// Whether a segment that is to be read is not there any more.
    pub(super) fn is_overtaken(&self, shared: &Shared) -> bool {
        let current = self.input.iter().map(|input| &input.segment);
        current.chain(self.segments.front()).any(|segment| shared.is_gone(segment.name()))
    }

    /// Goes on by about `max_bytes`, and returns how many were read.
    pub(super) fn step(&mut self, shared: &Shared, max_bytes: u64) -> Result<u64, LogError> {
        let mut read = 0;
        while read < max_bytes && !self.is_done {
            if self.input.is_none() {
                match self.segments.front() {
                    Some(segment) => self.input = Some(Input::open(shared, segment.clone())?),
                    None => self.is_done = true,
                }
                self.segments.pop_front();
            }
            let Some(input) = &mut self.input else { break };
            let Some(batch) = input.next(shared)? else {
                self.input = None;
                continue;
            };
            read += batch.bytes().len() as u64;
            match note(&mut self.map, &batch, self.from) {
                Ok(None) => {}
                Ok(Some(offset)) => {
                    self.to = offset;
                    self.is_done = true;
                }
                Err(error) => return Err(input.damaged(shared, error.to_string())),
            }
        }
        Ok(read)
    }
}

/// Notes the keys of a batch; if the map got full, the offset of the first record that it has no room for.
fn note(map: &mut KeyMap, batch: &BatchView<'_>, from: i64) -> Result<Option<i64>, record::BatchError> {
    if batch.last_offset() < from || batch.attributes().is_control() {
        return Ok(None);
    }
    walk_keys(batch, MAX_DECOMPRESSED_BATCH_BYTES, |record| match record.key {
        Some(key) if record.offset >= from && !map.put(key, record.offset) => ControlFlow::Break(record.offset),
        _ => ControlFlow::Continue(()),
    })
}
