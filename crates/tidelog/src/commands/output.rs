//! Results on standard output, each written once for three readers: aligned tables with headings for people, the same
//! tab-separated and without headings for a pipe, and one JSON document for programs.

use std::io::{self, IsTerminal, Write};

use clap::{Args, ValueEnum};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;

use super::Failure;

/// How results are printed: part of every command that has some.
#[derive(Args, Clone, Copy)]
pub(crate) struct Output {
    /// text: a table, which in a pipe is tab-separated and has no headings; json: one document in a line
    #[arg(
        long = "output",
        short = 'o',
        value_enum,
        default_value_t = Format::Text,
        env = "TIDELOG_OUTPUT",
        hide_env_values = true,
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Output {
    /// Whether a program reads what is printed.
    pub(crate) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// Prints a table: a list of objects for programs.
    pub(crate) fn table(self, table: &Table) -> io::Result<()> {
        match self.format {
            Format::Text => print_text(&table.render(io::stdout().is_terminal())),
            Format::Json => print_json(&Rows(table)),
        }
    }

    /// Prints what is known of one thing, and tables of its parts: one object for programs.
    pub(crate) fn facts<'a>(self, facts: &Facts, parts: impl IntoIterator<Item = &'a Table>) -> io::Result<()> {
        let parts: Vec<&Table> = parts.into_iter().collect();
        match self.format {
            Format::Text => {
                let for_people = io::stdout().is_terminal();
                let tables = parts.iter().filter(|table| !table.rows.is_empty() || parts.len() == 1);
                let tables = tables.map(|table| table.render(for_people));
                let all = std::iter::once(facts.render(for_people)).chain(tables);
                let all: Vec<String> = all.filter(|part| !part.is_empty()).collect();
                print_text(&all.join("\n"))
            }
            Format::Json => print_json(&Document { facts, parts: &parts }),
        }
    }

    /// For a command that does several things, one after the other.
    pub(crate) fn steps(self) -> Steps {
        Steps { output: self, done: Vec::new() }
    }
}

/// What was done: a line for each thing when it is done, or one list of objects for programs at the end.
#[must_use]
pub(crate) struct Steps {
    output: Output,
    done: Vec<Value>,
}

impl Steps {
    /// Something was done.
    pub(crate) fn done(&mut self, line: &str, object: Value) -> io::Result<()> {
        match self.output.is_json() {
            true => self.done.push(object),
            false => print_text(&format!("{line}\n"))?,
        }
        Ok(())
    }

    /// Nothing more will be; also if something went wrong, since programs have to know what was done before.
    pub(crate) fn end(self, how: Result<(), Failure>) -> Result<(), Failure> {
        if self.output.is_json() {
            print_json(&self.done)?;
        }
        how
    }
}

/// Rows of cells.
pub(crate) struct Table {
    /// What the rows are, as programs name it.
    name: &'static str,
    headings: Vec<&'static str>,
    /// So many columns are for everybody, the rest for programs only.
    shown: usize,
    rows: Vec<Vec<Value>>,
}

impl Table {
    pub(crate) fn new(name: &'static str, headings: &[&'static str]) -> Self {
        Table { name, headings: headings.to_vec(), shown: headings.len(), rows: Vec::new() }
    }

    /// Shows so many columns to everybody; the others are for programs.
    pub(crate) fn show(mut self, columns: usize) -> Self {
        self.shown = columns;
        self
    }

    /// Adds a row, a cell for each heading.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Value>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn render(&self, for_people: bool) -> String {
        let rows = || self.rows.iter().map(|row| row.iter().take(self.shown).map(in_words).collect::<Vec<String>>());
        if !for_people {
            return rows().map(|row| row.join("\t") + "\n").collect();
        }
        let headings = self.headings.iter().take(self.shown).map(|heading| heading.to_uppercase()).collect();
        let all: Vec<Vec<String>> = std::iter::once(headings).chain(rows()).collect();
        let width = |column: usize| all.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..self.shown).map(|column| width(column).unwrap_or(0)).collect();
        all.iter().map(|row| align(row, &widths) + "\n").collect()
    }
}

fn align(row: &[String], widths: &[usize]) -> String {
    let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    cells.join("  ").trim_end().to_owned()
}

/// What is known of one thing: names and values.
pub(crate) struct Facts(Vec<Fact>);

struct Fact {
    name: &'static str,
    value: Value,
    /// Programs see it from the parts.
    for_people: bool,
}

impl Facts {
    pub(crate) fn new() -> Self {
        Facts(Vec::new())
    }

    pub(crate) fn fact(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push(Fact { name, value: value.into(), for_people: false });
    }

