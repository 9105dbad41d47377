//! One connection: typed requests in any version, or plain bytes.

use std::collections::VecDeque;
use std::fmt::Debug;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use wire::messages::Request;
use wire::{ApiKey, FrameReader};

use super::requests::metadata;
use super::{Topic, Transcript};

/// A socket, or what stands for one.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// What clients of these tests call themselves.
const CLIENT_ID: &str = "scenario";

/// A connection to a broker. Answers must come in the order of the requests.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    frames: FrameReader,
    /// Correlation ids of what was sent and not yet answered.
    waiting: VecDeque<i32>,
    next_id: i32,
    transcript: Transcript,
}

impl Connection {
    pub(crate) fn new(stream: Box<dyn Stream>, transcript: Transcript) -> Self {
        Connection { stream, frames: FrameReader::new(1 << 30), waiting: VecDeque::new(), next_id: 1, transcript }
    }

    /// Sends a request and waits for its answer, which goes into the transcript.
    pub(crate) async fn call<R>(&mut self, version: i16, request: &R) -> R::Response
    where
        R: Request,
        R::Response: Debug,
    {
        self.send(version, request).await;
        self.receive::<R>(version).await
    }

    /// As [`Connection::call`], and nobody hears of it: for what may be asked a different number of times each run.
    pub(crate) async fn ask<R>(&mut self, version: i16, request: &R) -> R::Response
    where
        R: Request,
    {
        self.send(version, request).await;
        self.hear::<R>(version).await
    }

    /// Adds a line to the transcript.
    pub(crate) fn note(&self, line: String) {
        self.transcript.note(line);
    }

    /// The leader epoch of a topic's first partition.
    pub(crate) async fn current_epoch(&mut self, topic: &Topic) -> i32 {
        let found = self.ask(12, &metadata(&[&topic.name])).await;
        found.topics[0].partitions[0].leader_epoch
    }

    /// Sends a request.
    pub(crate) async fn send<R: Request>(&mut self, version: i16, request: &R) {
        let id = self.send_unanswered(version, request).await;
        self.waiting.push_back(id);
    }

    /// Sends a request that gets no answer. Returns its correlation id.
    pub(crate) async fn send_unanswered<R: Request>(&mut self, version: i16, request: &R) -> i32 {
        let id = self.next_id;
        self.next_id += 1;
        let mut frame = wire::encode_request(version, id, Some(CLIENT_ID), request).unwrap();
        self.stream.write_all_buf(&mut frame).await.unwrap();
        id
    }

    /// Sends bytes as they are. A broker that has closed the connection does not hear them.
    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.ok();
    }

    /// The answer to the oldest request that has none yet; it goes into the transcript.
    pub(crate) async fn receive<R>(&mut self, version: i16) -> R::Response
    where
        R: Request,
        R::Response: Debug,
    {
        let response = self.hear::<R>(version).await;
        self.transcript.note(format!("{:?} {version}: {response:?}", R::API));
        response
    }

    /// As [`Connection::receive`], and nobody hears of it.
    pub(crate) async fn hear<R: Request>(&mut self, version: i16) -> R::Response {
        let frame = self.frame(R::API).await;
        wire::decode_response::<R>(version, frame).unwrap()
    }

    /// Takes it that nothing sent so far is still to be answered.
    pub(crate) fn expect_answers_from(&mut self, id: i32) {
        self.waiting.clear();
        self.next_id = id;
    }

    /// The next frame, whatever it is; none if the broker closes the connection.
    pub(crate) async fn next_frame(&mut self) -> Option<Bytes> {
        loop {
            if let Some(frame) = self.frames.next_frame().unwrap() {
                return Some(frame);
            }
            match self.stream.read_buf(self.frames.buffer()).await {
                Ok(1..) => {}
                Ok(_) | Err(_) => return None,
            }
        }
    }

    /// Waits until the broker closes the connection; a word before that is a failure.
    pub(crate) async fn expect_close(&mut self) {
        let frame = self.next_frame().await;
        self.transcript.note(format!("closed, after {:?}", frame.as_ref().map(Bytes::len)));
        assert_eq!(frame, None, "the broker was to close the connection without a word");
    }

    async fn frame(&mut self, api: ApiKey) -> Bytes {
        let frame = self.next_frame().await;
        let frame = frame.unwrap_or_else(|| panic!("the broker closed the connection instead of answering {api:?}"));
        let id = wire::response_correlation_id(&frame).unwrap();
        assert_eq!(Some(id), self.waiting.pop_front(), "answers come in the order of the requests");
        frame
    }
}
