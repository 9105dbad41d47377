//! Times and durations as people write them.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp};

/// A duration: `30s`, `1h30m`, `2 days`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let expected = || format!("'{text}' is no duration: write 30s, 10m, 1h30m or 2d");
    let span: Span = text.parse().map_err(|_| expected())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| expected())?;
    Duration::try_from(duration).map_err(|_| expected())
}

/// A point in time, in ms since the epoch: a duration before now, a date, a time of a zone or of this machine's, or ms
/// since the epoch.
pub(crate) fn parse_moment(text: &str, now_ms: i64, zone: &TimeZone) -> Result<i64, String> {
    if let Ok(ms) = text.parse::<i64>() {
        return Ok(ms);
    }
    if let Ok(back) = parse_duration(text) {
        return Ok(now_ms.saturating_sub(i64::try_from(back.as_millis()).unwrap_or(i64::MAX)));
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment.as_millisecond());
    }
    let local = text.parse::<DateTime>().ok().and_then(|local| local.to_zoned(zone.clone()).ok());
    local.map(|moment| moment.timestamp().as_millisecond()).ok_or_else(|| {
        format!(
            "'{text}' is no time: write 10m (ago), 2026-05-01, 2026-05-01T12:30, 2026-05-01T12:30:00Z, or ms since 1970"
        )
    })
}

/// A record's timestamp in UTC, or the number itself if no calendar reaches so far.
pub(crate) fn print_moment(ms: i64) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(moment) => format!("{moment:.3}"),
        Err(_) => ms.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_800_000_000_000;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [("30s", 30), ("10m", 600), ("1h30m", 5400), ("2 days", 172_800), ("1d", 86_400)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        for text in ["", "x", "10", "-5s", "1mo"] {
            assert!(parse_duration(text).unwrap_err().contains("10m"), "{text}");
        }
    }

    #[test]
    fn a_moment_is_a_time_or_so_long_ago() {
        let utc = |text| parse_moment(text, NOW_MS, &TimeZone::UTC);
        assert_eq!(utc("1h"), Ok(NOW_MS - 3_600_000));
        assert_eq!(utc("1700000000123"), Ok(1_700_000_000_123));
        assert_eq!(utc("2023-11-14T22:13:20Z"), Ok(1_700_000_000_000));
        assert_eq!(utc("2023-11-14T23:13:20+01:00"), Ok(1_700_000_000_000));
        assert_eq!(utc("2023-11-14 22:13:20"), Ok(1_700_000_000_000));
        assert_eq!(utc("2023-11-14"), Ok(1_700_000_000_000 - (22 * 3600 + 13 * 60 + 20) * 1000));
        assert!(utc("yesterday-ish").unwrap_err().contains("2026-05-01"));
    }

    #[test]
    fn a_time_without_a_zone_is_this_machines() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(parse_moment("2023-11-15T00:13:20", NOW_MS, &zone), Ok(1_700_000_000_000));
    }

    #[test]
    fn timestamps_are_printed_to_the_millisecond() {
        assert_eq!(print_moment(1_700_000_000_120), "2023-11-14T22:13:20.120Z");
        assert_eq!(print_moment(i64::MAX), i64::MAX.to_string());
    }
}
