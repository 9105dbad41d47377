use std::fs;
use std::path::PathBuf;

use rdkafka::{Offset, TopicPartitionList};
use support::LIMIT;
use support::librdkafka::{reader, take};
use testkit::process::Broker;

use super::{partition_dir, stopped_broker};
use crate::kit::files::{cut, flip, named};

/// Looks some records up, each by its offset and by its timestamp.
#[track_caller]
fn look_everything_up(broker: &Broker) {
    for offset in (0..600).step_by(199) {
        let consumer =
            reader(&broker.address(), "kept", 0, Offset::Offset(offset), &[("fetch.message.max.bytes", "1")]);
        let record = &take(&consumer, 1)[0];
        assert_eq!(rdkafka::Message::offset(record), offset);

        let time_ms = rdkafka::Message::timestamp(record).to_millis().unwrap();
        let mut asked = TopicPartitionList::new();
        asked.add_partition_offset("kept", 0, Offset::Offset(time_ms)).unwrap();
        let found = rdkafka::consumer::Consumer::offsets_for_times(&consumer, asked, LIMIT).unwrap();
        let Offset::Offset(first) = found.elements()[0].offset() else { panic!("{found:?}") };
        // Several records may have the timestamp.
        assert!((0..=offset).contains(&first), "{first} for {offset}");
        let first_record = &take(&reader(&broker.address(), "kept", 0, Offset::Offset(first), &[]), 1)[0];
        assert_eq!(rdkafka::Message::timestamp(first_record).to_millis(), Some(time_ms));
    }
}

fn indexes(broker: &Broker) -> Vec<PathBuf> {
    let dir = partition_dir(broker, 0);
    let mut indexes = named(&dir, ".index");
    indexes.extend(named(&dir, ".timeindex"));
    assert!(indexes.len() >= 4, "{indexes:?}");
    indexes
}

#[test]
fn indexes_that_are_gone_or_cut_are_rebuilt_as_they_were() {
    let (mut broker, mut kept) = stopped_broker();
    let before: Vec<(PathBuf, Vec<u8>)> =
        indexes(&broker).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    let spoil: [&dyn Fn(&PathBuf); 3] = [&|path| fs::remove_file(path).unwrap(), &|path| cut(path, 0), &|path| {
        cut(path, fs::metadata(path).unwrap().len() / 2)
    }];
    for spoil in spoil {
        before.iter().for_each(|(path, _)| spoil(path));
        broker.restart().unwrap();
        look_everything_up(&broker);
        kept.check(&broker.address(), 0);
        broker.stop().unwrap();
        for (path, bytes) in &before {
            assert!(fs::read(path).unwrap() == *bytes, "{}", path.display());
        }
    }
    broker.restart().unwrap();
    kept.produce(&broker.address(), 0, 10, 1000);
    kept.check(&broker.address(), 0);
}

#[test]
fn indexes_with_flipped_bits_lead_nobody_astray() {
    let (mut broker, kept) = stopped_broker();
    // Of the entries' 8 or 12 bytes the first and the last of each field.
    for at in [0, 3, 4, 7, 8, 11] {
        for index in indexes(&broker) {
            flip(&index, at);
            flip(&index, fs::metadata(&index).unwrap().len() / 24 * 12 + at);
        }
        broker.restart().unwrap();
        look_everything_up(&broker);
        kept.check(&broker.address(), 0);
        broker.stop().unwrap();
    }
}
