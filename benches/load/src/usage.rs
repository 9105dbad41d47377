//! What a process has used, by Linux's account of it.

use std::fs;
use std::ops::Sub;

/// Ticks of `/proc/PID/stat`, which are a hundred a second on every Linux of today.
const TICKS_PER_SECOND: f64 = 100.0;

/// Of one process, all its threads together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Processor time, in user space and in the kernel.
    pub(crate) cpu_seconds: f64,
    /// How often a thread went to sleep.
    pub(crate) sleeps: u64,
    /// Memory of its own now, in KiB: heap and stacks, no files.
    pub(crate) memory_kib: u64,
}

impl Usage {
    /// `None` if there is no such process.
    pub(crate) fn of(process: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name, in parentheses, may hold anything; behind it, user and system time are 12th and 13th.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        Some(Usage {
            cpu_seconds: (ticks(11)? + ticks(12)?) / TICKS_PER_SECOND,
            sleeps: sleeps(process),
            memory_kib: number(&status, "RssAnon:")?,
        })
    }
}

impl Sub for Usage {
    type Output = Usage;

    /// What was used in between; memory as it is at the end.
    fn sub(self, before: Usage) -> Usage {
        Usage {
            cpu_seconds: self.cpu_seconds - before.cpu_seconds,
            sleeps: self.sleeps.saturating_sub(before.sleeps),
            memory_kib: self.memory_kib,
        }
    }
}

/// Of the threads that are there now.
fn sleeps(process: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let of_thread = |path: &std::path::Path| {
        let status = fs::read_to_string(path.join("status")).ok()?;
        number(&status, "voluntary_ctxt_switches:")
    };
    threads.filter_map(|thread| of_thread(&thread.path())).sum()
}

fn number(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
