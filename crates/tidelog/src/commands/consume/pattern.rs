//! Format strings, with the letters that kcat made known: `%t %p %o %k: %s\n`.

use std::io::{self, Write};

use record::RecordView;

use super::print::write_headers;

/// A format string, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Part(Part),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Topic,
    Partition,
    Offset,
    Timestamp,
    Key,
    KeyLength,
    Value,
    ValueLength,
    /// As 32 bits, big-endian.
    BinaryLength,
    Headers,
}

impl Pattern {
    /// Takes a format string apart.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (mut pieces, mut plain, mut chars) = (Vec::new(), Vec::new(), text.chars());
        while let Some(next) = chars.next() {
            match next {
                '\\' => plain.push(escape(&mut chars)?),
                '%' => match chars.next() {
                    Some('%') => plain.push(b'%'),
                    letter => {
                        let part = letter.and_then(part).ok_or_else(|| unknown(letter))?;
                        if !plain.is_empty() {
                            pieces.push(Piece::Text(std::mem::take(&mut plain)));
                        }
                        pieces.push(Piece::Part(part));
                    }
                },
                other => plain.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Pattern(pieces))
    }

    /// Prints a record. What is not there is empty, and its length -1.
    pub(super) fn write(
        &self,
        out: &mut impl Write,
        topic: &str,
        partition: i32,
        record: &RecordView<'_>,
    ) -> io::Result<()> {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.write_all(text)?,
                Piece::Part(part) => match part {
                    Part::Topic => out.write_all(topic.as_bytes())?,
                    Part::Partition => write!(out, "{partition}")?,
                    Part::Offset => write!(out, "{}", record.offset)?,
                    Part::Timestamp => write!(out, "{}", record.timestamp)?,
                    Part::Key => out.write_all(record.key.unwrap_or_default())?,
                    Part::KeyLength => write!(out, "{}", length(record.key))?,
                    Part::Value => out.write_all(record.value.unwrap_or_default())?,
                    Part::ValueLength => write!(out, "{}", length(record.value))?,
                    Part::BinaryLength => out.write_all(&length(record.value).to_be_bytes())?,
                    Part::Headers => write_headers(out, record)?,
                },
            }
        }
        Ok(())
    }
}

fn part(letter: char) -> Option<Part> {
    Some(match letter {
        't' => Part::Topic,
        'p' => Part::Partition,
        'o' => Part::Offset,
        'T' => Part::Timestamp,
        'k' => Part::Key,
        'K' => Part::KeyLength,
        's' => Part::Value,
        'S' => Part::ValueLength,
        'R' => Part::BinaryLength,
        'h' => Part::Headers,
        _ => return None,
    })
}

fn unknown(letter: Option<char>) -> String {
    let what = letter.map_or_else(|| "% at its end".to_owned(), |letter| format!("%{letter}"));
    format!("there is no {what}; write %t %p %o %T %k %K %s %S %R %h, and %% for a percent sign")
}

/// What follows a backslash.
fn escape(chars: &mut std::str::Chars<'_>) -> Result<u8, String> {
    Ok(match chars.next() {
        Some('n') => b'\n',
        Some('t') => b'\t',
        Some('r') => b'\r',
        Some('0') => 0,
        Some('\\') => b'\\',
        Some('x') => {
            let digits: String = chars.by_ref().take(2).collect();
            let is_hex = digits.len() == 2 && digits.chars().all(|digit| digit.is_ascii_hexdigit());
            let byte = is_hex.then(|| u8::from_str_radix(&digits, 16).ok()).flatten();
            byte.ok_or_else(|| format!("\\x{digits} is no byte; write two digits, such as \\x1e"))?
        }
        other => {
            let other = other.map(String::from).unwrap_or_default();
            return Err(format!("there is no \\{other}; write \\n \\t \\r \\0 \\\\ or \\x1e"));
        }
    })
}

/// As kcat has it: -1 for what is not there.
fn length(bytes: Option<&[u8]>) -> i32 {
    bytes.map_or(-1, |bytes| i32::try_from(bytes.len()).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_letter_is_refused_with_those_there_are() {
        for (text, said) in
            [("%q", "no %q"), ("x%", "no % at its end"), ("\\q", "no \\q"), ("\\xzz", "\\xzz is no byte")]
        {
            let refused = Pattern::parse(text).unwrap_err();
            assert!(refused.contains(said), "{text}: {refused}");
        }
    }

    #[test]
    fn text_between_the_parts_stays_as_it_is() {
        let expected = vec![
            Piece::Text("ü\t".into()),
            Piece::Part(Part::Key),
            Piece::Text(b"100%\x1e\\".to_vec()),
            Piece::Part(Part::Value),
        ];
        assert_eq!(Pattern::parse("ü\\t%k100%%\\x1e\\\\%s"), Ok(Pattern(expected)));
        assert_eq!(Pattern::parse(""), Ok(Pattern(Vec::new())));
    }
}
