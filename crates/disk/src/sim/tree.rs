//! The operations on names, and how a path is found.

use std::io::{self, ErrorKind};
use std::path::{Component, Path};

use super::names::{Directory, Node};
use super::state::{ROOT, State};
use crate::Entry;

impl State {
    pub(super) fn create_dir_all(&mut self, path: &Path) -> io::Result<()> {
        self.faults.check_power()?;
        let mut dir = ROOT;
        for name in components(path)? {
            dir = match self.directories[&dir].get(&name) {
                Some(Node::Dir(id)) => id,
                Some(Node::File(_)) => return Err(ErrorKind::NotADirectory.into()),
                None => self.mutate("create_dir", &path.display().to_string(), (0, 0), |state| {
                    let id = state.take_id();
                    state.directories.insert(id, Directory::default());
                    state.directory(dir).change(vec![(name, Some(Node::Dir(id)))]);
                    Ok(id)
                })?,
            };
        }
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.faults.check_power()?;
        let (dir, old_name) = self.parent(from)?;
        let (_, new_name) = self.parent(to)?;
        let node = self.directories[&dir].get(&old_name).ok_or(ErrorKind::NotFound)?;
        let replaced = self.directories[&dir].get(&new_name);
        if let (Some(Node::Dir(_)), _) | (Some(Node::File(_)), Node::Dir(_)) = (replaced, node) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let both = format!("{} -> {}", from.display(), to.display());
        self.mutate("rename", &both, (0, 0), |state| {
            if old_name != new_name {
                state.directory(dir).change(vec![(old_name, None), (new_name, Some(node))]);
                state.unname(replaced);
            }
            Ok(())
        })
    }

    pub(super) fn link(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.faults.check_power()?;
        let id = match self.find(from)? {
            Some(Node::File(id)) => id,
            Some(Node::Dir(_)) => return Err(ErrorKind::IsADirectory.into()),
            None => return Err(ErrorKind::NotFound.into()),
        };
        let (dir, name) = self.parent(to)?;
        if self.directories[&dir].get(&name).is_some() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let both = format!("{} -> {}", from.display(), to.display());
        self.mutate("link", &both, (0, 0), |state| {
            state.directory(dir).change(vec![(name, Some(Node::File(id)))]);
            state.inode(id).names += 1;
            Ok(())
        })
    }

    pub(super) fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        self.faults.check_power()?;
        let (dir, name) = self.parent(path)?;
        let node = match self.directories[&dir].get(&name) {
            Some(Node::Dir(_)) => return Err(ErrorKind::IsADirectory.into()),
            None => return Err(ErrorKind::NotFound.into()),
            file => file,
        };
        self.mutate("remove", &path.display().to_string(), (0, 0), |state| {
            state.directory(dir).change(vec![(name, None)]);
            state.unname(node);
            Ok(())
        })
    }

    pub(super) fn remove_dir(&mut self, path: &Path) -> io::Result<()> {
        self.faults.check_power()?;
        let (dir, name) = self.parent(path)?;
        match self.directories[&dir].get(&name) {
            Some(Node::Dir(id)) if self.directories[&id].seen().is_empty() => {}
            Some(Node::Dir(_)) => return Err(ErrorKind::DirectoryNotEmpty.into()),
            Some(Node::File(_)) => return Err(ErrorKind::NotADirectory.into()),
            None => return Err(ErrorKind::NotFound.into()),
        }
        self.mutate("remove_dir", &path.display().to_string(), (0, 0), |state| {
            state.directory(dir).change(vec![(name, None)]);
            Ok(())
        })
    }

    pub(super) fn list(&mut self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.faults.check_power()?;
        let dir = self.dir(dir)?;
        let entry = |(name, node): (&String, &Node)| match node {
            Node::Dir(_) => Entry { name: name.clone(), is_dir: true, len: 0 },
            Node::File(id) => Entry { name: name.clone(), is_dir: false, len: self.inodes[id].content.seen().len() },
        };
        Ok(self.directories[&dir].seen().iter().map(entry).collect())
    }

    pub(super) fn exists(&mut self, path: &Path) -> io::Result<bool> {
        self.faults.check_power()?;
        Ok(self.find(path)?.is_some())
    }

    pub(super) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        self.faults.check_power()?;
        let dir = self.dir(path)?;
        self.mutate("sync_dir", &path.display().to_string(), (0, 0), |state| {
            state.directory(dir).sync();
            state.forget_unreachable();
            Ok(())
        })
    }

    pub(super) fn find(&self, path: &Path) -> io::Result<Option<Node>> {
        let mut node = Node::Dir(ROOT);
        for name in components(path)? {
            let Node::Dir(dir) = node else { return Ok(None) };
            match self.directories[&dir].get(&name) {
                Some(next) => node = next,
                None => return Ok(None),
            }
        }
        Ok(Some(node))
    }

    fn dir(&self, path: &Path) -> io::Result<u64> {
        match self.find(path)? {
            Some(Node::Dir(id)) => Ok(id),
            Some(Node::File(_)) => Err(ErrorKind::NotADirectory.into()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    /// The directory that holds a path's last name, and that name.
    pub(super) fn parent(&self, path: &Path) -> io::Result<(u64, String)> {
        let name = components(path)?.pop().ok_or(ErrorKind::InvalidInput)?;
        Ok((self.dir(path.parent().unwrap_or(Path::new("")))?, name))
    }
}

/// The names of a path from the root.
pub(super) fn components(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name.to_string_lossy().into_owned()),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => return Err(ErrorKind::InvalidInput.into()),
        }
    }
    Ok(names)
}
