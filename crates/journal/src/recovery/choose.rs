//! Which of a directory's files are read, by a look at their first pages.

use super::scan::Scan;
use crate::files::{Dir, OpenFile};
use crate::format::file_header::FileHeader;
use crate::format::write::WriteHead;
use crate::format::{PAGE_BYTES, VERSION};
use crate::{Damage, JournalError};

/// Which files are read.
pub(super) struct Chosen {
    /// Those before the oldest that is needed.
    pub(super) free: Vec<OpenFile>,
    /// Those from there on, without a gap, and what follows.
    pub(super) files: Vec<OpenFile>,
}

/// Looks at the first pages of all files. The newest one in use knows which is the oldest needed.
pub(super) fn choose(dir: &Dir, identity: [u8; 16], files: Vec<OpenFile>) -> Result<Chosen, JournalError> {
    let mut oldest_needed = 0;
    let mut newest_used = None;
    for (number, file) in files.iter().enumerate() {
        if let Some(head) = first_head(dir, identity, file)? {
            oldest_needed = oldest_needed.max(head.oldest_generation);
            newest_used = Some(number);
        }
    }
    let newest_used = newest_used.unwrap_or(0);
    let precedes = |number: usize| files[number - 1].generation + 1 == files[number].generation;
    // The file that is made ahead follows on the one in use, or that one is gone.
    if newest_used + 1 < files.len() && !precedes(newest_used + 1) {
        let what = "the file is missing, though the one after it is there".to_owned();
        let file = dir.file_path(files[newest_used + 1].generation - 1);
        return Err(JournalError::Damaged(Damage { file, position: 0, group: None, what }));
    }
    // Between the oldest and the newest, one that was recycled may be missing. If it was needed, the
    // replay will tell.
    let mut first = newest_used;
    while first > 0 && files[first - 1].generation >= oldest_needed && precedes(first) {
        first -= 1;
    }
    let mut free = files;
    let files = free.split_off(first);
    Ok(Chosen { free, files })
}

/// The head of a file's first write, if it is in use. Refuses a file that is not ours to read.
fn first_head(dir: &Dir, identity: [u8; 16], file: &OpenFile) -> Result<Option<WriteHead>, JournalError> {
    let path = dir.file_path(file.generation);
    let error = |source| JournalError::Io { what: "read", path: path.clone(), source };
    let was_cut = |file_bytes: u64| {
        let what = format!("the file was cut, it had at least {file_bytes} bytes");
        JournalError::Damaged(Damage { file: path.clone(), position: file.len, group: None, what })
    };
    let mut scan = Scan::new(file, identity);
    let Some(page) = scan.bytes(0, PAGE_BYTES).map_err(error)? else { return Err(was_cut(PAGE_BYTES)) };
    if let Some(header) = FileHeader::decode(page) {
        if header.version > VERSION {
            return Err(JournalError::NewerVersion { file: path, version: header.version, supported: VERSION });
        }
        if header.identity != identity {
            return Err(JournalError::ForeignFile { file: path });
        }
        if header.generation == file.generation && file.len < header.file_bytes {
            return Err(was_cut(header.file_bytes));
        }
    }
    scan.head_at(PAGE_BYTES).map_err(error)
}
