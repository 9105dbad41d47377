//! Documentation that points to what is there.

use std::path::Path;

use crate::none;
use crate::workspace::{files, root, text};

fn pages() -> Vec<String> {
    files("", ".md").into_iter().filter(|path| !path.contains("node_modules")).collect()
}

#[test]
fn each_link_of_a_page_leads_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = text(&page);
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://") && !target.starts_with('#')) {
            let file = target.split('#').next().unwrap_or_default();
            if !root().join(&page).with_file_name("").join(file).exists() {
                broken.push(format!("{page}: {target}"));
            }
        }
    }
    none("a link to a file that is not there:", broken);
}

#[test]
fn each_path_that_a_page_names_is_there() {
    let mut missing = Vec::new();
    for page in pages() {
        let text = text(&page);
        for name in text.split('`').skip(1).step_by(2).filter(|name| is_path(name)) {
            if !root().join(name).exists() {
                missing.push(format!("{page}: `{name}`"));
            }
        }
    }
    none("a path of this repository that is not there:", missing);
}

fn is_path(name: &str) -> bool {
    let folders = ["crates/", "docs/", "tests/", "benches/"];
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    folders.iter().any(|folder| name.starts_with(folder)) && name.chars().all(plain)
}

#[test]
fn each_format_page_is_listed_in_the_overview() {
    let overview = text("docs/architecture/README.md");
    let unlisted = files("docs/architecture", ".md").into_iter().filter(|path| {
        let name = path.trim_start_matches("docs/architecture/");
        name != "README.md" && !overview.contains(&format!("]({name})"))
    });
    none("docs/architecture/README.md leads to every page beside and below it:", unlisted.collect());
    assert!(Path::new(&root()).join("docs/architecture/decisions").is_dir());
}
