//! Finding records in lines.

use std::borrow::Cow;

use client::Record;
use memchr::memmem::Finder;
use record::Header;

use super::json::JsonRecord;
use super::{Format, Shape};

/// What the arguments say of lines.
pub(super) struct Parser<'a> {
    shape: &'a Shape,
    key_separator: Option<Finder<'a>>,
    headers_separator: Option<Finder<'a>>,
    /// Of all records.
    headers: Vec<Header<'a>>,
    partition: Option<i32>,
}

type Bytes<'l> = Cow<'l, [u8]>;

/// A record of a line.
#[derive(Default)]
pub(super) struct Parsed<'l> {
    partition: Option<i32>,
    timestamp: Option<i64>,
    key: Option<Bytes<'l>>,
    value: Option<Bytes<'l>>,
    /// Its own.
    headers: Vec<(Bytes<'l>, Option<Bytes<'l>>)>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(shape: &'a Shape, partition: Option<i32>) -> Self {
        let header = |(key, value): &'a (String, String)| Header { key: key.as_bytes(), value: Some(value.as_bytes()) };
        Parser {
            key_separator: shape.key_separator.as_ref().map(Finder::new),
            headers_separator: shape.headers_separator.as_ref().map(Finder::new),
            headers: shape.headers.iter().map(header).collect(),
            partition,
            shape,
        }
    }

    /// The record of a line; none of an empty line of JSON. An error goes on after "line 7 ".
    pub(super) fn parse<'l>(&'l self, line: &'l [u8]) -> Result<Option<Parsed<'l>>, String> {
        match self.shape.input {
            Format::Text => self.text(line).map(Some),
            Format::Json if line.trim_ascii().is_empty() => Ok(None),
            Format::Json => self.json(line).map(Some),
        }
    }

    /// A record of bytes as they are.
    pub(super) fn whole<'l>(&'l self, value: &'l [u8]) -> Parsed<'l> {
        Parsed { partition: self.partition, key: self.key(), value: Some(value.into()), ..Parsed::default() }
    }

    /// The headers of a record: its own, and those of all.
    pub(super) fn headers<'l>(&'l self, parsed: &'l Parsed<'_>) -> Cow<'l, [Header<'l>]> {
        if parsed.headers.is_empty() {
            return Cow::Borrowed(&self.headers);
        }
        let own = parsed.headers.iter().map(|(key, value)| Header { key, value: value.as_deref() });
        Cow::Owned(own.chain(self.headers.iter().copied()).collect())
    }

    fn text<'l>(&'l self, line: &'l [u8]) -> Result<Parsed<'l>, String> {
        let (headers, rest) = match &self.headers_separator {
            None => (Vec::new(), line),
            Some(separator) => {
                let (headers, rest) = split(line, separator).ok_or_else(|| missing("headers", separator))?;
                (self.own_headers(headers)?, rest)
            }
        };
        let (key, value) = match &self.key_separator {
            None => (self.key(), rest),
            Some(separator) => {
                let (key, value) = split(rest, separator).ok_or_else(|| missing("key", separator))?;
                (self.or_null(key), value)
            }
        };
        Ok(Parsed { partition: self.partition, key, value: self.or_null(value), headers, ..Parsed::default() })
    }

    /// As `tidelog consume --print-headers` prints them.
    fn own_headers<'l>(&self, text: &'l [u8]) -> Result<Vec<(Bytes<'l>, Option<Bytes<'l>>)>, String> {
        let headers = text.split(|byte| *byte == b',').filter(|header| !header.is_empty()).map(|header| {
            let at = memchr::memchr(b'=', header);
            let at = at.ok_or_else(|| format!("has a header without '=': {}", String::from_utf8_lossy(header)))?;
            Ok((header[..at].into(), self.or_null(&header[at + 1..])))
        });
        headers.collect()
    }

    fn json<'l>(&'l self, line: &'l [u8]) -> Result<Parsed<'l>, String> {
        let record: JsonRecord<'l> = serde_json::from_slice(line).map_err(|why| format!("is no record: {why}"))?;
        Ok(Parsed {
            partition: if self.shape.keep_partitions { record.partition } else { self.partition },
            timestamp: record.timestamp,
            key: record.key.map(|key| key.0).or_else(|| self.key()),
            value: record.value.map(|value| value.0),
            headers: record.headers.into_iter().map(|one| (one.key.0, one.value.map(|value| value.0))).collect(),
        })
    }

    fn key(&self) -> Option<Bytes<'a>> {
        self.shape.key.as_ref().map(|key| key.as_bytes().into())
    }

    fn or_null<'l>(&self, bytes: &'l [u8]) -> Option<Bytes<'l>> {
        let is_null = self.shape.null.as_ref().is_some_and(|null| null.as_bytes() == bytes);
        (!is_null).then_some(bytes.into())
    }
}

