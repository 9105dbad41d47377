//! A producer's values stand in the log in the order in which it sent them.

use super::view::{Known, View};
use super::{Check, Finding, Partition};

pub(super) fn findings(view: &View) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ((process, at), values) in &view.sent {
        let mut last: Option<(u64, i64)> = None;
        for value in values {
            let Some(offset) = view.values.get(value).and_then(|known| place(known, at)) else { continue };
            if let Some((earlier, before)) = last.filter(|(_, before)| *before > offset) {
                let what = format!(
                    "{process} sent value {earlier} before {value} to {at}, but they stand at {before} and {offset}"
                );
                findings.push(Finding { check: Check::NonmonotonicSend, what });
            }
            last = Some((*value, offset));
        }
    }
    findings
}

/// Where a value stands, if it was acknowledged or seen.
fn place(known: &Known, at: &Partition) -> Option<i64> {
    known.acknowledged.or_else(|| known.polled.iter().find(|(seen_at, _)| seen_at == at).map(|(_, offset)| *offset))
}
