//! Opening, committing to, and rewriting a manifest.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use disk::{Disk, File, Open};

use crate::ManifestError;
use crate::format::{self, Edit, Header};

/// A file below this is not worth rewriting, whatever it holds.
const MIN_REWRITE_BYTES: u64 = 64 * 1024;
/// Bytes of edits in one commit of a rewritten file, so that it is built piece by piece.
const REWRITE_COMMIT_BYTES: usize = 1024 * 1024;
/// Directories whose names a process's first commit makes durable: the group's own, the one of all
/// groups, and the data directory, which the broker itself has made durable.
const SYNCED_DIRS: usize = 3;

/// The open manifest of one group. Commits may come from any thread, one at a time.
pub struct Manifest {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Current,
    /// What earlier processes left behind; removed once this one has written a file of its own.
    leftovers: Vec<PathBuf>,
    /// Set when it is unknown what the disk holds.
    failed: bool,
}

#[derive(Default)]
enum Current {
    /// No file: a group that stored nothing costs no fsync.
    #[default]
    Nothing,
    /// A file that this process only read. An earlier one may have been killed before it had synced
    /// the name, or after an fsync had failed, so that what reads well is not durable. The first
    /// commit therefore writes a new generation instead of going on in this one.
    Found(Generation),
    /// A file that this process has written whole.
    Written(Generation),
}

struct Generation {
    number: u64,
    file: Arc<dyn File>,
    path: PathBuf,
    /// Where the next commit goes, and its number.
    end: u64,
    sequence: u64,
    /// The size at which a look at how much of the file is garbage is due again.
    look_at_bytes: u64,
}

/// What a file holds.
struct Folded {
    content: BTreeMap<Bytes, Bytes>,
    /// Where the last whole commit ends.
    end: u64,
    /// The number of the next one.
    sequence: u64,
}

