//! Commands while leaders die and answers get lost.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use controller::{Controller, SubmitError};

use crate::support::{Cluster, spec};

/// Creates topics `name-0`, `name-1`, ... one after another; which of them are surely there.
async fn create_many(controller: Controller, name: &'static str, count: usize) -> BTreeSet<String> {
    let mut sure = BTreeSet::new();
    for number in 0..count {
        let topic = format!("{name}-{number}");
        // Whether it is there may be unknown; it is never refused, since nobody else makes it.
        if let Ok(mut results) = controller.create_topics(vec![spec(&topic)]).await {
            results.remove(0).unwrap();
            sure.insert(topic);
        }
        tokio::time::sleep(Duration::from_millis(7)).await;
    }
    sure
}

#[tokio::test(start_paused = true)]
async fn what_was_answered_while_leaders_died_is_everywhere() {
    let mut cluster = Cluster::start().await;
    let mut sure = BTreeSet::new();
    for (seed, name) in (0..).zip(["a", "b", "c", "d"]) {
        let leader = cluster.leader().await;
        let creator = tokio::spawn(create_many(cluster.at(cluster.follower().await), name, 50));
        tokio::time::sleep(Duration::from_millis(100)).await;
        let disk = cluster.cut_power(leader, seed).await;
        let made = creator.await.unwrap();
        assert!(made.len() >= 48, "only {} of 50 were answered across one change of leader", made.len());
        sure.extend(made);
        cluster.start_broker(leader, &disk).await;
        cluster.leader().await;
    }
    cluster.at(1).create_topics(vec![spec("last")]).await.unwrap();
    cluster.image_is_everywhere().await;
    for controller in cluster.all() {
        let image = controller.image();
        let missing: Vec<_> = sure.iter().filter(|name| image.topic(name).is_none()).collect();
        assert_eq!((missing, image.violations()), (vec![], vec![]));
        assert_eq!(image, cluster.at(1).image());
    }
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_command_that_was_not_sent_goes_to_the_next_leader() {
    let cluster = Cluster::start().await;
    let (leader, follower) = (cluster.leader().await, cluster.follower().await);
    cluster.board.cut(leader);
    let created = cluster.at(follower).create_topics(vec![spec("orders")]).await.unwrap();
    created[0].as_ref().unwrap();
    assert_ne!(cluster.leader().await, leader);
    cluster.board.mend();
    cluster.at(leader).watch().wait_for(|image| image.topic("orders").is_some()).await.unwrap();
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_answer_is_lost_is_not_sent_again() {
    let cluster = Cluster::start().await;
    let follower = cluster.at(cluster.follower().await);
    follower.create_topics(vec![spec("first")]).await.unwrap();
    cluster.board.answers_to_lose.store(1, Ordering::Relaxed);
    let forwarded = cluster.board.forwarded.load(Ordering::Relaxed);
    let error = follower.create_topics(vec![spec("orders")]).await.unwrap_err();
    assert!(matches!(error, SubmitError::Unknown { .. }), "{error:?}");
    assert_eq!(cluster.board.forwarded.load(Ordering::Relaxed), forwarded + 1);
    // It was made all the same: the image says so.
    follower.watch().wait_for(|image| image.topic("orders").is_some()).await.unwrap();
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn producer_ids_are_asked_for_again_when_an_answer_is_lost_and_never_twice_the_same() {
    let mut cluster = Cluster::start().await;
    let mut seen = BTreeSet::new();
    for round in 0..3 {
        cluster.board.answers_to_lose.store(2, Ordering::Relaxed);
        for _ in 0..1100 {
            for broker in 1..=3 {
                let id = cluster.at(broker).allocate_producer_id().await.unwrap();
                assert!(seen.insert(id), "{id} twice, in round {round}");
            }
        }
        let leader = cluster.leader().await;
        let disk = cluster.cut_power(leader, round).await;
        cluster.start_broker(leader, &disk).await;
    }
    cluster.stop().await;
}
