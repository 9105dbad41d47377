//! What stands in a push: the numbers in OpenTelemetry's `MetricsData`, read field by field.
//!
//! Clients push gauges and sums (KIP-714); other kinds are passed over.

use std::fmt;

/// A number that a client measured.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Point<'a> {
    /// `org.apache.kafka.producer.record.send.rate` and the like.
    name: &'a str,
    value: Number,
    /// The fields of the point, with its attributes among them.
    fields: Fields<'a>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Number {
    Double(f64),
    Int(i64),
}

/// It is no message of protocol buffers, or not this one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("it is not OpenTelemetry's MetricsData")]
pub(super) struct Malformed;

/// Visits all points of a `MetricsData`.
pub(super) fn visit<'a>(metrics: &'a [u8], mut visit: impl FnMut(Point<'a>)) -> Result<(), Malformed> {
    for resource in Fields(metrics).messages(1) {
        for scope in resource?.messages(2) {
            for metric in scope?.messages(2) {
                visit_metric(metric?, &mut visit)?;
            }
        }
    }
    Ok(())
}

fn visit_metric<'a>(metric: Fields<'a>, visit: &mut impl FnMut(Point<'a>)) -> Result<(), Malformed> {
    const GAUGE: u32 = 5;
    const SUM: u32 = 7;
    let name = metric.text(1)?.unwrap_or_default();
    for data in metric.messages(GAUGE).chain(metric.messages(SUM)) {
        for fields in data?.messages(1) {
            let fields = fields?;
            for field in fields {
                let value = match field? {
                    (4, Value::Fixed(bits)) => Number::Double(f64::from_bits(bits)),
                    (6, Value::Fixed(bits)) => Number::Int(bits.cast_signed()),
                    _ => continue,
                };
                visit(Point { name, value, fields });
            }
        }
    }
    Ok(())
}

/// `name{key=value,...}=5`; what a client wrote is escaped, so that it stays on its line.
impl fmt::Display for Point<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name.escape_debug())?;
        let mut before = '{';
        for attribute in self.fields.messages(7).flatten() {
            let (Ok(Some(key)), Some(Ok(value))) = (attribute.text(1), attribute.messages(2).next()) else { continue };
            write!(f, "{before}{}={}", key.escape_debug(), AnyValue(value))?;
            before = ',';
        }
        if before == ',' {
            f.write_str("}")?;
        }
        match self.value {
            Number::Double(value) => write!(f, "={value}"),
            Number::Int(value) => write!(f, "={value}"),
        }
    }
}

/// The value of an attribute, where it is a text or a whole number.
struct AnyValue<'a>(Fields<'a>);

impl fmt::Display for AnyValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for field in self.0 {
            match field {
                Ok((1, Value::Bytes(text))) => write!(f, "{}", String::from_utf8_lossy(text).escape_debug())?,
                Ok((3, Value::Varint(number))) => write!(f, "{}", number.cast_signed())?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// The fields of a message, in their order.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Fields<'a>(&'a [u8]);

#[derive(Clone, Copy)]
enum Value<'a> {
    Varint(u64),
    Fixed32,
    Fixed(u64),
    Bytes(&'a [u8]),
}

impl<'a> Fields<'a> {
    /// The messages in fields of this number.
    fn messages(self, number: u32) -> impl Iterator<Item = Result<Fields<'a>, Malformed>> {
        self.filter_map(move |field| match field {
            Ok((found, Value::Bytes(bytes))) if found == number => Some(Ok(Fields(bytes))),
            Ok(_) => None,
            Err(malformed) => Some(Err(malformed)),
        })
    }

    /// The first text in a field of this number.
    fn text(self, number: u32) -> Result<Option<&'a str>, Malformed> {
        let bytes = self.messages(number).next().transpose()?;
        bytes.map(|Fields(bytes)| std::str::from_utf8(bytes).map_err(|_| Malformed)).transpose()
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for place in 0..10 {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << (7 * place);
            if *byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    fn field(&mut self) -> Option<(u32, Value<'a>)> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Fixed32)?,
            _ => return None,
        };
        Some((u32::try_from(key >> 3).ok()?, value))
    }
}

/// After an error there is nothing more.
impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(Malformed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u8, content: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat()
    }

    fn data(kind: u8, name: &str, points: &[Vec<u8>]) -> Vec<u8> {
        let points: Vec<u8> = points.iter().flat_map(|point| message(1, point)).collect();
        let metric = [message(1, name.as_bytes()), message(kind, &points)].concat();
        message(1, &message(2, &message(2, &metric)))
    }

    fn shown(metrics: &[u8]) -> Result<Vec<String>, Malformed> {
        let mut shown = Vec::new();
        visit(metrics, |point| shown.push(point.to_string())).map(|()| shown)
    }

    #[test]
    fn gauges_and_sums_are_shown_with_their_attributes() {
        let double = [&[4 << 3 | 1][..], &2.5_f64.to_le_bytes()].concat();
        let int = [&[6 << 3 | 1][..], &(-7_i64).to_le_bytes()].concat();
        let attribute = |key: &str, value: &str| {
            message(7, &[message(1, key.as_bytes()), message(2, &message(1, value.as_bytes()))].concat())
        };
        let node = message(7, &[message(1, b"node"), message(2, &[3 << 3, 12])].concat());
        let named = [attribute("topic", "a"), attribute("b", "two\nlines"), node, double.clone()].concat();
        let metrics = [data(5, "some.rate", &[double, named]), data(7, "some.total", &[int])].concat();
        let wanted = ["some.rate=2.5", "some.rate{topic=a,b=two\\nlines,node=12}=2.5", "some.total=-7"];
        assert_eq!(shown(&metrics).unwrap(), wanted);
        assert_eq!(shown(&data(9, "a.histogram", &[vec![]])).unwrap(), [""; 0]);
        assert_eq!(shown(b"no metrics"), Err(Malformed));
        assert_eq!(shown(&metrics[..metrics.len() - 1]), Err(Malformed));
    }

    #[test]
    fn damaged_bytes_are_read_or_refused() {
        let point = [&[4 << 3 | 1][..], &2.5_f64.to_le_bytes()].concat();
        let metrics = data(5, "some.rate", &[point.clone(), point]);
        for at in 0..metrics.len() {
            for bit in 0..8 {
                let mut damaged = metrics.clone();
                damaged[at] ^= 1 << bit;
                drop((shown(&damaged), shown(&damaged[..at])));
            }
        }
    }
}
