//! Brokers that join.

use std::sync::Arc;

use controller::{ClusterImage, Command, Controller, FenceBroker, Registration};
use disk::SimDisk;
use model::{BrokerId, GroupId};
use uuid::Uuid;

use crate::support::{Cluster, registration, spec};

/// Makes the group as the image wants it, as its leader does.
async fn follow_image(leader: &Controller) {
    let image = leader.image();
    let (voters, learners) = (image.voters(GroupId::CONTROLLER), image.learners(GroupId::CONTROLLER));
    leader.group().set_members(&voters, &learners).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_nobody_knows_registers_and_follows_from_then_on() {
    let mut cluster = Cluster::start().await;
    cluster.start_broker(4, &SimDisk::new(4)).await;
    let (leader, joining) = (cluster.at(cluster.leader().await), cluster.at(4));
    leader.create_topics(vec![spec("before")]).await.unwrap();
    let registering = tokio::spawn(async move { joining.register(registration(4)).await });
    leader.watch().wait_for(|image| image.broker(BrokerId(4)).is_some()).await.unwrap();
    assert!(!registering.is_finished(), "its own image is empty");
    follow_image(&leader).await;
    registering.await.unwrap().unwrap();
    let joined = cluster.at(4);
    assert!(joined.image().topic("before").is_some() && joined.image().broker(BrokerId(4)).is_some());
    joined.create_topics(vec![spec("after")]).await.unwrap();
    cluster.image_is_everywhere().await;
    assert_eq!(leader.image(), joined.image());
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_wiped_broker_is_a_voter_again_with_its_new_directory() {
    let mut cluster = Cluster::start().await;
    let (leader, wiped) = (cluster.leader().await, cluster.follower().await);
    cluster.cut_power(wiped, 1).await;
    let leader = cluster.at(leader);
    let epoch = leader.image().broker(BrokerId(wiped)).unwrap().epoch;
    let fence = FenceBroker { id: BrokerId(wiped), epoch, fenced: true, at_ms: None };
    leader.submit(Command::FenceBroker(fence)).await.unwrap();
    let directory = Uuid::from_u128(99);
    cluster.start_wiped(wiped, directory).await;
    let anew = Registration::new(BrokerId(wiped), directory);
    let joining = cluster.at(wiped);
    let registering = tokio::spawn(async move { joining.register(anew).await });
    let is_known = |image: &Arc<ClusterImage>| image.broker(BrokerId(wiped)).unwrap().directory == directory;
    leader.watch().wait_for(is_known).await.unwrap();
    follow_image(&leader).await;
    registering.await.unwrap().unwrap();
    assert_eq!(leader.group().members().all_voters(), leader.image().voters(GroupId::CONTROLLER));
    assert_eq!(leader.image().controllers().len(), 3);
    cluster.stop().await;
}
