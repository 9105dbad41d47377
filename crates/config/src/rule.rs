//! What a value must keep to, in Kafka's words where it breaks the rule.
//!
//! The messages are those of `org.apache.kafka.common.config.ConfigDef`: tools print them as they are.

use std::collections::BTreeSet;
use std::fmt;

use crate::error::ConfigError;
use crate::setting::{Kind, Setting};

/// A bound on values beyond their type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// None.
    Any,
    /// Numbers from this one up.
    AtLeast(i64),
    /// Numbers from the first to the second, both included.
    Between(i64, i64),
    /// Fractions from the first to the second, both included.
    Fraction(f64, f64),
    /// gzip's levels: 1 to 9, or -1 for the codec's own choice.
    GzipLevel,
    /// One of these words, or a list of them where the setting is a list.
    OneOf(&'static [&'static str]),
    /// One of these words in any case.
    OneOfAnyCase(&'static [&'static str]),
    /// At least one character, or one element.
    NotEmpty,
    /// `*`, or `partition:broker` pairs.
    ThrottledReplicas,
    /// Where a share group starts (KIP-932).
    ShareAutoOffsetReset,
}

impl Setting {
    /// Checks `text` against type and rule, and gives it back as Kafka would print it: trimmed,
    /// numbers in plain digits, list elements joined by bare commas.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] or [`ConfigError::EmptyElement`], worded as Kafka words them.
    pub fn normalize(&self, text: &str) -> Result<String, ConfigError> {
        let trimmed = text.trim();
        let invalid = |value: &str, reason: String| ConfigError::Invalid {
            name: self.name.to_owned(),
            value: value.to_owned(),
            reason,
        };
        let not_a_number = || invalid(text, format!("Not a number of type {}", self.kind.name()));
        let broken = |shown: &str| invalid(shown, self.rule.message(self.name, shown));
        match self.kind {
            Kind::Boolean => match trimmed {
                _ if trimmed.eq_ignore_ascii_case("true") => Ok("true".to_owned()),
                _ if trimmed.eq_ignore_ascii_case("false") => Ok("false".to_owned()),
                _ => Err(invalid(text, "Expected value to be either true or false".to_owned())),
            },
            Kind::Int | Kind::Short | Kind::Long => {
                let number: i64 = trimmed.parse().map_err(|_| not_a_number())?;
                let fits = match self.kind {
                    Kind::Int => i32::try_from(number).is_ok(),
                    Kind::Short => i16::try_from(number).is_ok(),
                    _ => true,
                };
                if !fits {
                    return Err(not_a_number());
                }
                if self.rule.allows_number(number) { Ok(number.to_string()) } else { Err(broken(&number.to_string())) }
            }
            Kind::Double => {
                let number = parse_double(trimmed).ok_or_else(not_a_number)?;
                let shown = java_double(number);
                if self.rule.allows_fraction(number) { Ok(shown) } else { Err(broken(&shown)) }
            }
            Kind::List => self.normalize_list(trimmed),
            Kind::String | Kind::Class | Kind::Password => match self.rule.refused_text(trimmed) {
                false => Ok(trimmed.to_owned()),
                true => Err(broken(trimmed)),
            },
        }
    }

    fn normalize_list(&self, text: &str) -> Result<String, ConfigError> {
        let name = self.name.to_owned();
        let mut elements: Vec<&str> =
            if text.is_empty() { Vec::new() } else { text.split(',').map(str::trim).collect() };
        if elements.is_empty() && self.rule == Rule::NotEmpty {
            return Err(ConfigError::EmptyList(name));
        }
        if elements.iter().any(|element| element.is_empty()) {
            return Err(ConfigError::EmptyElement(name));
        }
        let mut seen = BTreeSet::new();
        elements.retain(|element| seen.insert(*element));
        if self.rule == Rule::ThrottledReplicas && !throttled_replicas(&elements) {
            let value = format!("[{}]", elements.join(", "));
            let reason = self.rule.message(self.name, &value);
            return Err(ConfigError::Invalid { name, value, reason });
        }
        if let Rule::OneOf(words) = self.rule
            && let Some(stranger) = elements.iter().find(|element| !words.contains(element))
        {
            let reason = self.rule.message(self.name, stranger);
            return Err(ConfigError::Invalid { name, value: (*stranger).to_owned(), reason });
        }
        Ok(elements.join(","))
    }
}

