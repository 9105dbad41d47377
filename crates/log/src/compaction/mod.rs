//! Log compaction: of each key the last record stays, at its offset.
//!
//! A pass reads the part of the log that is new since the pass before ("dirty") into a map from keys to their last
//! offsets, then rewrites all closed segments without the records that the map knows a later one of. It is made of
//! steps, each a bounded amount of work for a thread that may block; the log is read and appended to meanwhile.
//!
//! What is rewritten lies in new files, synced, beside the old ones. One exchange in memory lets readers find the new
//! ones; the next checkpoint's manifest names them, and only then may the old ones be removed. So a crash leaves the
//! old segments or the new, and needs no rule of its own. The active segment is never rewritten, and no batch changes
//! its first or last offset: log start, log end and leader epochs are what they were.
//!
//! The rules are those of Kafka's `Cleaner` and `LogCleanerManager`.

mod filter;
mod input;
mod key_map;
mod mapping;
mod need;
mod output;
mod replace;
mod rewrite;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub use need::{CompactionNeed, CompactionRules};
pub(crate) use output::free_name;

use crate::partition_log::Shared;
use crate::segment::Segment;
use crate::{LogError, PartitionLog, lock};
use filter::Filter;
use key_map::KeyMap;
use mapping::Mapping;
use rewrite::Rewrite;

/// What a pass is to go by.
#[derive(Clone, Debug)]
pub struct CompactionOrder {
    /// The topic's settings.
    pub rules: CompactionRules,
    /// Only what is below this offset is looked at: that for which `last_batches` holds.
    pub below: i64,
    /// The last batch of each live idempotent producer, ordered by producer: its id and the batch's base offset. These
    /// batches stay, though perhaps without records.
    pub last_batches: Arc<[(i64, i64)]>,
    /// Most bytes for the map of keys (`log.cleaner.dedupe.buffer.size`).
    pub map_bytes: u64,
    /// How full the map may get (`log.cleaner.io.buffer.load.factor`).
    pub map_load: f64,
    /// Makes hashes of keys unpredictable. Random, for one pass.
    pub seed: [u8; 16],
    /// The clock.
    pub now_ms: i64,
}

/// What a pass did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CompactionReport {
    /// Bytes of batches in the segments that were rewritten.
    pub bytes_before: u64,
    /// Bytes of batches in what they were rewritten to.
    pub bytes_after: u64,
    /// Whether keys were left that the map had no room for: another pass goes on from there.
    pub has_more: bool,
}

/// What a step came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CompactionStep {
    /// So many bytes were read and written, and there is more to do.
    Worked(u64),
    /// Segments with so many bytes of batches were replaced: their files are among [`PartitionLog::take_dropped`] now,
    /// and a checkpoint lets them go. There is more to do.
    Replaced(u64),
    /// The pass is over.
    Done(CompactionReport),
    /// The segments are not any more what they were when the pass began: the log start has moved past some, or the
    /// partition was deleted. Or they have to [stay](CompactionHold) for now. What was done so far stands.
    Overtaken,
}

/// One pass over one log.
pub struct Compaction {
    shared: Arc<Shared>,
    phase: Phase,
    report: CompactionReport,
}

enum Phase {
    Mapping(Box<Mapping>, Order),
    Rewriting { filter: Filter, groups: VecDeque<Vec<Segment>>, current: Option<Box<Rewrite>> },
    Over,
}

struct Order {
    order: CompactionOrder,
    segments: Vec<Segment>,
    end: i64,
}

/// While it lives, no compaction replaces segments of the log.
#[must_use = "it holds only while it is kept"]
pub struct CompactionHold(Arc<Shared>);

impl Drop for CompactionHold {
    fn drop(&mut self) {
        self.0.compaction_holds.fetch_sub(1, Ordering::AcqRel);
    }
}

impl PartitionLog {
    /// Keeps compaction away. Waits for the present step of one.
    pub fn hold_compaction(&self) -> CompactionHold {
        self.shared.compaction_holds.fetch_add(1, Ordering::AcqRel);
        drop(lock(&self.shared.compacting));
        CompactionHold(self.shared.clone())
    }

