//! Who is known, who is connected, and which of two connections stays. No I/O.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use model::BrokerId;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::judge::{check_cluster, in_use};
use crate::connection::End;
use crate::frame::Goodbye;
use crate::handshake::greeting::{Purpose, Reason, Refusal, Windows};
use crate::link::Link;
use crate::{Address, CallError, Identity, Options, PeerState};

/// Processes that another one has replaced are remembered, this many of each broker.
const MAX_REPLACED: usize = 8;

/// See the module.
pub(crate) struct Table {
    pub(crate) me: Arc<Identity>,
    options: Arc<Options>,
    entries: BTreeMap<BrokerId, Entry>,
    /// All connections, with those that are retiring and those for asking.
    links: BTreeMap<u64, Arc<Link>>,
    next_serial: u64,
    asking: usize,
    pub(crate) is_stopping: bool,
}

struct Entry {
    /// Where to dial; none of one that came by itself.
    address: Option<Address>,
    link: Option<Arc<Link>>,
    state: PeerState,
    /// Whether a process was met that lives at the address: it was dialled there, or has said so. Only then a
    /// refusal there tells of it.
    has_met: bool,
    up_since: Option<Instant>,
    replaced: VecDeque<u64>,
    /// Wakes its keeper.
    changed: Arc<Notify>,
    has_keeper: bool,
    /// What was last said about it to the operator.
    complaint: String,
}

/// What a keeper does next.
pub(crate) enum Step {
    Dial(Address),
    /// There is a connection.
    Wait,
    /// The broker is not known any more.
    Leave,
}

impl Table {
    pub(crate) fn new(me: Identity, options: Arc<Options>) -> Self {
        let (entries, links) = (BTreeMap::new(), BTreeMap::new());
        Table { me: Arc::new(me), options, entries, links, next_serial: 1, asking: 0, is_stopping: false }
    }

    /// How it stands with each.
    pub(crate) fn states(&self) -> BTreeMap<BrokerId, PeerState> {
        self.entries.iter().map(|(id, entry)| (*id, entry.state.clone())).collect()
    }

    /// Whom to keep connections with, instead of those before. Returns those that want a keeper.
    pub(crate) fn know(&mut self, mut brokers: BTreeMap<BrokerId, Address>) -> Vec<BrokerId> {
        brokers.remove(&self.me.broker);
        for (id, entry) in &mut self.entries {
            if entry.address.is_some() && !brokers.contains_key(id) {
                entry.address = None;
                entry.changed.notify_one();
                if let Some(link) = &entry.link {
                    link.leave(Goodbye::Dropped, format!("broker {} is not to know this one", self.me.broker));
                }
            }
        }
        let mut without_keeper = Vec::new();
        for (id, address) in brokers {
            let entry = self.entries.entry(id).or_insert_with(Entry::new);
            if entry.address.as_ref() != Some(&address) {
                entry.has_met = entry.link.as_ref().is_some_and(|link| link.identity().address == address);
                entry.address = Some(address);
                entry.changed.notify_one();
            }
            if !std::mem::replace(&mut entry.has_keeper, true) {
                without_keeper.push(id);
            }
        }
        without_keeper
    }

    /// What the keeper of a broker does next, and what wakes it.
    pub(crate) fn next_step(&mut self, id: BrokerId) -> (Step, Arc<Notify>) {
        let Some(entry) = self.entries.get_mut(&id) else { return (Step::Leave, Arc::default()) };
        let changed = entry.changed.clone();
        match (&entry.address, &entry.link) {
            (None, link) => {
                entry.has_keeper = false;
                if link.is_none() {
                    self.entries.remove(&id);
                }
                (Step::Leave, changed)
            }
            (Some(_), Some(_)) => (Step::Wait, changed),
            (Some(address), None) => (Step::Dial(address.clone()), changed),
        }
    }

    /// For how long there has been a connection, if there is one.
    pub(crate) fn up_since(&self, id: BrokerId) -> Option<Instant> {
        self.entries.get(&id)?.up_since
    }

