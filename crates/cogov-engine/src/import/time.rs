//! Days and moments as files write them: year first, since day-first dates cannot be told from month-first ones.

use super::cell::Kinds;
use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};

/// Whether a text is a day, a moment, or neither. A day may stand in a column of moments.
pub(super) fn kinds(text: &str) -> Kinds {
    match day(text) {
        Some((_, "")) => Kinds::DATE.or(Kinds::TIMESTAMP),
        Some((_, rest)) if clock(rest).is_some() => Kinds::TIMESTAMP,
        _ => Kinds::NONE,
    }
}

/// A day: `2026-11-02`, `2026/11/2` or `2026年11月2日`.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    day(text).filter(|(_, rest)| rest.is_empty()).map(|(day, _)| day)
}

/// A moment, in UTC when it names an offset; a day is its midnight.
pub(super) fn timestamp(text: &str) -> Option<NaiveDateTime> {
    let (day, rest) = day(text)?;
    if rest.is_empty() {
        return Some(day.and_time(NaiveTime::MIN));
    }
    let (time, offset) = clock(rest)?;
    let local = day.and_time(time);
    match offset {
        Some(offset) => offset.from_local_datetime(&local).single().map(|moment| moment.naive_utc()),
        None => Some(local),
    }
}

/// Whether a moment names its offset from UTC. Moments with and without are not mixed in one column.
pub(super) fn zoned(text: &str) -> bool {
    day(text).and_then(|(_, rest)| clock(rest)).is_some_and(|(_, offset)| offset.is_some())
}

fn number(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let n = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (head, rest) = text.split_at_checked(n)?;
    if n < least { None } else { Some((head.parse().ok()?, rest)) }
}

fn day(text: &str) -> Option<(NaiveDate, &str)> {
    let (year, rest) = number(text, 4, 4)?;
    let (first, second, last) = match rest.chars().next()? {
        '-' => ("-", "-", ""),
        '/' => ("/", "/", ""),
        '年' => ("年", "月", "日"),
        _ => return None,
    };
    let (month, rest) = number(rest.strip_prefix(first)?, 1, 2)?;
    let (day, rest) = number(rest.strip_prefix(second)?, 1, 2)?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    Some((date, rest.strip_prefix(last)?))
}

/// `T10:20`, ` 10:20:30.123456`, with `Z` or `+08:00` after it. More than microseconds are not kept, so
/// such a value is text.
fn clock(text: &str) -> Option<(NaiveTime, Option<FixedOffset>)> {
    let text = text.strip_prefix(['T', ' '])?;
    let (hour, rest) = number(text, 1, 2)?;
    let (minute, rest) = number(rest.strip_prefix(':')?, 2, 2)?;
    let (second, rest) = match rest.strip_prefix(':') {
        Some(rest) => number(rest, 2, 2)?,
        None => (0, rest),
    };
    let (micro, rest) = match rest.strip_prefix('.') {
        Some(rest) => fraction(rest)?,
        None => (0, rest),
    };
    Some((NaiveTime::from_hms_micro_opt(hour, minute, second, micro)?, offset(rest)?))
}

fn fraction(text: &str) -> Option<(u32, &str)> {
    let (value, rest) = number(text, 1, 6)?;
    let digits = u32::try_from(text.len() - rest.len()).ok()?;
    let more = rest.starts_with(|c: char| c.is_ascii_digit());
    (!more).then_some((value * 10_u32.pow(6 - digits), rest))
}

/// The outer `None` is no valid ending; the inner one is no offset.
fn offset(text: &str) -> Option<Option<FixedOffset>> {
    let text = text.trim_start();
    let sign = match text.chars().next() {
        None => return Some(None),
        Some('Z' | 'z') => return (text.len() == 1).then_some(FixedOffset::east_opt(0)),
        Some('+') => 1,
        Some('-') => -1,
        Some(_) => return None,
    };
    let (hours, rest) = number(text.get(1..)?, 2, 2)?;
    let (minutes, rest) = if rest.is_empty() { (0, "") } else { number(rest.trim_start_matches(':'), 2, 2)? };
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    rest.is_empty().then_some(Some(FixedOffset::east_opt(sign * seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments_are_told_from_other_texts() {
        let both = Kinds::DATE.or(Kinds::TIMESTAMP);
        for text in ["2026-11-02", "2026/1/2", "2026年1月2日", "2024-02-29"] {
            assert_eq!(kinds(text), both, "{text}");
        }
        for text in [
            "2026-11-02T10:20:30Z",
            "2026-11-02 10:20",
            "2026-11-02 10:20:30.123456 +08:00",
            "2026-11-02T10:20:30+0800",
        ] {
            assert_eq!(kinds(text), Kinds::TIMESTAMP, "{text}");
        }
        for text in [
            "2023-02-29",
            "2026-13-01",
            "2026-1",
            "2026-11-02x",
            "2026-11-02 25:00",
            "2026-11-02T10:20:30.1234567",
        ] {
            assert_eq!(kinds(text), Kinds::NONE, "{text}");
        }
        let utc = timestamp("2026-11-02T00:30:00+08:00").map(|t| t.to_string());
        assert_eq!(utc.as_deref(), Some("2026-11-01 16:30:00"));
    }
}
