//! What a row comes to.

use std::time::Duration;

use crate::usage::Usage;

/// One measurement.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) elapsed: Duration,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    /// Of each request, sorted.
    latencies: Vec<Duration>,
    pub(crate) usage: Option<Usage>,
}

impl Figures {
    pub(crate) fn new(elapsed: Duration, records: u64, bytes: u64, mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        Figures { elapsed, records, bytes, latencies, usage: None }
    }

    pub(crate) fn used(mut self, usage: Option<Usage>) -> Self {
        self.usage = usage;
        self
    }

    /// The latency that `share` of all requests did not exceed.
    pub(crate) fn latency(&self, share: f64) -> Option<Duration> {
        let rank = (self.latencies.len() as f64 * share).ceil() as usize;
        self.latencies.get(rank.saturating_sub(1)).copied()
    }

    pub(crate) fn records_per_second(&self) -> f64 {
        self.records as f64 / self.elapsed.as_secs_f64()
    }

    pub(crate) fn megabytes_per_second(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.elapsed.as_secs_f64()
    }

    /// Processor seconds of the broker for a million records.
    pub(crate) fn cpu(&self) -> Option<f64> {
        self.usage.map(|usage| usage.cpu_seconds * 1e6 / self.records as f64)
    }

    /// How often a thread of the broker went to sleep, for each request.
    pub(crate) fn sleeps(&self) -> Option<f64> {
        self.usage.map(|usage| usage.sleeps as f64 / self.latencies.len() as f64)
    }

    /// The one in the middle: by processor time, which others on the machine disturb least, or by latency.
    pub(crate) fn median(mut rounds: Vec<Figures>) -> Option<Figures> {
        let order = |figures: &Figures| figures.cpu().or(figures.latency(0.5).map(|latency| latency.as_secs_f64()));
        rounds.sort_by(|a, b| order(a).partial_cmp(&order(b)).unwrap_or(std::cmp::Ordering::Equal));
        let middle = (rounds.len().checked_sub(1)?) / 2;
        Some(rounds.swap_remove(middle))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(latencies_ms: impl IntoIterator<Item = u64>) -> Figures {
        let latencies = latencies_ms.into_iter().map(Duration::from_millis).collect();
        Figures::new(Duration::from_secs(2), 1000, 4_000_000, latencies)
    }

    #[test]
    fn a_percentile_is_the_least_latency_that_so_many_did_not_exceed() {
        let figures = figures((1..=1000).rev());
        let latency = |share| figures.latency(share).unwrap().as_millis();
        assert_eq!([latency(0.5), latency(0.99), latency(0.999)], [500, 990, 999]);
        assert_eq!((figures.records_per_second(), figures.megabytes_per_second()), (500.0, 2.0));
    }

    #[test]
    fn the_median_is_a_round_that_was_measured() {
        let rounds = [30, 10, 20].map(|ms| figures([ms]));
        assert_eq!(Figures::median(rounds.to_vec()).unwrap().latency(0.5), Some(Duration::from_millis(20)));
        assert!(Figures::median(Vec::new()).is_none());
    }
}
