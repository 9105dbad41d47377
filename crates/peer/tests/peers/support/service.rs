//! A service that does what the kind of a call says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use model::BrokerId;
use peer::{BoxFuture, Identity, Message, Service};
use tokio::sync::Notify;

/// Replies what it got.
pub(crate) const ECHO: u8 = 1;
/// Replies when told to.
pub(crate) const WAIT: u8 = 2;
/// Refuses.
pub(crate) const FAIL: u8 = 3;
/// Replies so many bytes as the body says.
pub(crate) const SEND: u8 = 4;
/// Replies after as many milliseconds as the body says.
pub(crate) const SLEEP: u8 = 5;

#[derive(Default)]
pub(crate) struct TestService {
    /// What was asked, in its order.
    pub(crate) asked: Mutex<Vec<(BrokerId, u8, Bytes)>>,
    pub(crate) news: Mutex<Bytes>,
    pub(crate) heard: Mutex<Vec<(BrokerId, Bytes)>>,
    /// Calls of [`WAIT`] that are being served, and the bytes that they hold.
    pub(crate) waiting: Arc<AtomicUsize>,
    pub(crate) waiting_bytes: Arc<AtomicUsize>,
    pub(crate) go_on: Arc<Notify>,
}

struct Held(Arc<AtomicUsize>, Arc<AtomicUsize>, usize);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
        self.1.fetch_sub(self.2, Ordering::Relaxed);
    }
}

impl Service for TestService {
    fn serve(&self, from: &Identity, kind: u8, body: Bytes) -> BoxFuture<Result<Message, String>> {
        self.asked.lock().unwrap().push((from.broker, kind, body.clone()));
        let number = |body: &Bytes| std::str::from_utf8(body).unwrap().parse::<usize>().unwrap();
        match kind {
            ECHO => Box::pin(async move { Ok(body.into()) }),
            WAIT => {
                let (waiting, bytes, go_on) = (self.waiting.clone(), self.waiting_bytes.clone(), self.go_on.clone());
                waiting.fetch_add(1, Ordering::Relaxed);
                bytes.fetch_add(body.len(), Ordering::Relaxed);
                let held = Held(waiting, bytes, body.len());
                Box::pin(async move {
                    let _held = held;
                    go_on.notified().await;
                    Ok(Message::default())
                })
            }
            FAIL => Box::pin(async { Err("out of the question".to_owned()) }),
            SEND => Box::pin(async move { Ok(Bytes::from(vec![0; number(&body)]).into()) }),
            SLEEP => Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(number(&body) as u64)).await;
                Ok(body.into())
            }),
            unknown => Box::pin(async move { Err(format!("kind {unknown}?")) }),
        }
    }

    fn news(&self) -> Bytes {
        self.news.lock().unwrap().clone()
    }

    fn heard(&self, from: &Identity, news: Bytes) {
        self.heard.lock().unwrap().push((from.broker, news));
    }
}

impl TestService {
    pub(crate) fn asked(&self) -> Vec<(BrokerId, u8, Bytes)> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn heard(&self) -> Vec<(BrokerId, Bytes)> {
        self.heard.lock().unwrap().clone()
    }
}
