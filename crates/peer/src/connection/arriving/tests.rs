use std::pin::Pin;
use std::task::Waker;

use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::*;

/// Gives bytes in pieces of these lengths, over and over, then ends.
struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    lengths: Vec<usize>,
    turn: usize,
}

impl AsyncRead for Pieces {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let wanted = self.lengths[self.turn % self.lengths.len()].max(1);
        let length = wanted.min(buf.remaining()).min(self.bytes.len() - self.at);
        buf.put_slice(&self.bytes[self.at..self.at + length]);
        self.at += length;
        self.turn += 1;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pieces {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

/// What arrives, up to the end or to what breaks the connection.
fn receive(bytes: Vec<u8>, lengths: Vec<usize>) -> (Vec<(Head, Bytes)>, Option<Violation>) {
    let (mut arriving, mut received) = (Arriving::default(), Vec::new());
    let mut stream = Pieces { bytes, at: 0, lengths, turn: 0 };
    loop {
        loop {
            match arriving.next() {
                Ok(Some(frame)) => received.push(frame),
                Ok(None) => break,
                Err(violation) => return (received, Some(violation)),
            }
        }
        assert!(arriving.staged.capacity() <= 2 * (MAX_URGENT_BYTES + HEAD_BYTES + STAGED_BYTES));
        match arriving.poll_read(&mut stream, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(0)) => return (received, None),
            Poll::Ready(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

fn frame(head: Head, body: &[u8]) -> Vec<u8> {
    [&head.encode([body])[..], body].concat()
}

fn request(lane: Urgency, call: u64, body: &[u8]) -> Vec<u8> {
    frame(Head::whole(What::Request, lane, call, body.len()), body)
}

/// A bulk message in pieces, with urgent calls between them.
fn in_pieces(call: u64, body: &[u8], piece_bytes: usize, between: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut left = body.len();
    for piece in body.chunks(piece_bytes) {
        left -= piece.len();
        let head = Head { left: left as u32, ..Head::whole(What::Request, Urgency::Bulk, call, piece.len()) };
        bytes.extend(frame(head, piece));
        bytes.extend_from_slice(between);
    }
    bytes
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 251) as u8).collect()
}

#[test]
fn a_bulk_message_leaves_in_one_buffer_of_its_length_whatever_comes_between() {
    let (body, between) = (pattern(500_000), request(Urgency::Urgent, 2, b"vote"));
    let (received, violation) = receive(in_pieces(1, &body, 128 << 10, &between), vec![100_000, 3, 64 << 10]);
    assert_eq!(violation, None);
    assert_eq!(received.len(), 5);
    let (whole, votes): (Vec<_>, Vec<_>) = received.into_iter().partition(|(head, _)| head.call == 1);
    assert!(whole[0].1 == body && votes.iter().all(|(_, vote)| vote == "vote"));
    let buffer = whole[0].1.clone();
    drop(whole);
    assert_eq!(buffer.try_into_mut().unwrap().capacity(), 500_000, "not a byte more");
}

#[test]
fn pieces_that_do_not_fit_together_break_the_connection() {
    let piece = |what, call, kind, length: usize, left| {
        frame(Head { kind, left, ..Head::whole(what, Urgency::Bulk, call, length) }, &pattern(length))
    };
    let first = piece(What::Request, 1, 0, 100, 200);
    for next in [
        piece(What::Request, 2, 0, 100, 100),
        piece(What::Reply, 1, 0, 100, 100),
        piece(What::Request, 1, 1, 100, 100),
        piece(What::Request, 1, 0, 100, 101),
        piece(What::Request, 1, 0, 201, 0),
        piece(What::Request, 1, 0, 0, 200),
    ] {
        let (received, violation) = receive([first.clone(), next].concat(), vec![1 << 16]);
        assert_eq!((received, violation), (vec![], Some(Violation::Pieces)));
    }
}

#[test]
fn what_is_too_long_is_refused_by_its_head() {
    let head = |lane, length: u32, left| Head { length, left, ..Head::whole(What::Request, lane, 1, 0) };
    for (head, bytes) in [
        (head(Urgency::Urgent, MAX_URGENT_BYTES as u32 + 1, 0), MAX_URGENT_BYTES + 1),
        (head(Urgency::Bulk, MAX_MESSAGE_BYTES as u32 + 1, 0), MAX_MESSAGE_BYTES + 1),
        (head(Urgency::Bulk, u32::MAX, u32::MAX), u32::MAX as usize * 2),
    ] {
        let (_, violation) = receive(head.encode([&b""[..]]).to_vec(), vec![1 << 16]);
        assert_eq!(violation, Some(Violation::TooLong(bytes)));
    }
}

#[test]
fn frames_of_a_later_version_are_handed_on_as_unknown_or_break_the_connection() {
    let mut later = request(Urgency::Urgent, 1, b"later");
    later[20] = 200;
    let check = {
        let mut check = Check::new(later.first_chunk().unwrap());
        check.update(b"later");
        check
    };
    assert_eq!(check.verify(), Err(Violation::Damaged));
    let head = Head { what: What::Unknown, ..Head::whole(What::Request, Urgency::Urgent, 1, 5) };
    let (received, violation) = receive([frame(head, b"later"), request(Urgency::Bulk, 2, b"now")].concat(), vec![7]);
    assert_eq!((received.len(), violation), (2, None));
    later[20] = 9;
    assert_eq!(receive(later, vec![7]).1, Some(Violation::Unknown(9)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn frames_are_the_same_however_they_are_cut(
        bodies in prop::collection::vec((any::<bool>(), 0usize..40_000), 1..8),
        lengths in prop::collection::vec(1usize..20_000, 1..8),
        piece_bytes in 1000usize..30_000,
    ) {
        let (mut bytes, mut sent) = (Vec::new(), Vec::new());
        for (call, (is_bulk, length)) in bodies.into_iter().enumerate() {
            let body = pattern(length);
            match is_bulk && length > 0 {
                true => bytes.extend(in_pieces(call as u64, &body, piece_bytes, &[])),
                false => bytes.extend(request(Urgency::Urgent, call as u64, &body)),
            }
            sent.push((call as u64, body));
        }
        let (received, violation) = receive(bytes, lengths);
        prop_assert_eq!(violation, None);
        let received: Vec<_> = received.into_iter().map(|(head, body)| (head.call, body.to_vec())).collect();
        prop_assert_eq!(received, sent);
    }

}

proptest! {
    #[test]
    fn no_bytes_upset_it(bytes: Vec<u8>, length in 1usize..100, what in 0u8..10, lane in 0u8..3) {
        receive(bytes.clone(), vec![length]);
        let mut likely = bytes;
        if likely.len() >= HEAD_BYTES {
            likely[6..8].fill(0);
            likely[10..12].fill(0);
            (likely[20], likely[22]) = (what, lane);
            receive(likely, vec![length]);
        }
    }

    #[test]
    fn a_changed_bit_is_noticed(at in 0usize..2000, bit in 0u8..8) {
        let body = pattern(800);
        let mut bytes = [request(Urgency::Urgent, 1, &body), in_pieces(2, &body, 500, &[])].concat();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let (received, _) = receive(bytes, vec![333]);
        prop_assert!(received.len() < 2 && received.iter().all(|(head, got)| head.call == 1 && *got == body));
    }
}
