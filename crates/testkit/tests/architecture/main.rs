//! The arrows and invariants of `docs/architecture/README.md`, held against the workspace as it is.
//!
//! Manifests and sources are read as text: nothing is built, and it takes some milliseconds.
//!
//! | module | what it holds |
//! |---|---|
//! | `crates` | who may know whom, and who may depend on what from outside |
//! | `words` | who may name files, clocks, threads, randomness, and the like |
//! | `shape` | files, folders and their names |
//! | `pages` | documentation that points to what is there |

mod crates;
mod pages;
mod shape;
mod words;
mod workspace;

/// Fails with all offences at once, and the reason for the rule.
#[track_caller]
fn none(why: &str, offences: Vec<String>) {
    assert!(offences.is_empty(), "{why}\n\n{}\n", offences.join("\n"));
}
