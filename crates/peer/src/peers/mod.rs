//! The connections of this broker with all others.

mod complaints;
mod door;
mod judge;
mod keeper;
mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use model::{BrokerId, Random};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::call::Call;
use crate::connection::{Connection, End};
use crate::frame::Goodbye;
use crate::handshake::greeting::{Purpose, Refusal, Windows, is_legal};
use crate::link::{Link, URGENT_SHARE};
use crate::lock::lock;
use crate::{Address, CallError, Dialer, Identity, Message, Options, PeerState, Secret, Service, Stream, Urgency};
use door::Door;
use keeper::{connect, keep};
use table::Table;

/// The connections of this broker with all others; a cheap handle to them. See the [crate].
///
/// Their tasks live until [`Peers::shutdown`] or [`Peers::abandon`], whatever becomes of the handles.
#[derive(Clone)]
pub struct Peers(Arc<Inner>);

type States = Arc<BTreeMap<BrokerId, PeerState>>;

struct Inner {
    secret: Secret,
    options: Arc<Options>,
    dialer: Arc<dyn Dialer>,
    service: Arc<dyn Service>,
    random: Arc<dyn Random>,
    runtime: Handle,
    table: Mutex<Table>,
    door: Door,
    states: watch::Sender<States>,
    is_stopping: watch::Sender<bool>,
    tasks: watch::Sender<usize>,
}

impl Peers {
    /// Makes no connection yet: see [`Peers::know`] and [`Peers::listen`].
    ///
    /// # Panics
    /// Outside of a tokio runtime, which all tasks will run on; and if `me` can't be told to others: a negative
    /// id, an address that is none, a cluster id of more than 64 characters.
    pub fn new(
        me: Identity,
        secret: Secret,
        options: Options,
        dialer: Arc<dyn Dialer>,
        service: Arc<dyn Service>,
        random: Arc<dyn Random>,
    ) -> Self {
        assert!(is_legal(&me), "this broker's identity can't be told to others: {me:?}");
        let options = Arc::new(options);
        Peers(Arc::new(Inner {
            secret,
            table: Mutex::new(Table::new(me, options.clone())),
            options,
            dialer,
            service,
            random,
            runtime: Handle::current(),
            door: Door::default(),
            states: watch::Sender::default(),
            is_stopping: watch::Sender::new(false),
            tasks: watch::Sender::new(0),
        }))
    }

    /// Keeps a connection with these, wherever they can be dialled; others that were known are dropped. The
    /// broker itself may be among them. A broker that has the secret and is not known here may connect all the
    /// same, and then is called and served like any other: the image that names it may be on its way.
    pub fn know(&self, brokers: BTreeMap<BrokerId, Address>) {
        let mut table = lock(&self.0.table);
        let without_keeper = table.know(brokers);
        self.0.publish(&table);
        drop(table);
        for id in without_keeper {
            self.0.spawn(keep(self.0.clone(), id));
        }
    }

    /// Tells all others which cluster this broker belongs to, once it knows. One of another cluster is left.
    ///
    /// # Panics
    /// If the id is longer than 64 characters, or has others than visible ASCII.
    pub fn set_cluster(&self, cluster: &str) {
        let mut table = lock(&self.0.table);
        let me = Identity { cluster: Some(cluster.to_owned()), ..Identity::clone(&table.me) };
        assert!(is_legal(&me), "a cluster id that can't be told to others: {cluster:?}");
        table.set_me(me);
    }

    /// This broker, as others know it.
    pub fn me(&self) -> Arc<Identity> {
        lock(&self.0.table).me.clone()
    }

    /// Calls another broker. The call is queued here and now, if there is a connection; it fails at once if
    /// there is none, or if too much is queued already. Calls may overtake one another where one connection takes
    /// the place of another, or where one lane is quicker.
    pub fn call(&self, to: BrokerId, kind: u8, urgency: Urgency, message: Message) -> Call {
        // Under the table's lock: a connection that is retired gets no more calls from then on.
        match lock(&self.0.table).link(to) {
            Ok(link) => link.call(kind, urgency, message),
            Err(why) => Call::refused(why),
        }
    }

    /// Calls whoever answers at an address, on a connection of its own: for brokers whose ids are not known yet.
    /// Takes no longer than [`Options::call_timeout`].
    ///
    /// # Errors
    /// [`CallError::Unreachable`] if nobody answers, [`CallError::Myself`] if the address is this broker's own,
    /// [`CallError::Refused`] if who answers is not of this cluster or finds fault with this broker, in words for
    /// the operator.
    pub async fn ask(&self, at: &Address, kind: u8, message: Message) -> Result<(Identity, Bytes), CallError> {
        let inner = &self.0;
        let asked = async {
            let (stream, tenure) = connect(inner, at, Purpose::Ask, None).await?;
            let identity = tenure.link.identity();
            let call = tenure.link.call(kind, Urgency::Bulk, message);
            tokio::pin!(call);
            let reply = tokio::select! {
                biased;
                reply = &mut call => reply,
                () = tenure.run(stream, false) => call.await,
            };
            Ok((Identity::clone(&identity), reply?))
        };
        tokio::select! {
            biased;
            () = inner.stopped() => Err(CallError::Stopped),
            asked = timeout(inner.options.call_timeout, asked) => asked.unwrap_or(Err(CallError::Timeout)),
        }
    }

