//! What differs between two transcripts.

/// How a line begins that tells of a scenario's failure.
pub(crate) const FAILED: &str = "FAILED:";

/// The lines that differ, each with its fields that do: Kafka's, then Tidelog's.
pub(crate) fn differences(kafka: &[String], tidelog: &[String]) -> Vec<String> {
    let lines = kafka.len().max(tidelog.len());
    let line = |of: &[String], place: usize| of.get(place).cloned().unwrap_or_default();
    (0..lines).filter_map(|place| difference(&line(kafka, place), &line(tidelog, place))).collect()
}

fn difference(kafka: &str, tidelog: &str) -> Option<String> {
    let failed = kafka.starts_with(FAILED) && tidelog.starts_with(FAILED);
    let (theirs, ours) = (fields(kafka), fields(tidelog));
    if theirs.len() != ours.len() || failed {
        return Some(format!("  - {kafka}\n  + {tidelog}"));
    }
    let differ = theirs.iter().zip(&ours).filter(|(theirs, ours)| !alike(theirs, ours));
    let differ: Vec<String> = differ.map(|(theirs, ours)| format!("{theirs} | {ours}")).collect();
    let begin = kafka.split([':', '{']).next().unwrap_or_default();
    (!differ.is_empty()).then(|| format!("  ~ {begin}: {}", differ.join("  ;  ")))
}

/// What Kafka says of an INVALID_REQUEST where it has nothing else to say.
const MALFORMED: &str = "This most likely occurs because of a request being malformed by the client library";

/// Where Kafka has nothing to say to people, Tidelog may have.
fn alike(kafka: &str, tidelog: &str) -> bool {
    let kafkas = kafka.trim_end_matches([' ', ']', '}']);
    let says_nothing = ["error_message: None", "error_message: Some(\"\")"].iter().any(|none| kafkas.ends_with(none));
    let silent = says_nothing || kafka.contains(MALFORMED);
    kafka == tidelog || silent && tidelog.contains("error_message: Some(")
}

/// The parts of a line between commas, but for those within quotes.
fn fields(line: &str) -> Vec<&str> {
    let (mut fields, mut begin, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in line.char_indices() {
        match c {
            '"' if !escaped => quoted = !quoted,
            ',' if !quoted => {
                fields.push(&line[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    fields.push(&line[begin..]);
    fields
}
