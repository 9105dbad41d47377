//! Which partition a record with a key belongs to: as Kafka's Java client decides, so that the two agree.

/// The partition of a key among `partitions`, as Java's `BuiltInPartitioner.partitionForKey`.
pub fn partition_for_key(key: &[u8], partitions: usize) -> i32 {
    let positive = murmur2(key) & 0x7fff_ffff;
    let partitions = u32::try_from(partitions.max(1)).unwrap_or(u32::MAX);
    i32::try_from(positive % partitions).expect("31 bits fit")
}

/// MurmurHash2, 32 bits, with the seed that Kafka uses.
pub fn murmur2(bytes: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    let mut hash = SEED ^ bytes.len() as u32;
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        let mixed = u32::from_le_bytes(*word).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ (mixed ^ mixed >> 24).wrapping_mul(M);
    }
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0, |tail, byte| tail << 8 | u32::from(*byte));
        hash = (hash ^ tail).wrapping_mul(M);
    }
    hash = (hash ^ hash >> 13).wrapping_mul(M);
    hash ^ hash >> 15
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From `org.apache.kafka.common.utils.Utils.murmur2` of the Java client (its own `UtilsTest.testMurmur2`).
    #[test]
    fn keys_hash_as_in_java() {
        for (key, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, hash, "{key}");
        }
    }

    #[test]
    fn a_key_always_has_the_same_partition_and_it_exists() {
        for count in [1, 2, 3, 7, 1000] {
            for key in 0..200_u32 {
                let partition = partition_for_key(&key.to_be_bytes(), count);
                assert!((0..count as i32).contains(&partition));
                assert_eq!(partition, partition_for_key(&key.to_be_bytes(), count));
            }
        }
    }
}
