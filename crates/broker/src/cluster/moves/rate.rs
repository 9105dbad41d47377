//! How fast partitions may be copied, where the operator bounds it: Kafka's settings for throttled replicas (KIP-73),
//! which kafka-reassign-partitions sets and takes away.

use controller::{ClusterImage, Resource, TopicImage};
use model::{BrokerId, GroupId};

/// The ends of a copy, each with the setting that names the replicas, and the one that bounds their rate.
const FOLLOWER: (&str, &str) = ("follower.replication.throttled.replicas", "follower.replication.throttled.rate");
const LEADER: (&str, &str) = ("leader.replication.throttled.replicas", "leader.replication.throttled.rate");

/// The least rate of the brokers at both ends, if the copy of this partition counts against any.
pub(super) fn rate(image: &ClusterImage, topic: &TopicImage, index: i32, to: GroupId) -> Option<u64> {
    let members = |shard: GroupId| image.shard(shard).map(|shard| shard.members.clone()).unwrap_or_default();
    let from = topic.partition(index).map(|place| members(place.shard)).unwrap_or_default();
    let ends = [(members(to), FOLLOWER), (from, LEADER)];
    let rates = ends.into_iter().flat_map(|(brokers, (replicas, rate))| {
        let listed = topic.configs.get(replicas).cloned().unwrap_or_default();
        let counts = move |broker: &BrokerId| is_listed(&listed, index, *broker);
        brokers.into_iter().filter(counts).filter_map(move |broker| rate_of(image, broker, rate))
    });
    rates.min()
}

fn is_listed(list: &str, index: i32, broker: BrokerId) -> bool {
    list.split(',').any(|entry| entry.trim() == "*" || entry.trim() == format!("{index}:{broker}"))
}

fn rate_of(image: &ClusterImage, broker: BrokerId, setting: &str) -> Option<u64> {
    let of = |resource: Resource| image.settings(&resource)?.get(setting)?.trim().parse().ok();
    of(Resource::Broker(broker)).or_else(|| of(Resource::ClusterDefault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_listed_one_by_one_or_all() {
        assert!(is_listed("0:1, 1:2", 1, BrokerId(2)));
        assert!(!is_listed("0:1,1:2", 0, BrokerId(2)));
        assert!(is_listed("*", 7, BrokerId(9)));
        assert!(!is_listed("", 0, BrokerId(0)));
    }
}
