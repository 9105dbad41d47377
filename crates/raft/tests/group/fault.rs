//! What a group does when its disk fails.

use disk::SimDisk;
use model::ErrorCode;
use raft::{ProposeError, RaftError};

use crate::support::{Broker, GROUP, entries, entry};

#[tokio::test(start_paused = true)]
async fn a_failed_fsync_fails_proposals_and_ends_the_group() {
    let broker = Broker::start(&SimDisk::new(1)).await;
    broker.write(0..10).await;
    broker.disk.fail_syncs("journal", 1);
    for proposal in broker.propose(10..20).await {
        assert_eq!(proposal.await, Err(ProposeError::Storage { group: GROUP }));
    }
    let mut status = broker.group.status();
    let status = *status.wait_for(|status| status.failed).await.unwrap();
    assert!(status.stopped && !status.ready);
    assert!(broker.journal.failed());
    // Nothing was applied that was not durable.
    assert_eq!(broker.entries(), entries(0..10));
    let refused = broker.group.propose(entry(20)).await.err().unwrap();
    assert_eq!(refused, ProposeError::Storage { group: GROUP });
    assert_eq!(refused.code(), ErrorCode::KafkaStorageError);
    assert!(matches!(broker.group.checkpoint().await, Err(RaftError::Stopped { .. })));
    broker.group.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn proposers_that_wait_for_room_are_told_of_a_failed_fsync() {
    let broker = Broker::start(&SimDisk::new(1)).await;
    broker.disk.fail_syncs("journal", 1);
    // More than the budget of the group holds.
    let writers = (0..100).map(async |_| broker.group.propose(vec![0; 1 << 20].into()).await?.await);
    for outcome in futures::future::join_all(writers).await {
        assert_eq!(outcome.map(drop), Err(ProposeError::Storage { group: GROUP }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_does_not_start_on_a_disk_that_fails() {
    for operation in 1..8 {
        let disk = SimDisk::new(operation);
        disk.fail_at(operation);
        let Ok(broker) = Broker::try_start(&disk).await else { continue };
        // Or it starts, and stops before it is ready.
        let status = *broker.group.status().wait_for(|status| status.ready || status.stopped).await.unwrap();
        assert!(status.ready || status.failed, "operation {operation}: {status:?}");
    }
}
