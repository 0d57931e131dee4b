//! Moments as the API writes them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// RFC 3339 in UTC, whole seconds: `2026-11-24T08:00:00Z`.
#[must_use]
pub fn rfc3339(at_ms: i64) -> String {
    Timestamp::from_second(at_ms.div_euclid(1_000)).map_or_else(|_| at_ms.to_string(), |at| at.to_string())
}

/// RFC 3339 in UTC with milliseconds: `2026-11-24T08:00:00.123Z`.
#[must_use]
pub fn rfc3339_ms(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).map_or_else(|_| at_ms.to_string(), |at| format!("{at:.3}"))
}

/// The start of a day (`2026-11-24`) in UTC; 1970 when the text is none.
#[must_use]
pub fn day_ms(day: &str) -> i64 {
    let date: Option<Date> = day.parse().ok();
    date.and_then(|date| date.to_zoned(TimeZone::UTC).ok())
        .map_or(0, |start| start.timestamp().as_millisecond())
}
