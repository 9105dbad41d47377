//! G1a: what definitely failed is never seen.

use super::view::View;
use super::{Check, Finding};

pub(super) fn findings(view: &View) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (value, known) in view.values.iter().filter(|(_, known)| known.failed) {
        if let Some((at, offset)) = known.polled.first() {
            let what = format!("value {value} failed, but was read at offset {offset} of {at}");
            findings.push(Finding { check: Check::AbortedRead, what });
        }
    }
    findings
}
