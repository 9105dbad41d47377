//! The bytes of one file in three states: what programs see, what the platter holds, and the writes
//! between the two, of which a crash keeps some.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::random::Rng;

pub(super) const PAGE_BYTES: u64 = 4096;

/// Unsynced bytes kept as separate writes; above it the oldest are written back, as a kernel does.
const MAX_UNSYNCED_BYTES: usize = 16 << 20;

type Page = [u8; PAGE_BYTES as usize];

/// One state of the bytes. What is in no page is zeros. Pages are shared between states.
#[derive(Clone, Default)]
pub(super) struct Image {
    pages: BTreeMap<u64, Arc<Page>>,
    len: u64,
}

impl Image {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Pages that hold bytes, zeros or not.
    pub(super) fn pages(&self) -> u64 {
        self.pages.len() as u64
    }

    /// Pages that a write of this range would add.
    pub(super) fn missing_pages(&self, offset: u64, len: u64) -> u64 {
        let touched = pages_of(offset, len);
        let present = self.pages.range(touched.clone()).count() as u64;
        touched.end - touched.start - present
    }

    /// Reads up to the end of the file; returns how much.
    pub(super) fn read(&self, buf: &mut [u8], offset: u64) -> usize {
        let end = self.len.min(offset.saturating_add(buf.len() as u64));
        let mut at = offset;
        while at < end {
            let (page, within) = (at / PAGE_BYTES, (at % PAGE_BYTES) as usize);
            let n = (PAGE_BYTES as usize - within).min((end - at) as usize);
            let to = &mut buf[(at - offset) as usize..][..n];
            match self.pages.get(&page) {
                Some(page) => to.copy_from_slice(&page[within..within + n]),
                None => to.fill(0),
            }
            at += n as u64;
        }
        end.saturating_sub(offset) as usize
    }

    /// Writes bytes, extending the file.
    fn write(&mut self, bytes: &[u8], offset: u64) {
        self.len = self.len.max(offset + bytes.len() as u64);
        self.put(bytes, offset);
    }

    /// Writes bytes, leaving the length as it is.
    fn put(&mut self, mut bytes: &[u8], mut offset: u64) {
        while !bytes.is_empty() {
            let (number, within) = (offset / PAGE_BYTES, (offset % PAGE_BYTES) as usize);
            let (now, rest) = bytes.split_at((PAGE_BYTES as usize - within).min(bytes.len()));
            let page = self.pages.entry(number).or_insert_with(|| Arc::new([0; PAGE_BYTES as usize]));
            Arc::make_mut(page)[within..within + now.len()].copy_from_slice(now);
            (bytes, offset) = (rest, offset + now.len() as u64);
        }
    }

    /// Cuts or extends; what is cut off reads as zeros if the file grows again.
    fn set_len(&mut self, len: u64) {
        if len < self.len {
            self.pages.split_off(&len.div_ceil(PAGE_BYTES));
            if let Some(last) = self.pages.get_mut(&(len / PAGE_BYTES)) {
                Arc::make_mut(last)[(len % PAGE_BYTES) as usize..].fill(0);
            }
        }
        self.len = len;
    }
}

fn pages_of(offset: u64, len: u64) -> std::ops::Range<u64> {
    let end = if len == 0 { offset / PAGE_BYTES } else { (offset + len).div_ceil(PAGE_BYTES) };
    offset / PAGE_BYTES..end
}

/// A change that is not synced yet.
#[derive(Clone)]
enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    SetLen(u64),
}

/// A file's bytes in all their states.
#[derive(Clone, Default)]
pub(super) struct Content {
    seen: Image,
    durable: Image,
    unsynced: VecDeque<Change>,
    unsynced_bytes: usize,
}

impl Content {
    /// What programs see.
    pub(super) fn seen(&self) -> &Image {
        &self.seen
    }

    /// What the platter holds.
    pub(super) fn durable(&self) -> &Image {
        &self.durable
    }

    pub(super) fn write(&mut self, bytes: &[u8], offset: u64) {
        self.seen.write(bytes, offset);
        self.unsynced_bytes += bytes.len();
        self.unsynced.push_back(Change::Write { offset, bytes: bytes.to_vec() });
        while self.unsynced_bytes > MAX_UNSYNCED_BYTES {
            self.write_oldest_back();
        }
    }

    pub(super) fn set_len(&mut self, len: u64) {
        self.seen.set_len(len);
        self.unsynced.push_back(Change::SetLen(len));
    }

    pub(super) fn sync(&mut self) {
        while !self.unsynced.is_empty() {
            self.write_oldest_back();
        }
    }

    /// A sync failed: some of the pages got through, the others never will.
    pub(super) fn fail_sync(&mut self, rng: &mut Rng) {
        self.durable = self.survivor(rng);
        self.unsynced.clear();
        self.unsynced_bytes = 0;
    }

