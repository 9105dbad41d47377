//! The workspace as text: manifests, sources without their comments and tests, pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text of a file, by its path from the root.
#[track_caller]
pub(crate) fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// All files below a folder whose names end so, by their paths from the root, in order. What git ignores is left out.
pub(crate) fn files(below: &str, ending: &str) -> Vec<String> {
    let ignored = ignored();
    let (mut found, mut folders) = (Vec::new(), vec![below.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            match entry.file_type() {
                _ if name == ".git" || ignored.contains(&name) => {}
                Ok(kind) if kind.is_dir() => folders.push(path),
                _ if name.ends_with(ending) => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// Names that `.gitignore` leaves out, wherever they stand.
pub(crate) fn ignored() -> BTreeSet<String> {
    text(".gitignore").lines().map(|line| line.trim_end_matches('/').to_owned()).collect()
}

/// The folders of `crates/`, in order.
pub(crate) fn crate_folders() -> Vec<String> {
    let entries = fs::read_dir(root().join("crates")).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The names in one section of a crate's manifest, such as `dependencies`.
pub(crate) fn section(folder: &str, name: &str) -> BTreeSet<String> {
    let manifest = text(&format!("crates/{folder}/Cargo.toml"));
    let lines = manifest.lines().skip_while(|line| *line != format!("[{name}]")).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split(['.', ' ', '=']).next()).filter(|name| !name.is_empty());
    names.filter(|name| !name.starts_with('#')).map(str::to_owned).collect()
}

/// A line of code: where it stands, and what is left of it without comments and the insides of strings.
pub(crate) struct Line {
    pub(crate) path: String,
    pub(crate) number: usize,
    pub(crate) code: String,
}

impl Line {
    /// Whether it names `word`, as a whole and not as a part of another.
    pub(crate) fn names(&self, word: &str) -> bool {
        // `'static` is not `static`.
        let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '\'');
        self.code.match_indices(word).any(|(at, _)| {
            let (before, after) = (&self.code[..at], &self.code[at + word.len()..]);
            let goes_on = joins(word.chars().next_back()) && joins(after.chars().next());
            !joins(before.chars().next_back()) && !goes_on
        })
    }
}

/// The lines of all crates' own code: `crates/*/src` without what is compiled for tests only.
pub(crate) fn code() -> Vec<Line> {
    let sources: Vec<String> = files("crates", ".rs").into_iter().filter(|path| path.contains("/src/")).collect();
    let tests: Vec<String> = sources.iter().flat_map(|path| test_modules(path)).collect();
    let is_test = |path: &&String| {
        tests.iter().any(|test| **path == format!("{test}.rs") || path.starts_with(&format!("{test}/")))
    };
    sources.iter().filter(|path| !is_test(path)).flat_map(|path| lines_of(path)).collect()
}

/// The modules that a file declares for tests only, by their paths without an ending.
fn test_modules(path: &str) -> Vec<String> {
    let (folder, file) = path.rsplit_once('/').expect("a source lies in a folder");
    let home = match file {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => path.trim_end_matches(".rs").to_owned(),
    };
    let source = text(path);
    let marked = source.split("#[cfg(test)]\n").skip(1).filter_map(|rest| rest.lines().next());
    let names =
        marked.filter_map(|line| line.trim().trim_start_matches("pub(crate) ").strip_prefix("mod ")?.strip_suffix(';'));
    names.map(|name| format!("{home}/{name}")).collect()
}

fn lines_of(path: &str) -> Vec<Line> {
    let source = text(path);
    let own = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let line = |(at, line): (usize, &str)| Line { path: path.to_owned(), number: at + 1, code: bare(line) };
    own.lines().enumerate().map(line).collect()
}

/// A line without its comment and without what stands in quotes.
fn bare(line: &str) -> String {
    let (mut code, mut quoted, mut before) = (String::new(), false, ' ');
    for c in line.chars() {
        match c {
            '"' if before != '\\' && before != '\'' => quoted = !quoted,
            '/' if before == '/' && !quoted => {
                code.pop();
                break;
            }
            _ if !quoted => code.push(c),
            _ => {}
        }
        before = c;
    }
    code
}
