//! Numbers, credits, money and dates as each language writes them. All of it is decided on the server.

use crate::Locale;
use time::{OffsetDateTime, UtcOffset};

/// 1 credit = 1,000 nano-USD.
const NANO_USD_PER_CREDIT: u64 = 1_000;
const NBSP: char = '\u{a0}';

/// `1234567` → `1,234,567`; both languages group by three.
#[must_use]
pub fn count(value: u64) -> String {
    group(&value.to_string())
}

/// Nano-USD as credits with exactly three decimals: `1844500` → `1,844.500`.
#[must_use]
pub fn credits(nano_usd: i64) -> String {
    let magnitude = nano_usd.unsigned_abs();
    let whole = group(&(magnitude / NANO_USD_PER_CREDIT).to_string());
    format!("{}{whole}.{:03}", sign(nano_usd), magnitude % NANO_USD_PER_CREDIT)
}

/// Credits as the API writes them (a decimal string), grouped for reading: `16412.000` → `16,412.000`.
#[must_use]
pub fn grouped(decimal: &str) -> String {
    let (sign, digits) = decimal.strip_prefix('-').map_or(("", decimal), |rest| ("−", rest));
    match digits.split_once('.') {
        Some((whole, fraction)) => format!("{sign}{}.{fraction}", group(whole)),
        None => format!("{sign}{}", group(digits)),
    }
}

/// Nano-USD as dollars: at least two decimals, and as many more as the amount has, so that a positive amount never
/// prints as `$0.00`.
#[must_use]
pub fn usd(nano_usd: i64) -> String {
    let magnitude = nano_usd.unsigned_abs();
    let fraction = format!("{:09}", magnitude % 1_000_000_000);
    let fraction = keep_decimals(&fraction, 2);
    format!("{}${}.{fraction}", sign(nano_usd), group(&(magnitude / 1_000_000_000).to_string()))
}

/// Nano-CNY as yuan, decimals as [`usd`].
#[must_use]
pub fn cny(nano_cny: i64) -> String {
    usd(nano_cny).replace('$', "¥")
}

/// Tokens for prose and tables: `128000` → `128K`, `1000000` → `1M`, `1048576` → `1.05M`.
#[must_use]
pub fn tokens(value: u64) -> String {
    match value {
        0..1_000 => value.to_string(),
        1_000..100_000 => short(value, 1_000, 'K'),
        100_000..1_000_000 => format!("{}K", (value + 500) / 1_000),
        _ => short(value, 1_000_000, 'M'),
    }
}

/// A number and its unit that never part at a line end.
#[must_use]
pub fn unit(value: &str, unit: &str) -> String {
    format!("{value}{NBSP}{unit}")
}

/// A calendar date: `22 Nov 2026`, `2026年11月22日`.
#[must_use]
pub fn date(locale: Locale, at_ms: i64, offset: UtcOffset) -> String {
    let Some(at) = moment(at_ms, offset) else { return "—".to_owned() };
    match locale {
        Locale::En => format!("{}{NBSP}{}{NBSP}{}", at.day(), month(at), at.year()),
        Locale::Zh => format!("{}年{}月{}日", at.year(), u8::from(at.month()), at.day()),
    }
}

/// A date and time to the minute: `22 Nov 2026, 08:05 UTC`, `2026年11月22日 08:05 UTC`.
#[must_use]
pub fn date_time(locale: Locale, at_ms: i64, offset: UtcOffset) -> String {
    let Some(at) = moment(at_ms, offset) else { return "—".to_owned() };
    let gap = match locale {
        Locale::En => ", ",
        Locale::Zh => " ",
    };
    let clock = format!("{:02}:{:02}", at.hour(), at.minute());
    format!("{}{gap}{clock}{NBSP}{}", date(locale, at_ms, offset), zone(offset))
}

/// `<time datetime>`: RFC 3339 in UTC to the second.
#[must_use]
pub fn machine_time(at_ms: i64) -> String {
    let Some(at) = moment(at_ms, UtcOffset::UTC) else { return String::new() };
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", at.hour(), at.minute(), at.second())
}

/// An ISO date or month as data files carry it (`2026-11-20`, `2026-11`), in the reader's language; unchanged if it is
/// neither.
#[must_use]
pub fn iso_date(locale: Locale, iso: &str) -> String {
    if let Some(first) = (iso.len() == 7).then(|| format!("{iso}-01")) {
        let full = iso_date(locale, &first);
        return match locale {
            Locale::En => full.strip_prefix("1\u{a0}").unwrap_or(iso).to_owned(),
            Locale::Zh => full.strip_suffix("1日").unwrap_or(iso).to_owned(),
        };
    }
    let format = time::macros::format_description!("[year]-[month]-[day]");
    match time::Date::parse(iso, &format) {
        Ok(day) => {
            let at_ms = day.midnight().assume_utc().unix_timestamp().saturating_mul(1_000);
            date(locale, at_ms, UtcOffset::UTC)
        }
        Err(_) => iso.to_owned(),
    }
}

