//! Money as integers with a unit. Amounts are nano-USD, prices and exact sums pico-USD; 1 credit is 1,000 nano-USD.
use crate::decimal;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An amount of money in nano-USD (10⁻⁹ USD). What wallets, holds and charges are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NanoUsd(pub i64);

/// An amount in pico-USD (10⁻¹² USD). What prices are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PicoUsd(pub i64);

/// The most one request may hold: $10,000.
pub const MAX_REQUEST: NanoUsd = NanoUsd(10_000_000_000_000);
/// The most a wallet may contain: $1,000,000,000.
pub const MAX_WALLET: NanoUsd = NanoUsd(1_000_000_000_000_000_000);

impl NanoUsd {
    pub const ZERO: Self = Self(0);

    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// In credits, exactly, as they appear in JSON: always three decimals.
    pub fn credits(self) -> String {
        decimal::format(i128::from(self.0), 3, 3)
    }

    /// In USD with all nine decimals.
    pub fn usd(self) -> String {
        decimal::format(i128::from(self.0), 9, 9)
    }

    /// Reads credits with at most three decimals. `None` for anything else.
    pub fn from_credits(text: &str) -> Option<Self> {
        decimal::parse(text, 3).map(Self)
    }

    /// Reads USD with at most nine decimals. `None` for anything else.
    pub fn from_usd(text: &str) -> Option<Self> {
        decimal::parse(text, 9).map(Self)
    }
}

impl fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} credits", self.credits())
    }
}

/// A sum of quantities times prices before its one rounding, in 1/60,000 pico-USD: fine enough that a price per
/// minute times milliseconds, and a price per second times milliseconds, are whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exact(i128);

impl Exact {
    pub const ZERO: Self = Self(0);
    /// Units per pico-USD: the least common multiple of the milliseconds in a second and in a minute.
    pub(crate) const PER_PICO: i128 = 60_000;
    const PER_NANO: i128 = 1_000 * Self::PER_PICO;

    /// `quantity` base units at `price` per `divisor` base units. `None` on overflow or a divisor that does not divide.
    pub(crate) fn of(quantity: u64, price: PicoUsd, divisor: i128) -> Option<Self> {
        let scale = Self::PER_PICO.checked_div(divisor).filter(|scale| scale * divisor == Self::PER_PICO)?;
        i128::from(quantity).checked_mul(i128::from(price.0))?.checked_mul(scale).map(Self)
    }

    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    pub(crate) fn checked_mul(self, times: u32) -> Option<Self> {
        self.0.checked_mul(i128::from(times)).map(Self)
    }

    /// Rounded down to whole nano-USD: a charge.
    pub fn floor_nano(self) -> Option<NanoUsd> {
        i64::try_from(self.0.div_euclid(Self::PER_NANO)).ok().map(NanoUsd)
    }

    /// Rounded up to whole nano-USD: a hold.
    pub fn ceil_nano(self) -> Option<NanoUsd> {
        i64::try_from(-(-self.0).div_euclid(Self::PER_NANO)).ok().map(NanoUsd)
    }

    /// Rounded down to whole pico-USD, for display.
    pub fn pico(self) -> i128 {
        self.0.div_euclid(Self::PER_PICO)
    }

    /// In credits with three to six decimals; exact for everything counted in tokens.
    pub fn credits(self) -> String {
        decimal::format(self.pico(), 6, 3)
    }

    /// What remains when `nano` is taken away, in credits; negative when `nano` is more.
    pub fn minus_nano_credits(self, nano: NanoUsd) -> String {
        decimal::format(self.pico() - i128::from(nano.0) * 1_000, 6, 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn credits_are_exact_text() {
        assert_eq!(NanoUsd(1_844_500).credits(), "1844.500");
        assert_eq!(NanoUsd(i64::MAX).credits(), "9223372036854775.807");
        assert_eq!(NanoUsd(1_844_500).usd(), "0.001844500");
        assert_eq!(NanoUsd::from_credits("1844.5"), Some(NanoUsd(1_844_500)));
        assert_eq!(NanoUsd::from_credits("0.0001"), None);
    }

    #[test]
    fn a_minute_price_is_exact_in_milliseconds() {
        // $0.017 per minute for 1 ms is 283,333.3… pico-USD: not whole, yet 60,000 ms are exactly the minute.
        let price = PicoUsd(17_000_000_000);
        let one = Exact::of(1, price, 60_000).expect("divides");
        assert_eq!(one.pico(), 283_333);
        assert_eq!(Exact::of(60_000, price, 60_000).expect("divides").pico(), 17_000_000_000);
        assert_eq!(Exact::of(1, price, 7), None);
    }

    proptest! {
        #[test]
        fn a_hold_rounds_up_and_a_charge_down_by_less_than_a_nano(quantity in 0u64..1 << 32, price in 0i64..1_000_000_000_000) {
            let exact = Exact::of(quantity, PicoUsd(price), 1).expect("fits");
            let (down, up) = (exact.floor_nano().expect("fits"), exact.ceil_nano().expect("fits"));
            let pico = exact.pico();
            prop_assert!(i128::from(down.0) * 1_000 <= pico && pico < (i128::from(down.0) + 1) * 1_000);
            prop_assert!(i128::from(up.0) * 1_000 >= pico && pico > (i128::from(up.0) - 1) * 1_000);
        }

        #[test]
        fn credits_read_back(nano in any::<i64>()) {
            prop_assert_eq!(NanoUsd::from_credits(&NanoUsd(nano).credits()), Some(NanoUsd(nano)));
        }
    }
}
