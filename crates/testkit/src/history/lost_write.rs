//! What was acknowledged is there: readers that came past it must have seen it.

use super::view::View;
use super::{Check, Finding};

pub(super) fn findings(view: &View) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (value, known) in &view.values {
        let (Some(at), Some(offset)) = (&known.sent_to, known.acknowledged) else { continue };
        let passed = view.read_to.get(at).is_some_and(|read_to| offset <= *read_to);
        if passed && known.polled.is_empty() && !view.may_be_removed(at, offset) {
            let what = format!("value {value} was acknowledged at offset {offset} of {at}, but reads past it had none");
            findings.push(Finding { check: Check::LostWrite, what });
        }
    }
    findings
}