    /// Inverts a bit wherever it is kept: doing it twice undoes it, whatever was synced in between.
    pub(super) fn flip_bit(&mut self, offset: u64, bit: u8) {
        for change in &mut self.unsynced {
            if let Change::Write { offset: start, bytes } = change
                && let Some(byte) = offset.checked_sub(*start).and_then(|at| bytes.get_mut(at as usize))
            {
                *byte ^= 1 << bit;
            }
        }
        for image in [&mut self.seen, &mut self.durable] {
            let mut byte = [0];
            if image.read(&mut byte, offset) == 1 {
                image.put(&[byte[0] ^ (1 << bit)], offset);
            }
        }
    }

    fn write_oldest_back(&mut self) {
        match self.unsynced.pop_front() {
            Some(Change::Write { offset, bytes }) => {
                self.unsynced_bytes -= bytes.len();
                self.durable.write(&bytes, offset);
            }
            Some(Change::SetLen(len)) => self.durable.set_len(len),
            None => {}
        }
    }

    /// The content after a crash: what the platter holds and some of the unsynced changes.
    pub(super) fn after_crash(&self, rng: &mut Rng) -> Content {
        let image = self.survivor(rng);
        Content { seen: image.clone(), durable: image, ..Content::default() }
    }

    fn survivor(&self, rng: &mut Rng) -> Image {
        if self.unsynced.is_empty() || rng.one_in(8) {
            return self.durable.clone(); // all lost
        }
        if rng.one_in(8) {
            let mut all = self.clone();
            all.sync();
            return all.durable;
        }
        let sector_bytes = if rng.one_in(2) { 512 } else { PAGE_BYTES };
        let mut image = self.durable.clone();
        image.len = self.surviving_len(rng, sector_bytes);
        let mut kept: BTreeMap<u64, SectorFate> = BTreeMap::new();
        let mut writes_of: BTreeMap<u64, u64> = BTreeMap::new();
        for piece in self.pieces(sector_bytes) {
            *writes_of.entry(piece.sector).or_default() += 1;
        }
        for piece in self.pieces(sector_bytes) {
            let writes = writes_of[&piece.sector];
            let fate = kept.entry(piece.sector).or_insert_with(|| SectorFate::draw(rng, writes));
            let bytes = fate.keep(rng, piece.bytes);
            image.put(bytes, piece.offset);
        }
        // Bytes beyond the length that survived are gone, and would read as zeros.
        let len = image.len;
        image.len = u64::MAX;
        image.set_len(len);
        image
    }

    /// Length changes survive in order, the last of them perhaps in part.
    fn surviving_len(&self, rng: &mut Rng, sector_bytes: u64) -> u64 {
        let mut lens = vec![self.durable.len];
        for change in &self.unsynced {
            let before = lens[lens.len() - 1];
            lens.push(match change {
                Change::Write { offset, bytes } => before.max(offset + bytes.len() as u64),
                Change::SetLen(len) => *len,
            });
        }
        let last = rng.up_to(lens.len() as u64 - 1) as usize;
        let (from, to) = (lens[last.saturating_sub(1)], lens[last]);
        if to > from && rng.one_in(2) {
            let sectors = (to - from) / sector_bytes;
            return (from + rng.up_to(sectors) * sector_bytes).min(to);
        }
        to
    }

    /// All unsynced writes cut at sectors, in order.
    fn pieces(&self, sector_bytes: u64) -> impl Iterator<Item = Piece<'_>> {
        let writes = self.unsynced.iter().filter_map(|change| match change {
            Change::Write { offset, bytes } => Some((*offset, bytes.as_slice())),
            Change::SetLen(_) => None,
        });
        writes.flat_map(move |(mut offset, mut bytes)| {
            std::iter::from_fn(move || {
                if bytes.is_empty() {
                    return None;
                }
                let sector = offset / sector_bytes;
                let room = ((sector + 1) * sector_bytes - offset) as usize;
                let (now, rest) = bytes.split_at(room.min(bytes.len()));
                let piece = Piece { sector, offset, bytes: now };
                (offset, bytes) = (offset + now.len() as u64, rest);
                Some(piece)
            })
        })
    }
}

/// The part of a write that falls into one sector.
struct Piece<'a> {
    sector: u64,
    offset: u64,
    bytes: &'a [u8],
}

/// How many of the writes to one sector a crash keeps, and whether the next one is torn.
struct SectorFate {
    whole: u64,
    torn: bool,
}

impl SectorFate {
    fn draw(rng: &mut Rng, writes: u64) -> Self {
        SectorFate { whole: rng.up_to(writes), torn: rng.one_in(4) }
    }

    /// The bytes of the sector's next write that are kept.
    fn keep<'a>(&mut self, rng: &mut Rng, bytes: &'a [u8]) -> &'a [u8] {
        if self.whole > 0 {
            self.whole -= 1;
            return bytes;
        }
        if !std::mem::take(&mut self.torn) {
            return &[];
        }
        &bytes[..rng.up_to(bytes.len() as u64) as usize]
    }
}
