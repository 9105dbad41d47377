//! Reads `golden/kafka-4.4.0.txt`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt;

use bytes::Bytes;

const TEXT: &str = include_str!("../golden/kafka-4.4.0.txt");

/// One message as Kafka wrote it.
#[derive(Clone, Debug)]
pub(crate) struct Golden {
    pub(crate) name: &'static str,
    pub(crate) version: i16,
    pub(crate) direction: &'static str,
    pub(crate) filling: &'static str,
    pub(crate) body: Bytes,
}

impl fmt::Display for Golden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.name, self.version, self.direction, self.filling)
    }
}

/// Every message in the file.
#[allow(dead_code, reason = "not every test that shares this file needs it")]
pub(crate) fn all() -> impl Iterator<Item = Golden> {
    TEXT.lines().map(parse)
}

/// The messages of one API in one direction, by version.
#[allow(dead_code, reason = "not every test that shares this file needs it")]
pub(crate) fn of(name: &str, direction: &str) -> Vec<Golden> {
    let lines = TEXT.lines().filter(|line| line.split(' ').next() == Some(name));
    lines.map(parse).filter(|golden| golden.direction == direction).collect()
}

fn parse(line: &'static str) -> Golden {
    let [name, version, direction, filling, hex] = line.split(' ').collect::<Vec<_>>()[..] else {
        panic!("not a golden message: {line}")
    };
    Golden { name, version: version.parse().unwrap(), direction, filling, body: from_hex(hex) }
}

fn from_hex(hex: &str) -> Bytes {
    let digits = hex.trim_start_matches('-').as_bytes();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
