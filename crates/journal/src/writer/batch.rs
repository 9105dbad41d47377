//! What goes into one write.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use model::GroupId;

use crate::format::padded;
use crate::format::write::{Record, Tag, control_bytes};
use crate::group::Group;
use crate::queue::{Ask, Checked, Request};
use crate::written::Change;
use crate::{Done, Entry, EntryId, lock};

/// Payloads of one write: with file header, control and padding as many parts as one `pwritev` takes.
const MAX_PAYLOADS: usize = 1021;

/// Records of one write: bounds the control to 80 KiB.
const MAX_RECORDS: usize = 2048;

/// Payload bytes of one write, if it is more than one entry: what comes after waits for as long as
/// this takes to reach the disk.
const MAX_WRITE_BYTES: u64 = 4 << 20;

/// See the module.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) records: Vec<Record>,
    pub(super) payloads: Vec<Bytes>,
    payload_bytes: u64,
    /// Payload bytes of entries, which the queue counts.
    pub(super) entry_bytes: u64,
    /// What happens to the groups when it is written, with the number of the step.
    pub(super) changes: Vec<(Arc<Group>, Change, u64)>,
    /// Who is told then.
    pub(super) dones: Vec<Done>,
    /// Holds a vote or a membership or what the controller decides, or has a group forgotten.
    pub(super) must_sync: bool,
    pub(super) clean_stop: bool,
}

impl Batch {
    /// Whether it carries no request.
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.dones.is_empty()
    }

    pub(super) fn padded_bytes(&self) -> u64 {
        padded(control_bytes(self.records.len()) + self.payload_bytes)
    }

    /// Puts what must outlive the older files at the head of a new one. Of a damaged group that is nothing: its files
    /// stay, and what was read of it may be less than what was written.
    pub(super) fn carry<'a>(&mut self, groups: impl Iterator<Item = &'a Arc<Group>>) {
        for group in groups {
            let state = lock(&group.state);
            if state.fence.is_some() {
                continue;
            }
            let written = &state.written;
            if let Some(vote) = &written.vote {
                self.push(Record::vote(group.id, vote), vote.clone());
            }
            let mut mark = |tag, id| self.push(Record::mark(tag, group.id, id), Bytes::new());
            if let Some(id) = written.purged {
                mark(Tag::Purged, id);
            }
            if let Some(index) = written.next.checked_sub(1) {
                mark(Tag::Last, EntryId { index, ..EntryId::default() });
            }
            if let Some(id) = written.committed {
                mark(Tag::Committed, id);
            }
        }
    }

    /// Takes requests in their order while the write stays within `room` bytes and the limits.
    pub(super) fn fill(&mut self, waiting: &mut VecDeque<Request>, room: u64) {
        while let Some(request) = waiting.front_mut() {
            if !self.take(request, room) {
                return;
            }
            self.dones.extend(waiting.pop_front().and_then(|request| request.done));
        }
    }

    /// Takes the purges alone, from wherever they stand: what they purge was written long ago, and
    /// they may free a file.
    pub(super) fn fill_purges(&mut self, waiting: &mut VecDeque<Request>, room: u64) {
        let mut others = VecDeque::with_capacity(waiting.len());
        for mut request in waiting.drain(..) {
            let step = std::mem::take(&mut request.step); // what it overtakes is not written
            if matches!(request.ask, Ask::Purge(_)) && self.take(&mut request, room) {
                self.dones.extend(request.done);
            } else {
                request.step = step;
                others.push_back(request);
            }
        }
        *waiting = others;
    }

    /// The bytes of a write that carries the next entry or request, besides what is in already.
    pub(super) fn bytes_with(&self, request: &Request) -> u64 {
        let next = match &request.ask {
            Ask::Append(entries) => entries.as_slice().first().map_or(0, |checked| checked.entry.payload.len()),
            Ask::Vote(vote) => vote.len(),
            _ => 0,
        };
        padded(control_bytes(self.records.len() + 1) + self.payload_bytes + next as u64)
    }

    /// Whether the request was taken to its end.
    fn take(&mut self, request: &mut Request, room: u64) -> bool {
        if let Ask::Append(entries) = &mut request.ask {
            let taken = self.take_entries(&request.group, &mut request.step, entries, room);
            return taken;
        }
        if !self.fits(self.bytes_with(request), room) {
            return false;
        }
        let id = request.group.id;
        let (record, payload, change) = match &request.ask {
            Ask::Append(_) => return false, // above
            Ask::Vote(vote) => (Record::vote(id, vote), vote.clone(), Change::Vote(vote.clone())),
            Ask::Committed(at) => (Record::mark(Tag::Committed, id, *at), Bytes::new(), Change::Committed(*at)),
            Ask::Purge(upto) => (Record::mark(Tag::Purged, id, *upto), Bytes::new(), Change::Purged(*upto)),
            Ask::Truncate(from) => {
                let at = EntryId { index: *from, ..EntryId::default() };
                (Record::mark(Tag::Truncated, id, at), Bytes::new(), Change::Truncated(*from))
            }
            Ask::Last(index) => {
                let at = EntryId { index: *index, ..EntryId::default() };
                (Record::mark(Tag::Last, id, at), Bytes::new(), Change::Truncated(*index + 1))
            }
            Ask::Forget => {
                let mark = Record::mark(Tag::Forgotten, id, EntryId::default());
                (mark, Bytes::new(), Change::Forgotten)
            }
        };
        self.must_sync |= matches!(change, Change::Vote(_) | Change::Forgotten);
        self.push(record, payload);
        self.changes.push((request.group.clone(), change, request.step));
        true
    }

    fn take_entries(
        &mut self,
        group: &Arc<Group>,
        step: &mut u64,
        entries: &mut std::vec::IntoIter<Checked>,
        room: u64,
    ) -> bool {
        let mut indexes: Option<(u64, u64)> = None;
        while let Some(next) = entries.as_slice().first() {
            let bytes = next.entry.payload.len() as u64;
            if !self.fits(padded(control_bytes(self.records.len() + 1) + self.payload_bytes + bytes), room) {
                break;
            }
            let Some(Checked { entry, crc }) = entries.next() else { break };
            indexes = Some((indexes.map_or(entry.id.index, |(first, _)| first), entry.id.index));
            self.must_sync |= entry.kind == Entry::MEMBERSHIP || group.id == GroupId::CONTROLLER;
            self.entry_bytes += bytes;
            self.push(entry_record(group.id, &entry, crc), entry.payload);
            *step += 1;
        }
        if let Some((first, last)) = indexes {
            self.changes.push((group.clone(), Change::Appended { first, last }, *step - 1));
        }
        entries.as_slice().is_empty()
    }

    fn fits(&self, bytes: u64, room: u64) -> bool {
        let bounded = self.records.len() < MAX_RECORDS && self.payloads.len() < MAX_PAYLOADS;
        bytes <= room && (self.changes.is_empty() || (bounded && bytes <= MAX_WRITE_BYTES))
    }

    fn push(&mut self, record: Record, payload: Bytes) {
        self.payload_bytes += payload.len() as u64;
        self.records.push(record);
        if !payload.is_empty() {
            self.payloads.push(payload);
        }
    }

    /// Tells everybody how it went.
    pub(super) fn finish(self, result: impl Fn() -> io::Result<()>) {
        for done in self.dones {
            done(result());
        }
    }
}

fn entry_record(group: GroupId, entry: &Entry, crc: u32) -> Record {
    Record { tag: Tag::Entry, kind: entry.kind, group, id: entry.id, len: entry.payload.len() as u32, crc }
}
