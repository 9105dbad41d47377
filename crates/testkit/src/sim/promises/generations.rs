//! Group generations only grow: what a member was given in one stands in no other.

use std::collections::BTreeMap;

use super::{Finding, Rule};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Generations {
    /// The greatest in which a member was given its assignment.
    settled: BTreeMap<String, i32>,
}

impl Generations {
    /// The greatest generation that whoever asks to join now must not be given again.
    pub(crate) fn asked(&self, group: &str) -> i32 {
        self.settled.get(group).copied().unwrap_or(-1)
    }

    /// A member was given its assignment, which is durable.
    pub(crate) fn settled(&mut self, group: &str, generation: i32) {
        let settled = self.settled.entry(group.to_owned()).or_insert(generation);
        *settled = generation.max(*settled);
    }

    /// A member that asked to join is in this generation.
    pub(crate) fn joined(&self, group: &str, asked: i32, generation: i32) -> Option<Finding> {
        (generation < asked).then(|| {
            let what = format!("{group} formed generation {generation} after {asked} had been settled");
            Finding::new(Rule::GenerationReused, what)
        })
    }
}
