//! From keys to the offsets of their last records, in bounded memory.

use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

/// A hash of 16 bytes and an offset of 8, as in Kafka's `SkimpyOffsetMap`.
const SLOT_BYTES: u64 = 24;

/// Fewest slots, so that there is always room for a key.
const LEAST_SLOTS: u64 = 16;

/// An open-addressing table that holds hashes of keys in place of the keys.
///
/// Two keys with one hash would count as one, and the older one's last record would be lost. The hash has 128 bits: among
/// a billion keys the chance of that is below 1 in 10^20. It is SipHash with a random key for each pass, so that nobody
/// can make up keys that collide, as is done for MD5, which Kafka takes here. (SipHash-1-3 is also some five times as
/// fast for short keys.)
pub(super) struct KeyMap {
    /// Two halves of a hash, and the offset plus one: 0 for a free slot, so that fresh memory needs no filling.
    slots: Vec<[u64; 3]>,
    keys: usize,
    most_keys: usize,
    seed: [u8; 16],
}

impl KeyMap {
    /// A map of at most `max_bytes`, for at most `most_keys` keys.
    pub(super) fn new(max_bytes: u64, load: f64, most_keys: u64, seed: [u8; 16]) -> Self {
        let load = load.clamp(0.1, 0.95);
        let wanted = (most_keys as f64 / load) as u64 + 1;
        let slots = if most_keys == 0 { 0 } else { wanted.min(max_bytes / SLOT_BYTES).max(LEAST_SLOTS) };
        let slots = usize::try_from(slots).unwrap_or(usize::MAX / 64);
        KeyMap { slots: vec![[0; 3]; slots], keys: 0, most_keys: (slots as f64 * load) as usize, seed }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys == 0
    }

    /// Notes that `key` was last seen at `offset`. False if it is new and there is no room for it.
    pub(super) fn put(&mut self, key: &[u8], offset: i64) -> bool {
        if self.slots.is_empty() {
            return false;
        }
        let hash = self.hash(key);
        let slot = self.slot_of(hash);
        if self.slots[slot][2] == 0 {
            if self.keys == self.most_keys {
                return false;
            }
            self.keys += 1;
        }
        self.slots[slot] = [hash[0], hash[1], offset as u64 + 1];
        true
    }

    /// The offset at which `key` was last seen.
    pub(super) fn get(&self, key: &[u8]) -> Option<i64> {
        if self.keys == 0 {
            return None;
        }
        let [_, _, offset] = self.slots[self.slot_of(self.hash(key))];
        offset.checked_sub(1).map(|offset| offset as i64)
    }

    fn hash(&self, key: &[u8]) -> [u64; 2] {
        let mut hasher = SipHasher13::new_with_key(&self.seed);
        hasher.write(key);
        let hash = hasher.finish128();
        [hash.h1, hash.h2]
    }

    /// Where the key of this hash is, or would be.
    fn slot_of(&self, hash: [u64; 2]) -> usize {
        // The high bits of a product: even over any number of slots, without a division.
        let mut slot = ((u128::from(hash[0]) * self.slots.len() as u128) >> 64) as usize;
        while self.slots[slot][2] != 0 && self.slots[slot][..2] != hash {
            slot = if slot + 1 == self.slots.len() { 0 } else { slot + 1 };
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_last_offset_of_each_key_is_known() {
        let mut map = KeyMap::new(1 << 20, 0.9, 1000, [7; 16]);
        let mut model = BTreeMap::new();
        for offset in 0..3000_i64 {
            let key = (offset * offset % 1000).to_be_bytes();
            assert!(map.put(&key, offset));
            model.insert(key, offset);
        }
        for key in (0..1000_i64).map(i64::to_be_bytes) {
            assert_eq!(map.get(&key), model.get(&key).copied());
        }
    }

    #[test]
    fn a_full_map_takes_known_keys_only() {
        let mut map = KeyMap::new(SLOT_BYTES * 20, 0.5, 1000, [7; 16]);
        for key in 0..10_u8 {
            assert!(map.put(&[key], i64::from(key)));
        }
        assert!(!map.put(&[10], 10));
        assert!(map.put(&[3], 11));
        assert_eq!((map.get(&[3]), map.get(&[10])), (Some(11), None));
    }

    #[test]
    fn a_map_for_no_keys_takes_no_memory() {
        let map = KeyMap::new(1 << 30, 0.9, 0, [7; 16]);
        assert_eq!((map.slots.capacity(), map.get(b"key")), (0, None));
    }
}
