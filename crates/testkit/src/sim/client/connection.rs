//! One connection of a client: requests out, responses in, in order.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use model::ErrorCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;
use wire::messages::Request;
use wire::{ApiKey, FrameReader};

use super::Habitat;
use crate::sim::promises::{Rule, Teller};
use crate::sim::rng::Rng;

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
    habitat: Habitat,
    client: String,
    teller: Teller,
    stream: DuplexStream,
    frames: FrameReader,
    rng: Rng,
    next_id: i32,
    /// The requests that are not answered yet.
    asked: VecDeque<(i32, ApiKey, i16)>,
}

impl Connection {
    /// Connects with the broker at an address, unless nobody listens there.
    pub(crate) fn open(habitat: &Habitat, address: &str, client: &str) -> Result<Connection, Gone> {
        let node = habitat.fleet.at(address).ok_or(Gone)?;
        let (stream, life) = node.connect().ok_or(Gone)?;
        habitat.world.count("connections");
        Ok(Connection {
            habitat: habitat.clone(),
            client: client.to_owned(),
            // One broker alone forgets nothing.
            teller: (node.id(), if habitat.fleet.is_alone() { 0 } else { life }),
            stream,
            frames: FrameReader::new(MAX_RESPONSE_BYTES),
            rng: habitat.world.rng(),
            next_id: 0,
            asked: VecDeque::new(),
        })
    }

    /// Whose answers these are.
    pub(crate) fn teller(&self) -> Teller {
        self.teller
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
        self.habitat.world.count(M::API.name());
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
            self.habitat.world.found(Rule::UnexpectedAnswer, what);
            return Err(Gone);
        }
        wire::decode_response::<M>(version, frame).map_err(|why| {
            let what = format!("{}: {api} {version} cannot be read: {why}", self.client);
            self.habitat.world.found(Rule::UnexpectedAnswer, what);
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

    /// See [`Habitat::judge`].
    pub(crate) fn judge(&self, api: ApiKey, code: i16, expected: &[ErrorCode]) -> Result<(), ErrorCode> {
        self.habitat.judge(&self.client, api, code, expected)
    }
}
