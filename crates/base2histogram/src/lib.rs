//! Stands in for the crate of this name, in which openraft counts things that we never read.
//!
//! The original builds tables for all its resolutions at the first use of any: 27 MB, and 15 ms of a
//! broker's start. This one has the part of its interface that openraft compiles against, and counts
//! nothing. `Cargo.toml` of the workspace puts it in the original's place; take it out again once the
//! original builds only what is used.
//!
//! ```
//! let mut histogram = base2histogram::Histogram::<()>::new();
//! histogram.record(7);
//! assert_eq!(histogram.percentile_stats().samples, 0);
//! ```

use std::fmt;
use std::marker::PhantomData;

/// Forgets what it is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram<T = ()>(PhantomData<T>);

impl<T> Histogram<T> {
    /// A histogram, empty for ever.
    pub fn new() -> Self {
        Histogram(PhantomData)
    }

    /// Does nothing.
    pub fn record(&mut self, _value: u64) {}

    /// Does nothing.
    pub fn record_n(&mut self, _value: u64, _count: u64) {}

    /// All zeros.
    pub fn percentile_stats(&self) -> PercentileStats {
        PercentileStats::default()
    }
}

/// What would be known of the values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "percentiles, by their names")]
pub struct PercentileStats {
    /// How many there were.
    pub samples: u64,
    pub p0_1: u64,
    pub p1: u64,
    pub p5: u64,
    pub p10: u64,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub p99_9: u64,
}

impl fmt::Display for PercentileStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[not counted]")
    }
}

/// A picture of nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AsciiChart;

impl AsciiChart {
    /// An empty picture.
    pub fn new() -> Self {
        AsciiChart
    }

    /// Leaves it empty.
    #[must_use]
    #[allow(clippy::should_implement_trait, reason = "the original's name")]
    pub fn add(self, _name: &str, _histogram: Histogram) -> Self {
        self
    }
}

impl fmt::Display for AsciiChart {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}
