//! What a group does when it is started again.

use std::path::Path;

use disk::{Disk, SimDisk};
use raft::RaftError;

use crate::support::{Broker, GROUP, entries};

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

#[tokio::test(start_paused = true)]
async fn a_restart_after_a_checkpoint_of_everything_applies_nothing_again() {
    let broker = Broker::start(&SimDisk::new(1)).await;
    broker.write(0..100).await;
    broker.group.checkpoint().await.unwrap();
    let broker = broker.restart().await;
    let history = broker.history.lock().unwrap();
    assert_eq!((history.restored, history.entries.len()), (100, 100));
}

/// The members are part of the checkpoint, so that the entry that named them may be purged.
#[tokio::test(start_paused = true)]
async fn a_group_knows_its_members_when_the_journal_was_purged() {
    let mut broker = Broker::start(&SimDisk::new(1)).await;
    for round in 0..3 {
        broker.write(round * 10..(round + 1) * 10).await;
        broker.group.checkpoint().await.unwrap();
        broker = broker.restart().await;
    }
    assert_eq!(broker.entries(), entries(0..30));
}

#[tokio::test(start_paused = true)]
async fn a_long_journal_is_applied_again_whole() {
    let broker = Broker::start(&SimDisk::new(1)).await;
    for start in (0..20_000).step_by(1000) {
        broker.write(start..start + 1000).await;
    }
    let broker = broker.restart().await;
    assert_eq!(broker.entries(), entries(0..20_000));
}

#[tokio::test(start_paused = true)]
async fn a_group_whose_manifest_is_gone_is_refused() {
    let disk = SimDisk::new(1);
    let broker = Broker::start(&disk).await;
    broker.write(0..10).await;
    broker.group.checkpoint().await.unwrap();
    broker.stop().await;
    remove_files(&disk, "groups/1");
    let refused = Broker::try_start(&disk).await.err();
    assert!(
        matches!(&refused, Some(RaftError::Lost { group: GROUP, what }) if what.contains("manifest")),
        "{refused:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_group_whose_journal_is_gone_is_refused() {
    let disk = SimDisk::new(1);
    let broker = Broker::start(&disk).await;
    broker.write(0..10).await;
    broker.group.checkpoint().await.unwrap();
    broker.stop().await;
    remove_files(&disk, "journal");
    let refused = Broker::try_start(&disk).await.err();
    assert!(
        matches!(&refused, Some(RaftError::Lost { group: GROUP, what }) if what.contains("journal")),
        "{refused:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn one_seed_gives_one_history() {
    let run = async || {
        let disk = SimDisk::new(7);
        let broker = Broker::start(&disk).await;
        broker.write(0..100).await;
        broker.group.checkpoint().await.unwrap();
        let broker = broker.restart().await;
        broker.write(100..200).await;
        broker.stop().await;
        disk.digest()
    };
    assert_eq!(run().await, run().await);
}

fn remove_files(disk: &SimDisk, dir: &str) {
    let dir = Path::new(dir);
    for entry in disk.list(dir).unwrap() {
        disk.remove_file(&dir.join(&entry.name)).unwrap();
    }
}
