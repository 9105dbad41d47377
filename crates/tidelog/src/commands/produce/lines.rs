//! Cutting what is read into lines.

/// The longest line: brokers refuse records far below this, and memory must end somewhere.
pub(super) const MAX_LINE_BYTES: usize = 32 * 1024 * 1024;

/// A line, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Its number, from 1.
    pub(super) number: u64,
    pub(super) bytes: &'a [u8],
}

/// Cuts chunks into lines. A line ends with `\n` or `\r\n`, which are no part of it; the last may end without.
#[derive(Default)]
pub(super) struct Lines {
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
    /// Whether `begun` was given out as a line.
    given: bool,
    /// Of the line given out last.
    number: u64,
}

impl Lines {
    /// The next line that ends in `chunk`, which is left with what follows it. What remains at its end is kept.
    pub(super) fn next<'l, 'c: 'l>(&'l mut self, chunk: &mut &'c [u8]) -> Option<Line<'l>> {
        self.forget_given();
        let Some(end) = memchr::memchr(b'\n', chunk) else {
            self.begun.extend_from_slice(chunk);
            *chunk = &[];
            return None;
        };
        let line = &chunk[..end];
        *chunk = &chunk[end + 1..];
        self.number += 1;
        if self.begun.is_empty() {
            return Some(Line { number: self.number, bytes: without_return(line) });
        }
        self.begun.extend_from_slice(line);
        self.given = true;
        Some(Line { number: self.number, bytes: without_return(&self.begun) })
    }

    /// A last line without an end, once.
    pub(super) fn last(&mut self) -> Option<Line<'_>> {
        self.forget_given();
        if self.begun.is_empty() {
            return None;
        }
        self.number += 1;
        self.given = true;
        Some(Line { number: self.number, bytes: &self.begun })
    }

    /// The number of the line that has begun, if it is longer than any may be.
    pub(super) fn too_long(&self) -> Option<u64> {
        (!self.given && self.begun.len() > MAX_LINE_BYTES).then_some(self.number + 1)
    }

    fn forget_given(&mut self) {
        if std::mem::take(&mut self.given) {
            self.begun.clear();
        }
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(chunks: &[&str]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut all = Vec::new();
        let mut take = |line: Line<'_>| {
            all.push(String::from_utf8(line.bytes.to_vec()).unwrap());
            assert_eq!(line.number, all.len() as u64);
        };
        for chunk in chunks {
            let mut rest = chunk.as_bytes();
            while let Some(line) = lines.next(&mut rest) {
                take(line);
            }
        }
        while let Some(line) = lines.last() {
            take(line);
        }
        all
    }

    #[test]
    fn lines_are_the_same_however_they_arrive() {
        let text = "one\n\ntwo words\r\nthree";
        let expected = ["one", "", "two words", "three"];
        assert_eq!(cut(&[text]), expected);
        for first in 0..text.len() {
            for second in first..text.len() {
                assert_eq!(cut(&[&text[..first], &text[first..second], &text[second..]]), expected);
            }
        }
    }

    #[test]
    fn an_end_of_line_at_the_end_makes_no_empty_record() {
        assert_eq!(cut(&["one\n"]), ["one"]);
        assert_eq!(cut(&[""]), [""; 0]);
        assert_eq!(cut(&["\n"]), [""]);
    }

    #[test]
    fn a_line_without_end_is_noticed_before_it_fills_the_memory() {
        let mut lines = Lines::default();
        let chunk = vec![b'x'; MAX_LINE_BYTES / 2 + 1];
        for too_long in [None, Some(1)] {
            assert_eq!(lines.next(&mut &chunk[..]), None);
            assert_eq!(lines.too_long(), too_long);
        }
    }
}
