//! What a connection between brokers carries, beside what the bare socket does.
//!
//! `cargo bench -p peer`, or `cargo bench -p peer -- tls`; both ends are in one process, so processor time is that of
//! both.

#![expect(clippy::unwrap_used, reason = "a measurement")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use model::{BrokerId, SystemClock, SystemRandom};
use peer::{
    Address, BoxFuture, Credentials, Dialer, Identity, Message, Options, PeerState, Peers, PemFile, ReadCredentials,
    Secret, Service, TcpDialer, TlsDialer, TlsError, Urgency,
};
use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

/// Long enough for the processor's clock, which has ticks of 10 ms.
const TIME: Duration = Duration::from_secs(3);

struct Sink;

impl Service for Sink {
    fn serve(&self, _: &Identity, _: u8, body: Bytes) -> BoxFuture<Result<Message, String>> {
        let length = body.len() as u32;
        Box::pin(async move { Ok(Bytes::copy_from_slice(&length.to_le_bytes()).into()) })
    }

    fn news(&self) -> Bytes {
        Bytes::new()
    }

    fn heard(&self, _: &Identity, _: Bytes) {}
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let certificate = std::env::args().any(|argument| argument == "tls").then(certificate);
    let (first, second) = (broker(1, certificate.clone()).await, broker(2, certificate).await);
    first.know([(second.me().broker, second.me().address.clone())].into());
    let up = |states: &Arc<std::collections::BTreeMap<BrokerId, PeerState>>| {
        states.get(&BrokerId(2)).is_some_and(PeerState::is_up)
    };
    first.states().wait_for(up).await.unwrap();

    bare_socket().await;
    let parts = |count: usize, bytes: usize| {
        Message::new(vec![1; 100], (0..count).map(|part| Bytes::from(vec![part as u8; bytes])).collect())
    };
    for (name, message, at_once) in [
        ("1 part of 1 MiB, 4 at once", parts(1, 1 << 20), 4),
        ("64 parts of 16 KiB, 4 at once", parts(64, 16 << 10), 4),
        ("1 part of 16 KiB, 16 at once", parts(1, 16 << 10), 16),
    ] {
        measure(&first, name, Urgency::Bulk, &message, at_once).await;
    }
    for at_once in [1, 16, 256] {
        measure(&first, &format!("100 bytes, {at_once} at once"), Urgency::Urgent, &parts(0, 0), at_once).await;
    }
    beside_bulk(&first, parts(1, 1 << 20)).await;
}

/// Both brokers have the same, and trust it.
fn certificate() -> Credentials {
    let key = KeyPair::generate().unwrap();
    let signed = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap().pem();
    let file = |text: &str| PemFile { name: "made here".to_owned(), text: text.as_bytes().to_vec() };
    Credentials { chain: file(&signed), key: file(&key.serialize_pem()), trusted: file(&signed) }
}

struct Made(Credentials);

impl ReadCredentials for Made {
    fn read(&self) -> BoxFuture<Result<Credentials, TlsError>> {
        let credentials = self.0.clone();
        Box::pin(async move { Ok(credentials) })
    }
}

async fn broker(id: i32, certificate: Option<Credentials>) -> Peers {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address { host: "127.0.0.1".to_owned(), port: socket.local_addr().unwrap().port() };
    let me = Identity::new(BrokerId(id), Uuid::from_u128(id as u128), address.clone(), None, &SystemRandom);
    let mut dialer: Arc<dyn Dialer> = Arc::new(TcpDialer);
    if let Some(certificate) = certificate {
        let source = Arc::new(Made(certificate));
        dialer = Arc::new(TlsDialer::new(dialer, source, Arc::new(SystemClock), &address, true).await.unwrap());
    }
    let secret: Secret = "known to all brokers".parse().unwrap();
    let peers = Peers::new(me, secret, Options::default(), dialer, Arc::new(Sink), Arc::new(SystemRandom));
    peers.listen(socket);
    peers
}

async fn measure(peers: &Peers, name: &str, urgency: Urgency, message: &Message, at_once: usize) {
    let call = || peers.call(BrokerId(2), 1, urgency, message.clone());
    let (began, cpu, mut count) = (Instant::now(), cpu_time(), 0u32);
    let mut calls: FuturesUnordered<_> = (0..at_once).map(|_| call()).collect();
    while began.elapsed() < TIME {
        calls.next().await.unwrap().unwrap();
        count += 1;
        calls.push(call());
    }
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cpu_time() - cpu);
    report(name, f64::from(count), message.bytes(), seconds, cpu);
}

fn report(name: &str, count: f64, bytes: usize, seconds: f64, cpu: Duration) {
    let mib = count * bytes as f64 / f64::from(1 << 20);
    println!(
        "{name:32} {:9.0}/s {:7.0} MiB/s {:7.1} us of processor each, {:6.0} us a MiB",
        count / seconds,
        mib / seconds,
        cpu.as_secs_f64() * 1e6 / count,
        cpu.as_secs_f64() * 1e6 / mib,
    );
}

/// How long a small call takes while bulk goes by.
async fn beside_bulk(peers: &Peers, bulk: Message) {
    let filler = peers.clone();
    let bulk = tokio::spawn(async move {
        let mut calls: FuturesUnordered<_> =
            (0..16).map(|_| filler.call(BrokerId(2), 1, Urgency::Bulk, bulk.clone())).collect();
        while calls.next().await.unwrap().is_ok() {
            calls.push(filler.call(BrokerId(2), 1, Urgency::Bulk, bulk.clone()));
        }
    });
    let mut times = Vec::new();
    let began = Instant::now();
    while began.elapsed() < TIME {
        let asked = Instant::now();
        peers.call(BrokerId(2), 1, Urgency::Urgent, Bytes::from_static(b"vote").into()).await.unwrap();
        times.push(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    bulk.abort();
    times.sort();
    let at = |share: usize| times[times.len() * share / 100].as_micros();
    println!("an urgent call beside bulk: median {} us, 99 % within {} us", at(50), at(99));
}

/// The same bytes without any of this: 1 MiB from one buffer, read into another.
async fn bare_socket() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut near = TcpStream::connect(socket.local_addr().unwrap()).await.unwrap();
    let (mut far, _) = socket.accept().await.unwrap();
    let reader = tokio::spawn(async move {
        let mut buffer = vec![0; 1 << 20];
        while far.read(&mut buffer).await.unwrap() > 0 {}
    });
    let (bytes, began, cpu, mut count) = (vec![1; 1 << 20], Instant::now(), cpu_time(), 0u32);
    while began.elapsed() < TIME {
        near.write_all(&bytes).await.unwrap();
        count += 1;
    }
    drop(near);
    reader.await.unwrap();
    report("bare socket, 1 MiB", f64::from(count), 1 << 20, began.elapsed().as_secs_f64(), cpu_time() - cpu);
}

/// Processor time of this process, in user space and in the kernel (Linux: in hundredths of a second).
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<u64> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse().unwrap())
        .collect();
    Duration::from_millis(10 * fields.iter().sum::<u64>())
}
