//! Exact decimal text ↔ scaled integers. No float ever touches a price.
use std::fmt::Write as _;

/// Reads `"12.5"`, `".15"` or `"-3"` as an integer of `10^-scale`. `None` when it is not a plain decimal,
/// has more decimals than `scale` can hold, or does not fit.
pub fn parse(text: &str, scale: u32) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && !digits.starts_with('.')) || digits == "." || !plain(whole) || !plain(fraction) {
        return None;
    }
    let missing = scale.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    let joined: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let scaled = joined.checked_mul(10i128.checked_pow(missing)?)?;
    i64::try_from(if negative { -scaled } else { scaled }).ok()
}

/// Writes an integer of `10^-scale` with at least `min_decimals` decimals and no needless zero after them.
pub fn format(value: i128, scale: u32, min_decimals: usize) -> String {
    let places = usize::try_from(scale).unwrap_or(0);
    let magnitude = value.unsigned_abs();
    let mut text = String::with_capacity(places + 24);
    if value < 0 {
        text.push('-');
    }
    let digits_at = text.len();
    // Almost every amount fits into 64 bits, which are written several times faster. Writing to a string cannot fail.
    let written = match u64::try_from(magnitude) {
        Ok(small) => write!(text, "{small:0width$}", width = places + 1),
        Err(_) => write!(text, "{magnitude:0width$}", width = places + 1),
    };
    debug_assert!(written.is_ok());
    let point = text.len() - places;
    debug_assert!(point > digits_at);
    let significant = text[point..].trim_end_matches('0').len().max(min_decimals.min(places));
    text.truncate(point + significant);
    if significant > 0 {
        text.insert(point, '.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_plain_decimals_exactly_and_nothing_else() {
        let cases = [
            ("12.5", 6, Some(12_500_000)),
            (".15", 2, Some(15)),
            ("0.10", 1, Some(1)),
            ("-3", 0, Some(-3)),
            ("1.25", 1, None),
            ("1e3", 6, None),
            ("", 6, None),
            (".", 6, None),
            ("1.", 0, Some(1)),
            ("+1", 0, None),
            ("9223372036854775807", 0, Some(i64::MAX)),
            ("9223372036854775808", 0, None),
        ];
        for (text, scale, expected) in cases {
            assert_eq!(parse(text, scale), expected, "{text} at scale {scale}");
        }
    }

    #[test]
    fn writes_what_it_read() {
        assert_eq!(format(1_844_500, 3, 3), "1844.500");
        assert_eq!(format(5, 6, 2), "0.000005");
        assert_eq!(format(0, 3, 3), "0.000");
        assert_eq!(format(-1_500, 3, 0), "-1.5");
        assert_eq!(format(7, 0, 0), "7");
    }
}
