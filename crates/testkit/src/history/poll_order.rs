//! A process's successive polls of a partition go up, and leave out nothing that is known to be there.

use std::collections::BTreeMap;
use std::ops::Bound::Excluded;

use super::view::View;
use super::{Check, Event, Finding, History, Partition};

pub(super) fn findings(history: &History, view: &View) -> Vec<Finding> {
    let mut findings = Vec::new();
    // Each process's position: the last offset it polled from each partition since it was repositioned.
    let mut positions: BTreeMap<&str, BTreeMap<&Partition, i64>> = BTreeMap::new();
    for event in &history.events {
        match event {
            Event::Repositioned { process } => drop(positions.remove(process.as_str())),
            Event::Polled { process, at, offset, .. } => {
                let before = positions.entry(process).or_default().insert(at, *offset);
                findings.extend(before.and_then(|before| step(view, process, at, before, *offset)));
            }
            _ => {}
        }
    }
    findings
}

fn step(view: &View, process: &str, at: &Partition, before: i64, offset: i64) -> Option<Finding> {
    if offset <= before {
        let what = format!("{process} polled offset {offset} of {at} after offset {before}");
        return Some(Finding { check: Check::NonmonotonicPoll, what });
    }
    let log = view.logs.get(at)?;
    let (skipped, values) = log.range((Excluded(before), Excluded(offset))).next()?;
    let what = format!("{process} went from offset {before} of {at} to {offset}, past {values:?} at offset {skipped}");
    Some(Finding { check: Check::PollSkip, what })
}
