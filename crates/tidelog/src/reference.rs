//! `docs/reference/command-line.md`, printed from the commands themselves.

use std::fmt::Write;
use std::path::Path;

use clap::{Command, CommandFactory};

/// What stands before the commands.
const HEAD: &str = "\
# The command line

`tidelog` alone (or `tidelog serve`) is the broker; every other command is a client of one, at
`localhost:9092` unless `--bootstrap` or the environment says otherwise. This page is printed from the binary's own
help, and a test holds the two together.

**Output.** Results go to standard output, all else to standard error. On a terminal a result is a table with headings;
in a pipe the same is tab-separated and has none. `--output json` prints one JSON document in a line: an object, or a
list of objects. `tidelog consume --output json` prints an object for each record, in a line of its own. Keys are the
headings, with `_` for spaces; what is unknown is `null` (`-` in a table). Commands that do several things list what
they have done, also when one of them fails.

**Exit codes.**

| code | |
|---|---|
| 0 | it is done; so are `consume` ended by Ctrl-C and one whose reader went away |
| 1 | it failed: one line on standard error says why, and what to do |
| 2 | the arguments are wrong; nothing was tried |

**What cannot be undone** is said first, and asked about if a person is there to answer (standard input and standard
error are a terminal). `--yes` does not ask.

**Environment.**

| variable | |
|---|---|
| `TIDELOG_BOOTSTRAP` | stands for `--bootstrap` |
| `TIDELOG_OUTPUT` | stands for `--output` |
| `TIDELOG_LOG` | what `tidelog serve` says on standard error, such as `info` or `warn,broker=debug` |
| `TIDELOG_<SETTING>` | a setting of `tidelog serve` ([configuration.md](configuration.md)) |

**Shell completion and manual pages**: [`tidelog completions`](#tidelog-completions), [`tidelog man`](#tidelog-man).
";

fn page() -> String {
    // As wide as the page's own lines.
    let mut cli = crate::Cli::command().term_width(110).disable_help_subcommand(true);
    cli.build();
    let mut page = HEAD.to_owned();
    print_command(&mut cli, "tidelog", &mut page);
    page
}

fn print_command(command: &mut Command, name: &str, page: &mut String) {
    // Of a family of commands, its members are the page.
    let is_family = command.has_subcommands() && name != "tidelog";
    if !is_family {
        let help = command.render_help().to_string();
        let help = help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        write!(page, "\n## {name}\n\n```text\n{help}\n```\n").unwrap();
    }
    for subcommand in command.get_subcommands_mut() {
        let name = format!("{name} {}", subcommand.get_name());
        print_command(subcommand, &name, page);
    }
}

/// `UPDATE_DOCS=1 cargo test -p tidelog reference` writes the page.
#[test]
fn the_page_of_the_reference_says_what_the_help_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/command-line.md");
    let expected = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let difference = expected.lines().zip(found.lines()).position(|(one, other)| one != other);
    let remedy = "run `UPDATE_DOCS=1 cargo test -p tidelog reference`";
    assert!(expected == found, "docs/reference/command-line.md is not the help, from line {difference:?} on: {remedy}");
}

#[test]
fn each_command_says_what_it_does_and_each_argument_what_it_is() {
    fn look(command: &Command, name: &str) {
        assert!(command.get_about().is_some(), "{name} says nothing");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{name}: {} says nothing", argument.get_id());
        }
        for subcommand in command.get_subcommands().filter(|command| command.get_name() != "help") {
            look(subcommand, &format!("{name} {}", subcommand.get_name()));
        }
    }
    look(&crate::Cli::command(), "tidelog");
}
