//! Bringing a log from another replica: the segments that are not here, or not as they are there.
//!
//! Replicas that never compacted a segment have the same bytes in it, so far as each has come: of those only the tail
//! is fetched. A compaction is each replica's own affair, and may have dropped tombstones: what either side compacted
//! is fetched whole. All is fetched *beside* the log, into a directory of its own (the stage), and
//! [`adopt`](PartitionLog::adopt) moves it in.

mod adopt;
mod batches;
mod stage;

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::BytesMut;
use disk::{Disk, File, Open};
use serde::{Deserialize, Serialize};

use crate::partition_log::Shared;
use crate::segment::{Kind, Name, Segment, SegmentFacts};
use crate::{LogDescription, LogError, PartitionLog};
pub(crate) use batches::Batches;
use stage::Stage;

/// What is asked for at once, and the most that is answered at once.
pub const PIECE_BYTES: usize = 1024 * 1024;

/// Bytes of one file of a segment, as the replica that has it names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Piece {
    base_offset: i64,
    digits: u8,
    kind: u8,
    position: u64,
    bytes: u64,
}

impl Piece {
    /// Reads it from the partition's directory `dir`: at most `most_bytes`, less at the end of the file.
    ///
    /// # Errors
    /// The disk's; `InvalidInput` if there is no such kind of file.
    pub fn read(&self, disk: &dyn Disk, dir: &Path, most_bytes: usize) -> io::Result<Vec<u8>> {
        let name = Name { base_offset: self.base_offset, digits: self.digits };
        let kind = Kind::ALL.into_iter().find(|kind| *kind as u8 == self.kind);
        let kind = kind.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no kind of file of a segment"))?;
        let file = disk.open(&kind.path(dir, name), Open::Read)?;
        let mut bytes = vec![0; usize::try_from(self.bytes).unwrap_or(usize::MAX).min(most_bytes)];
        let mut read = 0;
        while read < bytes.len() {
            match file.read_at(&mut bytes[read..], self.position + read as u64)? {
                0 => break,
                more => read += more,
            }
        }
        bytes.truncate(read);
        Ok(bytes)
    }
}

/// The way of one log from another replica into the stage, piece by piece.
///
/// Blocking, and restartable: one that is begun anew goes on behind the batches that are in the stage already and
/// pass their checks.
pub struct Transfer {
    disk: Arc<dyn Disk>,
    stage: PathBuf,
    files: VecDeque<Incoming>,
}

/// One file that is being fetched.
struct Incoming {
    name: Name,
    kind: Kind,
    /// Where it is staged, and from which position of the original on.
    staged: String,
    from: u64,
    /// How far it is written, and its end, both as positions of the original.
    written: u64,
    end: u64,
    /// What follows in the original and is not written yet: less than a batch.
    pending: BytesMut,
    batches: Batches,
    file: Option<Arc<dyn File>>,
}

impl Transfer {
    /// What of a log as described (by a replica whose offer has this tag) is to be fetched, given what is in `ours`
    /// and in the stage.
    pub fn begin(
        disk: Arc<dyn Disk>,
        ours: Option<&PartitionLog>,
        theirs: &LogDescription,
        stage: &Path,
        tag: &str,
    ) -> Result<Transfer, LogError> {
        let steps = steps_from(ours, theirs)?;
        let found = Stage::open(&*disk, stage)?;
        let mut files = VecDeque::new();
        for step in &steps {
            let (from, after) = match &step.how {
                How::Keep(_) => continue,
                How::Extend(segment, after) => (segment.facts.log_bytes, *after),
                How::Whole => (0, step.theirs.base_offset),
            };
            let tag_of_log = if step.is_pristine { "" } else { tag };
            let staged_from = found.start_of(step.theirs.name(), tag_of_log, from).unwrap_or(from);
            let after = if staged_from < from { step.theirs.base_offset } else { after };
            let from = staged_from;
            for kind in Kind::ALL {
                let (from, tag) = if kind == Kind::Log { (from, tag_of_log) } else { (0, tag) };
                let staged = stage::file_name(step.theirs.name(), kind, from, tag);
                let batches = Batches::new(after, step.end);
                let end = step.theirs.bytes_of(kind);
                let name = step.theirs.name();
                let pending = BytesMut::new();
                if end > from {
                    files.push_back(Incoming {
                        name,
                        kind,
                        staged,
                        from,
                        written: from,
                        end,
                        pending,
                        batches,
                        file: None,
                    });
                }
            }
        }
        found.remove_all_but(&*disk, |name| files.iter().any(|file| file.staged == name))?;
        let mut transfer = Transfer { disk, stage: stage.to_owned(), files };
        transfer.go_on_where_it_ended(&found)?;
        transfer.pass_over_whole_files()?;
        Ok(transfer)
    }