    /// Begins a pass over what is there now. Does nothing before its first step. There must be but one at a time.
    pub fn compact(&self, order: CompactionOrder) -> Compaction {
        let plan = self.shared.compactable(&order.rules, order.below, order.now_ms, self.log_start());
        let dirty: VecDeque<Segment> = plan.dirty().cloned().collect();
        let offsets = u64::try_from(plan.end.saturating_sub(plan.first_dirty)).unwrap_or(0);
        let most_keys = if dirty.is_empty() { 0 } else { offsets };
        let map = KeyMap::new(order.map_bytes, order.map_load, most_keys, order.seed);
        let mapping = Box::new(Mapping::new(map, dirty, plan.first_dirty, plan.end));
        let order = Order { order, segments: plan.segments, end: plan.end };
        Compaction {
            shared: self.shared.clone(),
            phase: Phase::Mapping(mapping, order),
            report: CompactionReport::default(),
        }
    }
}

impl Compaction {
    /// Goes on by about `max_bytes` of reading and writing, or one batch where that is more. Blocks.
    ///
    /// # Errors
    /// The disk's, and damage in a segment. The pass is over then; what was done so far stands.
    pub fn step(&mut self, max_bytes: u64) -> Result<CompactionStep, LogError> {
        let shared = self.shared.clone();
        let _alone = lock(&shared.compacting);
        if shared.deleted.load(Ordering::Acquire) || shared.compaction_holds.load(Ordering::Acquire) > 0 {
            self.phase = Phase::Over;
            return Ok(CompactionStep::Overtaken);
        }
        shared.prepare_once()?;
        let stepped = self.advance(&shared, max_bytes);
        if !matches!(stepped, Ok(CompactionStep::Worked(_) | CompactionStep::Replaced(_))) {
            self.phase = Phase::Over;
        }
        stepped
    }

    fn advance(&mut self, shared: &Arc<Shared>, max_bytes: u64) -> Result<CompactionStep, LogError> {
        match &mut self.phase {
            Phase::Mapping(mapping, _) => {
                let read = match mapping.step(shared, max_bytes) {
                    Err(_) if mapping.is_overtaken(shared) => return Ok(CompactionStep::Overtaken),
                    read => read?,
                };
                if mapping.is_done() {
                    self.begin_rewriting();
                }
                Ok(CompactionStep::Worked(read))
            }
            Phase::Rewriting { filter, groups, current } => {
                if current.is_none() {
                    *current = groups.pop_front().map(|sources| Box::new(Rewrite::new(shared.clone(), sources)));
                }
                let Some(rewrite) = current else {
                    shared.set_cleaned_to(filter.mapped_to());
                    return Ok(CompactionStep::Done(self.report));
                };
                if !rewrite.is_done() {
                    return match rewrite.step(filter, max_bytes) {
                        Err(_) if rewrite.is_overtaken() => Ok(CompactionStep::Overtaken),
                        worked => Ok(CompactionStep::Worked(worked?)),
                    };
                }
                let Some((before, after)) = current.take().and_then(|rewrite| rewrite.replace()) else {
                    return Ok(CompactionStep::Overtaken);
                };
                self.report.bytes_before += before;
                self.report.bytes_after += after;
                Ok(CompactionStep::Replaced(before))
            }
            Phase::Over => Ok(CompactionStep::Overtaken),
        }
    }

    /// The map is complete. All that it knows a later record of goes, and the tombstones whose time has come.
    fn begin_rewriting(&mut self) {
        let Phase::Mapping(mapping, order) = std::mem::replace(&mut self.phase, Phase::Over) else { return };
        let (map, mapped_to) = mapping.into_map();
        self.report.has_more = mapped_to < order.end;
        let now_ms = order.order.now_ms;
        let sources = match map.is_empty() {
            true => rewrite::with_due_tombstones(order.segments, now_ms),
            false => order.segments.into_iter().filter(|segment| segment.facts.base_offset < mapped_to).collect(),
        };
        let groups = rewrite::groups(sources, &self.shared.state().settings, map.is_empty());
        let filter = Filter::new(map, mapped_to, order.end, &order.order);
        self.phase = Phase::Rewriting { filter, groups, current: None };
    }
}

impl std::fmt::Debug for Compaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compaction")
            .field("dir", &self.shared.dir)
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}