impl Manifest {
    /// Reads what is stored under `dir`, which need not exist, without a commit that a crash cut
    /// short. The values are slices of the file as read: copy what is kept for long.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path) -> Result<(Manifest, BTreeMap<Bytes, Bytes>), ManifestError> {
        let (newest, leftovers) = look_around(&*disk, dir)?;
        let (current, content) = match newest {
            Some(number) => {
                let (generation, content) = Generation::open(&*disk, dir, number)?;
                (Current::Found(generation), content)
            }
            None => (Current::Nothing, BTreeMap::new()),
        };
        let state = Mutex::new(State { current, leftovers, failed: false });
        Ok((Manifest { disk, dir: dir.to_owned(), state }, content))
    }

    /// Refuses what is stored under `dir` if a later version wrote it ([`ManifestError::Newer`]), and looks at
    /// nothing else: for whoever must know before anything is changed.
    pub fn refuse_newer(disk: &dyn Disk, dir: &Path) -> Result<(), ManifestError> {
        let (Some(number), _) = look_around(disk, dir)? else { return Ok(()) };
        let path = file_path(dir, number);
        let file = disk.open(&path, Open::Read).or_else(|error| io_error("opening", &path, error))?;
        let mut header = [0; format::HEADER_BYTES];
        match file.read_exact_at(&mut header, 0) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()), // damaged
            read => read.or_else(|error| io_error("reading", &path, error))?,
        }
        match format::read_header(&header) {
            Header::Newer(found) => Err(ManifestError::Newer { path, found, newest: format::VERSION }),
            Header::Known(_) | Header::Damaged => Ok(()),
        }
    }

    /// Sets keys to values, or removes them (`None`), all or nothing. Durable when it returns.
    ///
    /// After [`ManifestError::TooLarge`] and after a refused write (a full disk) nothing has
    /// changed and later commits may succeed; after a failed fsync none will.
    pub fn commit(&self, edits: Vec<Edit>) -> Result<(), ManifestError> {
        let mut state = self.lock();
        let State { current, leftovers, failed } = &mut *state;
        let path = match current {
            Current::Nothing => file_path(&self.dir, 1),
            Current::Found(generation) | Current::Written(generation) => generation.path.clone(),
        };
        check_sizes(&path, &edits)?;
        if *failed {
            return Err(ManifestError::Failed { path });
        }
        let (number, mut content) = match current {
            Current::Written(generation) => {
                generation.append(&edits, failed)?;
                return self.rewrite_if_worth_it(generation, failed);
            }
            Current::Found(generation) => (generation.number + 1, generation.read_again()?),
            Current::Nothing => (1, BTreeMap::new()),
        };
        apply(edits, &mut content);
        *current = Current::Written(self.create(number, &content, SYNCED_DIRS, failed)?);
        for path in leftovers.drain(..) {
            // If it stays behind, a later process removes it.
            self.disk.remove_file(&path).ok();
        }
        Ok(())
    }

    /// Replaces the file by one with the live content only, once more than half of it is garbage.
    ///
    /// What is live is read from the file, not kept in memory. A look is due when the file is twice
    /// as large as what was live at the last look: so looks cost a constant share of the writes.
    fn rewrite_if_worth_it(&self, current: &mut Generation, failed: &mut bool) -> Result<(), ManifestError> {
        if current.end < current.look_at_bytes {
            return Ok(());
        }
        let content = current.read_again()?;
        let live = live_bytes(&content);
        if live * 2 > current.end {
            current.look_at_bytes = look_at_bytes(live);
            return Ok(());
        }
        match self.create(current.number + 1, &content, 1, failed) {
            Ok(next) => {
                let old = std::mem::replace(current, next);
                self.disk.remove_file(&old.path).ok();
                Ok(())
            }
            Err(error) if *failed => Err(error),
            // A full disk, say: the old file is as good as before, and the commit is in it.
            Err(_) => {
                current.look_at_bytes = current.end + look_at_bytes(live);
                Ok(())
            }
        }
    }

    /// Writes a whole new file under a name that is not looked at, then renames it: a crash leaves
    /// either all of it or none. Then syncs that many of the directories that lead to it.
    fn create(
        &self,
        number: u64,
        content: &BTreeMap<Bytes, Bytes>,
        dirs: usize,
        failed: &mut bool,
    ) -> Result<Generation, ManifestError> {
        let path = file_path(&self.dir, number);
        let draft = path.with_extension("new");
        self.disk.create_dir_all(&self.dir).or_else(|error| io_error("creating", &self.dir, error))?;
        let written = write_whole(&*self.disk, &draft, number, content);
        if written.is_err() {
            // It may be what fills the disk.
            self.disk.remove_file(&draft).ok();
        }
        let (file, end, sequence) = written?;
        self.disk.rename(&draft, &path).or_else(|error| io_error("renaming", &draft, error))?;
        // From here on the new file may be what a restart finds, or not: without this fsync there
        // is no telling, and so nothing to commit to.
        *failed = true;
        self.sync_dirs(dirs)?;
        *failed = false;
        Ok(Generation { number, file, path, end, sequence, look_at_bytes: look_at_bytes(end) })
    }

    fn sync_dirs(&self, count: usize) -> Result<(), ManifestError> {
        for dir in self.dir.ancestors().take(count) {
            let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
            self.disk.sync_dir(dir).or_else(|error| io_error("syncing", dir, error))?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generation {
    fn open(disk: &dyn Disk, dir: &Path, number: u64) -> Result<(Generation, BTreeMap<Bytes, Bytes>), ManifestError> {
        let path = file_path(dir, number);
        let file = disk.open(&path, Open::Read).or_else(|error| io_error("opening", &path, error))?;
        let end = file.len().or_else(|error| io_error("reading", &path, error))?;
        let mut generation = Generation { number, file, path, end, sequence: 0, look_at_bytes: 0 };
        let Folded { content, end, sequence } = generation.fold()?;
        (generation.end, generation.sequence) = (end, sequence);
        Ok((generation, content))
    }

    /// Reads all commits up to `end`.
    fn fold(&self) -> Result<Folded, ManifestError> {
        let mut bytes = BytesMut::zeroed(self.end as usize);
        self.file.read_exact_at(&mut bytes, 0).or_else(|error| io_error("reading", &self.path, error))?;
        let bytes = bytes.freeze();
        match format::read_header(&bytes) {
            Header::Known(number) if number == self.number => {}
            Header::Known(_) => return Err(self.damaged(0, "it belongs to another generation")),
            Header::Damaged => return Err(self.damaged(0, "its header is not that of a manifest")),
            Header::Newer(found) => {
                let path = self.path.clone();
                return Err(ManifestError::Newer { path, found, newest: format::VERSION });
            }
        }
        let mut content = BTreeMap::new();
        let (mut position, mut sequence) = (format::HEADER_BYTES, 0);
        while let Some((edits, end)) = format::read_commit(&bytes, position, self.number, sequence) {
            apply(edits, &mut content);
            (position, sequence) = (end, sequence + 1);
        }
        if format::later_commit_exists(&bytes, position, self.number, sequence) {
            return Err(self.damaged(position as u64, "a commit has changed since it was written"));
        }
        Ok(Folded { content, end: position as u64, sequence })
    }

    /// As at the time of opening or writing. Whatever does not check now was durable, and has changed since.
    fn read_again(&self) -> Result<BTreeMap<Bytes, Bytes>, ManifestError> {
        let Folded { content, end, .. } = self.fold()?;
        if end < self.end {
            return Err(self.damaged(end, "a commit has changed since it was read or written"));
        }
        Ok(content)
    }

    fn append(&mut self, edits: &[Edit], failed: &mut bool) -> Result<(), ManifestError> {
        let mut bytes = BytesMut::new();
        let refs = edits.iter().map(|(key, value)| (key, value.as_ref()));
        format::write_commit(self.number, self.sequence, refs, &mut bytes);
        if let Err(error) = self.file.write_all_at(&[IoSlice::new(&bytes)], self.end) {
            // What was written of it must not be taken for a commit; if even that fails, a restart
            // has to decide.
            *failed = self.file.set_len(self.end).is_err();
            return io_error("writing", &self.path, error);
        }
        if let Err(error) = self.file.sync_data() {
            *failed = true;
            return io_error("syncing", &self.path, error);
        }
        self.end += bytes.len() as u64;
        self.sequence += 1;
        Ok(())
    }

    fn damaged(&self, position: u64, what: &'static str) -> ManifestError {
        ManifestError::Damaged { path: self.path.clone(), position, what }
    }
}

fn apply(edits: Vec<Edit>, content: &mut BTreeMap<Bytes, Bytes>) {
    for (key, value) in edits {
        match value {
            Some(value) => content.insert(key, value),
            None => content.remove(&key),
        };
    }
}

fn file_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("manifest-{number:020}"))
}

