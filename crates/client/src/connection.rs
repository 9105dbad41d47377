//! One connection to a broker: requests leave in order, and answers come in that order.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use model::limits::MAX_FRAME_BYTES;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use wire::messages::{ApiVersionsRequest, Request};
use wire::{Frame, FrameReader, StrBytes};

use crate::versions::Served;
use crate::{Address, ClientError, NoConnection, Options};

/// Requests on their way on one connection. Callers wait for their answers, so there are never many.
const MAX_IN_FLIGHT: usize = 16;

/// ApiVersions as every broker since Kafka 2.4 reads it; older ones answer in version 0.
const API_VERSIONS: i16 = 3;

/// A connection. Clones share it; it is closed when the last is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    address: Address,
    client_id: Arc<str>,
    timeout: Duration,
    served: Arc<Served>,
    requests: mpsc::Sender<Outgoing>,
    broken: Arc<OnceLock<Broken>>,
}

/// A request on its way out.
#[derive(Debug)]
struct Outgoing {
    frame: Frame,
    then: Then,
}

/// What is waited for once a request has left.
#[derive(Debug)]
enum Then {
    Answer(oneshot::Sender<Bytes>),
    /// Nothing: it is only said that it has left.
    Left(oneshot::Sender<()>),
}

/// Why a connection is of no more use.
#[derive(Clone, Debug)]
enum Broken {
    Lost(String),
    NotKafka(String),
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum NotOpened {
    /// Nobody answers there.
    Unreachable(NoConnection),
    /// Somebody does, and something is wrong.
    Wrong(ClientError),
}

impl Connection {
    /// Connects, and asks what is served.
    pub(crate) async fn open(address: &Address, options: &Options) -> Result<Self, NotOpened> {
        let stream = match timeout(options.connect_timeout, connect(address)).await {
            Ok(connected) => connected.map_err(NotOpened::Unreachable)?,
            Err(_) => {
                let waited_ms = options.connect_timeout.as_millis();
                return Err(NotOpened::Unreachable(NoConnection::Silent { waited_ms }));
            }
        };
        let (requests, outgoing) = mpsc::channel(MAX_IN_FLIGHT);
        let broken = Arc::new(OnceLock::new());
        tokio::spawn(run(stream, outgoing, broken.clone()));
        let mut connection = Connection {
            address: address.clone(),
            client_id: options.client_id.as_str().into(),
            timeout: options.timeout,
            served: Arc::default(),
            requests,
            broken,
        };
        connection.served = Arc::new(connection.ask_versions().await.map_err(NotOpened::Wrong)?);
        Ok(connection)
    }

    /// What it serves.
    pub(crate) fn served(&self) -> &Served {
        &self.served
    }

    /// Whether it can still be used, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        !self.requests.is_closed()
    }

    /// Sends a request in the highest version that both sides know, and waits for its answer.
    pub(crate) async fn call<R: Request>(&self, request: &R) -> Result<R::Response, ClientError> {
        self.call_within(request, self.timeout).await
    }

    /// The same with another limit of time.
    pub(crate) async fn call_within<R: Request>(
        &self,
        request: &R,
        limit: Duration,
    ) -> Result<R::Response, ClientError> {
        self.call_version(request, self.version::<R>()?, limit).await
    }

    /// Sends a request that is not answered, as Produce with acks=0; returns when the system has it.
    pub(crate) async fn post<R: Request>(&self, request: &R) -> Result<(), ClientError> {
        let frame = self.frame(request, self.version::<R>()?)?;
        let (left, has_left) = oneshot::channel();
        let posted = async {
            self.requests.send(Outgoing { frame, then: Then::Left(left) }).await.ok()?;
            has_left.await.ok()
        };
        match timeout(self.timeout, posted).await {
            Ok(Some(())) => Ok(()),
            Ok(None) => Err(self.why_broken().await),
            Err(_) => Err(self.silent::<R>(self.timeout)),
        }
    }

    fn version<R: Request>(&self) -> Result<i16, ClientError> {
        let unsupported = || ClientError::Unsupported { address: self.address.clone(), api: R::API.name() };
        self.served.best(R::API).ok_or_else(unsupported)
    }

    fn frame<R: Request>(&self, request: &R, version: i16) -> Result<Frame, ClientError> {
        let frame = wire::encode_request(version, 0, Some(&self.client_id), request);
        frame.map_err(|why| ClientError::Invalid(why.to_string()))
    }

    fn silent<R: Request>(&self, limit: Duration) -> ClientError {
        ClientError::Silent { address: self.address.clone(), api: R::API.name(), waited_ms: limit.as_millis() }
    }

