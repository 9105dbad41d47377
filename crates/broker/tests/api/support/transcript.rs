//! What a broker answered, without what may differ between two runs: ids, addresses, times.

use std::cell::RefCell;
use std::rc::Rc;

/// The answers of one scenario. Clones share it.
#[derive(Clone)]
pub(crate) struct Transcript {
    lines: Rc<RefCell<Vec<String>>>,
    left_out: String,
}

impl Transcript {
    /// A transcript that leaves out a word.
    pub(crate) fn without(word: &str) -> Self {
        Transcript { lines: Rc::default(), left_out: word.to_owned() }
    }

    /// Adds a line.
    pub(crate) fn note(&self, line: impl Into<String>) {
        self.lines.borrow_mut().push(line.into().replace(&self.left_out, ""));
    }

    /// All lines, with what differs from run to run replaced by words.
    #[allow(dead_code, reason = "only who compares transcripts reads them")]
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut ids = Names { kind: "id", known: Vec::new() };
        self.lines.borrow().iter().map(|line| normalised(line, &mut ids)).collect()
    }
}

/// Ids in the order of their first appearance.
struct Names {
    kind: &'static str,
    known: Vec<String>,
}

impl Names {
    fn name(&mut self, id: &str) -> String {
        if id.bytes().all(|byte| matches!(byte, b'0' | b'-')) {
            return id.to_owned();
        }
        let place = self.known.iter().position(|known| known == id).unwrap_or_else(|| {
            self.known.push(id.to_owned());
            self.known.len() - 1
        });
        format!("<{} {place}>", self.kind)
    }
}

const UUID_LENGTH: usize = 36;

fn normalised(line: &str, ids: &mut Names) -> String {
    let line = line.replace(", unknown_tagged_fields: {}", "");
    let line = replace_uuids(&line, ids);
    let line = replace_after(&line, &["session_id: ", "producer_id: "], |number| number > 0);
    let line = replace_after(&line, &["port: ", "log_append_time_ms: ", "finalized_features_epoch: "], |n| n > 0);
    let line = replace_quoted_after(&line, &["cluster_id: Some(", "cluster_id: ", "host: "]);
    replace_times(&line)
}

fn replace_uuids(line: &str, ids: &mut Names) -> String {
    let is_uuid = |text: &str| {
        text.char_indices().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
    };
    let (mut out, mut rest) = (String::new(), line);
    while let Some(c) = rest.chars().next() {
        match rest.get(..UUID_LENGTH).filter(|text| is_uuid(text)) {
            Some(id) => {
                out += &ids.name(id);
                rest = &rest[UUID_LENGTH..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

/// Replaces the numbers behind some words.
fn replace_after(line: &str, words: &[&str], which: impl Fn(i64) -> bool) -> String {
    words.iter().fold(line.to_owned(), |line, word| {
        let mut parts = line.split(word);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(part.len());
            out += word;
            match part[..end].parse() {
                Ok(number) if which(number) => out.push_str("<number>"),
                _ => out += &part[..end],
            }
            out += &part[end..];
        }
        out
    })
}

fn replace_quoted_after(line: &str, words: &[&str]) -> String {
    words.iter().fold(line.to_owned(), |line, word| {
        let mark = format!("{word}\"");
        let mut parts = line.split(&mark);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (quoted, rest) = part.split_once('"').unwrap_or((part, ""));
            let shown = if quoted.is_empty() { "" } else { "<text>" };
            out += &format!("{mark}{shown}\"{rest}");
        }
        out
    })
}

/// Replaces what looks like a time of these years, in milliseconds.
fn replace_times(line: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for c in line.chars().chain(['\0']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let is_time = digits.len() == 13 && *digits >= *"1600000000000" && digits.starts_with('1');
        out += if is_time { "<time>" } else { &digits };
        digits.clear();
        if c != '\0' {
            out.push(c);
        }
    }
    out
}
