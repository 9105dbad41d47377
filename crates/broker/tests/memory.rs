//! What connections may hold of the broker's memory, and who has to go when there is none left. In one thread, with a
//! clock that stands still while anything is to be done.
#![allow(clippy::unwrap_used, reason = "a step that fails is the test's failure")]

mod in_process;

use std::net::SocketAddr;
use std::time::Duration;

use broker::Running;
use disk::SimDisk;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;
use wire::StrBytes;
use wire::messages::metadata_request::MetadataRequestTopic;
use wire::messages::{ApiVersionsRequest, MetadataRequest, Request, TopicName};

/// The largest request, and all that requests may take.
const BUDGET: usize = 200_000;

/// `connections.max.idle.ms`, by the clock of these tests.
const IDLE: Duration = Duration::from_secs(600);

async fn start(settings: &[&str]) -> Running {
    in_process::start(&SimDisk::new(0), settings).await
}

async fn start_small() -> Running {
    start(&["socket.request.max.bytes=200000", "queued.max.request.bytes=200000"]).await
}

/// A client.
struct Client(DuplexStream);

impl Client {
    /// One that the broker does not know yet.
    fn stranger(broker: &Running) -> Client {
        let (ours, theirs) = tokio::io::duplex(16 * 1024);
        broker.attach(theirs, SocketAddr::from(([127, 0, 0, 1], 1)));
        Client(ours)
    }

    async fn new(broker: &Running) -> Client {
        let mut client = Client::stranger(broker);
        client.small_request_is_answered().await;
        client
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// Announces a request of so many bytes, and sends some of them.
    async fn begin(&mut self, announced: usize, sent: usize) {
        self.send(&(announced as u32).to_be_bytes()).await;
        self.send(&vec![0; sent]).await;
    }

    /// Whether an answer comes before the broker closes the connection.
    async fn is_answered(&mut self) -> bool {
        let Ok(length) = self.0.read_u32().await else { return false };
        let mut answer = vec![0; length as usize];
        self.0.read_exact(&mut answer).await.is_ok()
    }

    async fn small_request_is_answered(&mut self) {
        self.send(&request(0, &ApiVersionsRequest::default())).await;
        assert!(self.is_answered().await);
    }
}

fn request<R: Request>(version: i16, request: &R) -> Vec<u8> {
    wire::encode_request(version, 1, None, request).unwrap().to_bytes().to_vec()
}

/// A request of about 250 bytes for each name; its answer is a little larger.
fn names(count: usize) -> Vec<u8> {
    let topic = |n: usize| {
        let name = TopicName(StrBytes::from_string(format!("{n:0>249}")));
        MetadataRequestTopic::default().with_name(Some(name))
    };
    let topics = (0..count).map(topic).collect();
    request(9, &MetadataRequest::default().with_topics(Some(topics)).with_allow_auto_topic_creation(false))
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_announced_and_not_sent_cost_nothing() {
    let broker = start(&[]).await;
    let mut silent = Vec::new();
    for _ in 0..60 {
        let mut client = Client::new(&broker).await;
        client.begin(95_000_000, 1_000).await;
        silent.push(client);
    }
    let mut client = Client::new(&broker).await;
    client.send(&names(2_000)).await;
    assert!(client.is_answered().await, "a large request finds its memory");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_stands_still_has_to_go_when_another_needs_its_memory() {
    let broker = start_small().await;
    let (mut first, mut second) = (Client::new(&broker).await, Client::new(&broker).await);
    first.begin(BUDGET - 1, 100_000).await;
    second.begin(BUDGET - 1, 100_000).await;
    let mut third = Client::new(&broker).await;
    let begun = Instant::now();
    third.send(&names(400)).await;
    assert!(third.is_answered().await);
    assert!(!first.is_answered().await, "the connection is closed");
    assert!(begun.elapsed() < IDLE, "and not for being idle");
}

#[tokio::test(start_paused = true)]
async fn a_request_may_stand_still_as_long_as_nobody_needs_its_memory() {
    let broker = start_small().await;
    let mut client = Client::new(&broker).await;
    let whole = names(400);
    let (beginning, end) = whole.split_at(90_000);
    client.send(beginning).await;
    tokio::time::sleep(Duration::from_secs(300)).await; // of the clock that the test sets
    client.send(end).await;
    assert!(client.is_answered().await);
}

#[tokio::test(start_paused = true)]
async fn small_requests_are_answered_when_all_memory_is_taken() {
    let broker = start_small().await;
    let mut client = Client::new(&broker).await;
    let mut greedy = Client::new(&broker).await;
    greedy.begin(BUDGET, 100_000).await;
    let mut waiting = Client::new(&broker).await;
    waiting.begin(BUDGET, 66_000).await;
    let begun = Instant::now();
    client.small_request_is_answered().await;
    assert_eq!(begun.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_reads_has_to_go_when_others_need_its_memory() {
    let broker = start_small().await;
    let mut deaf = Client::new(&broker).await;
    deaf.send(&names(780)).await; // and its answer, of more than the budget, fills the pipe
    let mut other = Client::new(&broker).await;
    let begun = Instant::now();
    other.send(&names(400)).await;
    assert!(other.is_answered().await);
    assert!(begun.elapsed() < IDLE, "and not when it is closed for being idle");
    assert!(!deaf.is_answered().await, "the connection is closed in the middle of the answer");
}

#[tokio::test(start_paused = true)]
async fn who_is_not_known_yet_may_send_half_a_mebibyte() {
    let broker = start(&[]).await;
    let mut stranger = Client::stranger(&broker);
    stranger.begin(600_000, 0).await;
    assert!(!stranger.is_answered().await);
    let mut client = Client::new(&broker).await;
    client.send(&names(2_400)).await;
    assert!(client.is_answered().await);
}
