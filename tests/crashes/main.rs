//! Crashes of the real binary under load.
