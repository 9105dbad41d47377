//! What is read: files, and standard input.

use std::io;

use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::super::Failure;
use super::lines::MAX_LINE_BYTES;

/// What errors call it.
pub(super) const STANDARD_INPUT: &str = "standard input";

/// The longest record that is read as a whole file: brokers refuse such far below this, and memory must end somewhere.
const MAX_WHOLE_BYTES: u64 = MAX_LINE_BYTES as u64;

/// A file, or standard input.
pub(super) struct Input {
    pub(super) name: String,
    pub(super) bytes: Box<dyn AsyncRead + Send + Unpin>,
    /// If it is known before it is read.
    pub(super) size_bytes: Option<u64>,
}

/// Opens all files; standard input, if there are none.
pub(super) async fn open_all(files: &[String]) -> Result<Vec<Input>, Failure> {
    if files.is_empty() {
        return Ok(vec![standard_input()]);
    }
    let mut inputs = Vec::new();
    for name in files {
        inputs.push(match name.as_str() {
            "-" => standard_input(),
            _ => open(name).await.map_err(|why| format!("cannot read {name}: {}", in_words(&why)))?,
        });
    }
    Ok(inputs)
}

fn standard_input() -> Input {
    let size_bytes = std::fs::metadata("/dev/stdin").ok().filter(std::fs::Metadata::is_file).map(|file| file.len());
    Input { name: STANDARD_INPUT.to_owned(), bytes: Box::new(tokio::io::stdin()), size_bytes }
}

async fn open(name: &str) -> io::Result<Input> {
    let file = File::open(name).await?;
    let about = file.metadata().await?;
    if about.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let size_bytes = about.is_file().then_some(about.len());
    Ok(Input { name: name.to_owned(), bytes: Box::new(file), size_bytes })
}

impl Input {
    /// All of it.
    pub(super) async fn read_whole(self) -> Result<Vec<u8>, Failure> {
        let name = self.name;
        let mut all = Vec::new();
        let read = self.bytes.take(MAX_WHOLE_BYTES + 1).read_to_end(&mut all).await;
        read.map_err(|why| format!("cannot read {name}: {}", in_words(&why)))?;
        if all.len() as u64 > MAX_WHOLE_BYTES {
            return Err(format!("{name} is longer than {MAX_WHOLE_BYTES} bytes: no broker takes such a record").into());
        }
        Ok(all)
    }
}

/// What the system says, without its number.
fn in_words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
