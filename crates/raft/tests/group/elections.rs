//! Who leads, for how long, and how leadership passes on.

use std::time::Duration;

use model::BrokerId;
use raft::ChangeError;
use tokio::time::{Instant, sleep};

use crate::cluster::Cluster;
use crate::support::{GROUP, entries, entry};

const SEEDS: u64 = 12;
/// For what takes many simulated seconds, which are not for nothing.
const FEW_SEEDS: u64 = 3;
/// What is promised from the death or the freeze of a leader to the next.
const PROMISED: Duration = Duration::from_secs(2);

#[tokio::test(start_paused = true)]
async fn a_leader_whose_power_is_cut_is_replaced_within_two_seconds() {
    let mut worst = Duration::ZERO;
    for seed in 0..SEEDS {
        let mut cluster = Cluster::start_with(seed).await;
        let (old, _) = cluster.leader().await;
        cluster.brokers[&old].write(0..10).await;
        let cut = Instant::now();
        cluster.cut_power(old, seed).await;
        cluster.leader().await;
        worst = worst.max(cut.elapsed());
        cluster.stop().await;
    }
    assert!(worst < PROMISED, "{worst:?}");
}

/// Cut off both ways, as one that is frozen: neither does it take part.
#[tokio::test(start_paused = true)]
async fn a_stale_leaders_lease_ends_before_another_is_elected() {
    for seed in 0..SEEDS {
        let cluster = Cluster::start_with(seed).await;
        let (old, before) = cluster.leader().await;
        let cut = Instant::now();
        cluster.board.cut_off(old);
        loop {
            let elected = cluster.leading().into_iter().any(|(broker, _)| broker != old);
            assert!(!(elected && cluster.group(old).holds_lease()), "seed {seed}: two answer");
            if elected {
                break;
            }
            sleep(Duration::from_millis(1)).await;
        }
        assert!(cut.elapsed() < PROMISED, "seed {seed}: {:?}", cut.elapsed());
        cluster.board.heal();
        sleep(Duration::from_secs(1)).await;
        let status = *cluster.group(old).status().borrow();
        assert!(status.term > before.term && status.leader != Some(BrokerId(old)), "{status:?}");
        cluster.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_stands_for_election_while_the_leader_lives() {
    let cluster = Cluster::start().await;
    let (leader, before) = cluster.leader().await;
    cluster.board.sent("");
    for _ in 0..200 {
        sleep(Duration::from_millis(100)).await;
        assert!(cluster.group(leader).holds_lease());
    }
    assert_eq!(cluster.board.sent("pre-vote"), 0);
    assert_eq!(cluster.leader().await, (leader, before));
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_was_away_does_not_disturb_the_others() {
    for seed in 0..FEW_SEEDS {
        let cluster = Cluster::start_with(seed).await;
        let (leader, before) = cluster.leader().await;
        let away = leader % 3 + 1;
        cluster.board.cut_off(away);
        sleep(Duration::from_secs(10)).await;
        cluster.brokers[&leader].write(0..10).await;
        cluster.board.heal();
        cluster.applied_everywhere(10).await;
        sleep(Duration::from_secs(5)).await;
        assert_eq!(cluster.leader().await, (leader, before), "seed {seed}");
        cluster.stop().await;
    }
}

/// The leader hears one follower, which does not hear it: that one must not bring it down.
#[tokio::test(start_paused = true)]
async fn a_follower_that_is_not_heard_or_does_not_hear_does_not_disturb_the_others() {
    for seed in 0..FEW_SEEDS {
        let cluster = Cluster::start_with(seed).await;
        let (leader, before) = cluster.leader().await;
        let follower = leader % 3 + 1;
        for (from, to) in [(leader, follower), (follower, leader)] {
            cluster.board.cut(from, to);
            for _ in 0..40 {
                sleep(Duration::from_millis(100)).await;
                assert!(cluster.group(leader).holds_lease(), "seed {seed}");
            }
            cluster.board.heal();
            assert_eq!(cluster.leader().await, (leader, before), "seed {seed}");
        }
        cluster.brokers[&leader].write(0..10).await;
        cluster.applied_everywhere(10).await;
        cluster.stop().await;
    }
}

/// The leader reaches the others and does not hear them: it must give way, or nobody could write.
#[tokio::test(start_paused = true)]
async fn a_leader_that_hears_nobody_but_is_heard_gives_way() {
    let mut worst = Duration::ZERO;
    for seed in 0..FEW_SEEDS {
        let cluster = Cluster::start_with(seed).await;
        let (old, _) = cluster.leader().await;
        for other in (1..=3).filter(|other| *other != old) {
            cluster.board.cut(other, old);
        }
        let cut = Instant::now();
        cluster.leader_other_than(old).await;
        worst = worst.max(cut.elapsed());
        assert!(!cluster.group(old).holds_lease());
        cluster.stop().await;
    }
    assert!(worst < Duration::from_secs(5), "{worst:?}");
}

/// openraft #2080: of three, the leader reaches nobody but one of the others, and so on.
#[tokio::test(start_paused = true)]
async fn any_line_may_be_cut_and_there_is_still_a_leader() {
    for seed in 0..FEW_SEEDS {
        for (one, other) in [(1, 2), (1, 3), (2, 3)] {
            let cluster = Cluster::start_with(seed).await;
            cluster.leader().await;
            cluster.board.part(one, other);
            sleep(Duration::from_secs(4)).await;
            let (leader, before) = cluster.leader().await;
            cluster.brokers[&leader].write(0..10).await;
            sleep(Duration::from_secs(5)).await;
            assert_eq!(cluster.leader().await, (leader, before), "seed {seed}: leaders take turns");
            cluster.stop().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn when_a_leaders_process_is_known_to_be_dead_another_leads_at_once() {
    let mut worst = Duration::ZERO;
    for seed in 0..SEEDS {
        let mut cluster = Cluster::start_with(seed).await;
        let (old, before) = cluster.leader().await;
        cluster.brokers[&old].write(0..10).await;
        let life = cluster.life(old);
        cluster.cut_power(old, seed).await;
        let cut = Instant::now();
        let gone = cluster.brokers.values().map(|broker| broker.group.leader_gone(BrokerId(old), life));
        futures::future::join_all(gone).await;
        let (new, after) = cluster.leader().await;
        worst = worst.max(cut.elapsed());
        assert_eq!(after.term, before.term + 1, "seed {seed}: one election is enough");
        cluster.brokers[&new].write(10..20).await;
        cluster.applied_everywhere(20).await;
        cluster.stop().await;
    }
    assert!(worst < Duration::from_millis(300), "{worst:?}");
}

/// It does not have all entries, so that the other must not vote for it; nor wait for it.
#[tokio::test(start_paused = true)]
async fn of_two_who_know_that_the_leader_is_gone_the_one_that_has_more_leads() {
    for seed in 0..SEEDS {
        let mut cluster = Cluster::start_with(seed).await;
        let (old, _) = cluster.leader().await;
        let (behind, ahead) = if old == 1 { (2, 3) } else { (1, 5 - old) };
        cluster.board.part(old, behind);
        cluster.brokers[&old].write(0..10).await;
        let life = cluster.life(old);
        cluster.cut_power(old, seed).await;
        let cut = Instant::now();
        let gone = cluster.brokers.values().map(|broker| broker.group.leader_gone(BrokerId(old), life));
        futures::future::join_all(gone).await;
        assert_eq!(cluster.leader().await.0, ahead, "seed {seed}");
        assert!(cut.elapsed() < Duration::from_millis(300), "seed {seed}: {:?}", cut.elapsed());
        cluster.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn late_news_of_a_death_does_not_bring_down_the_next_life() {
    let mut cluster = Cluster::start().await;
    let (old, _) = cluster.leader().await;
    let life = cluster.life(old);
    let disk = cluster.cut_power(old, 1).await;
    cluster.leader().await;
    cluster.start_broker(old, &disk).await;
    // It leads again, in its next life.
    loop {
        let (leader, _) = cluster.leader().await;
        let voter = cluster.voter(old);
        if leader == old || cluster.group(leader).hand_over(Some(voter)).await.is_ok() {
            break;
        }
    }
    let before = cluster.leader().await;
    assert_eq!(before.0, old);
    for broker in cluster.brokers.values() {
        broker.group.leader_gone(BrokerId(old), life).await;
    }
    sleep(Duration::from_secs(2)).await;
    assert_eq!(cluster.leader().await, before);
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn leadership_is_handed_over_to_whom_it_is_meant_for() {
    for seed in 0..SEEDS {
        let cluster = Cluster::start_with(seed).await;
        for _ in 0..4 {
            let (old, before) = cluster.leader().await;
            let to = old % 3 + 1;
            let start = Instant::now();
            cluster.group(old).hand_over(Some(cluster.voter(to))).await.unwrap();
            let (new, after) = cluster.leader().await;
            assert!(start.elapsed() < Duration::from_millis(300), "{:?}", start.elapsed());
            assert_eq!((new, after.term), (to, before.term + 1), "seed {seed}");
        }
        cluster.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_hand_over_under_load_loses_nothing_and_two_never_hold_the_lease() {
    for seed in 0..SEEDS {
        let cluster = Cluster::start_with(seed).await;
        let (old, _) = cluster.leader().await;
        let mut acknowledged = Vec::new();
        let mut proposals = cluster.brokers[&old].propose(0..100).await;
        let (handed, ()) = tokio::join!(cluster.group(old).hand_over(None), async {
            for number in 100..1000 {
                match cluster.group(old).propose(entry(number)).await {
                    Ok(proposal) => proposals.push(proposal),
                    Err(_) => break,
                }
                tokio::task::yield_now().await;
                let holders = cluster.brokers.values().filter(|broker| broker.group.holds_lease()).count();
                assert!(holders < 2, "seed {seed}");
            }
        });
        handed.unwrap();
        for (number, proposal) in proposals.into_iter().enumerate() {
            if proposal.await.is_ok() {
                acknowledged.push(entry(number));
            }
        }
        assert!(acknowledged.len() >= 100, "seed {seed}: all that was queued before is there");
        let (new, _) = cluster.leader().await;
        assert_ne!(new, old);
        cluster.brokers[&new].write(2000..2001).await;
        cluster.applied_everywhere(acknowledged.len() + 1).await;
        for broker in cluster.brokers.values() {
            assert!(broker.entries().starts_with(&acknowledged), "seed {seed}");
        }
        cluster.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn leadership_is_not_handed_to_one_that_is_away_or_behind() {
    let mut cluster = Cluster::start().await;
    let (leader, before) = cluster.leader().await;
    let away = leader % 3 + 1;
    cluster.cut_power(away, 1).await;
    sleep(Duration::from_secs(1)).await;
    let refused = cluster.group(leader).hand_over(Some(cluster.voter(away))).await;
    assert_eq!(refused, Err(ChangeError::NoSuccessor { group: GROUP }));
    assert_eq!(cluster.leader().await, (leader, before));
    let follower = (1..=3).find(|broker| ![leader, away].contains(broker)).unwrap();
    let refused = cluster.group(follower).hand_over(None).await;
    assert_eq!(refused, Err(ChangeError::NotLeader { group: GROUP, leader: Some(BrokerId(leader)) }));
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_knows_how_far_its_followers_are() {
    let mut cluster = Cluster::start().await;
    let (leader, _) = cluster.leader().await;
    let last = cluster.brokers[&leader].write(0..100).await.last().unwrap().0;
    cluster.group(leader).held_by(last.index, 3).await.unwrap();
    sleep(Duration::from_millis(300)).await;
    let followers = cluster.group(leader).followers();
    assert_eq!(followers.len(), 2);
    for follower in &followers {
        assert_eq!(follower.matched, Some(last));
        assert!(follower.heard.unwrap().elapsed() < Duration::from_millis(200));
        assert!(follower.caught_up.unwrap().elapsed() < Duration::from_millis(400));
    }
    let away = leader % 3 + 1;
    cluster.cut_power(away, 1).await;
    sleep(Duration::from_secs(10)).await;
    let voter = cluster.voter(away);
    let follower = cluster.group(leader).followers().into_iter().find(|follower| follower.voter == voter).unwrap();
    assert!(follower.heard.unwrap().elapsed() > Duration::from_secs(9));
    assert!(follower.caught_up.unwrap().elapsed() > Duration::from_secs(9));
    let other = (1..=3).find(|broker| ![leader, away].contains(broker)).unwrap();
    assert!(cluster.group(other).followers().is_empty());
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_restarts_fast_does_not_resume_its_term() {
    for seed in 0..SEEDS {
        let mut cluster = Cluster::start_with(seed).await;
        let (leader, before) = cluster.leader().await;
        cluster.brokers[&leader].write(0..10).await;
        // It has sent what it has not flushed yet, and dies.
        let unanswered = cluster.brokers[&leader].propose(10..20).await;
        sleep(Duration::from_millis(seed % 4)).await;
        let disk = cluster.cut_power(leader, seed).await;
        drop(unanswered);
        cluster.start_broker(leader, &disk).await;
        let (new, after) = cluster.leader().await;
        assert!(after.term > before.term, "seed {seed}");
        cluster.brokers[&new].write(100..110).await;
        let all = cluster.brokers[&new].entries();
        cluster.applied_everywhere(all.len()).await;
        assert!(all.starts_with(&entries(0..10)) && all.ends_with(&entries(100..110)), "seed {seed}");
        for broker in cluster.brokers.values() {
            assert_eq!(broker.entries(), all, "seed {seed}");
        }
        cluster.stop().await;
    }
}
