//! Fetch sessions (KIP-227): the broker remembers which partitions a client reads, so that a client
//! sends only changes, and is answered only with partitions that have something new.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::{ErrorCode, Random};

use super::Key;
use super::read::{Read, Wanted};

/// A session may be dropped for another when nobody used it for so long
/// (`min.incremental.fetch.session.eviction.ms`).
const EVICTION_MS: i64 = 120_000;

/// Epoch of a request that asks for no session.
const FINAL_EPOCH: i32 = -1;
/// Epoch of a request that asks for a new session.
const INITIAL_EPOCH: i32 = 0;

/// All sessions of a broker.
pub(crate) struct Sessions {
    random: Arc<dyn Random>,
    /// Sessions remembered (`max.incremental.fetch.session.cache.slots`); without one, a client sends
    /// all its partitions each time.
    most: usize,
    sessions: Mutex<BTreeMap<i32, Session>>,
}

struct Session {
    /// Of the next request.
    epoch: i32,
    used_ms: i64,
    /// Whether it names topics by id (version 13 on).
    by_id: bool,
    partitions: BTreeMap<Key, Remembered>,
    /// The next fetch begins behind this partition, so that a full one does not starve the others.
    last_served: Option<Key>,
}

#[derive(Clone)]
struct Remembered {
    wanted: Wanted,
    /// High watermark and log start that the client was told.
    told: Option<(i64, i64)>,
}

/// What a request comes to.
pub(crate) struct Planned {
    /// The session to name in the answer; 0 for none.
    pub(crate) session_id: i32,
    /// The partitions to read, in order.
    pub(crate) wanted: Arc<[Wanted]>,
    /// Whether partitions without news are left out of the answer.
    incremental: bool,
}

impl Sessions {
    pub(crate) fn new(random: Arc<dyn Random>, most: i32) -> Self {
        Sessions { random, most: usize::try_from(most).unwrap_or(0), sessions: Mutex::default() }
    }

    /// Finds out what is to be read for a request, and updates its session.
    pub(crate) fn plan(
        &self,
        now_ms: i64,
        id: i32,
        epoch: i32,
        by_id: bool,
        wanted: Vec<Wanted>,
        forgotten: &[Key],
    ) -> Result<Planned, ErrorCode> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if epoch == FINAL_EPOCH || epoch == INITIAL_EPOCH {
            sessions.remove(&id);
            let session_id = match epoch {
                INITIAL_EPOCH => self.create(&mut sessions, now_ms, by_id, &wanted),
                _ => 0,
            };
            return Ok(Planned { session_id, wanted: wanted.into(), incremental: false });
        }
        let session = sessions.get_mut(&id).ok_or(ErrorCode::FetchSessionIdNotFound)?;
        if session.epoch != epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        if session.by_id != by_id {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        session.update(now_ms, wanted, forgotten);
        Ok(Planned { session_id: id, wanted: session.in_turn().into(), incremental: true })
    }

    /// Notes what the client is about to be told; says which partitions belong into the answer.
    pub(crate) fn record(&self, planned: &Planned, read: &[Read]) -> Vec<bool> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(session) = sessions.get_mut(&planned.session_id) else {
            return vec![true; read.len()];
        };
        let news = planned.wanted.iter().zip(read).map(|(wanted, read)| {
            let news = session.tell(&wanted.key, read);
            news || !planned.incremental
        });
        news.collect()
    }

    fn create(&self, sessions: &mut BTreeMap<i32, Session>, now_ms: i64, by_id: bool, wanted: &[Wanted]) -> i32 {
        if sessions.len() >= self.most {
            let oldest = sessions.iter().min_by_key(|(_, session)| session.used_ms);
            match oldest.map(|(id, session)| (*id, session.used_ms)) {
                Some((id, used_ms)) if now_ms - used_ms >= EVICTION_MS => sessions.remove(&id),
                _ => return 0,
            };
        }
        let id = loop {
            let bytes = self.random.bytes();
            let id = i32::from_be_bytes([bytes[0] & 0x7f, bytes[1], bytes[2], bytes[3]]);
            if id != 0 && !sessions.contains_key(&id) {
                break id;
            }
        };
        let partitions = wanted.iter().map(|wanted| (wanted.key.clone(), Remembered::new(wanted.clone()))).collect();
        let session = Session { epoch: INITIAL_EPOCH + 1, used_ms: now_ms, by_id, partitions, last_served: None };
        sessions.insert(id, session);
        id
    }
}

impl Remembered {
    fn new(wanted: Wanted) -> Self {
        Remembered { wanted, told: None }
    }
}

impl Session {
    fn update(&mut self, now_ms: i64, wanted: Vec<Wanted>, forgotten: &[Key]) {
        self.epoch = self.epoch.checked_add(1).unwrap_or(1);
        self.used_ms = now_ms;
        for wanted in wanted {
            match self.partitions.get_mut(&wanted.key) {
                Some(known) => known.wanted = wanted,
                None => drop(self.partitions.insert(wanted.key.clone(), Remembered::new(wanted))),
            }
        }
        for key in forgotten {
            self.partitions.remove(key);
        }
    }

    /// All partitions, beginning behind the one that was served last.
    fn in_turn(&self) -> Vec<Wanted> {
        let wanted = |(_, remembered): (&Key, &Remembered)| remembered.wanted.clone();
        match &self.last_served {
            None => self.partitions.iter().map(wanted).collect(),
            Some(last) => {
                use std::ops::Bound::{Excluded, Included, Unbounded};
                let behind = self.partitions.range((Excluded(last), Unbounded));
                let before = self.partitions.range((Unbounded, Included(last)));
                behind.chain(before).map(wanted).collect()
            }
        }
    }

    /// Whether there is something to tell of a partition.
    fn tell(&mut self, key: &Key, read: &Read) -> bool {
        let Some(known) = self.partitions.get_mut(key) else { return true };
        let now = Some((read.high_watermark, read.log_start));
        let changed = known.told != now;
        // After an error it is told anew once it is well again.
        known.told = if read.error.is_some() { None } else { now };
        if !read.records.is_empty() {
            self.last_served = Some(key.clone());
        }
        let is_told = read.error.is_some() || read.diverging.is_some() || read.preferred.is_some();
        changed || !read.records.is_empty() || is_told
    }
}

#[cfg(test)]
mod tests;
