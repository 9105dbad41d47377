//! Printing records.

use std::io::{self, BufWriter, Stdout, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use client::ClientError;
use record::{Header, RecordView};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

use super::super::time::print_moment;
use super::{Format, Output};

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
    topic: &'a str,
    format: &'a Format,
    /// How many more; no end if not said.
    left: Option<u64>,
}

impl<'a> Printer<'a> {
    pub(super) fn new(topic: &'a str, format: &'a Format, count: Option<u64>) -> Self {
        Printer { out: BufWriter::with_capacity(BUFFER_BYTES, io::stdout()), topic, format, left: count }
    }
}

impl<W: Write> Printer<'_, W> {
    /// Prints a record, unless all that was asked for is printed or the record is at or behind `end`.
    pub(super) fn print(&mut self, partition: i32, record: &RecordView<'_>, end: Option<i64>) -> Result<(), Halt> {
        if self.is_done() || end.is_some_and(|end| record.offset >= end) {
            return Err(Halt::Done);
        }
        match self.format.output {
            Output::Text => self.print_text(partition, record)?,
            Output::Json => {
                let object = Json { topic: self.topic, partition, record };
                serde_json::to_writer(&mut self.out, &object).map_err(io::Error::from)?;
            }
        }
        self.out.write_all(b"\n")?;
        self.left = self.left.map(|left| left - 1);
        Ok(())
    }

    /// Whether all that was asked for is printed.
    pub(super) fn is_done(&self) -> bool {
        self.left == Some(0)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn print_text(&mut self, partition: i32, record: &RecordView<'_>) -> io::Result<()> {
        let Printer { out, format, .. } = self;
        let separator = format.separator.as_bytes();
        if format.print_timestamp {
            out.write_all(print_moment(record.timestamp).as_bytes())?;
            out.write_all(separator)?;
        }
        if format.print_partition {
            write!(out, "{partition}")?;
            out.write_all(separator)?;
        }
        if format.print_offset {
            write!(out, "{}", record.offset)?;
            out.write_all(separator)?;
        }
        if format.print_headers {
            for (place, header) in record.headers.iter().enumerate() {
                out.write_all(if place == 0 { b"" } else { b"," })?;
                out.write_all(header.key)?;
                out.write_all(b"=")?;
                out.write_all(header.value.unwrap_or(NULL))?;
            }
            out.write_all(separator)?;
        }
        if format.print_key {
            out.write_all(record.key.unwrap_or(NULL))?;
            out.write_all(separator)?;
        }
        out.write_all(record.value.unwrap_or(NULL))
    }
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
