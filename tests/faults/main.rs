//! The real binary and real files in trouble: directories that it must not touch, full and broken disks, damaged
//! files, kills at any system call.
//!
//! Needs root (to mount small file systems) and strace, which `./test.sh` installs; without them it fails and says so.
#![expect(clippy::unwrap_used, reason = "a step that fails is the test's failure")]

mod damage;
mod failed_sync;
mod full_disk;
mod kills;
mod kit;
mod refusals;
