//! The secret that the nodes of a cluster share, where nobody has set one: a file of this user, made once.
//!
//! Nodes that one user starts on one machine find the same file; on other machines it has to be copied, and a
//! node with another secret is told so.

use std::error::Error;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use model::{Random, SystemRandom};

/// Below the user's directory of configurations.
const FILE: &str = "tidelog/cluster.secret";

const REMEDY: &str = "set cluster.secret.file to a file with the cluster's secret, the same on each node";

/// The secret in `configured`, or in the user's file, which is made if it is missing.
pub(crate) fn read(configured: Option<PathBuf>) -> Result<String, Box<dyn Error>> {
    let path = configured.map_or_else(of_user, Ok)?;
    fs::read_to_string(&path).map_err(|why| format!("cannot read {}: {why}; {REMEDY}", path.display()).into())
}

fn of_user() -> Result<PathBuf, Box<dyn Error>> {
    let home = || Some(PathBuf::from(std::env::var_os("HOME").filter(|home| !home.is_empty())?).join(".config"));
    let base = std::env::var_os("XDG_CONFIG_HOME").filter(|base| !base.is_empty()).map(PathBuf::from).or_else(home);
    let path = base.ok_or_else(|| format!("there is no HOME to keep the cluster's secret in; {REMEDY}"))?.join(FILE);
    make(&path).map_err(|why| format!("cannot make {}: {why}; {REMEDY}", path.display()))?;
    Ok(path)
}

/// Makes the file, whole from the moment it is there; one that exists stays.
fn make(path: &Path) -> std::io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let unfinished = path.with_extension(format!("{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    fs::set_permissions(&unfinished, Permissions::from_mode(0o600))?;
    let random = [SystemRandom.bytes(), SystemRandom.bytes()].concat();
    let text: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(file, "{text}")?;
    file.sync_all()?;
    // Whoever is first wins: a link does not replace what is there.
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished)?;
    match linked {
        Err(why) if why.kind() != ErrorKind::AlreadyExists => Err(why),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_made_once_and_is_for_its_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.secret");
        make(&path).unwrap();
        let first = fs::read_to_string(&path).unwrap();
        make(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), first);
        assert_eq!(first.trim().len(), 64);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 1);
    }
}
