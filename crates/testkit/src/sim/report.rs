//! What came of a run.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::promises::Finding;

/// Findings of a run that are printed: one cause may have thousands of effects.
const MOST_PRINTED: usize = 12;

/// What one run did and found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which run.
    pub seed: u64,
    /// Of how many brokers.
    pub brokers: u8,
    /// The promises that it found broken; none, if all is well.
    pub findings: Vec<Finding>,
    /// How often each request was made, each fault struck.
    pub counts: BTreeMap<&'static str, u64>,
    /// How long it was for those within.
    pub simulated: Duration,
    /// How long it took.
    pub took: Duration,
    /// A fingerprint of all that was sent, seen and stored, and when. Two runs of one seed have the same.
    pub digest: u64,
}

/// What many runs did and found.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// How many there were.
    pub runs: u64,
    /// Those that found something.
    pub failed: Vec<Report>,
    /// As in [`Report`], of all.
    pub counts: BTreeMap<&'static str, u64>,
    /// As in [`Report`], of all.
    pub simulated: Duration,
    /// As in [`Report`], of all.
    pub took: Duration,
}

impl Summary {
    /// Adds a run.
    pub fn add(&mut self, report: Report) {
        self.runs += 1;
        self.simulated += report.simulated;
        self.took += report.took;
        for (what, count) in &report.counts {
            *self.counts.entry(what).or_default() += count;
        }
        if !report.findings.is_empty() {
            self.failed.push(report);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { seed, brokers, digest, .. } = self;
        writeln!(
            f,
            "seed {seed}, brokers {brokers}: {:.1?} of simulated time in {:.2?}, digest {digest:016x}",
            self.simulated, self.took
        )?;
        for finding in self.findings.iter().take(MOST_PRINTED) {
            writeln!(f, "  {finding}")?;
        }
        if let Some(more @ 1..) = self.findings.len().checked_sub(MOST_PRINTED) {
            writeln!(f, "  and {more} more")?;
        }
        if !self.findings.is_empty() {
            writeln!(f, "  again: cargo run -p testkit -- simulate --seed {seed} --brokers {brokers} --verbose")?;
        }
        Ok(())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for report in &self.failed {
            writeln!(f, "{report}")?;
        }
        for (what, count) in &self.counts {
            writeln!(f, "{count:>12}  {what}")?;
        }
        let a_minute = self.runs as f64 * 60.0 / self.took.as_secs_f64().max(0.001);
        writeln!(
            f,
            "{} runs, {:.0} s of simulated time in {:.1} s ({a_minute:.0} runs a minute): {} found something",
            self.runs,
            self.simulated.as_secs_f64(),
            self.took.as_secs_f64(),
            self.failed.len(),
        )
    }
}
