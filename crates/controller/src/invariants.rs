//! What holds in every image, written down independently of the code that keeps it.

use std::collections::{BTreeMap, BTreeSet};

use model::GroupId;

use crate::image::ClusterImage;

/// Names each breach; empty when all is well.
pub(crate) fn violations(image: &ClusterImage) -> Vec<String> {
    let mut found = Vec::new();
    shards_have_distinct_registered_members(image, &mut found);
    controllers_are_few_distinct_and_registered(image, &mut found);
    only_fenced_brokers_are_away(image, &mut found);
    partitions_live_in_shards_that_count_them(image, &mut found);
    partitions_move_between_shards_that_exist(image, &mut found);
    both_topic_indexes_agree(image, &mut found);
    no_two_names_share_a_metric(image, &mut found);
    found
}

fn shards_have_distinct_registered_members(image: &ClusterImage, found: &mut Vec<String>) {
    for shard in image.shards() {
        let distinct: BTreeSet<_> = shard.members.iter().collect();
        if shard.members.is_empty() || distinct.len() != shard.members.len() {
            found.push(format!("{} has the members {:?}", shard.id, shard.members));
        }
        for member in shard.members.iter().filter(|member| image.broker(**member).is_none()) {
            found.push(format!("{} has the member {member}, which is not registered", shard.id));
        }
    }
}

fn controllers_are_few_distinct_and_registered(image: &ClusterImage, found: &mut Vec<String>) {
    let controllers = image.controllers();
    let distinct: BTreeSet<_> = controllers.iter().collect();
    let is_allowed = (1..=5).contains(&controllers.len()) && distinct.len() == controllers.len();
    if image.is_bootstrapped() && !is_allowed {
        found.push(format!("the controller's group has the voters {controllers:?}"));
    }
    for id in controllers.iter().filter(|id| image.broker(**id).is_none()) {
        found.push(format!("the controller's group has the voter {id}, which is not registered"));
    }
}

fn only_fenced_brokers_are_away(image: &ClusterImage, found: &mut Vec<String>) {
    for broker in image.brokers().filter(|broker| !broker.fenced && broker.away_since_ms.is_some()) {
        found.push(format!("broker {} is live and away", broker.id));
    }
}

fn partitions_live_in_shards_that_count_them(image: &ClusterImage, found: &mut Vec<String>) {
    let mut counts: BTreeMap<GroupId, u32> = image.shards().map(|shard| (shard.id, 0)).collect();
    let mut total = 0;
    for topic in image.topics() {
        if topic.partitions.is_empty() {
            found.push(format!("topic {} has no partitions", topic.name));
        }
        for (index, partition) in topic.numbered() {
            total += 1;
            match counts.get_mut(&partition.shard) {
                Some(count) => *count += 1,
                None => {
                    found.push(format!("{}-{index} lives in {}, which does not exist", topic.name, partition.shard))
                }
            }
        }
    }
    for shard in image.shards().filter(|shard| counts.get(&shard.id) != Some(&shard.partitions)) {
        found.push(format!("{} counts {} partitions, not {:?}", shard.id, shard.partitions, counts.get(&shard.id)));
    }
    if total != image.partition_count() {
        found.push(format!("the image counts {} partitions, not {total}", image.partition_count()));
    }
}

fn partitions_move_between_shards_that_exist(image: &ClusterImage, found: &mut Vec<String>) {
    for (id, to) in image.moves() {
        let from = image.partition(id).map(|place| place.shard);
        if from.is_none_or(|from| from == to.to) || image.shard(to.to).is_none() {
            found.push(format!("partition {id} is on its way from {from:?} to {}", to.to));
        }
    }
}

fn both_topic_indexes_agree(image: &ClusterImage, found: &mut Vec<String>) {
    for topic in image.topics() {
        if image.topic_by_id(topic.id) != Some(topic) {
            found.push(format!("topic {} is another one by its id {}", topic.name, topic.id));
        }
    }
    if image.topic_count() != image.topic_id_count() {
        found.push(format!("{} topics have {} ids", image.topic_count(), image.topic_id_count()));
    }
}

fn no_two_names_share_a_metric(image: &ClusterImage, found: &mut Vec<String>) {
    let mut names = BTreeMap::new();
    for topic in image.topics() {
        if let Some(other) = names.insert(topic.name.as_str().replace('.', "_"), &topic.name) {
            found.push(format!("topics {other} and {} collide", topic.name));
        }
    }
}
