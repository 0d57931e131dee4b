//! Prices and amounts as people read them: as many decimals as the price has, and never "0.00" for a positive one.
use crate::book::{Price, quoted_unit};
use crate::decimal;
use crate::fx::FxRate;
use crate::money::{NanoUsd, PicoUsd};
use crate::price::{Currency, ListPrice, Unit};

/// `$2.00`, `$0.003`: our price for the quantity people quote.
pub fn usd(price: &Price) -> String {
    usd_per(price.usd_pico, price.list.unit)
}

/// The same of a price that is known by its amount alone.
pub fn usd_per(price: PicoUsd, unit: Unit) -> String {
    let (decimals, _) = quoted_unit(unit);
    format!("${}", decimal::format(i128::from(price.0), decimals, 2))
}

/// Our price in CNY at a dated rate: `¥0.0214`. Four significant digits, rounded up, so that a positive price stays positive.
pub fn cny(price: &Price, fx: &FxRate) -> String {
    let (pico, decimals, _) = price.quoted();
    let scaled = -((-pico * i128::from(fx.usd_cny_micro)).div_euclid(1_000_000));
    format!("¥{}", decimal::format(round_up_significant(scaled, 4), decimals, 2))
}

/// Our price in credits for a single unit; for a token it is the same figure as USD per 1M tokens.
pub fn credits(price: &Price) -> String {
    decimal::format(i128::from(price.usd_pico.0), 6, 0)
}

/// `1M tokens`, `image`, `minute` …: what [`usd`] and [`cny`] are for.
pub fn per(price: &Price) -> &'static str {
    price.quoted().2
}

/// The list price in its own currency: `¥0.02`, `$10.00`; `None` when nobody knows it.
pub fn list(row: &ListPrice) -> Option<String> {
    let (decimals, _) = quoted_unit(row.unit);
    let sign = match row.basis.currency {
        Currency::Usd => '$',
        Currency::Cny => '¥',
    };
    row.amount_pico.map(|pico| format!("{sign}{}", decimal::format(i128::from(pico), decimals, 2)))
}

/// An amount in CNY on a receipt or a page: six decimals, or more when it takes more to show three digits.
pub fn amount_cny(amount: NanoUsd, fx: &FxRate) -> String {
    let cny_pico = fx.cny_scaled(i128::from(amount.0) * 1_000);
    let significant_from =
        i32::try_from(cny_pico.unsigned_abs().checked_ilog10().unwrap_or(11)).unwrap_or(11);
    let decimals = usize::try_from((12 - (significant_from + 1) + 3).clamp(6, 12)).unwrap_or(6);
    let unit = 10i128.pow(u32::try_from(12 - decimals).unwrap_or(0));
    decimal::format(cny_pico.div_euclid(unit) * unit, 12, decimals)
}

fn round_up_significant(value: i128, digits: u32) -> i128 {
    let length = value.checked_ilog10().map_or(1, |log| log + 1);
    let unit = 10i128.pow(length.saturating_sub(digits));
    -((-value).div_euclid(unit)) * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_in_cny_shows_six_decimals_or_three_digits() {
        let fx = FxRate::new("2026-11-22", "7.12", "a test").expect("a rate");
        let cases = [
            (0, "0.000000"),
            (1_844_500, "0.013132"),
            (5, "0.0000000356"),
            (1_000_000_000, "7.120000"),
            (10_000_000_000_000, "71200.000000"),
        ];
        for (nano, expected) in cases {
            assert_eq!(amount_cny(NanoUsd(nano), &fx), expected, "{nano}");
        }
    }
}
