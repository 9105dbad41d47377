//! What the tests share: files to look at and to spoil, records that must stay, mounts, and system calls to break.

pub(crate) mod files;
pub(crate) mod mount;
pub(crate) mod records;
pub(crate) mod refusal;
pub(crate) mod strace;
