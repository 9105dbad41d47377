//! With an idempotent producer a value stands once.

use std::collections::BTreeSet;

use super::view::View;
use super::{Check, Finding};

pub(super) fn findings(view: &View) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (value, known) in &view.values {
        let mut places: BTreeSet<_> = known.polled.iter().cloned().collect();
        if let (Some(at), Some(offset)) = (&known.sent_to, known.acknowledged) {
            places.insert((at.clone(), offset));
        }
        if places.len() > 1 {
            let places: Vec<_> = places.iter().map(|(at, offset)| format!("offset {offset} of {at}")).collect();
            let what = format!("value {value} stands at {}", places.join(" and "));
            findings.push(Finding { check: Check::Duplicate, what });
        }
    }
    findings
}
