//! Leader epochs only grow: over time as brokers tell them, and along the log.

use std::collections::BTreeMap;

use super::{Finding, Rule};
use crate::history::Partition;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Epochs {
    told: BTreeMap<Partition, i32>,
    /// By the first offset of each batch that was read.
    stamped: BTreeMap<Partition, BTreeMap<i64, i32>>,
}

impl Epochs {
    /// The greatest epoch that anybody was told when this one asks.
    pub(crate) fn asked(&self, at: &Partition) -> i32 {
        self.told.get(at).copied().unwrap_or(-1)
    }

    /// An answer names the current epoch.
    pub(crate) fn told(&mut self, at: &Partition, asked: i32, epoch: i32) -> Option<Finding> {
        let told = self.told.entry(at.clone()).or_insert(epoch);
        *told = epoch.max(*told);
        (epoch < asked).then(|| {
            let what = format!("{at} is in leader epoch {epoch} after epoch {asked}");
            Finding::new(Rule::EpochWentBack, what)
        })
    }

    /// A batch that was read is stamped with an epoch.
    pub(crate) fn read(&mut self, at: &Partition, base_offset: i64, epoch: i32) -> Option<Finding> {
        let stamped = self.stamped.entry(at.clone()).or_default();
        let broken = |what: String| Some(Finding::new(Rule::EpochWentBack, format!("{at}: {what}")));
        if let Some(before) = stamped.insert(base_offset, epoch).filter(|before| *before != epoch) {
            return broken(format!("offset {base_offset} was of epoch {before} and is of {epoch}"));
        }
        let below = stamped.range(..base_offset).next_back().filter(|(_, below)| **below > epoch);
        let above = stamped.range(base_offset + 1..).next().filter(|(_, above)| **above < epoch);
        let (offset, other) = below.or(above)?;
        broken(format!("offset {base_offset} is of epoch {epoch}, offset {offset} of {other}"))
    }
}
