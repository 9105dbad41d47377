//! `tidelog.meta`: whose data directory this is, and in which format. A few lines of TOML, written
//! when the directory is made, and once more when the cluster that it belongs to is found.

use std::io;
use std::path::{Path, PathBuf};

use disk::Disk;
use model::Random;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::env::Env;
use crate::error::StartError;

/// The format of the directory as a whole; each kind of file has a version of its own besides.
pub const FORMAT: u32 = 1;

const FILE: &str = "tidelog.meta";

/// Of it: ours has about 150.
const MOST_BYTES: u64 = 64 * 1024;

/// A data directory's identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// [`FORMAT`] when it was made.
    pub format: u32,
    /// The cluster that it belongs to; empty until it is found.
    pub cluster_id: String,
    /// The broker that it belongs to.
    pub node_id: i32,
    /// The directory itself. A voter is a broker with its directory: an empty one is another voter.
    pub directory_id: Uuid,
    /// The controller's first voters, at the broker that founded the cluster; none elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub founders: Vec<Founder>,
}

/// A broker with the data directory that it had when the cluster was founded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Founder {
    /// Its `node.id`.
    pub node_id: i32,
    /// Its data directory.
    pub directory_id: Uuid,
}

/// Which cluster a new directory belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Founding {
    pub(crate) cluster_id: String,
    /// See [`Meta::founders`].
    pub(crate) founders: Vec<Founder>,
}

impl Founding {
    /// A cluster that there is already.
    pub(crate) fn member(cluster_id: String) -> Founding {
        Founding { cluster_id, founders: Vec::new() }
    }
}

/// A random one, written like Kafka's.
pub(crate) fn new_cluster_id(random: &dyn Random) -> String {
    model::TopicId::from_random(random.bytes()).to_string()
}

impl Meta {
    /// Reads the directory's identity. A directory that was never used has none.
    pub(crate) fn find(disk: &dyn Disk, dir: &Path, node_id: Option<i32>) -> Result<Option<Meta>, StartError> {
        let path = path(dir);
        let failed = |why| StartError::DataDirectory { path: dir.to_owned(), why };
        if !disk.exists(&path).map_err(failed)? {
            return Ok(None);
        }
        let text = disk::read_start(disk, &path, MOST_BYTES).map_err(failed)?;
        Meta::parse(&path, &text, node_id).map(Some)
    }

    /// Gives a new directory an identity.
    pub(crate) fn make(env: &Env, dir: &Path, node_id: i32) -> Result<Meta, StartError> {
        let meta = Meta::new(env, node_id);
        meta.write(&*env.disk, dir)?;
        Ok(meta)
    }

    /// The same, as a cluster of its own.
    pub(crate) fn make_alone(env: &Env, dir: &Path, node_id: i32) -> Result<Meta, StartError> {
        let mut meta = Meta::new(env, node_id);
        meta.settle(env, dir, meta.alone(env))?;
        Ok(meta)
    }

    fn new(env: &Env, node_id: i32) -> Meta {
        let directory_id = Uuid::from_bytes(env.random.bytes());
        Meta { format: FORMAT, cluster_id: String::new(), node_id, directory_id, founders: Vec::new() }
    }

    /// A new cluster of this broker alone.
    pub(crate) fn alone(&self, env: &Env) -> Founding {
        let founder = Founder { node_id: self.node_id, directory_id: self.directory_id };
        Founding { cluster_id: new_cluster_id(&*env.random), founders: vec![founder] }
    }

    /// The cluster is found.
    pub(crate) fn settle(&mut self, env: &Env, dir: &Path, founding: Founding) -> Result<(), StartError> {
        let Founding { cluster_id, founders } = founding;
        *self = Meta { cluster_id, founders, ..self.clone() };
        self.write(&*env.disk, dir)
    }

    /// The cluster, if it is found.
    pub(crate) fn cluster(&self) -> Option<&str> {
        Some(self.cluster_id.as_str()).filter(|id| !id.is_empty())
    }

    fn parse(path: &Path, text: &[u8], node_id: Option<i32>) -> Result<Meta, StartError> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let path = PathBuf::from(path);
        let unreadable = |why: String| StartError::Meta { path: path.clone(), why };
        let text = str::from_utf8(text).map_err(|why| unreadable(why.to_string()))?;
        // The format first: a newer one may have other fields.
        let Format { format } = toml::from_str(text).map_err(|why| unreadable(why.message().to_owned()))?;
        if format > FORMAT {
            return Err(StartError::Format { path, found: format, known: FORMAT });
        }
        let meta: Meta = toml::from_str(text).map_err(|why| unreadable(why.message().to_owned()))?;
        match node_id {
            Some(configured) if meta.node_id != configured => {
                Err(StartError::OtherNode { path, found: meta.node_id, configured })
            }
            _ => Ok(meta),
        }
    }

    /// All or nothing: a directory without the file is a new one.
    fn write(&self, disk: &dyn Disk, dir: &Path) -> Result<(), StartError> {
        self.try_write(disk, dir).map_err(|why| StartError::DataDirectory { path: dir.to_owned(), why })
    }

    fn try_write(&self, disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        disk::replace(disk, &path(dir), text.as_bytes())
    }
}

/// Where a directory's identity stands.
pub(crate) fn path(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Meta, String> {
        Meta::parse(Path::new("d/tidelog.meta"), text.as_bytes(), Some(1)).map_err(|why| why.to_string())
    }

    #[test]
    fn a_newer_format_is_refused_whatever_else_it_says() {
        let why = parse("format = 2\nnodes = [1]").unwrap_err();
        assert_eq!(
            why,
            "d/tidelog.meta has format 2, this version reads up to 1; start the version that wrote it, or a later one"
        );
    }

    #[test]
    fn another_brokers_directory_is_refused() {
        let text =
            "format = 1\ncluster_id = \"c\"\nnode_id = 7\ndirectory_id = \"00000000-0000-0000-0000-000000000001\"";
        assert!(parse(text).unwrap_err().contains("belongs to node.id 7, but node.id is 1"));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert!(parse("fromat = 1").unwrap_err().starts_with("d/tidelog.meta cannot be read"));
    }
}
