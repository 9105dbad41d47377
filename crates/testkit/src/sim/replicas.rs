//! Once all is quiet, the replicas of a partition are alike, byte for byte.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use disk::{Disk, Open, SimDisk};
use record::BatchView;
use tokio::time::{Instant, sleep};

use super::client::Habitat;
use super::promises::Rule;
use super::topics::Place;

/// How long the last records may take to every replica.
const PATIENCE: Duration = Duration::from_secs(20);

/// Batches by their base offsets.
type Batches = BTreeMap<i64, Vec<u8>>;

/// Waits until all replicas of all partitions are alike, or says which are not.
pub(crate) async fn alike(habitat: &Habitat) {
    let end = Instant::now() + PATIENCE;
    let topics = habitat.topics.all();
    for place in topics.iter().flat_map(|topic| topic.places()) {
        while let Err(what) = compare(habitat, &place) {
            if Instant::now() >= end {
                habitat.world.found(Rule::ReplicasDiffer, format!("{}: {what}", place.at));
                break;
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
}

fn compare(habitat: &Habitat, place: &Place) -> Result<(), String> {
    let nodes = habitat.fleet.nodes().iter();
    let replicas: Vec<(i32, Batches)> =
        nodes.filter_map(|node| Some((node.id(), batches(&node.disk(), place)?))).collect();
    let wanted = usize::try_from(place.topic.replicas).unwrap_or(1);
    if replicas.len() != wanted {
        let holders: Vec<i32> = replicas.iter().map(|(id, _)| *id).collect();
        return Err(format!("{wanted} replicas are wanted, there are some on {holders:?}"));
    }
    // Each removes what was deleted in its own time.
    let start = replicas.iter().filter_map(|(_, batches)| batches.keys().next()).max().copied().unwrap_or_default();
    let Some(((first, expected), others)) = replicas.split_first() else { return Ok(()) };
    for (other, batches) in others {
        let (mut one, mut another) = (expected.range(start..), batches.range(start..));
        loop {
            match (one.next(), another.next()) {
                (None, None) => break,
                (one, another) if one == another => {}
                (one, another) => {
                    let (one, another) = (one.map(|(offset, _)| offset), another.map(|(offset, _)| offset));
                    return Err(format!(
                        "broker {first} has a batch at {one:?}, broker {other} has one at {another:?}, or another one"
                    ));
                }
            }
        }
    }
    Ok(())
}

/// What a machine holds of a partition, if anything.
fn batches(disk: &SimDisk, place: &Place) -> Option<Batches> {
    let dir = PathBuf::from(format!("data/topics/{}/{}-{}", place.topic.name, place.index, place.topic.id));
    let mut batches = Batches::new();
    for entry in disk.list(&dir).ok()?.into_iter().filter(|entry| entry.name.ends_with(".log")) {
        let file = disk.open(&dir.join(&entry.name), Open::Read).ok()?;
        let mut bytes = vec![0; entry.len as usize];
        file.read_exact_at(&mut bytes, 0).ok()?;
        let mut rest = &bytes[..];
        while let Ok((batch, behind)) = BatchView::split_first(rest) {
            batches.insert(batch.head().base_offset(), rest[..rest.len() - behind.len()].to_vec());
            rest = behind;
        }
    }
    Some(batches)
}