    /// Room on the disk that the rest takes: what is still to come, and tails twice, which are copied when they are
    /// moved in.
    pub fn room_bytes(&self) -> u64 {
        let room = |file: &Incoming| file.end - file.written + if file.from > 0 { file.end - file.from } else { 0 };
        self.files.iter().map(room).sum()
    }

    /// What to fetch next; none when all is here.
    pub fn next(&self) -> Option<Piece> {
        let file = self.files.front()?;
        let position = file.written + file.pending.len() as u64;
        let bytes = (file.end - position).min(PIECE_BYTES as u64);
        let Name { base_offset, digits } = file.name;
        Some(Piece { base_offset, digits, kind: file.kind as u8, position, bytes })
    }

    /// Takes what [`next`](Self::next) asked for, or the first part of it.
    ///
    /// # Errors
    /// Damage, and the disk's. What was taken before stands.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), LogError> {
        let (disk, stage) = (self.disk.clone(), self.stage.clone());
        let Some(file) = self.files.front_mut() else { return Ok(()) };
        let path = stage.join(&file.staged);
        let wanted = usize::try_from(file.end - file.written).unwrap_or(usize::MAX).saturating_sub(file.pending.len());
        if bytes.is_empty() && file.kind != Kind::Log {
            self.files.pop_front(); // it lost its index; ours is made anew
            return self.pass_over_whole_files();
        }
        if bytes.is_empty() || bytes.len() > wanted {
            let source = io::Error::new(io::ErrorKind::UnexpectedEof, "the other replica's file has another length");
            return Err(LogError::Io { path, source });
        }
        file.pending.extend_from_slice(bytes);
        let whole = match file.kind {
            Kind::Log => file.batches.whole_in(&file.pending).map_err(|why| damaged(&path, file.written, why))?,
            Kind::OffsetIndex | Kind::TimeIndex => file.pending.len(),
        };
        let whole = file.pending.split_to(whole);
        if !whole.is_empty() {
            let (out, position) = (file.open(&*disk, &stage)?, file.written - file.from);
            out.write_all_at(&[IoSlice::new(&whole)], position).map_err(LogError::io(&path))?;
            // Little by little, so that the sync at the end does not hold up the journal's.
            out.start_write_back(position, whole.len() as u64);
            file.written += whole.len() as u64;
        }
        if file.written + file.pending.len() as u64 == file.end && !file.pending.is_empty() {
            return Err(damaged(&path, file.written, "the segment ends within a batch".to_owned()));
        }
        self.pass_over_whole_files()
    }

    /// Syncs what has come whole, so that little is left to do when it is moved in.
    fn pass_over_whole_files(&mut self) -> Result<(), LogError> {
        while let Some(file) = self.files.pop_front_if(|file| file.written == file.end) {
            if let Some(open) = file.file {
                open.sync_data().map_err(LogError::io(&self.stage.join(&file.staged)))?;
            }
        }
        Ok(())
    }

    /// What lies in the stage may have been torn by a crash: batches up to the first that does not pass its checks count.
    fn go_on_where_it_ended(&mut self, found: &Stage) -> Result<(), LogError> {
        let mut buffer = vec![0; PIECE_BYTES];
        for incoming in self.files.iter_mut().filter(|file| found.holds(&file.staged)) {
            let path = self.stage.join(&incoming.staged);
            let file = incoming.open(&*self.disk, &self.stage)?;
            while incoming.kind == Kind::Log && incoming.written < incoming.end {
                let position = incoming.written + incoming.pending.len() as u64 - incoming.from;
                let left = incoming.end - incoming.from - position;
                let most = PIECE_BYTES.min(usize::try_from(left).unwrap_or(PIECE_BYTES));
                let read = file.read_at(&mut buffer[..most], position).map_err(LogError::io(&path))?;
                incoming.pending.extend_from_slice(&buffer[..read]);
                let Ok(whole) = incoming.batches.whole_in(&incoming.pending) else { break };
                drop(incoming.pending.split_to(whole));
                incoming.written += whole as u64;
                if read == 0 {
                    break;
                }
            }
            incoming.pending.clear();
            incoming.file = None; // there may be thousands of them
            file.set_len(incoming.written - incoming.from).map_err(LogError::io(&path))?;
        }
        Ok(())
    }
}

