//! Reading an amount of money that a person typed.

/// The most a limit field takes, in whole US dollars.
pub const MAX_LIMIT_USD: i64 = 10_000_000;
/// A nano-USD is the smallest unit the ledger knows.
pub const MAX_DECIMALS: usize = 9;
const NANO_PER_USD: i64 = 1_000_000_000;

/// Why a typed amount was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountError {
    NotANumber,
    TooManyDecimals,
    NotPositive,
    TooLarge,
}

/// Reads a positive US dollar amount such as `2.50`, `$2.50` or full-width `２．５`; empty means none was given.
/// The answer is in nano-USD. Signs, exponents and more digits than the ledger can hold are refused, never rounded.
pub fn parse_usd(typed: &str) -> Result<Option<i64>, AmountError> {
    let typed = narrow(typed);
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let number = typed.strip_prefix('$').unwrap_or(typed).trim_start();
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let nano = whole_nano(whole)?.checked_add(decimal_nano(decimals)?).ok_or(AmountError::TooLarge)?;
    match nano {
        0 => Err(AmountError::NotPositive),
        nano if nano > MAX_LIMIT_USD * NANO_PER_USD => Err(AmountError::TooLarge),
        nano => Ok(Some(nano)),
    }
}

/// The dollar text of an amount for a form field, without trailing zeros.
pub fn usd_field(nano: i64) -> String {
    let text = format!("{}.{:09}", nano / NANO_PER_USD, (nano % NANO_PER_USD).abs());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn whole_nano(digits: &str) -> Result<i64, AmountError> {
    let digits = digits.replace(',', "");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AmountError::NotANumber);
    }
    let whole: i64 = digits.parse().map_err(|_| AmountError::TooLarge)?;
    whole.checked_mul(NANO_PER_USD).ok_or(AmountError::TooLarge)
}

fn decimal_nano(digits: &str) -> Result<i64, AmountError> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AmountError::NotANumber);
    }
    if digits.len() > MAX_DECIMALS {
        return Err(AmountError::TooManyDecimals);
    }
    format!("{digits:0<9}").parse().map_err(|_| AmountError::NotANumber)
}

/// An input method for Chinese often leaves full-width digits and points.
fn narrow(typed: &str) -> String {
    typed.chars().map(narrow_char).collect()
}

fn narrow_char(typed: char) -> char {
    match typed {
        '０'..='９' | '．' | '，' | '＄' => char::from_u32(u32::from(typed) - 0xFEE0).unwrap_or(typed),
        '。' => '.',
        '\u{3000}' => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_people_type_are_read_exactly() {
        for (typed, nano) in [
            ("10", 10_000_000_000),
            ("2.50", 2_500_000_000),
            ("$0.000000001", 1),
            ("1,000", 1_000_000_000_000),
            ("２．５", 2_500_000_000),
            (" 3 ", 3_000_000_000),
            ("10000000", 10_000_000_000_000_000),
        ] {
            assert_eq!(parse_usd(typed), Ok(Some(nano)), "{typed}");
        }
        assert_eq!(parse_usd(" "), Ok(None));
    }

    #[test]
    fn s106_everything_else_is_refused_by_its_own_reason() {
        for (typed, error) in [
            ("-1", AmountError::NotANumber),
            ("1e309", AmountError::NotANumber),
            ("NaN", AmountError::NotANumber),
            ("1.2.3", AmountError::NotANumber),
            (".", AmountError::NotANumber),
            ("+5", AmountError::NotANumber),
            ("0", AmountError::NotPositive),
            ("0.0000000001", AmountError::TooManyDecimals),
            ("10000000.000000001", AmountError::TooLarge),
            ("99999999999999999999", AmountError::TooLarge),
        ] {
            assert_eq!(parse_usd(typed), Err(error), "{typed}");
        }
    }

    #[test]
    fn a_stored_limit_reads_back_as_it_was_typed() {
        for typed in ["10", "2.5", "0.000000001", "1234.56"] {
            assert_eq!(parse_usd(typed).map(|nano| nano.map(usd_field)), Ok(Some(typed.to_owned())));
        }
    }
}
