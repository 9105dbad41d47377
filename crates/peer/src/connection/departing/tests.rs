use std::task::Waker;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::*;

/// Takes so many bytes with each write, and notes where they lay.
struct Socket {
    takes: usize,
    writes: Vec<Vec<(usize, usize)>>,
    bytes: Vec<u8>,
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut left = self.takes;
        for slice in slices {
            let taken = slice.len().min(left);
            self.bytes.extend_from_slice(&slice[..taken]);
            left -= taken;
        }
        self.writes.push(slices.iter().map(|slice| (slice.as_ptr() as usize, slice.len())).collect());
        Poll::Ready(Ok(self.takes - left))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn socket(takes: usize) -> Socket {
    Socket { takes, writes: Vec::new(), bytes: Vec::new() }
}

fn write_all(departing: &mut Departing, socket: &mut Socket) {
    let mut cx = Context::from_waker(Waker::noop());
    while !departing.is_flushed() || departing.put_piece() {
        assert!(departing.poll_write(socket, &mut cx).is_ready());
    }
}

fn message(part_bytes: usize, parts: usize) -> Message {
    Message::new("head", (0..parts).map(|part| Bytes::from(vec![part as u8; part_bytes])).collect())
}

#[test]
fn parts_are_written_from_where_they_lie_in_one_write() {
    let (mut departing, mut socket) = (Departing::default(), socket(usize::MAX));
    let message = message(16 << 10, 7);
    departing.put(Head::whole(What::Heartbeat, Urgency::Urgent, 0, 0), &Bytes::new());
    departing.put_message(What::Request, Urgency::Bulk, (1, 1), message.clone());
    write_all(&mut departing, &mut socket);
    assert_eq!(socket.writes.len(), 1);
    let heads = (socket.writes[0][0].0, HEAD_BYTES + HEAD_BYTES + "head".len());
    let parts = message.parts.iter().map(|part| (part.as_ptr() as usize, part.len()));
    assert_eq!(socket.writes[0], [heads].into_iter().chain(parts).collect::<Vec<_>>());
}

#[test]
fn small_messages_share_a_slice_and_a_write() {
    let (mut departing, mut socket) = (Departing::default(), socket(usize::MAX));
    for call in 0..100 {
        departing.put_message(What::Request, Urgency::Urgent, (1, call), message(100, 2));
    }
    write_all(&mut departing, &mut socket);
    assert_eq!(socket.writes.iter().map(Vec::len).collect::<Vec<_>>(), [1]);
    assert_eq!(socket.bytes.len(), 100 * (HEAD_BYTES + 204));
}

#[test]
fn a_long_message_leaves_in_pieces_that_let_others_through() {
    let (mut departing, mut socket) = (Departing::default(), socket(usize::MAX));
    departing.put_message(What::Request, Urgency::Bulk, (1, 1), message(1 << 20, 3));
    let mut pieces = 1;
    while departing.has_room() {
        departing.put_piece();
        pieces += 1;
    }
    assert_eq!(pieces, 2, "no more than {READY_BYTES} bytes are committed to");
    write_all(&mut departing, &mut socket);
    assert_eq!(socket.bytes.len(), (3 << 20) + 4 + 25 * HEAD_BYTES);
}

#[test]
fn bytes_are_the_same_however_few_the_socket_takes() {
    let written = |takes| {
        let (mut departing, mut socket) = (Departing::default(), socket(takes));
        departing.put_message(What::Request, Urgency::Bulk, (1, 1), message(7000, 30));
        departing.put_message(What::Reply, Urgency::Urgent, (0, 2), message(600, 200));
        write_all(&mut departing, &mut socket);
        socket.bytes
    };
    let expected = written(usize::MAX);
    for takes in [61, 1000, 131_073] {
        assert!(written(takes) == expected, "{takes} bytes a write");
    }
}