    /// How many parts there are, which programs count themselves.
    pub(crate) fn count(&mut self, name: &'static str, count: usize) {
        self.0.push(Fact { name, value: count.into(), for_people: true });
    }

    fn render(&self, for_people: bool) -> String {
        let width = self.0.iter().map(|fact| fact.name.len()).max().unwrap_or(0);
        let line = |Fact { name, value, .. }: &Fact| match for_people {
            true => format!("{name:width$}  {}", in_words(value)).trim_end().to_owned() + "\n",
            false => format!("{name}\t{}\n", in_words(value)),
        };
        self.0.iter().map(line).collect()
    }
}

/// A value in a text. What could move a terminal's cursor is taken out: names may come from anybody.
fn in_words(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(in_words).collect::<Vec<_>>().join(","),
        Value::Object(map) => {
            map.iter().map(|(key, value)| format!("{key}={}", in_words(value))).collect::<Vec<_>>().join(" ")
        }
    };
    text.replace(char::is_control, "\u{fffd}")
}

/// As programs write names.
fn key(heading: &str) -> String {
    heading.replace(' ', "_")
}

struct Rows<'a>(&'a Table);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.rows.iter().map(|cells| Row { headings: &self.0.headings, cells }))
    }
}

struct Row<'a> {
    headings: &'a [&'static str],
    cells: &'a [Value],
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.headings.iter().map(|heading| key(heading)).zip(self.cells))
    }
}

struct Document<'a> {
    facts: &'a Facts,
    parts: &'a [&'a Table],
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        enum Part<'a> {
            Fact(&'a Value),
            Rows(Rows<'a>),
        }
        impl Serialize for Part<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    Part::Fact(value) => value.serialize(serializer),
                    Part::Rows(rows) => rows.serialize(serializer),
                }
            }
        }
        let facts = self.facts.0.iter().filter(|fact| !fact.for_people);
        let facts = facts.map(|fact| (key(fact.name), Part::Fact(&fact.value)));
        let parts = self.parts.iter().map(|parts| (key(parts.name), Part::Rows(Rows(parts))));
        serializer.collect_map(facts.chain(parts))
    }
}

fn print_json(document: &impl Serialize) -> io::Result<()> {
    print_text(&(serde_json::to_string(document)? + "\n"))
}

/// Prints a text as it is.
pub(crate) fn print_text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Who closed the pipe has seen enough.
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Says something to a person who watches, on standard error.
pub(crate) fn tell(what: &str) {
    if io::stderr().is_terminal() {
        eprintln!("{what}");
    }
}

/// A number and what it counts: `1 partition`, `3 partitions`.
pub(crate) fn count(number: impl Into<i64>, noun: &str) -> String {
    match number.into() {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new("topics", &["topic", "in sync", "about"]).show(2);
        table.row(["a-longer-name".into(), vec![1, 2].into(), "x".into()]);
        table.row(["b".into(), Value::Null, Value::Null]);
        table
    }

    fn facts() -> Facts {
        let mut facts = Facts::new();
        facts.fact("id", "abc");
        facts.count("topics", 2);
        facts.fact("is internal", false);
        facts
    }

    #[test]
    fn people_get_columns_with_headings() {
        let lines = ["TOPIC          IN SYNC", "a-longer-name  1,2", "b              -", ""];
        assert_eq!(table().render(true), lines.join("\n"));
    }

    #[test]
    fn a_pipe_gets_tabs_and_no_headings() {
        assert_eq!(table().render(false), "a-longer-name\t1,2\nb\t-\n");
    }

    #[test]
    fn programs_get_all_columns_in_their_order() {
        let rows =
            r#"[{"topic":"a-longer-name","in_sync":[1,2],"about":"x"},{"topic":"b","in_sync":null,"about":null}]"#;
        assert_eq!(serde_json::to_string(&Rows(&table())).unwrap(), rows);
        let document = serde_json::to_string(&Document { facts: &facts(), parts: &[&table()] }).unwrap();
        assert_eq!(document, format!(r#"{{"id":"abc","is_internal":false,"topics":{rows}}}"#));
    }

    #[test]
    fn facts_are_aligned_for_people_only() {
        assert_eq!(facts().render(true), "id           abc\ntopics       2\nis internal  no\n");
        assert_eq!(facts().render(false), "id\tabc\ntopics\t2\nis internal\tno\n");
    }

    #[test]
    fn a_name_cannot_play_with_the_terminal() {
        assert_eq!(in_words(&"red\u{1b}[31m\talert\n".into()), "red\u{fffd}[31m\u{fffd}alert\u{fffd}");
    }
}
