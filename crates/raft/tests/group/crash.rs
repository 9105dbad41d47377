//! Power cuts at any moment.

use disk::SimDisk;

use crate::support::{Broker, entries};

/// Entries proposed at once, and between two checkpoints.
const BURST: usize = 7;
const CHECKPOINT_EVERY: usize = 35;

/// Writes until the power is cut, starting with entry `next`; gives the number of the first one that
/// was not acknowledged.
async fn write_until_the_crash(disk: &SimDisk, mut next: usize) -> usize {
    let Ok(broker) = Broker::try_start(disk).await else { return next };
    let mut status = broker.group.status();
    if !status.wait_for(|status| status.ready || status.stopped).await.is_ok_and(|status| status.ready) {
        return next;
    }
    assert_eq!(broker.entries(), entries(0..next), "what was found at start");
    while next < 1000 {
        let mut proposals = Vec::new();
        for number in next..next + BURST {
            match broker.group.propose(crate::support::entry(number)).await {
                Ok(proposal) => proposals.push(proposal),
                Err(_) => break,
            }
        }
        for proposal in proposals {
            if proposal.await.is_err() {
                return next;
            }
            next += 1;
        }
        if next.is_multiple_of(CHECKPOINT_EVERY) && broker.group.checkpoint().await.is_err() {
            return next;
        }
        if disk.crashed() {
            return next;
        }
    }
    next
}

#[tokio::test(start_paused = true)]
async fn acknowledged_proposals_survive_power_cuts_in_order() {
    for seed in 0..120_u64 {
        let mut disk = SimDisk::new(seed);
        let mut next = 0;
        for life in 0..4 {
            disk.crash_at(1 + (seed * 31 + life * 17) % 97);
            let acknowledged = write_until_the_crash(&disk, next).await;
            disk = disk.restart(seed + life);
            let broker = Broker::start(&disk).await;
            let found = broker.entries();
            next = found.len();
            assert!(next >= acknowledged, "seed {seed}: {acknowledged} acknowledged, {next} found");
            assert_eq!(found, entries(0..next), "seed {seed}");
            broker.stop().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_term_has_two_lives_however_the_power_is_cut() {
    for seed in 0..150 {
        let disk = SimDisk::new(seed);
        disk.crash_at(1 + seed % 50);
        let mut terms = Vec::new();
        if let Ok(broker) = Broker::try_start(&disk).await {
            for number in 0..1000 {
                match broker.group.propose(crate::support::entry(number)).await {
                    Ok(proposal) => drop(proposal.await),
                    Err(_) if disk.crashed() => break,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
            terms = broker.history.lock().unwrap().terms.clone();
        }
        let broker = Broker::start(&disk.restart(seed)).await;
        let term = broker.group.status().borrow().term;
        assert!(terms.iter().all(|old| *old < term), "seed {seed}: {terms:?}, then {term}");
    }
}
