//! Where the brokers of a cluster are, as one tells another.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use controller::{BrokerImage, ClusterImage, Endpoint};
use model::BrokerId;
use peer::Address;

/// A broker's id, and host and port of its cluster port.
type Row = (i32, String, u16);

/// The brokers that others reach.
pub(crate) fn of(image: &ClusterImage) -> BTreeMap<BrokerId, Address> {
    let place = |broker: &Arc<BrokerImage>| {
        let Endpoint { host, port } = broker.cluster.clone()?;
        Some((broker.id, Address { host, port }))
    };
    image.brokers().filter_map(place).collect()
}

pub(crate) fn encode(brokers: &BTreeMap<BrokerId, Address>) -> Bytes {
    let rows: Vec<Row> = brokers.iter().map(|(id, place)| (id.0, place.host.clone(), place.port)).collect();
    rmp_serde::to_vec(&rows).expect("writing text and numbers to memory cannot fail").into()
}

/// None in words of another version.
pub(crate) fn decode(bytes: &[u8]) -> Option<BTreeMap<BrokerId, Address>> {
    let rows: Vec<Row> = rmp_serde::from_slice(bytes).ok()?;
    Some(rows.into_iter().map(|(id, host, port)| (BrokerId(id), Address { host, port })).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roster_is_understood_and_other_words_are_not() {
        let brokers = BTreeMap::from([(BrokerId(3), Address { host: "host-3".to_owned(), port: 9093 })]);
        assert_eq!(decode(&encode(&brokers)), Some(brokers));
        assert_eq!(decode(b"\xff"), None);
    }
}