/// Words that stand alone in a cell, with a capital first: `member “Ada”` → `Member “Ada”`. Chinese stays as it is.
#[must_use]
pub fn sentence(words: &str) -> String {
    let mut rest = words.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

fn short(value: u64, step: u64, suffix: char) -> String {
    let hundredths = (value * 100 + step / 2) / step;
    let fraction = format!("{:02}", hundredths % 100);
    match fraction.trim_end_matches('0') {
        "" => format!("{}{suffix}", hundredths / 100),
        rest => format!("{}.{rest}{suffix}", hundredths / 100),
    }
}

/// Drops trailing zeros beyond the first `least` decimals.
fn keep_decimals(fraction: &str, least: usize) -> &str {
    let kept = fraction.trim_end_matches('0').len().max(least);
    fraction.get(..kept).unwrap_or(fraction)
}

fn group(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn sign(value: i64) -> &'static str {
    if value < 0 { "−" } else { "" }
}

fn moment(at_ms: i64, offset: UtcOffset) -> Option<OffsetDateTime> {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_ms) * 1_000_000).ok()?;
    at.checked_to_offset(offset)
}

fn month(at: OffsetDateTime) -> &'static str {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    NAMES.get(usize::from(u8::from(at.month())) - 1).copied().unwrap_or_default()
}

fn zone(offset: UtcOffset) -> String {
    if offset.is_utc() {
        return "UTC".to_owned();
    }
    let (hours, minutes, _) = offset.as_hms();
    format!("UTC{}{:02}:{:02}", if offset.is_negative() { "−" } else { "+" }, hours.abs(), minutes.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_amounts_keep_their_digits() {
        assert_eq!(usd(1_844_500), "$0.0018445");
        assert_eq!(usd(2_000_000_000), "$2.00");
        assert_eq!(usd(1), "$0.000000001");
        assert_eq!(usd(-1_234_567_000_000_000), "−$1,234,567.00");
        assert_eq!(cny(21_400_000), "¥0.0214");
    }

    #[test]
    fn a_cell_begins_with_a_capital() {
        assert_eq!(sentence("member “Ada”"), "Member “Ada”");
        assert_eq!((sentence("密钥"), sentence("")), ("密钥".to_owned(), String::new()));
    }

    #[test]
    fn credits_have_three_decimals() {
        assert_eq!(credits(1_844_500), "1,844.500");
        assert_eq!(credits(-7), "−0.007");
        assert_eq!(grouped("16412.000"), "16,412.000");
        assert_eq!(grouped("-950.5"), "−950.5");
    }

    #[test]
    fn dates_are_written_in_each_language() {
        let at_ms = 1_795_334_730_000; // 2026-11-22T08:05:30Z
        assert_eq!(date(Locale::En, at_ms, UtcOffset::UTC), "22\u{a0}Nov\u{a0}2026");
        assert_eq!(date(Locale::Zh, at_ms, UtcOffset::UTC), "2026年11月22日");
        assert_eq!(date_time(Locale::Zh, at_ms, UtcOffset::UTC), "2026年11月22日 08:05\u{a0}UTC");
        let shanghai = UtcOffset::from_hms(8, 0, 0).unwrap();
        assert_eq!(date_time(Locale::Zh, at_ms, shanghai), "2026年11月22日 16:05\u{a0}UTC+08:00");
        assert_eq!(machine_time(at_ms), "2026-11-22T08:05:30Z");
        assert_eq!(iso_date(Locale::En, "2026-11-20"), "20\u{a0}Nov\u{a0}2026");
        assert_eq!(iso_date(Locale::En, "2026-11"), "Nov\u{a0}2026");
        assert_eq!(iso_date(Locale::Zh, "2026-11"), "2026年11月");
        assert_eq!(iso_date(Locale::En, "soon"), "soon");
        assert_eq!(iso_date(Locale::Zh, "not yet"), "not yet");
    }

    #[test]
    fn token_counts_are_short() {
        assert_eq!(tokens(999), "999");
        assert_eq!(tokens(65_536), "65.54K");
        assert_eq!(tokens(128_000), "128K");
        assert_eq!(tokens(262_144), "262K");
        assert_eq!(tokens(1_000_000), "1M");
        assert_eq!(tokens(1_048_576), "1.05M");
    }
}
