//! Sizes of what a broker keeps for itself on the disk, fitted to the disk.

use config::{BrokerConfig, Origin};

/// Of a small file system the reserve takes no more than this part.
const RESERVE_SHARE: u64 = 8;

/// Of a small file system a journal file takes no more than this part: there are up to eight (those that
/// a checkpoint leaves, the one being written, the next, and the spare ones).
const JOURNAL_FILE_SHARE: u64 = 32;

/// For members that are behind, the journal keeps so many times the bytes that make a checkpoint due: half of those at
/// which produce is refused.
const RETAINED_CHECKPOINTS: u64 = 8;

/// What the settings allow at least.
const LEAST_BYTES: u64 = 1 << 20;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Free bytes that produce leaves on the disk.
    pub(crate) reserve_bytes: u64,
    /// Length of a journal file.
    pub(crate) journal_file_bytes: u64,
    /// Live bytes of the journal above which a checkpoint is due.
    pub(crate) checkpoint_bytes: u64,
    /// Bytes of the journal that checkpoints leave for members of other brokers that lack them.
    pub(crate) retained_bytes: u64,
}

impl Sizes {
    /// The settings as they are given; where nobody gave one, what suits a file system of `total_bytes`.
    pub(crate) fn new(config: &BrokerConfig, total_bytes: u64) -> Sizes {
        let fit = |setting: &str, bytes: u64, share: u64| match config.origin(setting) {
            Origin::Default => bytes.min((total_bytes / share).max(LEAST_BYTES)),
            _ => bytes,
        };
        let checkpoint_bytes = fit("journal.checkpoint.bytes", config.journal_checkpoint_bytes(), JOURNAL_FILE_SHARE);
        Sizes {
            reserve_bytes: fit("disk.reserve.bytes", config.disk_reserve_bytes(), RESERVE_SHARE),
            journal_file_bytes: fit("journal.file.bytes", config.journal_file_bytes(), JOURNAL_FILE_SHARE),
            checkpoint_bytes,
            retained_bytes: checkpoint_bytes.saturating_mul(RETAINED_CHECKPOINTS),
        }
    }
}

#[cfg(test)]
mod tests {
    use config::Sources;

    use super::*;

    const MIB: u64 = 1 << 20;

    fn sizes(config: &BrokerConfig, total_mib: u64) -> [u64; 3] {
        let sizes = Sizes::new(config, total_mib * MIB);
        [sizes.reserve_bytes, sizes.journal_file_bytes, sizes.checkpoint_bytes].map(|bytes| bytes / MIB)
    }

    #[test]
    fn a_small_file_system_is_left_most_of_its_room() {
        let config = BrokerConfig::default();
        assert_eq!(sizes(&config, 1 << 20), [256, 64, 64]);
        assert_eq!(sizes(&config, 2048), [256, 64, 64]);
        assert_eq!(sizes(&config, 256), [32, 8, 8]);
        assert_eq!(sizes(&config, 4), [1, 1, 1]);
    }

    #[test]
    fn what_somebody_asked_for_is_taken_as_it_is() {
        let set = vec![format!("disk.reserve.bytes={}", 100 * MIB)];
        let config = BrokerConfig::load(&Sources { set, ..Sources::default() }).unwrap();
        assert_eq!(sizes(&config, 256), [100, 8, 8]);
    }
}
