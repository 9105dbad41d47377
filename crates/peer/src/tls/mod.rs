//! Mutual TLS below the connections of brokers: an option besides the cluster's secret, for networks where others can
//! listen or meddle.
//!
//! Both ends show a certificate by an authority that both trust; a stranger does not get as far as the secret. It is TLS
//! 1.3 and nothing older, since brokers speak to none but each other. No session is resumed: each connection is
//! looked at anew, and so an authority that is trusted no more is trusted no more.

mod check;
mod credentials;
mod words;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::Clock;
use rustls::pki_types::{InvalidDnsNameError, ServerName};
use tokio::time::Instant;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::lock::lock;
use crate::{Address, BoxFuture, Dialer, Stream};
use check::Ends;
pub use credentials::{Credentials, PemFile, ReadCredentials, TlsError};
use words::explained;
pub(crate) use words::objection;

/// Certificates that were read so long ago are looked at again, when there is a connection to make: often enough for
/// whoever renews them, and no work that a stranger could make by knocking.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Connections as another dialer makes them, with TLS on top; see the module.
#[derive(Clone)]
pub struct TlsDialer(Arc<Inner>);

struct Inner {
    below: Arc<dyn Dialer>,
    source: Arc<dyn ReadCredentials>,
    clock: Arc<dyn Clock>,
    /// Whether a broker's certificate has to name the host at which it was dialled.
    checks_names: bool,
    current: Mutex<Current>,
}

struct Current {
    credentials: Credentials,
    ends: Ends,
    looked: Instant,
    /// What was wrong with others that came after them.
    trouble: String,
}

impl TlsDialer {
    /// Reads certificates from `source`, now and again for later connections. `own` is where other brokers reach this
    /// one; with `checks_names` each broker's certificate has to be for its host.
    ///
    /// # Errors
    /// They can't be used: nobody who trusts the same authorities would let this broker in.
    pub async fn new(
        below: Arc<dyn Dialer>,
        source: Arc<dyn ReadCredentials>,
        clock: Arc<dyn Clock>,
        own: &Address,
        checks_names: bool,
    ) -> Result<Self, TlsError> {
        let credentials = source.read().await?;
        let ends = Ends::of(&credentials, &clock, checks_names)?;
        if checks_names {
            ends.check_name(&credentials, own)?;
        }
        let current = Current { credentials, ends, looked: Instant::now(), trouble: String::new() };
        Ok(TlsDialer(Arc::new(Inner { below, source, clock, checks_names, current: Mutex::new(current) })))
    }
}

impl Inner {
    /// Both ends by the certificates that there are now. Those that can't be used are told of, and the ones before stay.
    async fn ends(&self) -> Ends {
        {
            let mut current = lock(&self.current);
            if current.looked.elapsed() < LOOK_AGAIN {
                return current.ends.clone();
            }
            current.looked = Instant::now();
        }
        let read = self.source.read().await;
        let mut current = lock(&self.current);
        let renewed = read.and_then(|credentials| match credentials == current.credentials {
            true => Ok(None),
            false => Ok(Some((Ends::of(&credentials, &self.clock, self.checks_names)?, credentials))),
        });
        match renewed {
            Ok(None) => current.trouble.clear(),
            Ok(Some((ends, credentials))) => {
                tracing::info!("the certificates of the cluster port were renewed");
                (current.ends, current.credentials) = (ends, credentials);
                current.trouble.clear();
            }
            Err(why) if current.trouble != why.to_string() => {
                tracing::error!(%why, "new certificates of the cluster port can't be used; those before stay in use");
                current.trouble = why.to_string();
            }
            Err(_) => {}
        }
        current.ends.clone()
    }
}

impl Dialer for TlsDialer {
    fn dial(&self, to: &Address) -> BoxFuture<io::Result<Box<dyn Stream>>> {
        let (inner, to) = (self.0.clone(), to.clone());
        Box::pin(async move {
            let no_name = |_: InvalidDnsNameError| io::Error::new(io::ErrorKind::InvalidInput, "no name of a host");
            let name = ServerName::try_from(to.host.clone()).map_err(no_name)?;
            let stream = inner.below.dial(&to).await?;
            let connector = TlsConnector::from(inner.ends().await.client);
            let shaken = connector.connect(name, stream).await.map_err(explained)?;
            Ok(Box::new(shaken) as Box<dyn Stream>)
        })
    }

    fn accept(&self, stream: Box<dyn Stream>) -> BoxFuture<io::Result<Box<dyn Stream>>> {
        let inner = self.0.clone();
        Box::pin(async move {
            let acceptor = TlsAcceptor::from(inner.ends().await.server);
            let shaken = acceptor.accept(stream).await.map_err(explained)?;
            Ok(Box::new(shaken) as Box<dyn Stream>)
        })
    }
}

impl fmt::Debug for TlsDialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLS over {:?}", self.0.below)
    }
}
