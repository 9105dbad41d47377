//! What came out.

use std::io;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::super::output::{Facts, Output, Table};

/// The longest latency that is told apart: whatever takes longer has long been given up.
const LONGEST_US: u64 = 10 * 60 * 1_000_000;

/// Latencies in us, to three digits.
pub(super) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(super) fn new() -> Self {
        Latencies(Histogram::new_with_bounds(1, LONGEST_US, 3).expect("bounds and digits that a histogram takes"))
    }

    pub(super) fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).max(1));
    }

    pub(super) fn add(&mut self, other: &Latencies) {
        // Both have the same bounds.
        self.0.add(&other.0).expect("histograms of the same bounds");
    }

    fn table(&self) -> Table {
        let mut table = Table::new("latency", &["latency", "ms"]);
        let at = |share: f64| self.0.value_at_quantile(share);
        let shares =
            [("p50", at(0.5)), ("p90", at(0.9)), ("p99", at(0.99)), ("p99.9", at(0.999)), ("max", self.0.max())];
        for (name, us) in shares {
            table.row([name.into(), (us as f64 / 1000.0).into()]);
        }
        table
    }
}

/// A run.
pub(super) struct Report {
    pub(super) topic: String,
    pub(super) records: u64,
    pub(super) record_bytes: u64,
    pub(super) took: Duration,
    /// Due, and not sent: only where there was a rate.
    pub(super) missed: Option<u64>,
    pub(super) latencies: Latencies,
    /// From when to when.
    pub(super) latency_is: &'static str,
}

impl Report {
    pub(super) fn print(&self, output: Output) -> io::Result<()> {
        let seconds = self.took.as_secs_f64().max(1e-9);
        let per_second = self.records as f64 / seconds;
        let mib = (self.records * self.record_bytes) as f64 / (1024.0 * 1024.0);
        let mut facts = Facts::new();
        facts.fact("topic", self.topic.as_str());
        facts.fact("records", self.records);
        facts.fact("record bytes", self.record_bytes);
        facts.fact("seconds", rounded(seconds, 3));
        facts.fact("records per second", per_second.round() as u64);
        facts.fact("mib per second", rounded(mib / seconds, 2));
        if let Some(missed) = self.missed {
            facts.fact("missed", missed);
        }
        facts.fact("latency is", self.latency_is);
        output.facts(&facts, Some(&self.latencies.table()))
    }
}

fn rounded(number: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (number * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_of_all_connections_are_put_together() {
        let (mut one, mut other) = (Latencies::new(), Latencies::new());
        (1..=900).for_each(|_| one.record(Duration::from_millis(1)));
        (1..=99).for_each(|_| other.record(Duration::from_millis(20)));
        other.record(Duration::from_secs(3600));
        one.add(&other);
        let ms = |share| (one.0.value_at_quantile(share) as f64 / 1000.0).round();
        assert_eq!((ms(0.5), ms(0.9), ms(0.99), ms(0.999)), (1.0, 1.0, 20.0, 20.0));
        assert!(one.0.max() >= LONGEST_US, "what is longer than the longest counts as that");
    }
}
