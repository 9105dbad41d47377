//! Which partition of `__consumer_offsets` keeps a group.

/// The partition, of `partitions`, that keeps the state of `group`; whoever leads it coordinates the group.
///
/// As Kafka: Java's hash of the name (over UTF-16 units) with its sign cut off, modulo the partitions.
///
/// # Panics
/// If `partitions` is not positive.
pub fn partition_for(group: &str, partitions: i32) -> i32 {
    assert!(partitions > 0, "a topic has at least one partition");
    let hash = group.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    let positive = if hash == i32::MIN { 0 } else { hash.abs() };
    positive % partitions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_kept_where_kafka_keeps_it() {
        // Math.abs("...".hashCode()) % 50 of Java.
        assert_eq!(partition_for("", 50), 0);
        assert_eq!(partition_for("group-id", 50), 13);
        assert_eq!(partition_for("console-consumer-12345", 50), 6);
        assert_eq!(partition_for("grüße-\u{1F600}", 50), 27);
    }

    #[test]
    fn the_one_hash_without_a_positive_twin_maps_to_partition_zero() {
        assert_eq!(partition_for("polygenelubricants", 50), 0, "its Java hash is Integer.MIN_VALUE");
    }
}
