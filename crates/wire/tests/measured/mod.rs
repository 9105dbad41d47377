//! What a piece of work allocates.

use std::cell::Cell;
use std::sync::Once;

use tracking_allocator::{AllocationGroupId, AllocationRegistry, AllocationTracker};

/// What was allocated by this thread.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Spent {
    /// The largest single allocation, in bytes.
    pub(crate) largest: usize,
    /// The most that was held at a time, in bytes.
    pub(crate) peak: usize,
    held: isize,
}

thread_local! {
    static SPENT: Cell<Spent> = const { Cell::new(Spent { largest: 0, peak: 0, held: 0 }) };
}

struct Counter;

impl AllocationTracker for Counter {
    fn allocated(&self, _: usize, bytes: usize, _: usize, _: AllocationGroupId) {
        SPENT.set({
            let mut spent = SPENT.get();
            spent.held += bytes as isize;
            spent.largest = spent.largest.max(bytes);
            spent.peak = spent.peak.max(usize::try_from(spent.held).unwrap_or(0));
            spent
        });
    }

    fn deallocated(&self, _: usize, bytes: usize, _: usize, _: AllocationGroupId, _: AllocationGroupId) {
        SPENT.set(Spent { held: SPENT.get().held - bytes as isize, ..SPENT.get() });
    }
}

/// Runs `work` and tells what it allocated.
pub(crate) fn measured(work: impl FnOnce()) -> Spent {
    static START: Once = Once::new();
    START.call_once(|| {
        AllocationRegistry::set_global_tracker(Counter).expect("no other tracker is set in this test");
        AllocationRegistry::enable_tracking();
    });
    SPENT.set(Spent::default());
    work();
    SPENT.get()
}
