//! A mutex that outlives a panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, whoever panicked before: what these mutexes hold is whole between any two statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
