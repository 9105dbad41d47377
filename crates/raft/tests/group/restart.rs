//! What a group does when it is started again.

use disk::SimDisk;

use crate::support::{Broker, entries};

#[tokio::test(start_paused = true)]
async fn a_restart_applies_what_follows_the_checkpoint_and_nothing_twice() {
    let broker = Broker::start(&SimDisk::new(1)).await;
    broker.write(0..100).await;
    broker.group.checkpoint().await.unwrap();
    broker.write(100..150).await;
    let broker = broker.restart().await;
    assert_eq!(broker.history.lock().unwrap().restored, 100);
    assert_eq!(broker.entries(), entries(0..150));
    broker.write(150..160).await;
    let broker = broker.restart().await;
    assert_eq!(broker.history.lock().unwrap().restored, 100);
    assert_eq!(broker.entries(), entries(0..160));
}

#[tokio::test(start_paused = true)]
async fn the_ids_told_to_the_state_machine_only_grow() {
    let broker = Broker::start(&SimDisk::new(1)).await;
    broker.write(0..10).await;
    let broker = broker.restart().await;
    broker.write(10..20).await;
    let history = broker.history.lock().unwrap();
    assert!(history.ids.is_sorted_by(|a, b| a.index + 1 == b.index && a.term <= b.term), "{:?}", history.ids);
    assert_eq!(history.terms, [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_leader_never_resumes_its_old_term_after_a_restart() {
    let mut broker = Broker::start(&SimDisk::new(1)).await;
    for term in 2..6 {
        broker = broker.restart().await;
        assert_eq!(broker.group.status().borrow().term, term);
        assert_eq!(broker.write(0..1).await[0].0.term, term);
    }
}
