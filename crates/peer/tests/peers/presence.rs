//! Connections that come about, break, and are made again; who is gone and who is only away.

use std::time::Duration;

use bytes::Bytes;
use peer::{CallError, Message, PeerState, Urgency};
use tokio::time::{Instant, sleep};

use crate::support::network::Network;
use crate::support::service::{ECHO, WAIT};
use crate::support::{Plan, pair, start};

#[tokio::test(start_paused = true)]
async fn brokers_that_start_together_are_connected_at_once() {
    let (network, began) = (Network::new(), Instant::now());
    let nodes = start(&network, [1, 2, 3]);
    for node in &nodes {
        for other in nodes.iter().filter(|other| other.id != node.id) {
            node.up(other).await;
        }
    }
    assert!(began.elapsed() < Duration::from_millis(5), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_starts_later_is_not_waited_for_and_connects_by_itself() {
    let network = Network::new();
    let mut nodes = start(&network, [1, 2]);
    let third = Plan::of(3).start(&network);
    network.close(&third.address); // its process is not there yet
    nodes.push(third);
    nodes[..2].iter().for_each(|node| node.know(&nodes.iter().collect::<Vec<_>>()));
    nodes[0].up(&nodes[1]).await;
    let (why, gone) = nodes[0].down(&nodes[2]).await;
    assert!(!gone, "who was never there can't be gone: {why}");

    sleep(Duration::from_secs(20)).await;
    network.open(&nodes[2].address, nodes[2].peers.clone());
    nodes[2].know(&nodes.iter().collect::<Vec<_>>());
    let began = Instant::now();
    nodes[2].up(&nodes[0]).await;
    nodes[0].up(&nodes[2]).await;
    assert!(began.elapsed() <= Duration::from_millis(650), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_broker_is_away_since_its_last_connection_however_often_it_is_dialled_meanwhile() {
    let network = Network::new();
    let nodes = start(&network, [1, 2]);
    nodes[0].up(&nodes[1]).await;
    let was_up_within = |millis| {
        let states = nodes[0].peers.states();
        states.borrow()[&nodes[1].id].was_up_within(Duration::from_millis(millis))
    };
    sleep(Duration::from_secs(10)).await;
    assert!(was_up_within(1));
    nodes[1].peers.shutdown().await;
    nodes[0].down(&nodes[1]).await;
    sleep(Duration::from_secs(10)).await;
    assert!(!was_up_within(9_900) && was_up_within(10_100));
}

#[tokio::test(start_paused = true)]
async fn attempts_to_connect_grow_rarer() {
    let network = Network::new();
    let node = Plan::of(1).start(&network);
    let absent = Plan::of(2).start(&network);
    network.close(&absent.address);
    node.know(&[&absent]);
    sleep(Duration::from_millis(100)).await;
    assert!((3..=6).contains(&network.dials()), "{} attempts in 100 ms", network.dials());
    sleep(Duration::from_secs(60)).await;
    assert!((100..=170).contains(&network.dials()), "{} attempts in a minute", network.dials());
}

#[tokio::test(start_paused = true)]
async fn of_two_connections_the_one_that_the_lower_id_dialled_stays() {
    let network = Network::slow(Duration::from_millis(5));
    let nodes = start(&network, [1, 2, 3]);
    sleep(Duration::from_secs(1)).await;
    let mut wires = network.wires();
    wires.sort();
    let wires: Vec<_> = wires.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    assert_eq!(wires, [("host-1", "host-2"), ("host-1", "host-3"), ("host-2", "host-3")]);
    drop(nodes);
}

/// However the two handshakes interleave, and though both ends call as soon as they see the other.
#[tokio::test(start_paused = true)]
async fn no_call_is_lost_while_two_connections_become_one() {
    for seed in 0..100 {
        let network = Network::slow(Duration::from_millis(1 + seed % 7));
        let nodes = [1, 2].map(|id| Plan { seed: seed * 10 + id as u64, ..Plan::of(id) }.start(&network));
        nodes[(seed % 2) as usize].know(&[&nodes[0], &nodes[1]]);
        sleep(Duration::from_micros(seed * 97 % 3000)).await;
        nodes[1 - (seed % 2) as usize].know(&[&nodes[0], &nodes[1]]);
        let calls = |node: usize| {
            let (node, other) = (&nodes[node], &nodes[1 - node]);
            async move {
                node.up(other).await;
                let mut calls = Vec::new();
                for number in 0..60u32 {
                    let message = Message::from(Bytes::from(number.to_string()));
                    let urgency = if number % 3 == 0 { Urgency::Urgent } else { Urgency::Bulk };
                    calls.push((number, node.peers.call(other.id, ECHO, urgency, message)));
                    sleep(Duration::from_micros(300)).await;
                }
                for (number, call) in calls {
                    assert_eq!(call.await, Ok(Bytes::from(number.to_string())), "seed {seed}");
                }
            }
        };
        tokio::join!(calls(0), calls(1));
        sleep(Duration::from_millis(300)).await;
        assert_eq!(network.wires(), [("host-1".to_owned(), "host-2".to_owned())], "seed {seed}");
        nodes.iter().for_each(|node| node.kill(&network));
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_is_made_anew_and_its_calls_are_told() {
    let network = Network::new();
    let (first, second) = pair(&network).await;
    let call = first.peers.call(second.id, WAIT, Urgency::Bulk, Message::default());
    sleep(Duration::from_millis(10)).await;
    let began = Instant::now();
    network.cut();
    assert!(matches!(call.await, Err(CallError::Lost { .. })));
    first.up(&second).await;
    assert!(began.elapsed() < Duration::from_millis(20), "{:?}", began.elapsed());
    let echo = first.peers.call(second.id, ECHO, Urgency::Bulk, Bytes::from_static(b"again").into());
    assert_eq!(echo.await.unwrap(), "again");
}

#[tokio::test(start_paused = true)]
async fn silence_breaks_a_connection_and_does_not_mean_that_the_process_is_gone() {
    let network = Network::new();
    let (first, second) = pair(&network).await;
    sleep(Duration::from_secs(30)).await;
    assert!(first.peers.states().borrow()[&second.id].is_up(), "heartbeats keep it up");
    let began = Instant::now();
    network.part(&first.address, &second.address);
    let (why, gone) = first.down(&second).await;
    assert!(why.contains("nothing was heard for 5") && !gone, "{why}");
    assert!((400..=700).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    sleep(Duration::from_secs(30)).await;
    let (why, gone) = first.down(&second).await;
    assert!(why.contains("no connection within 1000 ms") && !gone, "{why}");

    network.heal();
    let began = Instant::now();
    first.up(&second).await;
    assert!(began.elapsed() < Duration::from_millis(1700), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_is_known_to_be_gone_at_once() {
    let network = Network::new();
    let (first, second) = pair(&network).await;
    let began = Instant::now();
    second.kill(&network);
    first.until(second.id, PeerState::is_gone).await;
    assert!(began.elapsed() < Duration::from_millis(20), "{:?}", began.elapsed());
    sleep(Duration::from_secs(5)).await;
    network.part(&first.address, &second.address);
    sleep(Duration::from_secs(5)).await;
    assert!(first.down(&second).await.1, "the dead do not come back because their machine can't be reached");
}

#[tokio::test(start_paused = true)]
async fn where_refusals_mean_nothing_a_dead_process_is_not_gone() {
    let network = Network::new();
    let mut plan = Plan::of(1);
    plan.options.refusal_means_gone = false;
    let (first, second) = (plan.start(&network), Plan::of(2).start(&network));
    first.know(&[&second]);
    first.up(&second).await;
    second.kill(&network);
    sleep(Duration::from_secs(5)).await;
    assert!(!first.down(&second).await.1);
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_stops_says_so_and_ends_all_of_its_tasks() {
    let network = Network::new();
    let (first, second) = pair(&network).await;
    let waiting = second.peers.call(first.id, WAIT, Urgency::Bulk, Message::default());
    sleep(Duration::from_millis(1)).await;
    let began = Instant::now();
    second.peers.shutdown().await;
    assert!(began.elapsed() < Duration::from_millis(250), "{:?}", began.elapsed());
    let state = first.until(second.id, PeerState::is_gone).await;
    assert!(matches!(state, PeerState::Down { why, .. } if why == "broker 2 was shut down"));
    assert!(matches!(waiting.await, Err(CallError::Lost { .. })));
    let call = second.peers.call(first.id, ECHO, Urgency::Bulk, Message::default());
    assert_eq!(call.await, Err(CallError::Stopped));
    second.peers.shutdown().await; // once more does no harm
}

#[tokio::test(start_paused = true)]
async fn a_process_that_is_started_again_takes_its_own_place() {
    let network = Network::new();
    let (first, second) = pair(&network).await;
    let before = first.up(&second).await.incarnation;
    let call = first.peers.call(second.id, WAIT, Urgency::Bulk, Message::default());
    sleep(Duration::from_millis(10)).await;
    network.hold(); // its machine lost power: nobody says that the connection is broken
    second.peers.abandon();

    let again = Plan { seed: 77, ..Plan::of(2) }.start(&network);
    again.know(&[&first]);
    let began = Instant::now();
    again.up(&first).await;
    let now = first.until(second.id, |state| state.identity().is_some_and(|it| it.incarnation != before)).await;
    assert!(now.is_up() && began.elapsed() < Duration::from_millis(20), "{:?}", began.elapsed());
    assert!(matches!(call.await, Err(CallError::Lost { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_not_known_any_more_is_left() {
    let network = Network::new();
    let (first, second) = pair(&network).await;
    first.know(&[]);
    let (_, gone) = second.down(&first).await;
    assert!(!gone);
    // It knows this broker still, and is served as long as it calls.
    second.up(&first).await;
    let call = second.peers.call(first.id, ECHO, Urgency::Bulk, Message::default());
    assert_eq!(call.await, Ok(Bytes::new()));
    second.know(&[]);
    sleep(Duration::from_secs(1)).await;
    assert!(first.peers.states().borrow().is_empty() && second.peers.states().borrow().is_empty());
    let call = second.peers.call(first.id, ECHO, Urgency::Bulk, Message::default());
    assert_eq!(call.await, Err(CallError::Unknown(first.id)));
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_moves_is_dialled_where_it_is() {
    let network = Network::new();
    let (first, second) = pair(&network).await;
    second.kill(&network);
    first.until(second.id, PeerState::is_gone).await;
    let moved = Plan { host: "elsewhere".to_owned(), seed: 5, ..Plan::of(2) }.start(&network);
    first.know(&[&moved]);
    assert_eq!(first.up(&moved).await.address.host, "elsewhere");
}

#[tokio::test(start_paused = true)]
async fn news_ride_on_each_heartbeat_and_go_ahead_of_it_when_told_to() {
    let network = Network::new();
    let (first, second) = pair(&network).await;
    *first.service.news.lock().unwrap() = Bytes::from_static(b"first leads");
    sleep(Duration::from_millis(101)).await;
    assert_eq!(second.service.heard().last(), Some(&(first.id, Bytes::from_static(b"first leads"))));
    *first.service.news.lock().unwrap() = Bytes::from_static(b"second leads");
    first.peers.spread_news();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(second.service.heard().last(), Some(&(first.id, Bytes::from_static(b"second leads"))));
    let before = second.service.heard().len();
    sleep(Duration::from_secs(10)).await;
    assert!((99..=101).contains(&(second.service.heard().len() - before)));

    *first.service.news.lock().unwrap() = Bytes::from(vec![0; peer::MAX_NEWS_BYTES + 1]);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(second.service.heard().last(), Some(&(first.id, Bytes::new())), "too long: they stay at home");
}
