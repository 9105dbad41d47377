//! What a test ordered to go wrong.

use std::io::{self, ErrorKind};
use std::ops::Range;

#[derive(Default)]
pub(super) struct Faults {
    /// Power is off.
    pub(super) crashed: bool,
    /// Number of the mutating operation at which power goes off.
    pub(super) crash_at: Option<u64>,
    /// Number of the mutating operation that fails.
    pub(super) fail_at: Option<u64>,
    /// Part of a path, and how many syncs are still to fail.
    pub(super) failing_syncs: Vec<(String, u32)>,
    /// Part of a path, and the bytes that can't be read.
    pub(super) failing_reads: Vec<(String, Range<u64>)>,
}

impl Faults {
    /// Fails when power is off.
    pub(super) fn check_power(&self) -> io::Result<()> {
        if self.crashed { Err(power_is_off()) } else { Ok(()) }
    }

    /// Whether a read of these bytes is ordered to fail.
    pub(super) fn check_read(&self, path: &str, range: Range<u64>) -> io::Result<()> {
        let touches = |bad: &Range<u64>| bad.start < range.end && range.start < bad.end;
        match self.failing_reads.iter().any(|(part, bad)| path.contains(part.as_str()) && touches(bad)) {
            true => Err(ordered("read")),
            false => Ok(()),
        }
    }

    /// Whether this sync is ordered to fail; counts it.
    pub(super) fn takes_sync(&mut self, path: &str) -> bool {
        let due = |(part, count): &&mut (String, u32)| *count > 0 && path.contains(part.as_str());
        match self.failing_syncs.iter_mut().find(due) {
            Some((_, count)) => {
                *count -= 1;
                true
            }
            None => false,
        }
    }
}

pub(super) fn power_is_off() -> io::Error {
    io::Error::new(ErrorKind::BrokenPipe, "simulated: the disk has lost power")
}

pub(super) fn ordered(what: &str) -> io::Error {
    io::Error::other(format!("simulated: {what} failed with an I/O error"))
}