impl Rule {
    fn allows_number(self, number: i64) -> bool {
        match self {
            Rule::AtLeast(least) => number >= least,
            Rule::Between(least, most) => (least..=most).contains(&number),
            Rule::GzipLevel => number == -1 || (1..=9).contains(&number),
            _ => true,
        }
    }

    fn allows_fraction(self, number: f64) -> bool {
        match self {
            Rule::Fraction(least, most) => (least..=most).contains(&number),
            _ => true,
        }
    }

    fn refused_text(self, text: &str) -> bool {
        match self {
            Rule::OneOf(words) => !words.contains(&text),
            Rule::OneOfAnyCase(words) => !words.iter().any(|word| word.eq_ignore_ascii_case(text)),
            Rule::NotEmpty => text.is_empty(),
            Rule::ShareAutoOffsetReset => !share_auto_offset_reset(text),
            _ => false,
        }
    }

    /// Kafka's reason why `value` breaks this rule.
    fn message(self, name: &str, value: &str) -> String {
        match self {
            Rule::Any => String::new(),
            Rule::AtLeast(least) => format!("Value must be at least {least}"),
            Rule::Between(least, _) if value.parse().is_ok_and(|value: i64| value < least) => {
                format!("Value must be at least {least}")
            }
            Rule::Between(_, most) => format!("Value must be no more than {most}"),
            Rule::Fraction(least, _) if value.parse().is_ok_and(|value: f64| value < least) => {
                format!("Value must be at least {least}")
            }
            Rule::Fraction(_, most) => format!("Value must be no more than {most}"),
            Rule::GzipLevel => "Value must be between 1 and 9 or equal to -1".to_owned(),
            Rule::OneOf(words) => format!("String must be one of: {}", words.join(", ")),
            Rule::OneOfAnyCase(words) => format!("String must be one of (case insensitive): {}", words.join(", ")),
            Rule::NotEmpty => "String must be non-empty".to_owned(),
            Rule::ThrottledReplicas => format!(
                "{name} must be the literal '*' or a list of replicas in the following format: \
                 [partitionId]:[brokerId],[partitionId]:[brokerId],..."
            ),
            Rule::ShareAutoOffsetReset => format!(
                "Invalid value `{value}` for configuration {name}. The value must be either 'earliest', 'latest' or of \
                 the format 'by_duration:<PnDTnHnMn.nS>'."
            ),
        }
    }
}

/// The range for people, e.g. `1..9 or -1`; nothing where any value of the type will do.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Any => Ok(()),
            Rule::AtLeast(least) => write!(f, ">= {least}"),
            Rule::Between(least, most) => write!(f, "{least}..{most}"),
            Rule::Fraction(least, most) => write!(f, "{least}..{most}"),
            Rule::GzipLevel => f.write_str("1..9 or -1"),
            Rule::OneOf(words) => f.write_str(&words.join(", ")),
            Rule::OneOfAnyCase(words) => f.write_str(&words.join(", ").to_lowercase()),
            Rule::NotEmpty => f.write_str("not empty"),
            Rule::ThrottledReplicas => f.write_str("`*` or `partition:broker,...`"),
            Rule::ShareAutoOffsetReset => f.write_str("latest, earliest, `by_duration:PnDTnHnMn.nS`"),
        }
    }
}

fn throttled_replicas(elements: &[&str]) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let pair =
        |text: &&str| text.split_once(':').is_some_and(|(partition, broker)| number(partition) && number(broker));
    elements == ["*"] || elements.iter().all(pair)
}

fn share_auto_offset_reset(text: &str) -> bool {
    match text.strip_prefix("by_duration:") {
        Some(duration) => crate::duration::parse_iso_8601_ms(duration).is_some(),
        None => matches!(text, "latest" | "earliest"),
    }
}

/// A decimal number; `NaN` and infinities, which Kafka lets through, steer nothing and are refused.
fn parse_double(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    text.parse().ok().filter(|number: &f64| plain && number.is_finite())
}

/// As Java's `Double.toString` prints it, which is what Kafka's tools show.
pub(crate) fn java_double(number: f64) -> String {
    let magnitude = number.abs();
    if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) {
        return format!("{number:?}");
    }
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if mantissa.contains('.') { "" } else { ".0" };
    format!("{mantissa}{point}E{exponent}")
}