/// The number of the file to read, and the paths of it, of older ones and of drafts.
fn look_around(disk: &dyn Disk, dir: &Path) -> Result<(Option<u64>, Vec<PathBuf>), ManifestError> {
    if !disk.exists(dir).or_else(|error| io_error("looking for", dir, error))? {
        return Ok((None, Vec::new()));
    }
    let entries = disk.list(dir).or_else(|error| io_error("listing", dir, error))?;
    let ours: Vec<&str> =
        entries.iter().map(|entry| entry.name.as_str()).filter(|name| name.starts_with("manifest-")).collect();
    let newest = ours.iter().filter_map(|name| name.strip_prefix("manifest-")?.parse().ok()).max();
    Ok((newest, ours.into_iter().map(|name| dir.join(name)).collect()))
}

/// Writes and syncs a file of live content; gives its length and the number of the next commit.
fn write_whole(
    disk: &dyn Disk,
    path: &Path,
    number: u64,
    content: &BTreeMap<Bytes, Bytes>,
) -> Result<(Arc<dyn File>, u64, u64), ManifestError> {
    let written = || -> io::Result<_> {
        let file = disk.open(path, Open::Create)?;
        file.set_len(0)?;
        let mut bytes = BytesMut::new();
        format::write_header(number, &mut bytes);
        let (mut end, mut sequence) = (0, 0);
        let mut rest = content.iter().peekable();
        while rest.peek().is_some() {
            let mut room = REWRITE_COMMIT_BYTES;
            let edits = std::iter::from_fn(|| {
                let (key, value) = rest.next_if(|_| room > 0)?;
                room = room.saturating_sub(format::edit_bytes(key, Some(value)));
                Some((key, Some(value)))
            });
            format::write_commit(number, sequence, edits, &mut bytes);
            file.write_all_at(&[IoSlice::new(&bytes)], end)?;
            end += bytes.len() as u64;
            sequence += 1;
            bytes.clear();
        }
        // Nothing live: the header alone.
        file.write_all_at(&[IoSlice::new(&bytes)], end)?;
        file.sync_data()?;
        Ok((file, end + bytes.len() as u64, sequence))
    };
    written().or_else(|error| io_error("writing", path, error))
}

fn live_bytes(content: &BTreeMap<Bytes, Bytes>) -> u64 {
    content.iter().map(|(key, value)| format::edit_bytes(key, Some(value)) as u64).sum()
}

fn look_at_bytes(live: u64) -> u64 {
    (live * 2).max(MIN_REWRITE_BYTES)
}

fn check_sizes(path: &Path, edits: &[Edit]) -> Result<(), ManifestError> {
    let check = |what, bytes: usize, limit: usize| match bytes <= limit {
        true => Ok(()),
        false => Err(ManifestError::TooLarge { path: path.to_owned(), what, bytes: bytes as u64, limit: limit as u64 }),
    };
    for (key, _) in edits {
        check("key", key.len(), format::MAX_KEY_BYTES)?;
    }
    let all = edits.iter().map(|(key, value)| format::edit_bytes(key, value.as_ref())).sum();
    check("commit", all, format::MAX_COMMIT_BYTES)
}

fn io_error<T>(action: &'static str, path: &Path, source: io::Error) -> Result<T, ManifestError> {
    Err(ManifestError::Io { action, path: path.to_owned(), source })
}
