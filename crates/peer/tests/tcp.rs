//! Two brokers over real sockets, on several threads.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use model::{BrokerId, SystemRandom};
use peer::{
    Address, BoxFuture, CallError, Identity, Message, Options, PeerState, Peers, Secret, Service, TcpDialer, Urgency,
};
use tokio::net::TcpListener;
use uuid::Uuid;

#[derive(Default)]
struct Echo {
    heartbeats: AtomicUsize,
}

impl Service for Echo {
    fn serve(&self, _: &Identity, _: u8, body: Bytes) -> BoxFuture<Result<Message, String>> {
        Box::pin(async move { Ok(body.into()) })
    }

    fn news(&self) -> Bytes {
        Bytes::from_static(b"news")
    }

    fn heard(&self, _: &Identity, news: Bytes) {
        assert_eq!(news, "news");
        self.heartbeats.fetch_add(1, Ordering::Relaxed);
    }
}

async fn broker(id: i32) -> (Peers, Arc<Echo>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address { host: "localhost".to_owned(), port: socket.local_addr().unwrap().port() };
    let me = Identity::new(BrokerId(id), Uuid::from_u128(id as u128), address, None, &SystemRandom);
    let secret: Secret = "known to all brokers".parse().unwrap();
    let service = Arc::new(Echo::default());
    let random = Arc::new(SystemRandom);
    let peers = Peers::new(me, secret, Options::default(), Arc::new(TcpDialer), service.clone(), random);
    peers.listen(socket);
    (peers, service)
}

async fn see(peers: &Peers, other: i32, what: impl Fn(&PeerState) -> bool) {
    let mut states = peers.states();
    states.wait_for(|states| states.get(&BrokerId(other)).is_some_and(&what)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bulk_goes_both_ways_while_small_calls_and_heartbeats_go_through() {
    let ((first, heard), (second, heard_by_second)) = (broker(1).await, broker(2).await);
    let known = [&first, &second].map(|peers| (peers.me().broker, peers.me().address.clone()));
    first.know(known.clone().into());
    second.know(known.into());
    see(&first, 2, PeerState::is_up).await;
    see(&second, 1, PeerState::is_up).await;

    let part: Bytes = (0..1_000_000u32).map(|at| (at * 31 + at / 251) as u8).collect();
    let exchange = |from: Peers, to: i32| {
        let part = part.clone();
        tokio::spawn(async move {
            for round in 0..12u8 {
                let message = Message::new(vec![round; 100], vec![part.clone(), part.slice(..7)]);
                let bulk = [(); 4].map(|()| from.call(BrokerId(to), 1, Urgency::Bulk, message.clone()));
                for small in 0..50u8 {
                    let echo = from.call(BrokerId(to), 2, Urgency::Urgent, Bytes::from(vec![small]).into());
                    assert_eq!(echo.await.unwrap(), [small][..]);
                }
                for echo in bulk {
                    let echo = echo.await.unwrap();
                    assert!(
                        echo[..100] == [round; 100] && echo[100..1_000_100] == part && echo[1_000_100..] == part[..7]
                    );
                }
            }
        })
    };
    let (one, other) = tokio::join!(exchange(first.clone(), 2), exchange(second.clone(), 1));
    one.unwrap();
    other.unwrap();
    assert!(heard.heartbeats.load(Ordering::Relaxed) > 0 && heard_by_second.heartbeats.load(Ordering::Relaxed) > 0);

    second.shutdown().await;
    see(&first, 2, PeerState::is_gone).await;
    let address = second.me().address.clone();
    let asked = first.ask(&address, 1, Message::default()).await;
    assert!(matches!(&asked, Err(CallError::Unreachable(why)) if why.contains("refused")), "{asked:?}");
    first.shutdown().await;
}
