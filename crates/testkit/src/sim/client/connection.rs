//! One connection of a client: requests out, responses in, in order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use model::ErrorCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{sleep, timeout};
use wire::messages::Request;
use wire::{ApiKey, FrameReader};

use super::Habitat;
use crate::sim::promises::Rule;
use crate::sim::rng::Rng;
use crate::sim::world::World;

/// How long a client waits for an answer before it gives the connection up, unless it asked the
/// broker to wait for longer.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Frames that a client takes: far above what it asks for.
const MAX_RESPONSE_BYTES: usize = 64 << 20;

/// The connection broke, or an answer did not come in time: nobody knows what became of the requests
/// that were on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

impl From<std::io::Error> for Gone {
    fn from(_: std::io::Error) -> Self {
        Gone
    }
}

/// See the module.
pub(crate) struct Connection {
    world: Arc<World>,
    client: String,
    stream: DuplexStream,
    frames: FrameReader,
    rng: Rng,
    next_id: i32,
    /// The requests that are not answered yet.
    asked: VecDeque<(i32, ApiKey, i16)>,
}

impl Connection {
    /// Tries until it has a connection.
    pub(crate) async fn open(habitat: &Habitat, client: &str) -> Connection {
        let mut rng = habitat.world.rng();
        loop {
            if let Some(stream) = habitat.node.connect() {
                habitat.world.count("connections");
                return Connection {
                    world: habitat.world.clone(),
                    client: client.to_owned(),
                    stream,
                    frames: FrameReader::new(MAX_RESPONSE_BYTES),
                    rng,
                    next_id: 0,
                    asked: VecDeque::new(),
                };
            }
            sleep(rng.millis(20..400)).await;
        }
    }

    /// A version of an API to speak: the newest, or any other that is served, from `least` to `most`.
    pub(crate) fn version(&mut self, api: ApiKey, least: i16, most: i16) -> i16 {
        let served = api.api().served().expect("clients use what is served");
        let (least, most) = (served.min.max(least), served.max.min(most));
        if self.rng.one_in(2) { most } else { least + self.rng.index(usize::from((most - least + 1) as u16)) as i16 }
    }

    /// Sends a request, without waiting for its answer.
    pub(crate) async fn send<M: Request>(&mut self, version: i16, request: &M) -> Result<(), Gone> {
        let id = self.next_id;
        self.next_id += 1;
        let mut frame = match wire::encode_request(version, id, Some(&self.client), request) {
            Ok(frame) => frame,
            Err(why) => panic!("a simulated client made a request that cannot be: {why}"),
        };
        self.asked.push_back((id, M::API, version));
        self.world.count(M::API.name());
        // The broker may be slow to read, or frozen.
        timeout(REQUEST_TIMEOUT, self.stream.write_all_buf(&mut frame)).await.map_err(|_| Gone)??;
        Ok(())
    }

    /// The next answer, to a request `M`. May be given up and called again.
    pub(crate) async fn receive<M: Request>(&mut self) -> Result<M::Response, Gone> {
        let frame = self.next_frame().await?;
        let (id, api, version) = self.asked.pop_front().ok_or(Gone)?;
        if api != M::API || wire::response_correlation_id(&frame) != Ok(id) {
            let got = wire::response_correlation_id(&frame);
            let what =
                format!("{}: an answer to request {id} ({api}) was expected, not to {got:?} ({})", self.client, M::API);
            self.world.found(Rule::UnexpectedAnswer, what);
            return Err(Gone);
        }
        wire::decode_response::<M>(version, frame).map_err(|why| {
            let what = format!("{}: {api} {version} cannot be read: {why}", self.client);
            self.world.found(Rule::UnexpectedAnswer, what);
            Gone
        })
    }

    async fn next_frame(&mut self) -> Result<Bytes, Gone> {
        loop {
            if let Some(frame) = self.frames.next_frame().map_err(|_| Gone)? {
                return Ok(frame);
            }
            if self.stream.read_buf(self.frames.buffer()).await? == 0 {
                return Err(Gone);
            }
        }
    }

    /// Asks and waits for the answer.
    pub(crate) async fn call<M: Request>(&mut self, version: i16, request: &M) -> Result<M::Response, Gone> {
        self.call_for(version, request, REQUEST_TIMEOUT).await
    }

    /// Asks and waits for the answer that may take its time.
    pub(crate) async fn call_for<M: Request>(
        &mut self,
        version: i16,
        request: &M,
        patience: Duration,
    ) -> Result<M::Response, Gone> {
        self.send(version, request).await?;
        timeout(patience, self.receive::<M>()).await.map_err(|_| Gone)?
    }

    /// What an answer's error code means, if it is one that clients come back from by themselves;
    /// any other is a finding.
    pub(crate) fn judge(&self, api: ApiKey, code: i16, expected: &[ErrorCode]) -> Result<(), ErrorCode> {
        let error = ErrorCode::from_code(code);
        if error == ErrorCode::None {
            return Ok(());
        }
        if !error.is_retriable() && !expected.contains(&error) {
            let what = format!("{}: {api} was answered with {error}", self.client);
            self.world.found(Rule::UnexpectedAnswer, what);
        }
        self.world.count("errors answered");
        Err(error)
    }
}