    async fn call_version<R: Request>(
        &self,
        request: &R,
        version: i16,
        limit: Duration,
    ) -> Result<R::Response, ClientError> {
        let frame = self.frame(request, version)?;
        let (answer, answered) = oneshot::channel();
        let exchange = async {
            self.requests.send(Outgoing { frame, then: Then::Answer(answer) }).await.ok()?;
            answered.await.ok()
        };
        let response = match timeout(limit, exchange).await {
            Ok(Some(response)) => response,
            Ok(None) => return Err(self.why_broken().await),
            Err(_) => return Err(self.silent::<R>(limit)),
        };
        wire::decode_response::<R>(version, response).map_err(|why| self.not_kafka(why.to_string()))
    }

    async fn ask_versions(&self) -> Result<Served, ClientError> {
        let request = ApiVersionsRequest {
            client_software_name: StrBytes::from_static_str("tidelog"),
            client_software_version: StrBytes::from_static_str(env!("CARGO_PKG_VERSION")),
            ..ApiVersionsRequest::default()
        };
        match self.call_version(&request, API_VERSIONS, self.timeout).await {
            Ok(response) if response.error_code == 0 => Ok(Served::of(&response)),
            Err(ClientError::Lost { .. }) => Err(self.not_kafka("it closed the connection unanswered".to_owned())),
            Err(error) if !self.is_open() => Err(error),
            // A broker that does not know the version says so in version 0, which may not be readable as this one.
            _ => Ok(Served::of(&self.call_version(&request, 0, self.timeout).await?)),
        }
    }

    async fn why_broken(&self) -> ClientError {
        self.requests.closed().await; // only then is it said why
        match self.broken.get().cloned() {
            Some(Broken::NotKafka(why)) => self.not_kafka(why),
            Some(Broken::Lost(why)) => ClientError::Lost { address: self.address.clone(), why },
            None => ClientError::Lost { address: self.address.clone(), why: "it was closed".to_owned() },
        }
    }

    fn not_kafka(&self, why: String) -> ClientError {
        ClientError::NotKafka { address: self.address.clone(), why }
    }
}

async fn connect(address: &Address) -> Result<TcpStream, NoConnection> {
    let found = lookup_host((address.host.as_str(), address.port)).await;
    let unknown = || NoConnection::UnknownName(address.host.clone());
    let mut why = unknown();
    for candidate in found.map_err(|_| unknown())? {
        match TcpStream::connect(candidate).await {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(|error| NoConnection::Other(in_words(&error)))?;
                return Ok(stream);
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => why = NoConnection::Refused,
            Err(error) => why = NoConnection::Other(in_words(&error)),
        }
    }
    Err(why)
}

/// Moves frames until the connection breaks, or nobody wants it any more.
async fn run(stream: TcpStream, mut outgoing: mpsc::Receiver<Outgoing>, broken: Arc<OnceLock<Broken>>) {
    let (reading, writing) = stream.into_split();
    let (sent, waiting) = mpsc::channel(MAX_IN_FLIGHT);
    let done = tokio::try_join!(send(writing, &mut outgoing, sent), receive(reading, waiting));
    if let Err(why) = done {
        broken.get_or_init(|| why);
    }
    // Last, since callers wait for it before they look why.
    drop(outgoing);
}

async fn send(
    mut stream: OwnedWriteHalf,
    outgoing: &mut mpsc::Receiver<Outgoing>,
    sent: mpsc::Sender<oneshot::Sender<Bytes>>,
) -> Result<(), Broken> {
    while let Some(Outgoing { mut frame, then }) = outgoing.recv().await {
        let left = match then {
            Then::Answer(answer) => {
                if sent.send(answer).await.is_err() {
                    return Ok(()); // the receiving half has said why
                }
                None
            }
            Then::Left(left) => Some(left),
        };
        stream.write_all_buf(&mut frame).await.map_err(|error| Broken::Lost(in_words(&error)))?;
        // Who gave up is not waiting any more.
        left.map(|left| left.send(()).ok());
    }
    Ok(())
}

/// Since answers come in the order of requests, their correlation ids say nothing new: all are 0.
async fn receive(mut stream: OwnedReadHalf, mut waiting: mpsc::Receiver<oneshot::Sender<Bytes>>) -> Result<(), Broken> {
    let mut frames = FrameReader::new(MAX_FRAME_BYTES);
    while let Some(answer) = waiting.recv().await {
        let frame = loop {
            if let Some(frame) = frames.next_frame().map_err(|why| Broken::NotKafka(why.to_string()))? {
                break frame;
            }
            if stream.read_buf(frames.buffer()).await.map_err(|error| Broken::Lost(in_words(&error)))? == 0 {
                return Err(Broken::Lost("the broker closed it".to_owned()));
            }
        };
        match wire::response_correlation_id(&frame) {
            // A caller that gave up is not waiting any more.
            Ok(0) => drop(answer.send(frame)),
            _ => return Err(Broken::NotKafka("an answer to another request".to_owned())),
        }
    }
    Ok(())
}

/// What the system says, without its number.
fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "the broker closed it".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}