    /// Takes a connection that another broker, or anybody, has made.
    pub fn attach(&self, stream: Box<dyn Stream>, from: SocketAddr) {
        door::attach(&self.0, stream, from);
    }

    /// Accepts connections from a socket, until the end.
    pub fn listen(&self, socket: TcpListener) {
        self.0.spawn(door::accept(self.0.clone(), socket));
    }

    /// How it stands with each broker that is known, or that has connected by itself.
    pub fn states(&self) -> watch::Receiver<Arc<BTreeMap<BrokerId, PeerState>>> {
        self.0.states.subscribe()
    }

    /// Sends a heartbeat with the news to all, before its time.
    pub fn spread_news(&self) {
        lock(&self.0.table).pairs().for_each(|link| link.want_news());
    }

    /// Says good-bye to all, so that they know that this process is gone, and ends all tasks.
    pub async fn shutdown(&self) {
        self.stop(|link, me| link.leave(Goodbye::Stopping, format!("broker {me} was shut down")));
        let mut tasks = self.0.tasks.subscribe();
        tasks.wait_for(|tasks| *tasks == 0).await.expect("the sender lives as long as this handle");
    }

    /// Breaks off all connections without a word, as the death of the process would; tasks end soon.
    pub fn abandon(&self) {
        self.stop(|link, _| link.end("the broker was stopped"));
    }

    fn stop(&self, end: impl Fn(&Arc<Link>, BrokerId)) {
        let mut table = lock(&self.0.table);
        table.is_stopping = true;
        table.links().for_each(|link| end(link, table.me.broker));
        drop(table);
        self.0.is_stopping.send_replace(true);
    }
}

impl Inner {
    /// Runs a task, which [`Peers::shutdown`] waits for.
    fn spawn(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.send_modify(|tasks| *tasks += 1);
        let counted = Counted(self.clone());
        model::spawn_in(&self.runtime, async move {
            task.await;
            drop(counted);
        });
    }

    /// Resolves when all is to end.
    async fn stopped(&self) {
        let mut is_stopping = self.is_stopping.subscribe();
        is_stopping.wait_for(|stopping| *stopping).await.expect("the sender lives as long as this");
    }

    /// Takes a connection whose other end has proved itself.
    fn take(
        self: &Arc<Self>,
        identity: Identity,
        (purpose, windows): (Purpose, Windows),
        dialled_by_me: bool,
    ) -> Result<Tenure, Refusal> {
        let mut table = lock(&self.table);
        let link = table.take(identity, (purpose, windows), dialled_by_me)?;
        self.publish(&table);
        Ok(Tenure { inner: self.clone(), link, end: End::Broken("its handshake was not finished".to_owned()) })
    }

    /// Tells how it stands now, if that is something new.
    fn publish(&self, table: &Table) {
        let now = table.states();
        self.states.send_if_modified(|before| {
            let is_new = **before != now;
            *before = Arc::new(now);
            is_new
        });
    }

    /// What this broker takes from another at a time.
    fn windows(&self) -> Windows {
        let bytes = u32::try_from(self.options.window_bytes).unwrap_or(u32::MAX);
        Windows { urgent: bytes / URGENT_SHARE as u32, bulk: bytes }
    }

    /// A quarter less or more, so that brokers do not go on in step.
    fn with_chance(&self, wait: Duration) -> Duration {
        let [lot, ..] = self.random.bytes();
        wait.mul_f64(0.75 + f64::from(lot) / 512.0)
    }
}

/// A connection's time in the table. However it ends, its calls fail and the table knows.
struct Tenure {
    inner: Arc<Inner>,
    link: Arc<Link>,
    end: End,
}

impl Tenure {
    /// Runs the connection to its end.
    async fn run(mut self, stream: Box<dyn Stream>, serves: bool) {
        self.end = End::Broken("its task was broken off".to_owned());
        let inner = self.inner.clone();
        let reintroduced = move |link: &Link, identity| {
            let mut table = lock(&inner.table);
            table.reintroduced(link, identity);
            inner.publish(&table);
        };
        let seams = (self.inner.service.clone(), self.inner.options.clone());
        let connection = Connection::new(stream, self.link.clone(), serves, seams, Box::new(reintroduced));
        self.end = connection.run().await;
    }
}

impl Drop for Tenure {
    fn drop(&mut self) {
        self.link.end(self.end.words());
        let mut table = lock(&self.inner.table);
        table.ended(&self.link, &self.end);
        self.inner.publish(&table);
    }
}

struct Counted(Arc<Inner>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.tasks.send_modify(|tasks| *tasks -= 1);
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peers of broker {}", lock(&self.0.table).me.broker)
    }
}

impl From<keeper::DialError> for CallError {
    fn from(why: keeper::DialError) -> Self {
        match why {
            myself if myself.is_myself() => CallError::Myself,
            keeper::DialError::Unreachable(..) | keeper::DialError::TooSlow(..) => {
                CallError::Unreachable(why.to_string())
            }
            keeper::DialError::Handshake(..) => CallError::Refused(why.to_string()),
        }
    }
}
