//! A record as an object in a line, in the shape that `tidelog consume --output json` prints: nothing is lost on the
//! way from one topic to another.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// A record; what is left out is none, or left to the producer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JsonRecord<'a> {
    /// Where it was read: only the command line says where it goes.
    #[serde(default, rename = "topic")]
    _topic: IgnoredAny,
    #[serde(default, rename = "offset")]
    _offset: IgnoredAny,
    #[serde(default)]
    pub(super) partition: Option<i32>,
    #[serde(default)]
    pub(super) timestamp: Option<i64>,
    #[serde(default, borrow)]
    pub(super) key: Option<JsonBytes<'a>>,
    #[serde(default, borrow)]
    pub(super) value: Option<JsonBytes<'a>>,
    #[serde(default, borrow)]
    pub(super) headers: Vec<JsonHeader<'a>>,
}

/// A header.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JsonHeader<'a> {
    #[serde(borrow)]
    pub(super) key: JsonBytes<'a>,
    #[serde(default, borrow)]
    pub(super) value: Option<JsonBytes<'a>>,
}

/// A text, or `{"base64": "..."}`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct JsonBytes<'a>(pub(super) Cow<'a, [u8]>);

impl<'de: 'a, 'a> Deserialize<'de> for JsonBytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BytesVisitor).map(JsonBytes)
    }
}

struct BytesVisitor;

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = Cow<'de, [u8]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a text, or {{\"base64\": \"...\"}}")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text.as_bytes()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.as_bytes().to_vec()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let entry = object.next_entry::<Cow<'de, str>, Cow<'de, str>>()?;
        let text = match entry {
            Some((key, text)) if key == "base64" => text,
            _ => return Err(A::Error::custom("an object that is no {\"base64\": \"...\"}")),
        };
        let bytes = BASE64.decode(text.as_bytes());
        let bytes = bytes.map_err(|why| A::Error::custom(format!("'{text}' is no base64: {why}")))?;
        match object.next_key::<IgnoredAny>()? {
            None => Ok(Cow::Owned(bytes)),
            Some(_) => Err(A::Error::custom("an object with more than base64")),
        }
    }
}
