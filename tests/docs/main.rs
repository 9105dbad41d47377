//! The commands of `README.md` and `docs/start.md`, run as they stand there, against a broker of their own.
//!
//! Of each page, from top to bottom:
//!
//! | block | what becomes of it |
//! |---|---|
//! | `js`, `py` | written to the file that its first line names (`// hello.js, ...`) |
//! | `sh` | run by bash in that folder, each command of which must succeed |
//! | `text`, right behind `sh` | what that must have printed |
//! | `console` | only shown: what never ends, or needs another machine |
//!
//! `localhost:9092` stands for the test's broker.
#![expect(clippy::unwrap_used, reason = "a step that fails is the test's failure")]

mod commands;
mod page;

use std::fs;
use std::path::Path;

use commands::Commands;
use page::{Block, blocks};
use support::TestBroker;

/// Runs a page; fewer than `least` commands mean that its marks were lost.
#[track_caller]
fn run(page: &str, least: usize) {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(page)).unwrap();
    let broker = TestBroker::with_defaults();
    let commands = Commands::new(&broker);
    let (mut printed, mut run) = (None, 0);
    for Block { language, line, text } in blocks(&text) {
        let text = text.replace("localhost:9092", &broker.address());
        match language {
            "js" | "py" => commands.write(&text),
            "sh" => {
                printed = Some(commands.run(&text, &format!("{page}:{line}")));
                run += 1;
            }
            "text" => {
                let printed = printed.take().unwrap_or_else(|| panic!("{page}:{line}: output of which command?"));
                assert_eq!(printed, text, "what the commands above {page}:{line} print (left) is not what it says");
            }
            "console" => {}
            other => panic!("{page}:{line}: a block of `{other}`, which this test does not know"),
        }
    }
    assert!(run >= least, "{page}: {run} blocks of commands, there were {least}");
}

#[test]
fn the_commands_of_the_readme_do_what_it_says() {
    run("README.md", 3);
}

#[test]
fn the_commands_of_the_first_hour_do_what_it_says() {
    run("docs/start.md", 6);
}
