//! Small files that are written and read whole.

use std::io::{self, IoSlice};
use std::path::Path;

use crate::{Disk, Open};

/// Makes a file with these bytes, in place of what it held: all or nothing, and durable when this returns. What is
/// unfinished stands beside it, under its name with `.new` behind.
pub fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    let unfinished = Path::new(&unfinished);
    let file = disk.open(unfinished, Open::Create)?;
    file.set_len(0)?;
    file.write_all_at(&[IoSlice::new(bytes)], 0)?;
    file.sync_data()?;
    disk.rename(unfinished, path)?;
    path.parent().map_or(Ok(()), |dir| disk.sync_dir(dir))
}

/// The first bytes of a file, `most_bytes` at most: it may be somebody else's.
pub fn read_start(disk: &dyn Disk, path: &Path, most_bytes: u64) -> io::Result<Vec<u8>> {
    let file = disk.open(path, Open::Read)?;
    let mut bytes = vec![0; file.len()?.min(most_bytes) as usize];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimDisk;

    #[test]
    fn a_file_is_replaced_whole_and_outlives_a_power_cut() {
        let disk = SimDisk::new(7);
        let path = Path::new("dir/name");
        disk.create_dir_all(Path::new("dir")).unwrap();
        disk.sync_dir(Path::new("")).unwrap();
        replace(&disk, path, b"a longer text").unwrap();
        replace(&disk, path, b"short").unwrap();
        disk.crash();
        let disk = disk.restart(1);
        assert_eq!(read_start(&disk, path, 100).unwrap(), b"short");
        assert_eq!(read_start(&disk, path, 2).unwrap(), b"sh");
    }
}
