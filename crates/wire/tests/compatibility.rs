//! `docs/compatibility.md` says what the table in code says.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

const START: &str = "<!-- from crates/wire/src/api.rs; UPDATE_DOCS=1 cargo test -p wire --test compatibility -->\n\n";

#[test]
fn the_page_is_the_table_in_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compatibility.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, _) = page.split_once(START).expect("the page has the mark above its tables");
    let expected = format!("{before}{START}{}", wire::compatibility_tables().trim_end()) + "\n";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, expected).unwrap();
    } else {
        assert!(page == expected, "docs/compatibility.md is stale; write it anew with UPDATE_DOCS=1");
    }
}
