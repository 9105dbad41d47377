use std::task::Waker;

use model::BrokerId;
use uuid::Uuid;

use super::*;
use crate::Address;

/// Replies a MiB at once to kind 1, never to others.
struct Mebibytes;

impl Service for Mebibytes {
    fn serve(&self, _: &Identity, kind: u8, _: Bytes) -> BoxFuture<Result<Message, String>> {
        match kind {
            1 => Box::pin(async { Ok(Bytes::from(vec![0; 1 << 20]).into()) }),
            _ => Box::pin(std::future::pending()),
        }
    }

    fn news(&self) -> Bytes {
        Bytes::new()
    }

    fn heard(&self, _: &Identity, _: Bytes) {}
}

fn serving(window_bytes: usize) -> (Serving, Identity) {
    let address = Address { host: "a".to_owned(), port: 1 };
    let directory = Uuid::nil();
    let from = Identity { broker: BrokerId(1), directory, incarnation: 1, address, cluster: None };
    (Serving::new(Arc::new(Mebibytes), [window_bytes; 2]), from)
}

#[test]
fn replies_that_nobody_takes_are_bounded_and_the_rest_follows_without_a_wake() {
    let (mut serving, from) = serving(1 << 20);
    let mut cx = Context::from_waker(Waker::noop());
    for call in 0..100 {
        serving.take(&from, (call, 1), Urgency::Bulk, Bytes::new()).unwrap();
    }
    serving.poll(&from, &mut cx);
    assert_eq!(serving.reply_bytes, MAX_REPLY_BYTES);
    let mut taken = 0;
    while !serving.is_empty() {
        assert!(serving.next_reply(Urgency::Bulk).is_some(), "stuck after {taken}");
        taken += 1;
        serving.poll(&from, &mut cx);
        assert!(serving.reply_bytes <= MAX_REPLY_BYTES);
    }
    assert_eq!(taken, 100);
}

#[test]
fn bulk_calls_that_take_long_do_not_keep_urgent_ones_waiting() {
    let (mut serving, from) = serving(1 << 20);
    let mut cx = Context::from_waker(Waker::noop());
    for call in 0..MAX_BULK_AT_ONCE as u64 + 50 {
        serving.take(&from, (call, 2), Urgency::Bulk, Bytes::new()).unwrap();
    }
    serving.poll(&from, &mut cx);
    assert_eq!((serving.running[1].len(), serving.held.len()), (MAX_BULK_AT_ONCE, 50));
    serving.take(&from, (1000, 1), Urgency::Urgent, Bytes::new()).unwrap();
    assert!(serving.poll(&from, &mut cx));
    serving.cancel(0);
    serving.cancel(MAX_BULK_AT_ONCE as u64 + 49);
    serving.poll(&from, &mut cx);
    assert_eq!((serving.running[1].len(), serving.held.len()), (MAX_BULK_AT_ONCE, 48), "each takes another's place");
}

#[test]
fn who_sends_more_than_was_agreed_on_or_a_number_twice_is_cut_off() {
    let (mut serving, from) = serving(10_000);
    let mut take = |call, bytes| serving.take(&from, (call, 2), Urgency::Bulk, Bytes::from(vec![0; bytes]));
    assert_eq!(take(1, 4000), Ok(()));
    assert_eq!(take(1, 4000), Err(Violation::OutOfPlace));
    assert_eq!(take(2, 4000), Err(Violation::Window));
    let (mut serving, from) = self::serving(10_000);
    let alone = serving.take(&from, (1, 2), Urgency::Bulk, Bytes::from(vec![0; 20_000]));
    assert_eq!(alone, Ok(()));
}
