//! Small file systems of our own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A file system in memory, unmounted when it is dropped. Drop what lies on it first.
#[derive(Debug)]
pub(crate) struct Tmpfs {
    at: TempDir,
}

impl Tmpfs {
    /// Mounts one of `mib` MiB, which takes root.
    #[track_caller]
    pub(crate) fn of_mib(mib: usize) -> Self {
        let at = tempfile::Builder::new().prefix("tidelog-mount-").tempdir().unwrap();
        mount(&["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"], at.path());
        Self { at }
    }

    pub(crate) fn path(&self) -> &Path {
        self.at.path()
    }

    /// From here on nothing can be written.
    #[track_caller]
    pub(crate) fn make_read_only(&self) {
        mount(&["-o", "remount,ro"], self.at.path());
    }

    /// A file of somebody else's that takes all that is left.
    pub(crate) fn fill(&self) -> Ballast {
        let path = self.at.path().join("ballast");
        let mut file = fs::File::create(&path).unwrap();
        std::io::copy(&mut std::io::repeat(1), &mut file).unwrap_err();
        Ballast(path)
    }
}

#[track_caller]
fn mount(arguments: &[&str], at: &Path) {
    let output = Command::new("mount").args(arguments).arg(at).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "these tests mount file systems, and must run as root with that right: {words}");
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Lazily: a process that a failed test leaves behind must not keep it.
        match Command::new("umount").arg("--lazy").arg(self.at.path()).status() {
            Ok(status) if status.success() => {}
            other => eprintln!("{} stays mounted: {other:?}", self.at.path().display()),
        }
    }
}

/// A file that fills a disk, until it is dropped.
#[derive(Debug)]
pub(crate) struct Ballast(PathBuf);

impl Drop for Ballast {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            eprintln!("{}: {error}", self.0.display());
        }
    }
}
