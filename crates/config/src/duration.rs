//! ISO 8601 durations, as Java's `Duration.parse` reads them.

/// Milliseconds of a duration such as `P1DT2H30M0.5S`; nothing if it is malformed, negative, or
/// longer than a `i64` can say.
pub fn parse_iso_8601_ms(text: &str) -> Option<i64> {
    let text = text.to_ascii_uppercase();
    let rest = text.strip_prefix('P')?;
    let (days, time) = match rest.split_once('T') {
        Some((days, time)) if !time.is_empty() => (days, time),
        Some(_) => return None,
        None if rest.is_empty() => return None,
        None => (rest, ""),
    };
    let mut total = 0_i64;
    if !days.is_empty() {
        total = days.strip_suffix('D').and_then(whole)?.checked_mul(86_400_000)?;
    }
    let mut rest = time;
    for (unit, unit_ms) in [('H', 3_600_000), ('M', 60_000)] {
        if let Some((number, after)) = rest.split_once(unit) {
            total = total.checked_add(whole(number)?.checked_mul(unit_ms)?)?;
            rest = after;
        }
    }
    if !rest.is_empty() {
        total = total.checked_add(seconds_ms(rest.strip_suffix('S')?)?)?;
    }
    Some(total)
}

fn whole(number: &str) -> Option<i64> {
    let digits = number.strip_prefix('+').unwrap_or(number);
    (!digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())).then(|| digits.parse().ok())?
}

fn seconds_ms(number: &str) -> Option<i64> {
    let (seconds, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    whole(seconds)?.checked_mul(1000)?.checked_add(thousandths.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::parse_iso_8601_ms;

    #[test]
    fn durations_read_as_in_java() {
        for (text, ms) in [
            ("PT0S", Some(0)),
            ("PT1H", Some(3_600_000)),
            ("P2D", Some(172_800_000)),
            ("P1DT2H30M0.5S", Some(86_400_000 + 9_000_000 + 500)),
            ("pt15m", Some(900_000)),
            ("PT0.0005S", Some(0)),
            ("-PT1H", None),
            ("PT-1H", None),
            ("P", None),
            ("PT", None),
            ("P1DT", None),
            ("PT1M1H", None),
            ("PT1.5H", None),
            ("1h", None),
            ("", None),
            ("P99999999999999999D", None),
        ] {
            assert_eq!(parse_iso_8601_ms(text), ms, "{text}");
        }
    }
}
