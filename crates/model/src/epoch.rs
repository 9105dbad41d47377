//! Leader epochs (KIP-101): who led a partition when a record was appended.

/// A partition's leader epoch while its shard is in `term`: it grows by one with each leader of the shard, and starts
/// at `base` in the shard's first term, which is 1. Every broker knows both numbers. Saturates, so that it never falls.
pub fn leader_epoch(base: i32, term: u64) -> i32 {
    base.saturating_add(i32::try_from(term.saturating_sub(1)).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::leader_epoch;

    #[test]
    fn a_leader_epoch_grows_by_one_with_each_leader_and_never_falls() {
        assert_eq!([leader_epoch(7, 1), leader_epoch(7, 2), leader_epoch(7, 0)], [7, 8, 7]);
        assert_eq!([leader_epoch(7, u64::MAX), leader_epoch(i32::MAX, 9)], [i32::MAX; 2]);
    }
}
