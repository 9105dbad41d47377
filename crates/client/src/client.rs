//! Connections by broker, and how the first is found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{BrokerId, ErrorCode};
use tokio::sync::Mutex;
use wire::messages::Request;
use wire::messages::metadata_response::MetadataResponseBroker;

use crate::connection::{Connection, NotOpened};
use crate::retry::Retry;
use crate::{Address, ClientError, Options};

/// A client of one cluster. Clones share its connections: one to each broker, made when it is needed.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bootstrap: Vec<Address>,
    options: Options,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Where Metadata says that brokers are.
    brokers: BTreeMap<BrokerId, Address>,
    /// By address, since the bootstrap address is usually a broker's own.
    connections: BTreeMap<Address, Connection>,
    /// Addresses that answered once: if one is silent now, it will be back.
    reached: BTreeSet<Address>,
    /// The bootstrap address that answered last.
    answered: Option<Address>,
}

impl Client {
    /// A client of the cluster that any of the `bootstrap` addresses belongs to. Connects to nobody yet.
    pub fn new(bootstrap: Vec<Address>, options: Options) -> Self {
        Client { shared: Arc::new(Shared { bootstrap, options, state: Mutex::default() }) }
    }

    /// One of the same cluster with connections of its own.
    pub fn another(&self) -> Self {
        Client::new(self.shared.bootstrap.clone(), self.shared.options.clone())
    }

    /// What it goes by.
    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    /// Tries for as long as an operation may take.
    pub(crate) fn retry(&self) -> Retry {
        Retry::within(self.options().timeout)
    }

    /// Sends a request that any broker can answer, and tries again while it passes.
    pub(crate) async fn ask<R: Request>(&self, request: &R) -> Result<R::Response, ClientError> {
        let mut retry = self.retry();
        loop {
            let answer = match self.any().await {
                Ok(connection) => connection.call(request).await,
                Err(error) => Err(error),
            };
            match answer {
                Ok(response) => return Ok(response),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// A connection to any broker.
    pub(crate) async fn any(&self) -> Result<Connection, ClientError> {
        let mut state = self.shared.state.lock().await;
        state.connections.retain(|_, connection| connection.is_open());
        if let Some(connection) = state.connections.values().next() {
            return Ok(connection.clone());
        }
        // The bootstrap addresses may be gone while the cluster has moved on.
        let known = state.brokers.values().filter(|address| !self.shared.bootstrap.contains(address));
        let candidates: Vec<Address> = self.shared.bootstrap.iter().chain(known).cloned().collect();
        let mut failed = ClientError::Invalid("no bootstrap address is given".to_owned());
        for address in &candidates {
            match self.open(&mut state, address).await {
                Ok(connection) => {
                    state.answered = Some(address.clone());
                    return Ok(connection);
                }
                Err(NotOpened::Wrong(error)) => failed = error,
                Err(NotOpened::Unreachable(why)) => {
                    failed = ClientError::Unreachable { addresses: self.shared.bootstrap.clone(), why }
                }
            }
        }
        Err(failed)
    }

    /// The connection to one broker that all share.
    pub(crate) async fn broker(&self, id: BrokerId) -> Result<Connection, ClientError> {
        let mut state = self.shared.state.lock().await;
        let address = address_of(&state, id)?;
        if let Some(connection) = state.connections.get(&address).filter(|connection| connection.is_open()) {
            return Ok(connection.clone());
        }
        let opened = self.open(&mut state, &address).await;
        opened.map_err(|why| advertised(&state, id, address, why))
    }

    /// A connection to one broker that nobody shares: a fetch that waits for records holds up what comes after it.
    pub(crate) async fn own_connection(&self, id: BrokerId) -> Result<Connection, ClientError> {
        let address = address_of(&*self.shared.state.lock().await, id)?;
        let opened = Connection::open(&address, self.options()).await;
        let mut state = self.shared.state.lock().await;
        match opened {
            Ok(connection) => {
                state.reached.insert(address);
                Ok(connection)
            }
            Err(why) => {
                let why = passing(&state, &address, why);
                Err(advertised(&state, id, address, why))
            }
        }
    }

    /// Takes over what Metadata says of brokers.
    pub(crate) async fn learn(&self, brokers: &[MetadataResponseBroker]) {
        let mut state = self.shared.state.lock().await;
        let known = brokers.iter().map(|broker| {
            let address = Address { host: broker.host.to_string(), port: u16::try_from(broker.port).unwrap_or(0) };
            (BrokerId(broker.node_id.0), address)
        });
        state.brokers = known.collect();
    }

    async fn open(&self, state: &mut State, address: &Address) -> Result<Connection, NotOpened> {
        match Connection::open(address, &self.shared.options).await {
            Ok(connection) => {
                state.connections.insert(address.clone(), connection.clone());
                state.reached.insert(address.clone());
                Ok(connection)
            }
            Err(why) => Err(passing(state, address, why)),
        }
    }
}

fn address_of(state: &State, id: BrokerId) -> Result<Address, ClientError> {
    let unknown = || ClientError::refused(format!("finding broker {id}"), ErrorCode::LeaderNotAvailable, None);
    state.brokers.get(&id).cloned().ok_or_else(unknown)
}

/// Who answered once is only away.
fn passing(state: &State, address: &Address, why: NotOpened) -> NotOpened {
    let lost = |why| NotOpened::Wrong(ClientError::Lost { address: address.clone(), why });
    match why {
        NotOpened::Unreachable(why) if state.reached.contains(address) => lost(why.to_string()),
        NotOpened::Wrong(ClientError::NotKafka { why, .. }) if state.reached.contains(address) => lost(why),
        other => other,
    }
}

/// The cluster answers, but not where it says that it does.
fn advertised(state: &State, broker: BrokerId, advertised: Address, why: NotOpened) -> ClientError {
    match (why, &state.answered) {
        (NotOpened::Unreachable(why), Some(bootstrap)) => {
            let (bootstrap, brokers) = (bootstrap.clone(), state.brokers.len());
            ClientError::Misadvertised { bootstrap, broker: broker.0, advertised, why, brokers }
        }
        (NotOpened::Unreachable(why), None) => ClientError::Unreachable { addresses: vec![advertised], why },
        (NotOpened::Wrong(error), _) => error,
    }
}
