//! What is listed twice in a request.

use std::collections::BTreeMap;

/// Of the items with the same key the last one, in the place of the first: what Kafka's maps make of a list.
pub(crate) fn last_of_each<K: Ord + Clone, T>(items: impl IntoIterator<Item = (K, T)>) -> Vec<(K, T)> {
    let mut places: BTreeMap<K, usize> = BTreeMap::new();
    let mut distinct: Vec<(K, T)> = Vec::new();
    for (key, item) in items {
        match places.get(&key) {
            Some(&place) => distinct[place].1 = item,
            None => {
                places.insert(key.clone(), distinct.len());
                distinct.push((key, item));
            }
        }
    }
    distinct
}

/// The items of each group together, in the order in which groups and items appear.
pub(crate) fn grouped<K: Ord + Clone, T>(items: impl IntoIterator<Item = (K, T)>) -> Vec<(K, Vec<T>)> {
    let mut places: BTreeMap<K, usize> = BTreeMap::new();
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    for (key, item) in items {
        let place = *places.entry(key.clone()).or_insert(groups.len());
        if place == groups.len() {
            groups.push((key, Vec::new()));
        }
        groups[place].1.push(item);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_each_key_stands_where_the_first_did() {
        assert_eq!(last_of_each([('b', 1), ('a', 2), ('b', 3), ('c', 4)]), [('b', 3), ('a', 2), ('c', 4)]);
    }

    #[test]
    fn groups_keep_the_order_of_their_items() {
        assert_eq!(grouped([('b', 1), ('a', 2), ('b', 3)]), [('b', vec![1, 3]), ('a', vec![2])]);
    }
}
