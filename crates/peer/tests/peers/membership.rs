//! Who is refused though it has the secret, and in which words.

use std::time::Duration;

use bytes::Bytes;
use peer::{CallError, Message, Urgency};
use tokio::time::sleep;

use crate::support::network::Network;
use crate::support::service::{ECHO, WAIT};
use crate::support::{Plan, pair};

#[tokio::test(start_paused = true)]
async fn brokers_of_two_clusters_refuse_each_other_in_clear_words() {
    let network = Network::new();
    let first = Plan::of(1).start(&network);
    let second = Plan { cluster: Some("other".to_owned()), ..Plan::of(2) }.start(&network);
    first.know(&[&second]);
    second.know(&[&first]);
    let why = first.says(&second, "belongs to cluster").await;
    for word in ["cluster other", "cluster cluster", "broker 1 at host-1:9190", "broker 2 at host-2:9190"] {
        assert!(why.contains(word), "{why}");
    }
    second.says(&first, "belongs to cluster").await;
    let asked = first.peers.ask(&second.address, ECHO, Message::default()).await;
    assert!(matches!(asked, Err(CallError::Refused(why)) if why.contains("cluster other")));
    assert!(network.wires().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_learns_its_cluster_tells_the_others_and_leaves_those_of_another() {
    let network = Network::new();
    let unaware = |id| Plan { cluster: None, ..Plan::of(id) }.start(&network);
    let (first, second, third) = (Plan::of(1).start(&network), unaware(2), unaware(3));
    second.know(&[&first, &third]);
    second.up(&first).await;
    second.up(&third).await;
    assert_eq!(first.up(&second).await.cluster, None);

    second.peers.set_cluster("cluster");
    let knows = |state: &peer::PeerState| state.identity().is_some_and(|it| it.cluster.as_deref() == Some("cluster"));
    first.until(second.id, knows).await;
    third.until(second.id, knows).await;
    third.peers.set_cluster("another");
    let why = second.says(&third, "belongs to cluster").await;
    assert!(why.contains("cluster another"), "{why}");
    assert!(second.peers.states().borrow()[&first.id].is_up());
}

#[tokio::test(start_paused = true)]
async fn of_two_brokers_under_one_id_the_second_is_refused_in_clear_words() {
    let network = Network::new();
    let (first, second) = pair(&network).await;
    let double = Plan { directory: 22, host: "double".to_owned(), seed: 9, ..Plan::of(2) }.start(&network);
    double.know(&[&first]);
    let why = double.says(&first, "node id 2 is in use").await;
    assert!(why.contains("the broker at host-2:9190") && why.contains("00000002"), "{why}");
    assert_eq!(first.up(&second).await.address, second.address);
    let asked = double.peers.ask(&first.address, ECHO, Message::default()).await;
    assert!(matches!(asked, Err(CallError::Refused(why)) if why.contains("node id 2 is in use")));

    // The broker whose own id it is says the same.
    double.peers.know([(first.id, second.address.clone())].into());
    double.says(&first, "the broker at host-2:9190 is 2, not 1").await;
    let asked = double.peers.ask(&second.address, ECHO, Message::default()).await;
    assert!(matches!(asked, Err(CallError::Refused(why)) if why.contains("node id 2 is in use")));

    // With the first gone it may be the one: a machine that was set up anew.
    double.know(&[&first]);
    second.kill(&network);
    double.up(&first).await;
    assert_eq!(first.up(&double).await.directory, double.peers.me().directory);
}

#[tokio::test(start_paused = true)]
async fn a_data_directory_that_was_copied_is_noticed() {
    let network = Network::new();
    let (first, second) = pair(&network).await;
    let copy = Plan { host: "copy".to_owned(), seed: 9, ..Plan::of(2) }.start(&network);
    copy.know(&[&first]);
    copy.up(&first).await; // might be the same process, started again
    second.says(&first, "node id 2 is in use by the broker at copy:9190").await;
    assert_eq!(first.up(&copy).await.address, copy.address);
}

#[tokio::test(start_paused = true)]
async fn who_is_dialled_for_another_refuses() {
    let network = Network::new();
    let (first, second) = (Plan::of(1).start(&network), Plan::of(2).start(&network));
    first.peers.know([(model::BrokerId(3), second.address.clone())].into());
    let third = Plan { host: "nowhere".to_owned(), ..Plan::of(3) }.start(&network);
    first.says(&third, "the broker at host-2:9190 is 2, not 3").await;
}

#[tokio::test(start_paused = true)]
async fn whoever_answers_at_an_address_can_be_asked() {
    let network = Network::new();
    let unaware = |id| Plan { cluster: None, ..Plan::of(id) }.start(&network);
    let (first, second) = (unaware(1), unaware(2));
    let (who, reply) = first.peers.ask(&second.address, ECHO, Bytes::from_static(b"who?").into()).await.unwrap();
    assert_eq!((who, &reply[..]), ((*second.peers.me()).clone(), &b"who?"[..]));
    assert!(first.peers.states().borrow().is_empty() && second.peers.states().borrow().is_empty());
    sleep(Duration::from_millis(1)).await;
    assert!(network.wires().is_empty(), "the connection was for that question");

    assert_eq!(first.peers.ask(&first.address, ECHO, Message::default()).await, Err(CallError::Myself));
    second.kill(&network);
    let asked = first.peers.ask(&second.address, ECHO, Message::default()).await;
    assert!(matches!(asked, Err(CallError::Unreachable(why)) if why.starts_with("host-2:9190: ")));
}

#[tokio::test(start_paused = true)]
async fn no_more_ask_at_a_time_than_may() {
    let network = Network::new();
    let mut plan = Plan::of(1);
    plan.options.max_asking = 2;
    let (first, second) = (plan.start(&network), Plan::of(2).start(&network));
    let ask = || second.peers.ask(&first.address, WAIT, Message::default());
    let ended = async {
        sleep(Duration::from_millis(5)).await;
        let one_more = second.peers.ask(&first.address, ECHO, Message::default()).await;
        assert!(matches!(one_more, Err(CallError::Refused(why)) if why.contains("too many")));
        first.service.go_on.notify_one();
        first.service.go_on.notify_one();
    };
    let (one, another, ()) = tokio::join!(ask(), ask(), ended);
    assert!(one.is_ok() && another.is_ok());
    assert!(second.peers.ask(&first.address, ECHO, Message::default()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_nobody_has_told_of_is_let_in_and_can_be_called() {
    let network = Network::new();
    let (first, second) = (Plan::of(1).start(&network), Plan::of(2).start(&network));
    second.know(&[&first]);
    first.up(&second).await;
    let call = first.peers.call(second.id, ECHO, Urgency::Urgent, Bytes::from_static(b"hello").into());
    assert_eq!(call.await.unwrap(), "hello");
    network.cut();
    first.up(&second).await; // it dials again; this one does not
}
