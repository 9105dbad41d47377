//! The whole disk behind one lock, and each operation on it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, ErrorKind};
use std::path::Path;

use super::content::{Content, Image, PAGE_BYTES};
use super::faults::{Faults, ordered, power_is_off};
use super::names::{Directory, Node};
use super::random::Rng;
use super::tree::components;
use crate::Open;

/// Operations that the log for debugging keeps.
const MAX_OPERATIONS: usize = 4096;

/// What `available_bytes` says of a disk without a capacity.
const ENDLESS_BYTES: u64 = 1 << 40;

pub(super) const ROOT: u64 = 0;

/// One mutating operation, as the log for debugging tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// From 1.
    pub number: u64,
    /// `write`, `sync`, `set_len`, `create`, `create_dir`, `link`, `rename`, `remove`, `remove_dir`, `sync_dir`.
    pub kind: &'static str,
    /// The path as the caller gave it.
    pub path: String,
    /// Position and length, where the operation has them.
    pub range: (u64, u64),
}

/// A file: its bytes, and who holds on to it.
#[derive(Clone, Default)]
pub(super) struct Inode {
    pub(super) content: Content,
    handles: u32,
    pub(super) names: u32,
}

pub(super) struct State {
    pub(super) inodes: BTreeMap<u64, Inode>,
    pub(super) directories: BTreeMap<u64, Directory>,
    next_id: u64,
    locks: BTreeSet<Vec<String>>,
    rng: Rng,
    pub(super) capacity: Option<u64>,
    pub(super) faults: Faults,
    pub(super) mutations: u64,
    pub(super) operations: VecDeque<Operation>,
}

impl State {
    pub(super) fn new(seed: u64) -> Self {
        State {
            inodes: BTreeMap::new(),
            directories: BTreeMap::from([(ROOT, Directory::default())]),
            next_id: ROOT + 1,
            locks: BTreeSet::new(),
            rng: Rng::new(seed),
            capacity: None,
            faults: Faults::default(),
            mutations: 0,
            operations: VecDeque::new(),
        }
    }

    /// Runs a mutating operation: counts it, and lets the ordered fault strike. An operation at
    /// which power goes off takes place (it is as unsynced as any other), but its caller sees an error.
    pub(super) fn mutate<T>(
        &mut self,
        kind: &'static str,
        path: &str,
        range: (u64, u64),
        operation: impl FnOnce(&mut Self) -> io::Result<T>,
    ) -> io::Result<T> {
        self.faults.check_power()?;
        self.mutations += 1;
        if self.operations.len() == MAX_OPERATIONS {
            self.operations.pop_front();
        }
        self.operations.push_back(Operation { number: self.mutations, kind, path: path.to_owned(), range });
        if self.faults.fail_at.take_if(|at| *at == self.mutations).is_some() {
            return Err(ordered(kind));
        }
        if self.faults.crash_at.take_if(|at| *at == self.mutations).is_some() {
            self.faults.crashed = true;
            if !kind.starts_with("sync") {
                operation(self)?;
            }
            return Err(power_is_off());
        }
        operation(self)
    }

    pub(super) fn open(&mut self, path: &Path, how: Open) -> io::Result<u64> {
        self.faults.check_power()?;
        let (dir, name) = self.parent(path)?;
        let id = match (self.directories[&dir].get(&name), how) {
            (Some(Node::Dir(_)), _) => return Err(ErrorKind::IsADirectory.into()),
            (Some(Node::File(_)), Open::CreateNew) => return Err(ErrorKind::AlreadyExists.into()),
            (Some(Node::File(id)), _) => id,
            (None, Open::Read | Open::Write) => return Err(ErrorKind::NotFound.into()),
            (None, Open::Create | Open::CreateNew) => self.create(path, dir, name)?,
        };
        self.inode(id).handles += 1;
        Ok(id)
    }

    fn create(&mut self, path: &Path, dir: u64, name: String) -> io::Result<u64> {
        self.mutate("create", &path.display().to_string(), (0, 0), |state| {
            let id = state.take_id();
            state.inodes.insert(id, Inode { names: 1, ..Inode::default() });
            state.directory(dir).change(vec![(name, Some(Node::File(id)))]);
            Ok(id)
        })
    }

    pub(super) fn close(&mut self, id: u64) {
        if let Some(inode) = self.inodes.get_mut(&id) {
            inode.handles -= 1;
        }
    }

    pub(super) fn read(&mut self, id: u64, path: &str, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.faults.check_power()?;
        self.faults.check_read(path, offset..offset + buf.len() as u64)?;
        Ok(self.inode(id).content.seen().read(buf, offset))
    }

