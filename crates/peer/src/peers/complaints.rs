//! What is said once, and not with each attempt.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Mutex;

use crate::lock::lock;

/// Machines that are named at a time. A stranger with more addresses than that does not fill the log.
const MAX_NAMED: usize = 64;

/// Machines that an operator was told about.
#[derive(Default)]
pub(crate) struct Complaints(Mutex<BTreeSet<(IpAddr, String)>>);

impl Complaints {
    /// Whether to say this about a machine now.
    pub(crate) fn is_new(&self, from: IpAddr, words: &str) -> bool {
        let mut named = lock(&self.0);
        named.len() < MAX_NAMED && named.insert((from, words.to_owned()))
    }

    /// All is well with this machine: what goes wrong later is news.
    pub(crate) fn forget(&self, from: IpAddr) {
        lock(&self.0).retain(|(named, _)| *named != from);
    }
}
