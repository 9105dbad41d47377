//! Settings.

/// How a journal works. [`Options::default`] is right for a broker.
#[derive(Clone, Debug)]
pub struct Options {
    /// Length of a file, written with zeros once and then used over and over.
    pub file_bytes: u64,
    /// Length of the first file of an empty directory: small, so that a new broker is ready at once.
    /// Files grow eightfold from it up to `file_bytes`.
    pub first_file_bytes: u64,
    /// Purged files that are kept to be used again; more are removed.
    pub spare_files: usize,
    /// `true`: an append is answered when it is on the disk (mode `fsync`). `false`: when it is
    /// written, and only votes, memberships and the controller's entries, which are rare, are synced (mode `relaxed`).
    pub sync: bool,
    /// Payload bytes of recent entries that each group keeps in memory, besides those not yet
    /// written. What is older is read from the files.
    pub cache_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { file_bytes: 64 << 20, first_file_bytes: 256 << 10, spare_files: 4, sync: true, cache_bytes: 16 << 20 }
    }
}