impl Parsed<'_> {
    /// With these headers.
    pub(super) fn record<'l>(&'l self, headers: &'l [Header<'l>]) -> Record<'l> {
        let Parsed { partition, timestamp, key, value, .. } = self;
        Record { partition: *partition, timestamp: *timestamp, key: key.as_deref(), value: value.as_deref(), headers }
    }
}

fn split<'l>(line: &'l [u8], separator: &Finder<'_>) -> Option<(&'l [u8], &'l [u8])> {
    let at = separator.find(line)?;
    Some((&line[..at], &line[at + separator.needle().len()..]))
}

fn missing(what: &str, separator: &Finder<'_>) -> String {
    format!("has no {what}: there is no '{}' in it", String::from_utf8_lossy(separator.needle()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(input: Format) -> Shape {
        Shape {
            input,
            key_separator: None,
            headers_separator: None,
            null: None,
            key: None,
            headers: Vec::new(),
            keep_partitions: false,
        }
    }

    /// A record in words.
    fn parsed(shape: &Shape, line: &str) -> Result<String, String> {
        let parser = Parser::new(shape, Some(1));
        let Some(parsed) = parser.parse(line.as_bytes())? else { return Ok("nothing".to_owned()) };
        let headers = parser.headers(&parsed);
        let Record { partition, timestamp, key, value, headers } = parsed.record(&headers);
        let text = |bytes: Option<&[u8]>| bytes.map_or("-".to_owned(), |bytes| bytes.escape_ascii().to_string());
        let headers: Vec<String> =
            headers.iter().map(|header| format!("{}={}", text(Some(header.key)), text(header.value))).collect();
        Ok(format!("{} @{timestamp:?} p{partition:?} [{}] {}", text(key), headers.join(","), text(value)))
    }

    #[test]
    fn a_line_has_headers_then_a_key_then_the_value() {
        let all = Shape {
            key_separator: Some("::".to_owned()),
            headers_separator: Some("\t".to_owned()),
            null: Some("null".to_owned()),
            headers: vec![("of".to_owned(), "all".to_owned())],
            ..shape(Format::Text)
        };
        assert_eq!(parsed(&all, "a=1,b=,c=null\tk::v::w").unwrap(), "k @None pSome(1) [a=1,b=,c=-,of=all] v::w");
        assert_eq!(parsed(&all, "\tnull::null").unwrap(), "- @None pSome(1) [of=all] -");
        assert_eq!(parsed(&all, "k::v").unwrap_err(), "has no headers: there is no '\t' in it");
        assert_eq!(parsed(&all, "\tk").unwrap_err(), "has no key: there is no '::' in it");
        assert_eq!(parsed(&all, "x\tk::v").unwrap_err(), "has a header without '=': x");
        assert_eq!(parsed(&shape(Format::Text), "null").unwrap(), "- @None pSome(1) [] null");
    }

    #[test]
    fn an_object_has_all_of_a_record() {
        let line = r#"{"topic":"t","partition":3,"offset":9,"timestamp":5,"key":{"base64":"/wA="},"value":"v\"","headers":[{"key":"a","value":null}]}"#;
        assert_eq!(parsed(&shape(Format::Json), line).unwrap(), r#"\xff\x00 @Some(5) pSome(1) [a=-] v\""#);
        let keep = Shape { keep_partitions: true, ..shape(Format::Json) };
        assert!(parsed(&keep, line).unwrap().contains("pSome(3)"));
        assert_eq!(parsed(&shape(Format::Json), "{}").unwrap(), "- @None pSome(1) [] -");
        assert_eq!(parsed(&shape(Format::Json), " ").unwrap(), "nothing");
    }

    #[test]
    fn what_is_no_record_is_said() {
        for (line, said) in [
            ("x", "is no record: expected value"),
            (r#"{"vlaue":"x"}"#, "unknown field `vlaue`"),
            (r#"{"value":{"base64":"!"}}"#, "'!' is no base64"),
            (r#"{"value":{"hex":"00"}}"#, "no {\"base64\""),
            (r#"{"value":7}"#, "expected a text, or {\"base64\""),
            (r#"{"headers":[{"value":"x"}]}"#, "missing field `key`"),
        ] {
            let why = parsed(&shape(Format::Json), line).unwrap_err();
            assert!(why.contains(said), "{line}: {why}");
        }
    }
}
