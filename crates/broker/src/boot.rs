//! `tidelog.boot`: in which start of the machine a broker with `durability` `relaxed` runs on a data directory.
//!
//! What such a broker confirmed outlives its process, but not the machine, whose memory it may be in. The file is there,
//! durably, before anything is confirmed, and goes once the journal is synced at a clean stop. So whoever finds it, with
//! the name of another start of the machine, has perhaps lost what it confirmed.

use std::io;
use std::path::Path;

use disk::{Disk, read_start, replace};

const FILE: &str = "tidelog.boot";

/// Whether the machine was started anew, in the midst of what ran here.
pub(crate) fn has_lost_power(disk: &dyn Disk, dir: &Path, boot: &str) -> io::Result<bool> {
    const MOST_BYTES: u64 = 1024; // ours has 36
    let path = dir.join(FILE);
    if !disk.exists(&path)? {
        return Ok(false);
    }
    Ok(read_start(disk, &path, MOST_BYTES)? != boot.as_bytes())
}

/// From here on, what is confirmed may be in memory only.
pub(crate) fn begin(disk: &dyn Disk, dir: &Path, boot: &str) -> io::Result<()> {
    replace(disk, &dir.join(FILE), boot.as_bytes())
}

/// All that was confirmed is on the disk.
pub(crate) fn end(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    let path = dir.join(FILE);
    if disk.exists(&path)? {
        disk.remove_file(&path)?;
        disk.sync_dir(dir)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use disk::SimDisk;

    use super::*;

    #[test]
    fn only_a_machine_that_was_started_anew_before_a_clean_stop_has_lost_power() {
        let disk = SimDisk::new(1);
        let dir = Path::new("data");
        disk.create_dir_all(dir).unwrap();
        disk.sync_dir(Path::new("")).ok();
        let has_lost_power = |disk: &SimDisk, boot: &str| has_lost_power(disk, dir, boot).unwrap();
        assert!(!has_lost_power(&disk, "one"), "a new directory");
        begin(&disk, dir, "one").unwrap();
        assert!(!has_lost_power(&disk, "one"), "a process that died");
        assert!(has_lost_power(&disk, "two"));
        end(&disk, dir).unwrap();
        end(&disk, dir).unwrap();
        assert!(!has_lost_power(&disk, "two"), "a clean stop");
    }
}