    /// The connection for calls to a broker.
    pub(crate) fn link(&self, to: BrokerId) -> Result<&Arc<Link>, CallError> {
        if self.is_stopping {
            return Err(CallError::Stopped);
        }
        if to == self.me.broker {
            return Err(CallError::Myself);
        }
        let entry = self.entries.get(&to).ok_or(CallError::Unknown(to))?;
        match (&entry.link, &entry.state) {
            (Some(link), _) => Ok(link),
            (None, PeerState::Down { why, .. }) => Err(CallError::Down { to, why: why.clone() }),
            (None, PeerState::Up { .. }) => Err(CallError::Down { to, why: "it has just gone away".to_owned() }),
        }
    }

    /// All connections.
    pub(crate) fn links(&self) -> impl Iterator<Item = &Arc<Link>> {
        self.links.values()
    }

    /// The connections of pairs that are in use.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = &Arc<Link>> {
        self.entries.values().filter_map(|entry| entry.link.as_ref())
    }

    /// Takes a connection whose other end has proved itself, to be the one between two brokers if it is the
    /// better of two.
    ///
    /// # Errors
    /// What to tell the other end. To one that this broker has dialled only [`Reason::Misplaced`]: what is not
    /// the better one is brought to an end in order, since the other end may call on it already.
    pub(crate) fn take(
        &mut self,
        identity: Identity,
        (purpose, windows): (Purpose, Windows),
        dialled_by_me: bool,
    ) -> Result<Arc<Link>, Refusal> {
        let later = |words: &str| Refusal { reason: Reason::Later, words: words.to_owned() };
        if self.is_stopping {
            return Err(later("the broker is being shut down"));
        }
        let dialled_by_lower = (self.me.broker < identity.broker) == dialled_by_me;
        let place = match purpose {
            Purpose::Pair => self.place(&identity, dialled_by_lower),
            Purpose::Ask if !dialled_by_me && self.asking >= self.options.max_asking => {
                return Err(later("too many brokers are asking; try again"));
            }
            Purpose::Ask => self.check_id(&identity),
        };
        let is_better = match place {
            Err(refusal) if refusal.reason == Reason::Duplicate && dialled_by_me => false,
            place => place.map(|()| true)?,
        };
        let id = identity.broker;
        let link = Link::new(self.next_serial, identity, (purpose, windows), dialled_by_lower, self.options.clone());
        self.next_serial += 1;
        self.links.insert(link.serial, link.clone());
        match purpose {
            Purpose::Ask => self.asking += usize::from(!dialled_by_me),
            Purpose::Pair if is_better => {
                self.entries.entry(id).or_insert_with(Entry::new).connect(link.clone(), dialled_by_me);
            }
            Purpose::Pair => link.retire(),
        }
        Ok(link)
    }

    /// Whether a connection is better than the one that is there.
    fn place(&self, identity: &Identity, dialled_by_lower: bool) -> Result<(), Refusal> {
        self.check_id(identity)?;
        let current = self.entries.get(&identity.broker).and_then(|entry| entry.link.as_ref());
        let Some(current) = current.filter(|link| !link.has_ended()) else { return Ok(()) };
        match current.identity().is_process(identity) && current.dialled_by_lower && !dialled_by_lower {
            true => {
                let words = "there is a connection already".to_owned();
                Err(Refusal { reason: Reason::Duplicate, words })
            }
            false => Ok(()),
        }
    }

    /// Whether another process lives under this id. One that was started again on the same directory, which
    /// only one process has, takes its own place.
    fn check_id(&self, identity: &Identity) -> Result<(), Refusal> {
        let Some(entry) = self.entries.get(&identity.broker) else { return Ok(()) };
        let Some(current) = entry.link.as_ref().filter(|link| !link.has_ended()) else { return Ok(()) };
        let current = current.identity();
        let was_replaced = entry.replaced.contains(&identity.incarnation); // so its directory was copied
        match current.directory != identity.directory || was_replaced {
            true => Err(in_use(&current)),
            false => Ok(()),
        }
    }

    /// A connection has ended.
    pub(crate) fn ended(&mut self, link: &Arc<Link>, end: &End) {
        if self.links.remove(&link.serial).is_some() && link.purpose == Purpose::Ask {
            self.asking = self.asking.saturating_sub(1);
        }
        let Some(entry) = self.entries.get_mut(&link.broker) else { return };
        if !entry.link.as_ref().is_some_and(|current| Arc::ptr_eq(current, link)) {
            return;
        }
        let gone = matches!(end, End::Goodbye { gone: true, .. });
        tracing::info!(broker = %link.broker, why = end.words(), "the connection with a broker ended");
        entry.link = None;
        entry.up_since = None;
        entry.state = PeerState::Down { why: end.words().to_owned(), gone, since: Instant::now() };
        entry.changed.notify_one();
        if entry.address.is_none() && !entry.has_keeper {
            self.entries.remove(&link.broker);
        }
    }

    /// An attempt to connect has failed. Returns whether it was not said before.
    pub(crate) fn failed(&mut self, id: BrokerId, words: &str, refused: bool) -> bool {
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.link.is_none()) else { return false };
        let is_gone = entry.state.is_gone() || (refused && entry.has_met && self.options.refusal_means_gone);
        let since = match entry.state {
            PeerState::Down { since, .. } => since,
            PeerState::Up { .. } => Instant::now(),
        };
        entry.state = PeerState::Down { why: words.to_owned(), gone: is_gone, since };
        let is_new = entry.complaint != words;
        words.clone_into(&mut entry.complaint);
        is_new
    }

    /// The other end of a connection knows its cluster now.
    pub(crate) fn reintroduced(&mut self, link: &Link, identity: Identity) {
        if let Err(words) = check_cluster(&self.me, &identity) {
            tracing::warn!(broker = %link.broker, "{words}");
            return link.leave(Goodbye::OtherCluster, words);
        }
        let identity = Arc::new(identity);
        link.set_identity(identity.clone());
        if let Some(entry) = self.entries.get_mut(&link.broker)
            && entry.link.as_ref().is_some_and(|current| current.serial == link.serial)
        {
            entry.state = PeerState::Up { identity };
        }
    }

    /// This broker knows its cluster now.
    pub(crate) fn set_me(&mut self, me: Identity) {
        self.me = Arc::new(me);
        for link in self.links.values() {
            match check_cluster(&self.me, &link.identity()) {
                Ok(()) => link.introduce(self.me.clone()),
                Err(words) => {
                    tracing::warn!(broker = %link.broker, "{words}");
                    link.leave(Goodbye::OtherCluster, words);
                }
            }
        }
    }
}

