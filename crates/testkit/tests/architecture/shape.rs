//! Files, folders and their names.

use std::collections::BTreeSet;

use crate::none;
use crate::workspace::{files, ignored, root, text};

/// A longer file is two ideas in one room.
const MOST_LINES: usize = 500;

/// Longer all the same, each with its reason.
const LONGER: &[&str] = &[
    // The reader of a little language of scripts: one grammar, one place.
    "crates/coordinator/src/classic/tests/script.rs",
];

/// What stands at the root; anything else has a folder of its own to go to.
const ROOT: &[&str] = &[
    ".cargo",
    ".ci",
    ".dockerignore",
    ".git",
    ".gitattributes",
    ".github",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "benches",
    "clippy.toml",
    "crates",
    "deploy",
    "docs",
    "rustfmt.toml",
    "test.sh",
    "tests",
];

fn sources() -> Vec<String> {
    ["crates", "tests", "benches"].into_iter().flat_map(|folder| files(folder, ".rs")).collect()
}

#[test]
fn no_source_is_longer_than_500_lines() {
    let too_long = sources().into_iter().filter(|path| !LONGER.contains(&&**path)).filter_map(|path| {
        let lines = text(&path).lines().count();
        (lines > MOST_LINES).then(|| format!("{path}: {lines} lines"))
    });
    none("a file this long is two ideas in one room: split it", too_long.collect());
}

#[test]
fn nothing_is_left_for_later_in_the_sources() {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("to", "do!("),
        concat!("unimplemented", "!("),
    ];
    let marked = sources().into_iter().chain(files("docs", ".md")).flat_map(|path| {
        let text = text(&path);
        let found = text.lines().enumerate().filter(|(_, line)| marks.iter().any(|mark| line.contains(mark)));
        found.map(|(at, line)| format!("{path}:{}: {}", at + 1, line.trim())).collect::<Vec<_>>()
    });
    none("do it, or say in the documentation what does not work yet:", marked.collect());
}

#[test]
fn each_api_that_is_served_has_its_file_and_each_file_its_api() {
    let page = text("docs/compatibility.md");
    let served = page.lines().skip_while(|line| !line.starts_with("## Served")).skip(1);
    let served = served.take_while(|line| !line.starts_with("## ")).filter_map(|line| line.split('|').nth(2));
    let served: BTreeSet<String> = served.filter(|name| !matches!(*name, "API" | "---")).map(snake_case).collect();
    let files = files("crates/broker/src/api", ".rs");
    let names = files.iter().filter_map(|path| path.rsplit('/').next()?.strip_suffix(".rs"));
    let files: BTreeSet<String> = names.filter(|name| *name != "mod").map(str::to_owned).collect();
    assert_eq!(
        files, served,
        "crates/broker/src/api/ (left) is to have a file for each API of docs/compatibility.md (right)"
    );
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[test]
fn the_root_holds_what_people_and_tools_look_for_there() {
    let (ignored, mut strangers) = (ignored(), Vec::new());
    for entry in std::fs::read_dir(root()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !ROOT.contains(&&*name) && !ignored.contains(&name) {
            strangers.push(name);
        }
    }
    none("put it into a folder, or add it to the list with those who look for it here:", strangers);
}
