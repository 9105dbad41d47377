//! Output of results: aligned with headings on a terminal, tab-separated without them in a pipe.

use std::io::{self, IsTerminal, Write};

/// Rows of cells.
pub(crate) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headings: &[&'static str]) -> Self {
        Table { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row, a cell for each heading.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as a person, or as a program likes it.
    fn render(&self, for_people: bool) -> String {
        if !for_people {
            return self.rows.iter().map(|row| row.join("\t") + "\n").collect();
        }
        let headings: Vec<String> = self.headings.iter().map(|heading| heading.to_uppercase()).collect();
        let all = || std::iter::once(&headings).chain(&self.rows);
        let width = |column: usize| all().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..headings.len()).map(|column| width(column).unwrap_or(0)).collect();
        all().map(|row| align(row, &widths) + "\n").collect()
    }
}

fn align(row: &[String], widths: &[usize]) -> String {
    let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    cells.join("  ").trim_end().to_owned()
}

/// What is known of one thing: names and values.
pub(crate) struct Facts(Vec<(&'static str, String)>);

impl Facts {
    pub(crate) fn new() -> Self {
        Facts(Vec::new())
    }

    pub(crate) fn fact(&mut self, name: &'static str, value: impl ToString) {
        self.0.push((name, value.to_string()));
    }

    fn render(&self, for_people: bool) -> String {
        let width = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let line = |(name, value): &(&str, String)| match for_people {
            true => format!("{name:width$}  {value}").trim_end().to_owned() + "\n",
            false => format!("{name}\t{value}\n"),
        };
        self.0.iter().map(line).collect()
    }
}

/// Prints facts, a table, or both.
pub(crate) fn print(facts: Option<&Facts>, table: Option<&Table>) -> io::Result<()> {
    let for_people = io::stdout().is_terminal();
    let parts = [facts.map(|facts| facts.render(for_people)), table.map(|table| table.render(for_people))];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    print_text(&parts.join("\n"))
}

/// Prints a line.
pub(crate) fn print_line(line: &str) -> io::Result<()> {
    print_text(&format!("{line}\n"))
}

fn print_text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Who closed the pipe has seen enough.
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Numbers separated by commas.
pub(crate) fn list(numbers: impl IntoIterator<Item = impl ToString>) -> String {
    numbers.into_iter().map(|number| number.to_string()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["topic", "partitions"]);
        table.row(["a-longer-name".to_owned(), "3".to_owned()]);
        table.row(["b".to_owned(), "12".to_owned()]);
        table
    }

    #[test]
    fn people_get_columns_with_headings() {
        let lines = ["TOPIC          PARTITIONS", "a-longer-name  3", "b              12", ""];
        assert_eq!(table().render(true), lines.join("\n"));
    }

    #[test]
    fn programs_get_tabs_and_no_headings() {
        assert_eq!(table().render(false), "a-longer-name\t3\nb\t12\n");
    }

    #[test]
    fn facts_are_aligned_for_people_only() {
        let mut facts = Facts::new();
        facts.fact("id", "abc");
        facts.fact("partitions", 3);
        assert_eq!(facts.render(true), "id          abc\npartitions  3\n");
        assert_eq!(facts.render(false), "id\tabc\npartitions\t3\n");
    }
}
