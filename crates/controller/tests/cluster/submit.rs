//! Commands from any broker, while all is well.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use controller::{Command, DeleteTopics, FenceBroker, Registration, SubmitError};
use model::{BrokerId, ErrorCode};
use uuid::Uuid;

use crate::support::{Cluster, spec};

#[tokio::test(start_paused = true)]
async fn whoever_was_answered_finds_it_in_its_own_image_wherever_it_asked() {
    let cluster = Cluster::start().await;
    for broker in 1..=3 {
        let name = format!("of-{broker}");
        let controller = cluster.at(broker);
        controller.create_topics(vec![spec(&name)]).await.unwrap()[0].as_ref().unwrap();
        assert!(controller.image().topic(&name).is_some(), "broker {broker} does not see what it made");
    }
    // The leader's own command was proposed where it was made.
    assert!(cluster.board.forwarded.load(Ordering::Relaxed) >= 2);
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn all_brokers_have_the_same_image() {
    let cluster = Cluster::start().await;
    for broker in 1..=3 {
        cluster.at(broker).create_topics(vec![spec(&format!("of-{broker}"))]).await.unwrap();
    }
    cluster.image_is_everywhere().await;
    let images: Vec<_> = cluster.all().map(controller::Controller::image).collect();
    assert_eq!((images[0].topic_count(), images[0].live_brokers().count()), (3, 3));
    assert!(images.iter().all(|image| *image == images[0]));
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_reaches_the_broker_that_asked_in_the_leaders_words() {
    let cluster = Cluster::start().await;
    let follower = cluster.at(cluster.follower().await);
    follower.create_topics(vec![spec("orders")]).await.unwrap();
    let again = follower.create_topics(vec![spec("orders")]).await.unwrap();
    assert_eq!(again[0].as_ref().unwrap_err().to_string(), "TOPIC_ALREADY_EXISTS: Topic 'orders' already exists.");
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn creators_of_one_topic_at_all_brokers_make_it_once() {
    let cluster = Cluster::start().await;
    let (one, two, three) = (cluster.at(1), cluster.at(2), cluster.at(3));
    let create = |controller: controller::Controller| async move {
        let made = controller.create_topics(vec![spec("orders")]).await.unwrap().remove(0);
        made.map(|topic| topic.id).map_err(|refusal| refusal.code)
    };
    let (one, two, three) = tokio::join!(create(one), create(two), create(three));
    let results = [one, two, three];
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    let others: BTreeSet<i16> = results.iter().filter_map(|it| it.err().map(ErrorCode::code)).collect();
    assert_eq!(others, [ErrorCode::TopicAlreadyExists.code()].into());
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn no_producer_id_is_handed_out_by_two_brokers() {
    let cluster = Cluster::start().await;
    let mut seen = BTreeSet::new();
    for _ in 0..1100 {
        for broker in 1..=3 {
            let id = cluster.at(broker).allocate_producer_id().await.unwrap();
            assert!(seen.insert(id), "{id} twice");
        }
    }
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_command_of_a_newer_build_is_refused_before_it_stops_anybody() {
    let cluster = Cluster::start().await;
    let leader = cluster.at(cluster.leader().await);
    let before = leader.image().version();
    let answer = leader.receive(Bytes::from_static(&[1, 200, 0x80])).await;
    assert!(String::from_utf8_lossy(&answer).contains("a command is of the unknown kind 200"), "{answer:?}");
    assert_eq!(leader.image().version(), before);
    leader.create_topics(vec![spec("orders")]).await.unwrap();
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_follower_writes_nothing_that_it_is_sent() {
    let cluster = Cluster::start().await;
    let follower = cluster.at(cluster.follower().await);
    let leader = follower.leader().unwrap();
    let command = Command::DeleteTopics(DeleteTopics { topics: vec![] });
    let answer = follower.receive(command.encode()).await;
    assert_eq!(&answer[..], [b"\x01\x02\x81\xa6leader".as_slice(), &[leader.0 as u8]].concat());
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn without_a_majority_nothing_is_written_and_the_broker_says_so() {
    let mut cluster = Cluster::start().await;
    let (leader, follower) = (cluster.leader().await, cluster.follower().await);
    for broker in (1..=3).filter(|broker| *broker != follower) {
        cluster.cut_power(broker, leader as u64).await;
    }
    let alone = cluster.at(follower);
    let before = alone.image();
    let error = alone.submit(Command::DeleteTopics(DeleteTopics { topics: vec![] })).await.unwrap_err();
    assert!(matches!(error, SubmitError::NotController { .. }), "{error:?}");
    assert_eq!((error.code(), alone.image()), (ErrorCode::NotController, before));
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_wiped_broker_registers_as_soon_as_its_old_self_is_fenced() {
    let cluster = Cluster::start().await;
    let (one, three) = (cluster.at(1), cluster.at(3));
    let wiped = Registration::new(BrokerId(3), Uuid::from_u128(99));
    let registering = tokio::spawn(async move { three.register(wiped).await });
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!registering.is_finished());
    let epoch = one.image().broker(BrokerId(3)).unwrap().epoch;
    one.submit(Command::FenceBroker(FenceBroker { id: BrokerId(3), epoch, fenced: true, at_ms: None })).await.unwrap();
    registering.await.unwrap().unwrap();
    one.watch().wait_for(|image| image.broker(BrokerId(3)).unwrap().directory == Uuid::from_u128(99)).await.unwrap();
    cluster.stop().await;
}
