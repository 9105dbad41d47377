//! What is printed of each record.

use clap::{Args, ValueEnum};

use super::pattern::Pattern;

/// What may be said about it.
#[derive(Args)]
pub(super) struct Format {
    /// text: the value in a line; json: all of a record as an object in a line; raw: values as they are, with nothing
    /// between them
    #[arg(
        long,
        short,
        value_enum,
        default_value_t = Output::Text,
        env = "TIDELOG_OUTPUT",
        hide_env_values = true,
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    output: Output,
    /// Print each record by this pattern: %t topic, %p partition, %o offset, %T timestamp in ms, %k key, %s value, %K and
    /// %S their lengths, %h headers; \n, \t, \x1e
    #[arg(
        long,
        short,
        value_name = "PATTERN",
        value_parser = Pattern::parse,
        conflicts_with_all = ["print_timestamp", "print_partition", "print_offset", "print_headers", "print_key"]
    )]
    format: Option<Pattern>,
    #[command(flatten)]
    parts: Parts,
}

/// What stands before the value in a text.
#[derive(Args, Default)]
pub(super) struct Parts {
    /// Print each record's topic
    #[arg(long)]
    pub(super) print_topic: bool,
    /// Print when each record was written, in UTC
    #[arg(long)]
    pub(super) print_timestamp: bool,
    /// Print each record's partition
    #[arg(long)]
    pub(super) print_partition: bool,
    /// Print each record's offset
    #[arg(long)]
    pub(super) print_offset: bool,
    /// Print each record's headers, as key=value,key=value
    #[arg(long)]
    pub(super) print_headers: bool,
    /// Print each record's key
    #[arg(long)]
    pub(super) print_key: bool,
    /// What stands between the parts of a line [default: a tab]
    #[arg(long, value_name = "TEXT", default_value = "\t", hide_default_value = true)]
    pub(super) separator: String,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
    Raw,
}

/// How records are printed.
pub(super) enum Style<'a> {
    Text(&'a Parts),
    Json,
    Raw,
    Pattern(&'a Pattern),
}

impl Format {
    pub(super) fn style(&self) -> Style<'_> {
        match (&self.format, self.output) {
            (Some(pattern), _) => Style::Pattern(pattern),
            (None, Output::Text) => Style::Text(&self.parts),
            (None, Output::Json) => Style::Json,
            (None, Output::Raw) => Style::Raw,
        }
    }
}
