//! What members tell one another through the coordinator, which does not look at it: Kafka's
//! `ConsumerProtocolSubscription` and `ConsumerProtocolAssignment`. All versions of both begin alike; written is
//! version 0.

use std::collections::BTreeMap;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::TopicPartition;

/// Which topics a member wants to read.
pub(crate) fn write_subscription(topics: &[String]) -> Bytes {
    let mut out = BytesMut::new();
    out.put_i16(0);
    out.put_i32(i32::try_from(topics.len()).unwrap_or(i32::MAX));
    topics.iter().for_each(|topic| put_name(&mut out, topic));
    put_no_user_data(&mut out);
    out.freeze()
}

/// The topics of a subscription.
pub(crate) fn read_subscription(mut bytes: Bytes) -> Option<Vec<String>> {
    let _version = bytes.try_get_i16().ok()?;
    let topics = bytes.try_get_i32().ok()?;
    (0..topics).map(|_| take_name(&mut bytes)).collect()
}

/// Which partitions a member is to read. `places` are sorted.
pub(crate) fn write_assignment(places: &[TopicPartition]) -> Bytes {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, index) in places {
        topics.entry(topic).or_default().push(*index);
    }
    let mut out = BytesMut::new();
    out.put_i16(0);
    out.put_i32(i32::try_from(topics.len()).unwrap_or(i32::MAX));
    for (topic, indexes) in topics {
        put_name(&mut out, topic);
        out.put_i32(i32::try_from(indexes.len()).unwrap_or(i32::MAX));
        indexes.into_iter().for_each(|index| out.put_i32(index));
    }
    put_no_user_data(&mut out);
    out.freeze()
}

/// The partitions of an assignment, sorted. What other protocols put there is not understood.
pub(crate) fn read_assignment(mut bytes: Bytes) -> Option<Vec<TopicPartition>> {
    let _version = bytes.try_get_i16().ok()?;
    let topics = bytes.try_get_i32().ok()?;
    let mut partitions = Vec::new();
    for _ in 0..topics {
        let name = take_name(&mut bytes)?;
        for _ in 0..bytes.try_get_i32().ok()? {
            partitions.push((name.clone(), bytes.try_get_i32().ok()?));
        }
    }
    partitions.sort();
    Some(partitions)
}

/// Deals partitions out as Kafka's `RangeAssignor`: of each topic a member gets neighbours, and the first members one
/// more where it does not come out even. Every member is in the answer.
pub(crate) fn range<'m>(
    members: &'m BTreeMap<String, Vec<String>>,
    counts: &BTreeMap<String, usize>,
) -> BTreeMap<&'m str, Vec<TopicPartition>> {
    let mut dealt: BTreeMap<&str, Vec<TopicPartition>> =
        members.keys().map(|member| (member.as_str(), Vec::new())).collect();
    for (topic, count) in counts {
        let wants = |(_, topics): &(&String, &Vec<String>)| topics.iter().any(|wanted| wanted == topic);
        let readers: Vec<&str> = members.iter().filter(wants).map(|(member, _)| member.as_str()).collect();
        let mut next = 0;
        for (place, reader) in readers.iter().enumerate() {
            let share = count / readers.len() + usize::from(place < count % readers.len());
            let mine = (next..next + share).filter_map(|index| i32::try_from(index).ok());
            dealt.entry(reader).or_default().extend(mine.map(|index| (topic.clone(), index)));
            next += share;
        }
    }
    dealt
}

fn put_name(out: &mut BytesMut, name: &str) {
    // A topic's name has at most 249 characters.
    out.put_i16(i16::try_from(name.len()).unwrap_or(0));
    out.put_slice(name.as_bytes());
}

fn put_no_user_data(out: &mut BytesMut) {
    out.put_i32(-1);
}

fn take_name(bytes: &mut Bytes) -> Option<String> {
    let length = usize::try_from(bytes.try_get_i16().ok()?).ok()?;
    let name = String::from_utf8(bytes.get(..length)?.to_vec()).ok()?;
    bytes.advance(length);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(of: &[(&str, i32)]) -> Vec<TopicPartition> {
        of.iter().map(|(topic, index)| ((*topic).to_owned(), *index)).collect()
    }

    #[test]
    fn an_assignment_is_read_as_clients_write_it_and_nonsense_is_not() {
        let written = [&[0, 1, 0, 0, 0, 1, 0, 6][..], b"orders", &[0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 1], &[0xff; 4]];
        let bytes = Bytes::from(written.concat());
        assert_eq!(read_assignment(bytes.clone()), Some(places(&[("orders", 1), ("orders", 3)])));
        assert_eq!(read_assignment(bytes.slice(..20)), None);
        assert_eq!(read_assignment(Bytes::from_static(&[0xff; 40])), Some(Vec::new()), "a negative count is none");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let all = places(&[("a", 0), ("a", 2), ("b", 1)]);
        assert_eq!(read_assignment(write_assignment(&all)), Some(all));
        assert_eq!(read_assignment(write_assignment(&[])), Some(Vec::new()));
        let topics = ["a".to_owned(), "b".to_owned()];
        assert_eq!(read_subscription(write_subscription(&topics)).as_deref(), Some(&topics[..]));
        assert_eq!(read_subscription(Bytes::from_static(&[0, 0, 0x7f, 0xff, 0xff, 0xff])), None);
    }

    /// As Kafka's documentation of `RangeAssignor` has it, and with a member that wants one of two topics.
    #[test]
    fn partitions_are_dealt_out_as_kafka_does() {
        let members = |of: &[(&str, &[&str])]| -> BTreeMap<String, Vec<String>> {
            let topics = |topics: &[&str]| topics.iter().map(|topic| (*topic).to_owned()).collect();
            of.iter().map(|(member, wanted)| ((*member).to_owned(), topics(wanted))).collect()
        };
        let counts = [("t0", 3), ("t1", 3), ("other", 9)].map(|(topic, count)| (topic.to_owned(), count)).into();
        let two = members(&[("C0", &["t0", "t1"]), ("C1", &["t0", "t1"])]);
        let dealt = range(&two, &counts);
        assert_eq!(dealt["C0"], places(&[("t0", 0), ("t0", 1), ("t1", 0), ("t1", 1)]));
        assert_eq!(dealt["C1"], places(&[("t0", 2), ("t1", 2)]));

        let uneven = members(&[("a", &["t0"]), ("b", &["t0", "t1"]), ("c", &["gone"])]);
        let dealt = range(&uneven, &counts);
        assert_eq!(dealt["a"], places(&[("t0", 0), ("t0", 1)]));
        assert_eq!(dealt["b"], places(&[("t0", 2), ("t1", 0), ("t1", 1), ("t1", 2)]));
        assert_eq!(dealt["c"], places(&[]));
    }
}
