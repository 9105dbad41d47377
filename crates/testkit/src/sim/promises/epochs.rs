//! Leader epochs only grow, over time as each broker tells them and along the log, and an epoch has one
//! leader.

use std::collections::BTreeMap;

use super::{Finding, Rule};
use crate::history::Partition;

/// A broker, and how often it was started: what it has not yet heard from others it may forget with its
/// process.
pub(crate) type Teller = (i32, u64);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Epochs {
    told: BTreeMap<(Partition, Teller), i32>,
    /// Who leads in each epoch.
    leaders: BTreeMap<(Partition, i32), i32>,
    /// By the first offset of each batch that was read.
    stamped: BTreeMap<Partition, BTreeMap<i64, i32>>,
}

impl Epochs {
    /// The greatest epoch that anybody was told by this one when they ask.
    pub(crate) fn asked(&self, at: &Partition, teller: Teller) -> i32 {
        self.told.get(&(at.clone(), teller)).copied().unwrap_or(-1)
    }

    /// An answer names the current epoch, and its leader if there is one.
    pub(crate) fn told(
        &mut self,
        at: &Partition,
        teller: Teller,
        asked: i32,
        leader: i32,
        epoch: i32,
    ) -> Option<Finding> {
        let told = self.told.entry((at.clone(), teller)).or_insert(epoch);
        *told = epoch.max(*told);
        if epoch < asked {
            let what = format!("{at} is in leader epoch {epoch} after epoch {asked}, says broker {}", teller.0);
            return Some(Finding::new(Rule::EpochWentBack, what));
        }
        if leader < 0 {
            return None;
        }
        let other = *self.leaders.entry((at.clone(), epoch)).or_insert(leader);
        (other != leader).then(|| {
            let what = format!("{at} is led by {leader} in epoch {epoch}, which {other} leads");
            Finding::new(Rule::TwoLeaders, what)
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
