//! Settings in `tidelog.toml`: flat (`log.retention.ms = 1000`) or in tables (`[log.retention]`,
//! `ms = 1000`), which TOML itself makes the same.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::put;
use crate::broker::Given;
use crate::error::ConfigError;
use crate::origin::Origin;

pub(super) fn read(path: &str, text: &str, given: &mut BTreeMap<&'static str, Given>) -> Result<(), ConfigError> {
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        ConfigError::File { path: path.to_owned(), line, reason: reason(error.message()) }
    })?;
    File { path, text }.read_table("", table.get_ref(), given)
}

/// max.connections and max.connections.per.ip are both settings, but to TOML the first is a number
/// and so cannot be a table.
fn reason(message: &str) -> String {
    let first_line = message.lines().next().unwrap_or_default();
    if first_line.contains("extend") || first_line.contains("dotted key") {
        return format!("{first_line}; where one key begins with another, put both in quotes");
    }
    first_line.to_owned()
}

struct File<'a> {
    path: &'a str,
    text: &'a str,
}

impl File<'_> {
    fn read_table(
        &self,
        prefix: &str,
        table: &DeTable<'_>,
        given: &mut BTreeMap<&'static str, Given>,
    ) -> Result<(), ConfigError> {
        for (key, value) in table {
            let name = format!("{prefix}{}", key.get_ref());
            let origin = Origin::File { path: self.path.to_owned(), line: line_of(self.text, key.span().start) };
            match value.get_ref() {
                DeValue::Table(inner) => self.read_table(&format!("{name}."), inner, given)?,
                value => match text_of(value) {
                    Some(value) => put(given, &name, &value, origin)?,
                    None => {
                        let (value, reason) = (
                            "a value of this type".to_owned(),
                            "must be a text, a number, true or false, or a list of these".to_owned(),
                        );
                        return Err(ConfigError::BadValue { name, value, origin, reason });
                    }
                },
            }
        }
        Ok(())
    }
}

/// A value as Kafka's properties would have it.
fn text_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        DeValue::Array(elements) => {
            let texts: Option<Vec<String>> = elements.iter().map(|element| text_of(element.get_ref())).collect();
            Some(texts?.join(","))
        }
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count()
}
