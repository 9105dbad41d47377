//! The second half of a pass: a few segments at a time are written anew, without what need not stay.

use std::collections::VecDeque;
use std::sync::Arc;

use record::{BatchHead, Retained};

use super::filter::Filter;
use super::input::Input;
use super::output::{Output, remove};
use crate::partition_log::Shared;
use crate::segment::{Segment, SegmentFacts};
use crate::{LogError, LogSettings};

/// Neighbouring segments that become one, or, if they grow, a few.
pub(super) struct Rewrite {
    shared: Arc<Shared>,
    settings: LogSettings,
    sources: Vec<Segment>,
    next: usize,
    input: Option<Input>,
    output: Option<Output>,
    done: Vec<SegmentFacts>,
    is_replaced: bool,
}

impl Rewrite {
    pub(super) fn new(shared: Arc<Shared>, sources: Vec<Segment>) -> Self {
        let settings = shared.state().settings.clone();
        Rewrite { shared, settings, sources, next: 0, input: None, output: None, done: Vec::new(), is_replaced: false }
    }

    pub(super) fn is_done(&self) -> bool {
        self.next == self.sources.len() && self.input.is_none() && self.output.is_none()
    }

    /// Whether one of the segments is not there any more.
    pub(super) fn is_overtaken(&self) -> bool {
        self.sources.iter().any(|source| self.shared.is_gone(source.name()))
    }

    /// Goes on by about `max_bytes`, and returns how many were read and written.
    pub(super) fn step(&mut self, filter: &Filter, max_bytes: u64) -> Result<u64, LogError> {
        let mut worked = 0;
        while worked < max_bytes && !self.is_done() {
            match &self.input {
                None if self.next < self.sources.len() => {
                    self.input = Some(Input::open(&self.shared, self.sources[self.next].clone())?);
                    self.next += 1;
                }
                None => self.finish_output()?,
                Some(_) => worked += self.rewrite_batch(filter)?,
            }
        }
        Ok(worked)
    }

    fn rewrite_batch(&mut self, filter: &Filter) -> Result<u64, LogError> {
        let Some(mut input) = self.input.take() else { return Ok(0) };
        let Some(batch) = input.next(&self.shared)? else { return Ok(0) };
        let read = batch.bytes().len();
        let written = match filter.retain(&batch) {
            Ok((Retained::Whole, has_tombstones)) => {
                let (head, bytes) = (batch.head(), batch.bytes());
                push(self, head, bytes, has_tombstones)?;
                read
            }
            Ok((Retained::Rewritten(bytes), has_tombstones)) => {
                if let Some(head) = BatchHead::copy_of(&bytes) {
                    push(self, head, &bytes, has_tombstones)?;
                }
                bytes.len()
            }
            Ok((Retained::Nothing, _)) => 0,
            Err(error) => return Err(input.damaged(&self.shared, error.to_string())),
        };
        self.input = Some(input);
        Ok((read + written) as u64)
    }

    fn finish_output(&mut self) -> Result<(), LogError> {
        if let Some(output) = self.output.take() {
            self.done.push(output.finish()?);
        }
        Ok(())
    }

    /// Puts what was written in the place of what was read, unless that is not there any more. Returns the bytes of
    /// batches before and after.
    pub(super) fn replace(mut self) -> Option<(u64, u64)> {
        let sizes = self.shared.replace(&self.sources, &self.done)?;
        self.is_replaced = true;
        Some(sizes)
    }

    /// The facts of a segment that is to begin at `base_offset`, but for what its batches will tell.
    fn new_facts(&self, base_offset: i64, first: &BatchHead) -> SegmentFacts {
        let source = self.sources.iter().find(|source| source.facts.base_offset == base_offset);
        let (oldest, newest) = (self.sources.first(), self.sources.last());
        SegmentFacts {
            digits: source.map_or(crate::segment::Name::DIGITS, |source| source.facts.digits),
            first_timestamp: first.max_timestamp(),
            appended_ms: newest.map_or(0, |segment| segment.facts.appended_ms),
            ..SegmentFacts::new(base_offset, oldest.map_or(0, |segment| segment.facts.created_ms))
        }
    }
}

/// Writes a batch to the segment that is being made, or to a new one if it would grow too large: a batch may take more
/// room with a delete horizon, or compressed by another version of its codec.
fn push(rewrite: &mut Rewrite, head: BatchHead, batch: &[u8], has_tombstones: bool) -> Result<(), LogError> {
    let size = batch.len() as u64;
    let most = rewrite.settings.segment_bytes;
    if rewrite.output.as_ref().is_some_and(|output| output.log_bytes() + size > most) {
        rewrite.finish_output()?;
    }
    if rewrite.output.is_none() {
        let is_first = rewrite.done.is_empty();
        let base_offset = if is_first { rewrite.sources[0].facts.base_offset } else { head.base_offset() };
        let facts = rewrite.new_facts(base_offset, &head);
        rewrite.output = Some(Output::create(rewrite.shared.clone(), facts)?);
    }
    match &mut rewrite.output {
        Some(output) => output.push(head, batch, has_tombstones, &rewrite.settings),
        None => Ok(()),
    }
}

impl Drop for Rewrite {
    fn drop(&mut self) {
        if !self.is_replaced {
            self.done.iter().for_each(|facts| remove(&self.shared, facts.name()));
        }
    }
}

/// Neighbours that fit into one segment together, even if nothing in them can go.
pub(super) fn groups(segments: Vec<Segment>, settings: &LogSettings, each_alone: bool) -> VecDeque<Vec<Segment>> {
    let mut groups: VecDeque<Vec<Segment>> = VecDeque::new();
    let (mut log_bytes, mut index_bytes) = (0, 0);
    for segment in segments {
        let facts = segment.facts;
        log_bytes += facts.log_bytes;
        index_bytes += facts.index_bytes.max(facts.time_index_bytes);
        match groups.back_mut() {
            Some(group)
                if !each_alone
                    && log_bytes <= settings.segment_bytes
                    && index_bytes <= settings.segment_index_bytes
                    && is_near(&group[0], &segment) =>
            {
                group.push(segment);
            }
            _ => {
                (log_bytes, index_bytes) = (facts.log_bytes, facts.index_bytes.max(facts.time_index_bytes));
                groups.push_back(vec![segment]);
            }
        }
    }
    groups
}

/// Whether index entries can name offsets of one relative to the other: each spans less than half of what fits.
fn is_near(first: &Segment, segment: &Segment) -> bool {
    segment.facts.base_offset - first.facts.base_offset < i64::from(i32::MAX) / 2
}

/// Those with tombstones whose time has come: all that is to be done where no record is dirty.
pub(super) fn with_due_tombstones(segments: Vec<Segment>, now_ms: i64) -> Vec<Segment> {
    segments.into_iter().filter(|segment| segment.facts.has_due_tombstones(now_ms)).collect()
}
