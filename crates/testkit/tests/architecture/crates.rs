//! Who may know whom. The table of `docs/architecture/README.md` is the rule: to let a crate know another, change it
//! there, with the reason.

use std::collections::{BTreeMap, BTreeSet};

use crate::none;
use crate::workspace::{crate_folders, section, text};

const PAGE: &str = "docs/architecture/README.md";

/// What the table allows: a crate, and those that it may know.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let page = text(PAGE);
    let rows = page.lines().skip_while(|line| !line.starts_with("| crate |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|')).map(|row| row.split('|').collect::<Vec<_>>());
    let row = |cells: Vec<&str>| {
        let all = || crate_folders().into_iter().collect();
        let knows = if cells[2].trim() == "everything" { all() } else { in_backticks(cells[2]) };
        (in_backticks(cells[1]).pop_first().expect("a row begins with its crate"), knows)
    };
    rows.map(row).collect()
}

fn in_backticks(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_crate_has_its_row_in_the_table() {
    let rows: Vec<String> = table().into_keys().collect();
    assert_eq!(rows, crate_folders(), "the table of {PAGE} (left) is to name each folder of crates/ (right)");
}

#[test]
fn a_crate_knows_only_those_that_the_table_allows() {
    let (table, crates) = (table(), crate_folders());
    let mut offences = Vec::new();
    for (knower, allowed) in &table {
        for known in section(knower, "dependencies").iter().filter(|name| crates.contains(name)) {
            if !allowed.contains(known) {
                offences.push(format!("crates/{knower}/Cargo.toml: {knower} knows {known}"));
            }
        }
    }
    none("an arrow that the table of docs/architecture/README.md does not have:", offences);
}

#[test]
fn no_two_crates_know_each_other_by_any_way_round() {
    let mut left = table();
    left.remove("testkit");
    while let Some(bottom) = left.iter().find(|(_, knows)| knows.iter().all(|known| !left.contains_key(known))) {
        let bottom = bottom.0.clone();
        left.remove(&bottom);
    }
    let circle: Vec<&String> = left.keys().collect();
    assert!(circle.is_empty(), "the table of {PAGE} goes in a circle among {circle:?}");
}

#[test]
fn what_comes_from_outside_stays_where_it_belongs() {
    // A library, the crates that may name it, and why not the others.
    const ONLY: &[(&str, &[&str], &str)] = &[
        ("openraft", &["raft"], "consensus has one face, `raft::Group`"),
        ("openraft-rt-tokio", &["raft"], "consensus has one face, `raft::Group`"),
        ("kafka-protocol", &["wire", "client", "broker"], "below the broker nobody knows Kafka's messages"),
        ("memmap2", &["disk"], "a map is `unsafe`, and stands in one module"),
        ("libc", &["disk"], "`unsafe` stands in one module"),
        (
            "rustix",
            &["disk", "broker", "tidelog", "testkit"],
            "files are behind `disk`; sockets, host name, signals are not",
        ),
        (
            "tokio",
            &[
                "model",
                "peer",
                "journal",
                "raft",
                "shard",
                "controller",
                "broker",
                "console",
                "client",
                "tidelog",
                "testkit",
            ],
            "what computes or blocks on files is not asynchronous",
        ),
        ("clap", &["tidelog", "testkit"], "only programs have a command line"),
        ("tracing-subscriber", &["tidelog", "testkit"], "only programs decide where logs go"),
        ("testkit", &[], "nothing but tests depends on testkit"),
    ];
    let mut offences = Vec::new();
    for folder in crate_folders() {
        let named = section(&folder, "dependencies");
        for (library, allowed, why) in ONLY.iter().filter(|(library, _, _)| named.contains(*library)) {
            if !allowed.contains(&&*folder) {
                offences.push(format!("crates/{folder}/Cargo.toml: {folder} depends on {library}, but {why}"));
            }
        }
    }
    none("a dependency out of its place:", offences);
}
