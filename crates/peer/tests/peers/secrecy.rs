//! Strangers, wrong secrets, and networks that change what they carry.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use peer::{CallError, Message, PeerState, Peers, Urgency};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, sleep};
use tracing::subscriber::DefaultGuard;

use crate::support::network::Network;
use crate::support::service::ECHO;
use crate::support::{Plan, SECRET, pattern, start};

/// What a stranger at another address gets for these bytes, and after how long the connection is closed.
async fn try_with(peers: &Peers, bytes: &[u8]) -> (Vec<u8>, Duration) {
    let mut stream = knock_on(peers);
    let (mut received, began) = (Vec::new(), Instant::now());
    stream.write_all(bytes).await.unwrap();
    stream.read_to_end(&mut received).await.unwrap();
    (received, began.elapsed())
}

fn knock_on(peers: &Peers) -> DuplexStream {
    let (near, far) = duplex(64 << 10);
    peers.attach(Box::new(far), SocketAddr::from(([203, 0, 113, 9], 5555)));
    near
}

/// What this thread logs from now on.
fn logged() -> (Arc<Mutex<Vec<u8>>>, DefaultGuard) {
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl Write for Log {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(line);
            Ok(line.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::INFO);
    let subscriber = subscriber.with_writer(move || Log(writer.clone())).finish();
    (log, tracing::subscriber::set_default(subscriber))
}

/// Records what goes by on each connection: from who dials, and back.
fn recording(network: &Network) -> Arc<Mutex<[Vec<u8>; 2]>> {
    let recorded: Arc<Mutex<[Vec<u8>; 2]>> = Arc::default();
    let record = recorded.clone();
    network.tamper(Arc::new(move |outward, _, bytes| {
        record.lock().unwrap()[usize::from(!outward)].extend_from_slice(bytes);
    }));
    recorded
}

/// Bytes of the two messages of a fixed length.
const OPENING_BYTES: usize = 76;

/// Length of the handshake's last message in one direction, which begins with the length of its body.
fn sealed_bytes(recorded: &[u8]) -> usize {
    let body = u16::from_le_bytes([recorded[OPENING_BYTES], recorded[OPENING_BYTES + 1]]);
    2 + usize::from(body) + 32
}

#[tokio::test(start_paused = true)]
async fn a_stranger_gets_not_a_byte_and_not_much_time() {
    let network = Network::new();
    let node = Plan::of(1).start(&network);
    let knock = [b"TIDEPEER\x01\x01\0\0".as_slice(), &[7; 64]].concat(); // but for its proof, a knock
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"", &[0; 76], &[0xff; 5000], b"TIDEPEER", &knock] {
        let (received, after) = try_with(&node.peers, bytes).await;
        assert!(received.is_empty(), "{received:?} to {bytes:?}");
        let patience = if bytes.len() < OPENING_BYTES { 2000 } else { 0 };
        assert_eq!(after.as_millis(), patience, "{bytes:?}");
    }
    assert!(node.peers.states().borrow().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_was_listened_to_can_not_be_used_again() {
    let network = Network::new();
    let recorded = recording(&network);
    let (first, second) = (Plan::of(1).start(&network), Plan::of(2).start(&network));
    first.know(&[&second]);
    first.up(&second).await;
    let [from_dialler, _] = recorded.lock().unwrap().clone();
    first.kill(&network);
    sleep(Duration::from_millis(1)).await;

    let handshake = &from_dialler[..OPENING_BYTES + sealed_bytes(&from_dialler)];
    let (received, after) = try_with(&second.peers, handshake).await;
    assert_eq!(received.len(), OPENING_BYTES, "the echo of a knock gets a challenge, and nothing else");
    assert!(after.is_zero());
    assert!(!second.peers.states().borrow().get(&first.id).is_some_and(PeerState::is_up));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_is_named_to_both_operators_once() {
    let (log, _guard) = logged();
    let network = Network::new();
    let first = Plan::of(1).start(&network);
    let second = Plan { secret: "another secret, as long".to_owned(), ..Plan::of(2) }.start(&network);
    first.know(&[&second]);
    second.know(&[&first]);
    first.says(&second, "give all brokers of the cluster the same secret").await;
    second.says(&first, "give all brokers of the cluster the same secret").await;
    let asked = first.peers.ask(&second.address, ECHO, Message::default()).await;
    assert!(matches!(asked, Err(CallError::Refused(why)) if why.contains("secret")));
    sleep(Duration::from_secs(60)).await;
    assert!(network.dials() > 200);
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains("WARN")).collect();
    let said = |words: &str| warnings.iter().filter(|line| line.contains(words)).count();
    assert_eq!(said("host-2:9190: it closed the connection without a word"), 1, "{log}");
    assert_eq!(said("host-1:9190: it closed the connection without a word"), 1, "{log}");
    assert_eq!(said("refused: it does not know the cluster's secret"), 2, "{log}"); // by each, of the other's machine
    assert_eq!(warnings.len(), 4, "{log}");
    assert!(!log.contains(SECRET) && !log.contains("another secret"), "{log}");
}

#[tokio::test(start_paused = true)]
async fn strangers_at_many_addresses_do_not_fill_the_log() {
    let (log, _guard) = logged();
    let node = Plan::of(1).start(&Network::new());
    let knock = [b"TIDEPEER\x01\x01\0\0".as_slice(), &[7; 64]].concat();
    for host in 0..=255 {
        let (mut near, far) = duplex(1024);
        node.peers.attach(Box::new(far), SocketAddr::from(([203, 0, 113, host], 5555)));
        near.write_all(&knock).await.unwrap();
        assert_eq!(near.read(&mut [0; 1]).await.unwrap(), 0);
    }
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    assert!((1..=64).contains(&log.lines().count()), "{log}");
}

#[tokio::test(start_paused = true)]
async fn a_crowd_at_the_door_does_not_keep_a_broker_out() {
    let network = Network::new();
    let mut plan = Plan::of(1);
    plan.options.max_handshakes = 8;
    let (first, second) = (plan.start(&network), Plan::of(2).start(&network));
    let began = Instant::now();
    let mut crowd: Vec<DuplexStream> = (0..100).map(|_| knock_on(&first.peers)).collect();
    sleep(Duration::from_millis(1)).await;
    let mut byte = [0];
    for stranger in &mut crowd[..92] {
        assert_eq!(stranger.read(&mut byte).await.unwrap(), 0, "those who came first had to go");
    }
    second.know(&[&first]);
    second.up(&first).await;
    assert!(began.elapsed() < Duration::from_millis(5), "{:?}", began.elapsed());
}

/// Each byte of the handshake changed, one after another: nobody is connected to what is not what it was.
#[tokio::test(start_paused = true)]
async fn a_handshake_that_was_changed_on_its_way_comes_to_nothing() {
    let network = Network::new();
    let recorded = recording(&network);
    start(&network, [1]);
    let (first, second) = (Plan::of(1).start(&network), Plan::of(2).start(&network));
    first.know(&[&second]);
    first.up(&second).await;
    let lengths = recorded.lock().unwrap().clone().map(|bytes| OPENING_BYTES + sealed_bytes(&bytes));
    for (direction, length) in lengths.into_iter().enumerate() {
        for at in 0..length {
            let network = Network::new();
            network.tamper(Arc::new(move |outward, before, bytes| {
                if usize::from(!outward) == direction && (before..before + bytes.len()).contains(&at) {
                    bytes[at - before] ^= 1 << (at % 8);
                }
            }));
            let (first, second) = (Plan::of(1).start(&network), Plan::of(2).start(&network));
            first.know(&[&second]);
            sleep(Duration::from_millis(3)).await;
            let is_up = |node: &crate::support::Node, other| {
                node.peers.states().borrow().get(&other).is_some_and(PeerState::is_up)
            };
            assert!(!is_up(&first, second.id), "byte {at} of direction {direction}");
            assert!(direction == 1 || !is_up(&second, first.id), "byte {at}");
            first.kill(&network);
            second.kill(&network);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_damaged_on_its_way_breaks_the_connection_and_reaches_nobody() {
    let (mut broken, expected) = (0, pattern(3000));
    for seed in 0..300usize {
        let network = Network::new();
        network.tamper(Arc::new(move |_, before, bytes| {
            let at = 300 + seed * 41;
            if (before..before + bytes.len()).contains(&at) {
                bytes[at - before] ^= 1 << (seed % 8);
            }
        }));
        let (first, second) = (Plan::of(1).start(&network), Plan::of(2).start(&network));
        first.know(&[&second]);
        first.up(&second).await;
        for urgency in [Urgency::Urgent, Urgency::Bulk, Urgency::Urgent, Urgency::Bulk] {
            let message = Message::new(expected.slice(..100), vec![expected.slice(100..)]);
            match first.peers.call(second.id, ECHO, urgency, message).await {
                Ok(echo) => assert_eq!(echo, expected, "seed {seed}"),
                Err(CallError::Lost { .. } | CallError::Down { .. } | CallError::Timeout) => broken += 1,
                Err(why) => panic!("seed {seed}: {why:?}"),
            }
        }
        assert!(second.service.asked().iter().all(|(_, _, body)| *body == expected), "seed {seed}");
        assert!(second.service.heard().iter().all(|(_, news)| *news == Bytes::new()), "seed {seed}");
        first.kill(&network);
        second.kill(&network);
    }
    assert!(broken > 250, "only {broken} calls were hit");
}