    pub(super) fn write(&mut self, id: u64, path: &str, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.mutate("write", path, (offset, bytes.len() as u64), |state| {
            let room = state.room(id, bytes.len() as u64, offset);
            state.inode(id).content.write(&bytes[..room], offset);
            if room < bytes.len() { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
        })
    }

    /// How many of these bytes fit on the disk.
    fn room(&mut self, id: u64, len: u64, offset: u64) -> usize {
        let free = self.free_bytes() / PAGE_BYTES;
        let image = self.inode(id).content.seen();
        let mut fits = len;
        while image.missing_pages(offset, fits) > free {
            // Give up the last page that it touches.
            let last_page = (offset + fits - 1) / PAGE_BYTES * PAGE_BYTES;
            fits = last_page.saturating_sub(offset);
        }
        fits as usize
    }

    fn free_bytes(&self) -> u64 {
        let Some(capacity) = self.capacity else { return ENDLESS_BYTES };
        let in_use = self.inodes.values().filter(|inode| inode.names > 0 || inode.handles > 0);
        let used: u64 = in_use.map(|inode| inode.content.seen().pages()).sum();
        capacity.saturating_sub(used * PAGE_BYTES)
    }

    pub(super) fn sync(&mut self, id: u64, path: &str) -> io::Result<()> {
        let failing = |state: &mut Self| {
            let mut rng = state.rng.clone();
            state.inode(id).content.fail_sync(&mut rng);
            state.rng = rng;
        };
        let fails = self.faults.check_power().is_ok() && self.faults.takes_sync(path);
        let result = self.mutate("sync", path, (0, 0), |state| {
            if fails {
                return Err(ordered("sync"));
            }
            state.inode(id).content.sync();
            Ok(())
        });
        if result.is_err() && !self.faults.crashed {
            failing(self);
        }
        result
    }

    pub(super) fn set_len(&mut self, id: u64, path: &str, len: u64) -> io::Result<()> {
        self.mutate("set_len", path, (len, 0), |state| {
            state.inode(id).content.set_len(len);
            Ok(())
        })
    }

    pub(super) fn len(&mut self, id: u64) -> io::Result<u64> {
        self.faults.check_power()?;
        Ok(self.inode(id).content.seen().len())
    }

    pub(super) fn flip_bit(&mut self, path: &Path, offset: u64, bit: u8) -> io::Result<()> {
        let Some(Node::File(id)) = self.find(path)? else { return Err(ErrorKind::NotFound.into()) };
        self.inode(id).content.flip_bit(offset, bit);
        Ok(())
    }

    pub(super) fn available_bytes(&self) -> io::Result<u64> {
        self.faults.check_power()?;
        Ok(self.free_bytes())
    }

    pub(super) fn lock(&mut self, path: &Path) -> io::Result<()> {
        let taken = !self.locks.insert(components(path)?);
        if taken { Err(ErrorKind::WouldBlock.into()) } else { Ok(()) }
    }

    pub(super) fn unlock(&mut self, path: &Path) {
        if let Ok(path) = components(path) {
            self.locks.remove(&path);
        }
    }

    // ---- after a crash ----

    /// A disk with what a power cut leaves, reached from the root by names that survived.
    pub(super) fn survivors(&mut self, mut rng: Rng) -> State {
        let mut after = State::new(rng.next());
        after.next_id = self.next_id;
        after.capacity = self.capacity;
        let mut left = vec![ROOT];
        while let Some(dir) = left.pop() {
            let directory = self.directories[&dir].after_crash(&mut rng);
            for node in directory.seen().values() {
                match node {
                    Node::Dir(id) => left.push(*id),
                    Node::File(id) if after.inodes.contains_key(id) => after.inode(*id).names += 1,
                    Node::File(id) => {
                        let content = self.inodes[id].content.after_crash(&mut rng);
                        after.inodes.insert(*id, Inode { content, handles: 0, names: 1 });
                    }
                }
            }
            after.directories.insert(dir, directory);
        }
        after
    }

    /// All that is there, synced or not, without the handles on it.
    pub(super) fn copied(&self, seed: u64) -> State {
        let mut copy = State::new(seed);
        (copy.next_id, copy.capacity) = (self.next_id, self.capacity);
        copy.directories = self.directories.clone();
        let inodes = self.inodes.iter().map(|(id, inode)| (*id, Inode { handles: 0, ..inode.clone() }));
        copy.inodes = inodes.collect();
        copy.forget_unreachable();
        copy
    }

    pub(super) fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new(); // its keys are fixed
        self.digest_dir(ROOT, &mut hasher);
        hasher.finish()
    }

    fn digest_dir(&self, dir: u64, hasher: &mut DefaultHasher) {
        for (name, node) in self.directories[&dir].durable() {
            name.hash(hasher);
            match node {
                Node::Dir(id) => self.digest_dir(*id, hasher),
                Node::File(id) => digest_image(self.inodes[id].content.durable(), hasher),
            }
        }
        "end".hash(hasher);
    }

    pub(super) fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(super) fn inode(&mut self, id: u64) -> &mut Inode {
        self.inodes.get_mut(&id).expect("an inode lives while a handle or a name does")
    }

    pub(super) fn directory(&mut self, id: u64) -> &mut Directory {
        self.directories.get_mut(&id).expect("directories stay, even when unlinked")
    }

    /// A name of a file is gone.
    pub(super) fn unname(&mut self, node: Option<Node>) {
        if let Some(Node::File(id)) = node {
            self.inode(id).names -= 1;
        }
    }

    /// Forgets the files that nobody can reach any more, nor after a crash.
    pub(super) fn forget_unreachable(&mut self) {
        let named: BTreeSet<Node> = self.directories.values().flat_map(Directory::nodes).collect();
        self.inodes.retain(|id, inode| inode.handles > 0 || named.contains(&Node::File(*id)));
    }
}

fn digest_image(image: &Image, hasher: &mut DefaultHasher) {
    let mut page = vec![0; PAGE_BYTES as usize];
    image.len().hash(hasher);
    let mut at = 0;
    while at < image.len() {
        let n = image.read(&mut page, at);
        page[..n].hash(hasher);
        at += n as u64;
    }
}
