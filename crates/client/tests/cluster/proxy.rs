//! A proxy that loses what it is told to lose.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use client::Address;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Produce's key.
const PRODUCE: i16 = 0;

/// Stands between a client and a broker, which advertises it.
pub(crate) struct Proxy {
    pub(crate) address: Address,
    upstream: watch::Sender<Option<SocketAddr>>,
    /// Answers to Produce that will be lost, with their connections.
    losses: Arc<AtomicU32>,
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string().parse().unwrap();
        let (upstream, target) = watch::channel(None);
        let losses = Arc::new(AtomicU32::new(0));
        let lost = losses.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                // Without a broker behind it, a connection is closed at once.
                let Some(broker) = *target.borrow() else { continue };
                tokio::spawn(pass(client, broker, lost.clone()));
            }
        });
        Proxy { address, upstream, losses }
    }

    pub(crate) fn leads_to(&self, broker: Option<&Address>) {
        self.upstream.send_replace(broker.map(|address| address.to_string().parse().unwrap()));
    }

    /// The next `count` produce requests are handled, but the client does not hear of it.
    pub(crate) fn lose_answers_to_produce(&self, count: u32) {
        self.losses.store(count, Ordering::SeqCst);
    }

    pub(crate) fn losses_to_come(&self) -> u32 {
        self.losses.load(Ordering::SeqCst)
    }
}

/// One request after the other: what a connection of this client needs at the most is a fetch that waits.
async fn pass(mut client: TcpStream, broker: SocketAddr, losses: Arc<AtomicU32>) -> Option<()> {
    let mut broker = TcpStream::connect(broker).await.ok()?;
    loop {
        let request = frame(&mut client).await?;
        broker.write_all(&request).await.ok()?;
        let answer = frame(&mut broker).await?;
        let is_produce = i16::from_be_bytes([request[4], request[5]]) == PRODUCE;
        let lose = |losses: u32| losses.checked_sub(1);
        if is_produce && losses.fetch_update(Ordering::SeqCst, Ordering::SeqCst, lose).is_ok() {
            return None;
        }
        client.write_all(&answer).await.ok()?;
    }
}

/// A frame with its length.
async fn frame(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let length = stream.read_u32().await.ok()?;
    let mut frame = length.to_be_bytes().to_vec();
    frame.resize(4 + length as usize, 0);
    stream.read_exact(&mut frame[4..]).await.ok()?;
    Some(frame)
}
