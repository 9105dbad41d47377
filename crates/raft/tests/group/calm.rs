//! What a group of one voter does while nothing breaks.

use std::time::Duration;

use crate::support::{Broker, GROUP, entries, entry, three_voters, voter};
use bytes::Bytes;
use disk::SimDisk;
use model::{BrokerId, ErrorCode};
use raft::{Config, ProposeError, RaftError};

#[tokio::test(start_paused = true)]
async fn proposals_are_applied_and_answered_in_the_order_of_calls() {
    let broker = Broker::start(&SimDisk::new(1)).await;
    let answers = broker.write(0..500).await;
    assert_eq!(broker.entries(), entries(0..500));
    for (number, (id, count)) in answers.iter().enumerate() {
        assert_eq!(*count, number + 1);
        assert_eq!((id.node, id.term), (1, 1));
        assert_eq!(id.index, answers[0].0.index + number as u64);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lone_voter_leads_without_waiting_for_a_timeout() {
    let before = tokio::time::Instant::now();
    let broker = Broker::start(&SimDisk::new(1)).await;
    assert_eq!(before.elapsed(), Duration::ZERO);
    let status = *broker.group.status().borrow();
    assert_eq!((status.leader, status.term, status.ready), (Some(BrokerId(1)), 1, true));
}

#[tokio::test(start_paused = true)]
async fn a_lone_voter_still_leads_after_an_idle_day() {
    let broker = Broker::start(&SimDisk::new(1)).await;
    tokio::time::sleep(Duration::from_hours(24)).await;
    broker.write(0..1).await;
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_purges_the_journal() {
    let broker = Broker::start(&SimDisk::new(1)).await;
    let last = broker.write(0..100).await.last().unwrap().0;
    assert_eq!(broker.journal.group(GROUP).state().purged, None);
    broker.group.checkpoint().await.unwrap();
    let state = broker.journal.group(GROUP).state();
    assert_eq!((state.purged, state.last), (Some(last), Some(last)));
    // Nothing was applied since.
    let before = broker.disk.mutations();
    broker.group.checkpoint().await.unwrap();
    assert_eq!(broker.disk.mutations(), before);
}

#[tokio::test(start_paused = true)]
async fn checkpoints_of_many_callers_all_resolve() {
    let broker = Broker::start(&SimDisk::new(1)).await;
    let proposals = broker.propose(0..100).await;
    let checkpoints = (0..10).map(|_| broker.group.checkpoint());
    for outcome in futures::future::join_all(checkpoints).await {
        outcome.unwrap();
    }
    for proposal in proposals {
        proposal.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_checkpoint_is_told_and_changes_nothing() {
    let broker = Broker::start(&SimDisk::new(1)).await;
    broker.write(0..10).await;
    broker.disk.fail_syncs("manifest", 1);
    let failed = broker.group.checkpoint().await;
    assert!(matches!(failed, Err(RaftError::Storage { .. })), "{failed:?}");
    assert_eq!(broker.journal.group(GROUP).state().purged, None);
    broker.write(10..20).await;
    broker.group.checkpoint().await.unwrap();
    assert!(broker.journal.group(GROUP).state().purged.is_some());
}

#[tokio::test(start_paused = true)]
async fn proposals_wait_while_the_budget_of_bytes_is_used_up() {
    let config = Config { max_proposed_bytes: 4096, ..Config::single(GROUP, voter(1)) };
    let broker = Broker::start_with(&SimDisk::new(1), config).await.unwrap();
    broker.group.status().wait_for(|status| status.ready).await.unwrap();

    let first = broker.group.propose(Bytes::from(vec![0; 3000])).await.unwrap();
    let mut second = std::pin::pin!(broker.group.propose(Bytes::from(vec![0; 3000])));
    assert!(futures::poll!(&mut second).is_pending());
    first.await.unwrap();
    second.await.unwrap().await.unwrap();

    let refused = broker.group.propose(Bytes::from(vec![0; 4096])).await.err().unwrap();
    assert_eq!(refused, ProposeError::TooLarge { group: GROUP, bytes: 4352, limit: 4096 });
    assert_eq!(refused.code(), ErrorCode::MessageTooLarge);
}

#[tokio::test(start_paused = true)]
async fn proposals_on_their_way_resolve_when_the_group_shuts_down() {
    let broker = Broker::start(&SimDisk::new(1)).await;
    let proposals = broker.propose(0..1000).await;
    broker.group.shutdown().await;
    let mut answered = 0;
    for proposal in proposals {
        match proposal.await {
            Ok(_) => answered += 1,
            Err(error) => assert_eq!(error, ProposeError::Stopped { group: GROUP }),
        }
    }
    assert!(broker.entries().len() >= answered);
    let late = broker.group.propose(entry(0)).await.err();
    assert_eq!(late, Some(ProposeError::Stopped { group: GROUP }));
    assert!(matches!(broker.group.checkpoint().await, Err(RaftError::Stopped { .. })));
    broker.group.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_group_ends_when_its_last_handle_is_dropped() {
    let broker = Broker::start(&SimDisk::new(1)).await;
    let mut status = broker.group.status();
    drop(broker);
    while status.changed().await.is_ok() {}
    assert!(status.borrow().stopped);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_apply_stops_the_group_and_its_callers_are_told() {
    let broker = Broker::start(&SimDisk::new(1)).await;
    broker.write(0..10).await;
    let proposal = broker.group.propose("panic".into()).await.unwrap();
    let after = broker.group.propose(entry(11)).await.unwrap();
    assert_eq!(proposal.await, Err(ProposeError::Stopped { group: GROUP }));
    assert_eq!(after.await, Err(ProposeError::Stopped { group: GROUP }));
    broker.group.status().wait_for(|status| status.stopped).await.unwrap();
    assert!(matches!(broker.group.checkpoint().await, Err(RaftError::Stopped { .. })));
    broker.group.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn without_a_majority_there_is_no_leader_and_proposals_are_refused() {
    let broker = Broker::start_with(&SimDisk::new(1), three_voters()).await.unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
    let status = *broker.group.status().borrow();
    assert_eq!((status.leader, status.ready), (None, false));
    let refused = broker.group.propose(entry(0)).await.err().unwrap();
    assert_eq!(refused, ProposeError::NotLeader { group: GROUP, leader: None });
    assert_eq!(refused.code(), ErrorCode::NotLeaderOrFollower);
    broker.group.shutdown().await;
}
