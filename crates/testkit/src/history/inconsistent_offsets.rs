//! One (topic, partition, offset) has one value for ever.

use super::view::View;
use super::{Check, Finding};

pub(super) fn findings(view: &View) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, log) in &view.logs {
        for (offset, values) in log.iter().filter(|(_, values)| values.len() > 1) {
            let what = format!("offset {offset} of {at} was seen with the values {values:?}");
            findings.push(Finding { check: Check::InconsistentOffsets, what });
        }
    }
    findings
}
