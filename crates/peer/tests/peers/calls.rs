//! Calls: replies, order, urgency, bounds, deadlines.

use std::time::Duration;

use bytes::Bytes;
use model::BrokerId;
use peer::{CallError, MAX_MESSAGE_BYTES, MAX_URGENT_BYTES, Message, Urgency};
use tokio::time::{Instant, sleep};

use crate::support::network::Network;
use crate::support::service::{ECHO, FAIL, SEND, SLEEP, WAIT};
use crate::support::{Node, Plan, pair, pattern};

fn text(text: impl ToString) -> Message {
    Bytes::from(text.to_string()).into()
}

/// Brokers 1 and 2, where the second takes and the first keeps little.
async fn with_small_windows(network: &std::sync::Arc<Network>) -> (Node, Node) {
    let (mut first, mut second) = (Plan::of(1), Plan::of(2));
    first.options.queue_bytes = 64 << 10;
    second.options.window_bytes = 32 << 10;
    let (first, second) = (first.start(network), second.start(network));
    first.know(&[&second]);
    first.up(&second).await;
    (first, second)
}

#[tokio::test(start_paused = true)]
async fn a_message_arrives_whole_in_both_directions_and_both_lanes() {
    let network = Network::new();
    let (first, second) = pair(&network).await;
    for (from, to) in [(&first, &second), (&second, &first)] {
        for urgency in [Urgency::Urgent, Urgency::Bulk] {
            for length in [0, 1, 511, 513, 65_536, 65_537, 131_072, 131_073, 1_000_000] {
                let whole = pattern(length);
                let (head, rest) = (whole.slice(..length / 3), whole.slice(length / 3..));
                let parts = vec![rest.slice(..rest.len() / 2), Bytes::new(), rest.slice(rest.len() / 2..)];
                let echo = from.peers.call(to.id, ECHO, urgency, Message::new(head, parts)).await.unwrap();
                assert!(echo == whole, "{urgency:?} {length}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_longest_message_goes_through_and_a_longer_one_is_refused() {
    let network = Network::new();
    let (first, second) = pair(&network).await;
    let longest = Bytes::from(vec![7; MAX_MESSAGE_BYTES]);
    let echo = first.peers.call(second.id, ECHO, Urgency::Bulk, longest.clone().into()).await.unwrap();
    assert!(echo == longest);
    let too_long = Message::new(longest, vec![Bytes::from_static(b"!")]);
    let refused = first.peers.call(second.id, ECHO, Urgency::Bulk, too_long).await;
    assert_eq!(refused, Err(CallError::TooLong { bytes: MAX_MESSAGE_BYTES + 1 }));
    let reply = first.peers.call(second.id, SEND, Urgency::Bulk, text(MAX_MESSAGE_BYTES + 1)).await;
    assert!(matches!(reply, Err(CallError::Failed(why)) if why.contains("too long")));
}

#[tokio::test(start_paused = true)]
async fn calls_of_a_lane_arrive_in_the_order_in_which_they_were_made() {
    let network = Network::slow(Duration::from_millis(3));
    let (first, second) = pair(&network).await;
    let mut calls = Vec::new();
    for number in 0..2000 {
        calls.push(first.peers.call(second.id, ECHO, Urgency::Bulk, text(number)));
    }
    let replies = futures::future::join_all(calls.into_iter().rev()).await; // however they are polled
    assert!(replies.into_iter().rev().enumerate().all(|(number, reply)| reply == Ok(number.to_string().into())));
    let asked = second.service.asked();
    assert!(asked.iter().enumerate().all(|(number, (_, _, body))| *body == number.to_string()));
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_does_not_hold_up_those_behind_it() {
    let network = Network::new();
    let (first, second) = pair(&network).await;
    let slow = first.peers.call(second.id, SLEEP, Urgency::Bulk, text(3000));
    let began = Instant::now();
    first.peers.call(second.id, ECHO, Urgency::Bulk, text("quick")).await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(5));
    assert_eq!(slow.await.unwrap(), "3000");
    assert!(began.elapsed() < Duration::from_millis(3005));
}

#[tokio::test(start_paused = true)]
async fn what_is_urgent_overtakes_what_is_being_sent() {
    let network = Network::narrow(1000); // a million bytes a second
    let (first, second) = pair(&network).await;
    let bulk = first.peers.call(second.id, ECHO, Urgency::Bulk, pattern(4 << 20).into());
    sleep(Duration::from_millis(300)).await;
    let began = Instant::now();
    first.peers.call(second.id, ECHO, Urgency::Urgent, text("vote")).await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(700), "{:?}", began.elapsed());
    *first.service.news.lock().unwrap() = Bytes::from_static(b"news");
    sleep(Duration::from_millis(800)).await;
    assert!(second.service.heard().iter().any(|(_, news)| news == "news"), "heartbeats go between the pieces");
    assert!(second.service.asked().iter().all(|(_, kind, body)| *kind == ECHO && body == "vote"));
    assert!(bulk.await.unwrap() == pattern(4 << 20));
    assert!(began.elapsed() > Duration::from_secs(8), "it took {:?} there and back", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_long_urgent_message_goes_with_the_bulk() {
    let network = Network::narrow(1000);
    let (first, second) = pair(&network).await;
    let bulk = first.peers.call(second.id, ECHO, Urgency::Bulk, pattern(1 << 20).into());
    let long = first.peers.call(second.id, ECHO, Urgency::Urgent, pattern(MAX_URGENT_BYTES + 1).into());
    let urgent = first.peers.call(second.id, ECHO, Urgency::Urgent, text("vote"));
    let (bulk, long, urgent) = tokio::join!(bulk, long, urgent);
    assert!(bulk.is_ok() && long.is_ok() && urgent.is_ok());
    let order: Vec<usize> = second.service.asked().iter().map(|(_, _, body)| body.len()).collect();
    assert_eq!(order, [4, 1 << 20, MAX_URGENT_BYTES + 1]);
}

#[tokio::test(start_paused = true)]
async fn the_words_of_a_refusal_come_back() {
    let network = Network::new();
    let (first, second) = pair(&network).await;
    let refused = first.peers.call(second.id, FAIL, Urgency::Urgent, Message::default()).await;
    assert_eq!(refused, Err(CallError::Failed("out of the question".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_call_to_whom_there_is_no_connection_fails_at_once() {
    let network = Network::new();
    let (first, second) = pair(&network).await;
    let call = |to: BrokerId| first.peers.call(to, ECHO, Urgency::Urgent, Message::default());
    assert_eq!(call(first.id).await, Err(CallError::Myself));
    assert_eq!(call(BrokerId(3)).await, Err(CallError::Unknown(BrokerId(3))));
    second.kill(&network);
    first.down(&second).await;
    let down = call(second.id).await.unwrap_err();
    assert!(matches!(&down, CallError::Down { to, .. } if *to == second.id) && down.was_never_sent());
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_reply_fails_after_its_time_and_is_given_up_over_there() {
    let network = Network::new();
    let (first, second) = pair(&network).await;
    let began = Instant::now();
    let reply = first.peers.call(second.id, WAIT, Urgency::Bulk, Message::default()).await;
    assert_eq!(reply, Err(CallError::Timeout));
    assert!((10_000..=10_101).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    sleep(Duration::from_millis(1)).await;
    assert_eq!(second.service.waiting.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_is_given_up_on_both_sides() {
    let network = Network::new();
    let (first, second) = pair(&network).await;
    let waiting = || second.service.waiting.load(std::sync::atomic::Ordering::Relaxed);
    let calls = [Urgency::Urgent, Urgency::Bulk].map(|urgency| first.peers.call(second.id, WAIT, urgency, text("x")));
    sleep(Duration::from_millis(1)).await;
    assert_eq!(waiting(), 2);
    drop(calls);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(waiting(), 0);

    drop(first.peers.call(second.id, ECHO, Urgency::Bulk, text("never sent")));
    first.peers.call(second.id, ECHO, Urgency::Bulk, text("sent")).await.unwrap();
    assert!(second.service.asked().iter().all(|(_, _, body)| body != "never sent"));
}

#[tokio::test(start_paused = true)]
async fn no_more_is_sent_than_the_other_takes_at_a_time() {
    let network = Network::new();
    let (first, second) = with_small_windows(&network).await;
    let calls: Vec<_> =
        (0..12).map(|_| first.peers.call(second.id, WAIT, Urgency::Bulk, pattern(5000).into())).collect();
    sleep(Duration::from_millis(5)).await;
    let held = || second.service.waiting_bytes.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(held(), 30_000, "six calls of 5,256 bytes, as they are counted, fit into 32 KiB");
    first.peers.call(second.id, ECHO, Urgency::Urgent, text("urgent ones have a window of their own")).await.unwrap();
    for _ in 0..12 {
        second.service.go_on.notify_one();
        sleep(Duration::from_millis(1)).await;
        assert!(held() <= 30_000);
    }
    assert!(futures::future::join_all(calls).await.iter().all(Result::is_ok));
    // One that is longer than the window goes alone.
    let long = first.peers.call(second.id, ECHO, Urgency::Bulk, pattern(50_000).into());
    let next = first.peers.call(second.id, ECHO, Urgency::Bulk, text("next"));
    assert!(long.await.unwrap() == pattern(50_000));
    assert_eq!(next.await.unwrap(), "next");
}

#[tokio::test(start_paused = true)]
async fn a_caller_is_told_when_too_much_waits_to_be_sent() {
    let network = Network::new();
    let (first, second) = with_small_windows(&network).await;
    let message = || Message::from(pattern(5000));
    let mut calls: Vec<_> = (0..12).map(|_| first.peers.call(second.id, WAIT, Urgency::Bulk, message())).collect();
    let busy = first.peers.call(second.id, WAIT, Urgency::Bulk, message()).await.unwrap_err();
    assert_eq!(busy, CallError::Busy { to: second.id, queued_bytes: 12 * 5256 }, "64 KiB");
    assert!(busy.was_never_sent());
    first.peers.call(second.id, ECHO, Urgency::Urgent, text("urgent ones have a queue of their own")).await.unwrap();
    sleep(Duration::from_millis(1)).await; // six are sent
    calls.clear();
    first.peers.call(second.id, ECHO, Urgency::Bulk, text("there is room again")).await.unwrap();
}

/// Calls that are dropped while they are being sent must not leave the two ends with different accounts.
#[tokio::test(start_paused = true)]
async fn calls_that_come_and_go_leave_no_trace_in_the_windows() {
    let network = Network::slow(Duration::from_millis(2));
    let (first, second) = with_small_windows(&network).await;
    let lots = crate::support::Lots(std::sync::Mutex::new(1));
    let mut calls = std::collections::VecDeque::new();
    for _ in 0..3000 {
        let urgency = if lots.next().is_multiple_of(3) { Urgency::Urgent } else { Urgency::Bulk };
        let kind = if lots.next().is_multiple_of(2) { ECHO } else { WAIT };
        let message = pattern((lots.next() % 9000) as usize);
        let limit = if urgency == Urgency::Urgent { 1000 } else { 9000 };
        calls.push_back(first.peers.call(second.id, kind, urgency, message.slice(..message.len().min(limit)).into()));
        if calls.len() > 4 {
            drop(calls.remove((lots.next() % 4) as usize));
        }
        sleep(Duration::from_micros(lots.next() % 1500)).await;
        assert!(first.peers.states().borrow()[&second.id].is_up(), "{:?}", first.peers.states().borrow());
    }
    drop(calls);
    sleep(Duration::from_millis(50)).await;
    assert_eq!(second.service.waiting.load(std::sync::atomic::Ordering::Relaxed), 0);
    for urgency in [Urgency::Urgent, Urgency::Bulk] {
        let calls = (0..5).map(|_| first.peers.call(second.id, ECHO, urgency, pattern(100).into()));
        assert!(futures::future::join_all(calls).await.iter().all(Result::is_ok));
    }
}
