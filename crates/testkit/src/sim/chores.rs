//! What is done to topics and brokers while clients work, besides faults: topics come and go, records are deleted.

use std::sync::Arc;

use record::Compression;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::client::{Admin, Habitat, Producer, Reader, Style, Wanted};
use super::scenario::Copies;
use super::topics::Topic;
use super::world::Phase;

/// Looks at the leaders now and then.
pub(crate) async fn look(habitat: Habitat, topics: Vec<Arc<Topic>>) {
    let mut admin = Admin::new(&habitat, "onlooker");
    let mut rng = habitat.world.rng();
    while habitat.world.phase() == Phase::Storm {
        admin.look(rng.pick(&topics)).await;
        sleep(rng.millis(100..2_000)).await;
    }
}

/// Deletes records now and then.
pub(crate) async fn delete_records(habitat: Habitat, topics: Vec<Arc<Topic>>) {
    let mut admin = Admin::new(&habitat, "deleter");
    let mut rng = habitat.world.rng();
    while habitat.world.phase() == Phase::Storm {
        sleep(rng.millis(100..3_000)).await;
        let topic = rng.pick(&topics).clone();
        let place = topic.place(rng.index(topic.partitions as usize) as i32);
        let end = habitat.world.promises(|promises| promises.bounds.asked(&place.at).end());
        let offset = rng.within(0..end as u64 + 1) as i64;
        admin.delete_records(&place, offset).await;
    }
}

/// Makes a topic, uses it, deletes it, and makes another of the same name.
pub(crate) async fn churn(habitat: Habitat, copies: Copies) {
    let mut admin = Admin::new(&habitat, "churner");
    let mut rng = habitat.world.rng();
    let mut nth = 0;
    while habitat.world.phase() == Phase::Storm {
        let partitions = 1 + rng.index(3) as i32;
        let replicas = copies.draw(&mut rng);
        let wanted = Wanted { name: "scratch".to_owned(), partitions, replicas, configs: Vec::new(), nth };
        let topic = admin.create(&wanted).await;
        habitat.topics.add(topic.clone());
        let style = Style {
            idempotent: false,
            by_id: true,
            acks: -1,
            compression: Compression::None,
            padding: 1_000,
            records: 3,
            pause_ms: 50,
        };
        let producer = Producer::new(&habitat, &format!("scratch-producer-{nth}"), style, topic.places().collect());
        let reader = Reader::new(&habitat, &format!("scratch-reader-{nth}"), topic.places().collect()).by_id();
        let mut users = JoinSet::new();
        users.spawn(producer.run());
        users.spawn(reader.run());
        tokio::select! {
            biased;
            () = habitat.world.reached(Phase::Calm) => {}
            () = sleep(rng.millis(100..5_000)) => {}
        }
        if habitat.world.phase() > Phase::Storm {
            return; // it stays, to be audited
        }
        admin.delete(&topic).await;
        habitat.topics.remove(&topic.name);
        sleep(rng.millis(0..500)).await;
        users.shutdown().await;
        nth += 1;
    }
}