impl Entry {
    fn new() -> Self {
        Entry {
            address: None,
            link: None,
            state: PeerState::Down {
                why: "there was no connection yet".to_owned(),
                gone: false,
                since: Instant::now(),
            },
            has_met: false,
            up_since: None,
            replaced: VecDeque::new(),
            changed: Arc::default(),
            has_keeper: false,
            complaint: String::new(),
        }
    }

    /// Puts a connection into the place of the one that is there.
    fn connect(&mut self, link: Arc<Link>, dialled_by_me: bool) {
        let identity = link.identity();
        let before = self.state.identity().cloned();
        if let Some(current) = self.link.replace(link) {
            match current.identity().is_process(&identity) {
                true => current.retire(),
                false => current.end("its process was started again"),
            }
        }
        if before.as_ref().is_none_or(|before| !before.is_process(&identity)) {
            tracing::info!(broker = %identity.broker, address = %identity.address, "connected with a broker");
            self.up_since = Some(Instant::now());
        }
        if let Some(before) = before.filter(|before| !before.is_process(&identity)) {
            self.replaced.truncate(MAX_REPLACED - 1);
            self.replaced.push_front(before.incarnation);
        }
        self.has_met |= dialled_by_me || self.address.as_ref() == Some(&identity.address);
        self.state = PeerState::Up { identity };
        self.complaint.clear();
        self.changed.notify_one();
    }
}
