//! Printing records.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Stdout, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use client::{ClientError, Fetched, TopicPartition};
use record::{Header, RecordView};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

use super::super::Failure;
use super::super::time::print_moment;
use super::format::{Parts, Style};

/// What is gathered before it is written: so much that a system call costs nothing beside it.
const BUFFER_BYTES: usize = 256 * 1024;

/// What a key or a value that is not there is in a text, as Kafka's own console consumer prints it.
const NULL: &[u8] = b"null";

/// Why printing ends.
#[derive(Debug)]
pub(super) enum Halt {
    /// All that was asked for is printed.
    Done,
    /// It cannot be written.
    Output(io::Error),
    /// It cannot be read.
    Client(ClientError),
    /// What was asked for is not there.
    Asked(Failure),
}

impl From<Failure> for Halt {
    fn from(why: Failure) -> Self {
        Halt::Asked(why)
    }
}

impl From<ClientError> for Halt {
    fn from(why: ClientError) -> Self {
        Halt::Client(why)
    }
}

impl From<io::Error> for Halt {
    fn from(why: io::Error) -> Self {
        Halt::Output(why)
    }
}

/// Prints records to standard output.
pub(super) struct Printer<'a, W: Write = BufWriter<Stdout>> {
    out: W,
    style: Style<'a>,
    /// How many more; no end if not said.
    left: Option<u64>,
    /// The offset behind what was printed of each partition.
    printed: BTreeMap<TopicPartition, i64>,
}

impl<'a> Printer<'a> {
    pub(super) fn new(style: Style<'a>, count: Option<u64>) -> Self {
        Printer::to(BufWriter::with_capacity(BUFFER_BYTES, io::stdout()), style, count)
    }
}

impl<'a, W: Write> Printer<'a, W> {
    pub(super) fn to(out: W, style: Style<'a>, count: Option<u64>) -> Self {
        Printer { out, style, left: count, printed: BTreeMap::new() }
    }

    /// Prints what was read, up to where each partition ends, if that is said: all of it is written out then, also if
    /// an error comes behind it.
    pub(super) fn print(&mut self, fetched: &[Fetched], ends: &BTreeMap<TopicPartition, i64>) -> Result<(), Halt> {
        let printed = fetched.iter().try_for_each(|fetched| self.print_one(fetched, ends));
        self.out.flush()?;
        printed
    }

    fn print_one(&mut self, fetched: &Fetched, ends: &BTreeMap<TopicPartition, i64>) -> Result<(), Halt> {
        let place = (fetched.topic().to_owned(), fetched.partition());
        let (mut next, end) = (None, ends.get(&place).copied());
        let printed = fetched.for_each(|record| {
            if self.is_done() || end.is_some_and(|end| record.offset >= end) {
                return Err(Halt::Done);
            }
            self.record(fetched.topic(), fetched.partition(), &record)?;
            next = Some(record.offset + 1);
            Ok(())
        });
        // Behind the last record there may be some that were compacted away.
        let next = if printed.is_ok() { Some(fetched.next_offset()) } else { next };
        if let Some(next) = next {
            self.printed.insert(place, next);
        }
        match printed {
            Err(Halt::Done) => Ok(()),
            printed => printed,
        }
    }

    /// Whether all that was asked for is printed.
    pub(super) fn is_done(&self) -> bool {
        self.left == Some(0)
    }

    /// The offset behind what was printed of each partition.
    pub(super) fn printed(&self) -> &BTreeMap<TopicPartition, i64> {
        &self.printed
    }

    /// Forgets it: partitions were dealt out anew.
    pub(super) fn forget_printed(&mut self) {
        self.printed.clear();
    }

    fn record(&mut self, topic: &str, partition: i32, record: &RecordView<'_>) -> io::Result<()> {
        let Printer { out, style, .. } = self;
        match style {
            Style::Text(parts) => print_text(out, parts, topic, partition, record)?,
            Style::Json => {
                serde_json::to_writer(&mut *out, &Json { topic, partition, record })?;
                out.write_all(b"\n")?;
            }
            Style::Raw => out.write_all(record.value.unwrap_or_default())?,
            Style::Pattern(pattern) => pattern.write(out, topic, partition, record)?,
        }
        self.left = self.left.map(|left| left - 1);
        Ok(())
    }
}

fn print_text(
    out: &mut impl Write,
    parts: &Parts,
    topic: &str,
    partition: i32,
    record: &RecordView<'_>,
) -> io::Result<()> {
    let separator = parts.separator.as_bytes();
    if parts.print_topic {
        out.write_all(topic.as_bytes())?;
        out.write_all(separator)?;
    }
    if parts.print_timestamp {
        out.write_all(print_moment(record.timestamp).as_bytes())?;
        out.write_all(separator)?;
    }
    if parts.print_partition {
        write!(out, "{partition}")?;
        out.write_all(separator)?;
    }
    if parts.print_offset {
        write!(out, "{}", record.offset)?;
        out.write_all(separator)?;
    }
    if parts.print_headers {
        write_headers(out, record)?;
        out.write_all(separator)?;
    }
    if parts.print_key {
        out.write_all(record.key.unwrap_or(NULL))?;
        out.write_all(separator)?;
    }
    out.write_all(record.value.unwrap_or(NULL))?;
    out.write_all(b"\n")
}

/// As `key=value,key=value`.
pub(super) fn write_headers(out: &mut impl Write, record: &RecordView<'_>) -> io::Result<()> {
    for (place, header) in record.headers.iter().enumerate() {
        out.write_all(if place == 0 { b"" } else { b"," })?;
        out.write_all(header.key)?;
        out.write_all(b"=")?;
        out.write_all(header.value.unwrap_or(NULL))?;
    }
    Ok(())
}

/// A record as an object.
struct Json<'a> {
    topic: &'a str,
    partition: i32,
    record: &'a RecordView<'a>,
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Record", 7)?;
        object.serialize_field("topic", self.topic)?;
        object.serialize_field("partition", &self.partition)?;
        object.serialize_field("offset", &self.record.offset)?;
        object.serialize_field("timestamp", &self.record.timestamp)?;
        object.serialize_field("key", &self.record.key.map(JsonBytes))?;
        object.serialize_field("value", &self.record.value.map(JsonBytes))?;
        object.serialize_field("headers", &JsonHeaders(self.record))?;
        object.end()
    }
}

/// A list, since keys may repeat.
struct JsonHeaders<'a>(&'a RecordView<'a>);

impl Serialize for JsonHeaders<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.headers.len()))?;
        for header in self.0.headers {
            list.serialize_element(&JsonHeader(header))?;
        }
        list.end()
    }
}

struct JsonHeader<'a>(Header<'a>);

impl Serialize for JsonHeader<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Header", 2)?;
        object.serialize_field("key", &JsonBytes(self.0.key))?;
        object.serialize_field("value", &self.0.value.map(JsonBytes))?;
        object.end()
    }
}

/// A text, or what is no text as `{"base64": "..."}`: nothing is lost, and one cannot be taken for the other.
struct JsonBytes<'a>(&'a [u8]);

impl Serialize for JsonBytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => {
                let mut object = serializer.serialize_map(Some(1))?;
                object.serialize_entry("base64", &BASE64.encode(self.0))?;
                object.end()
            }
        }
    }
}

#[cfg(test)]
mod tests;