impl Incoming {
    fn open(&mut self, disk: &dyn Disk, stage: &Path) -> Result<Arc<dyn File>, LogError> {
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        disk.create_dir_all(stage).map_err(LogError::io(stage))?;
        let path = stage.join(&self.staged);
        let file = disk.open(&path, Open::Create).map_err(LogError::io(&path))?;
        self.file = Some(file.clone());
        Ok(file)
    }
}

/// Room on the disk that taking a log as described takes, given what is in `ours`: as [`Transfer::room_bytes`].
pub fn room_to_take(ours: Option<&PartitionLog>, theirs: &LogDescription) -> Result<u64, LogError> {
    let room = |step: Step| match step.how {
        How::Keep(_) => 0,
        How::Extend(segment, _) => 2 * (step.theirs.log_bytes - segment.facts.log_bytes),
        How::Whole => step.theirs.log_bytes,
    };
    Ok(steps_from(ours, theirs)?.into_iter().map(room).sum())
}

fn steps_from(ours: Option<&PartitionLog>, theirs: &LogDescription) -> Result<Vec<Step>, LogError> {
    match ours {
        Some(log) => log.shared.steps_to(theirs),
        None => Ok(steps(&[], 0, i64::MAX, &BTreeMap::new(), theirs)),
    }
}

fn damaged(path: &Path, position: u64, problem: String) -> LogError {
    let source = io::Error::new(io::ErrorKind::InvalidData, format!("{problem}, at byte {position} of what came"));
    LogError::Io { path: path.to_owned(), source }
}

/// What is to become of one segment of theirs.
struct Step {
    theirs: SegmentFacts,
    /// Its offsets are below this.
    end: i64,
    is_pristine: bool,
    how: How,
}

enum How {
    /// It is here.
    Keep(Segment),
    /// Its beginning is here; what follows has this offset or a greater one.
    Extend(Segment, i64),
    Whole,
}

impl Shared {
    fn steps_to(&self, theirs: &LogDescription) -> Result<Vec<Step>, LogError> {
        let lengths = match self.files.disk().list(&self.dir) {
            Ok(entries) => entries.into_iter().map(|entry| (entry.name, entry.len)).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(LogError::io(&self.dir)(error)),
        };
        let state = self.state();
        let end = self.log_end.load(std::sync::atomic::Ordering::Acquire);
        Ok(steps(&state.segments, end, state.cleaned_to, &lengths, theirs))
    }
}

fn steps(
    ours: &[Segment],
    our_end: i64,
    our_cleaned_to: i64,
    lengths: &BTreeMap<String, u64>,
    theirs: &LogDescription,
) -> Vec<Step> {
    let ends = theirs.segments.iter().skip(1).map(|facts| facts.base_offset).chain([theirs.next_offset]);
    let with_batches = theirs.segments.iter().zip(ends).filter(|(facts, _)| facts.log_bytes > 0);
    let step = |(facts, end): (&SegmentFacts, i64)| {
        let is_pristine = self::is_pristine(facts, theirs.cleaned_to);
        let known = |segment: &&Segment| {
            let is_whole =
                lengths.get(&Kind::Log.file_name(segment.name())).is_some_and(|len| *len >= segment.facts.log_bytes);
            segment.name() == facts.name()
                && is_pristine
                && self::is_pristine(&segment.facts, our_cleaned_to)
                && is_whole
        };
        let how = match ours.iter().find(known) {
            Some(segment) if is_as_described(segment, facts) => How::Keep(segment.clone()),
            Some(segment) if segment.facts.log_bytes <= facts.log_bytes => {
                How::Extend(segment.clone(), our_end.min(end))
            }
            _ => How::Whole,
        };
        Step { theirs: *facts, end, is_pristine, how }
    };
    with_batches.map(step).collect()
}

/// Whether no compaction has touched it. One that was compacted very often has a name of Kafka's length again.
fn is_pristine(facts: &SegmentFacts, cleaned_to: i64) -> bool {
    facts.digits == Name::DIGITS && facts.base_offset >= cleaned_to
}

fn is_as_described(segment: &Segment, theirs: &SegmentFacts) -> bool {
    !segment.needs_indexes && Kind::ALL.into_iter().all(|kind| segment.facts.bytes_of(kind) == theirs.bytes_of(kind))
}
