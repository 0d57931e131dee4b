//! What can be paid, and what it is worth here.
use bytespike_catalog::NanoUsd;
use bytespike_catalog::fx::FxRate;
use serde::{Deserialize, Serialize};

/// A US cent in nano-USD.
const NANO_PER_CENT: i128 = 10_000_000;

/// What people pay in. Both have a hundredth as their smallest unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Currency {
    Usd,
    Cny,
}

/// What can be paid in one currency; amounts in its smallest unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrencyOffer {
    pub currency: Currency,
    pub presets_minor: Vec<i64>,
    pub least_minor: i64,
    pub most_minor: i64,
}

/// From this amount on there is so much on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    pub from: NanoUsd,
    pub percent: u32,
}

/// What an installation offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub currencies: Vec<CurrencyOffer>,
    /// In any order.
    pub ladder: Vec<Rung>,
    /// How long what is given on top lasts; `None` for ever.
    pub bonus_lasts_ms: Option<i64>,
}

impl Currency {
    pub const ALL: [Self; 2] = [Self::Usd, Self::Cny];

    /// As Stripe and the database write it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Usd => "usd",
            Self::Cny => "cny",
        }
    }

    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|currency| currency.code() == code)
    }

    const fn sign(self) -> &'static str {
        match self {
            Self::Usd => "$",
            Self::Cny => "¥",
        }
    }
}

impl Offer {
    pub fn of(&self, currency: Currency) -> Option<&CurrencyOffer> {
        self.currencies.iter().find(|offer| offer.currency == currency)
    }

    /// The highest rung that this amount reaches.
    pub fn rung(&self, paid: NanoUsd) -> Option<Rung> {
        self.ladder.iter().filter(|rung| rung.from <= paid).max_by_key(|rung| rung.from).copied()
    }

    /// What is given on top of this amount, rounded down.
    pub fn bonus(&self, paid: NanoUsd) -> NanoUsd {
        let percent = self.rung(paid).map_or(0, |rung| rung.percent);
        let bonus = i128::from(paid.0) * i128::from(percent) / 100;
        NanoUsd(i64::try_from(bonus).unwrap_or(0))
    }
}

/// What an amount is worth in credit, rounded down to a nano-USD; `None` for CNY without a rate, and for what no wallet holds.
pub fn worth(currency: Currency, amount_minor: i64, rate: Option<&FxRate>) -> Option<NanoUsd> {
    let nano = i128::from(amount_minor) * NANO_PER_CENT;
    let nano = match currency {
        Currency::Usd => nano,
        Currency::Cny => (nano * 1_000_000).div_euclid(i128::from(rate?.usd_cny_micro)),
    };
    i64::try_from(nano).ok().map(NanoUsd).filter(|nano| *nano > NanoUsd::ZERO)
}

/// `$25.00`, `¥100.00`.
pub fn amount_text(currency: Currency, amount_minor: i64) -> String {
    format!("{}{}.{:02}", currency.sign(), amount_minor / 100, (amount_minor % 100).abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer() -> Offer {
        let rung = |from, percent| Rung { from: NanoUsd(from), percent };
        Offer {
            currencies: Vec::new(),
            ladder: vec![rung(100_000_000_000, 10), rung(50_000_000_000, 5)],
            bonus_lasts_ms: None,
        }
    }

    #[test]
    fn the_highest_rung_that_is_reached_counts_alone() {
        let bonus = |usd: i64| offer().bonus(NanoUsd(usd * 1_000_000_000)).0 / 1_000_000_000;
        assert_eq!([bonus(49), bonus(50), bonus(99), bonus(100), bonus(1_000)], [0, 2, 4, 10, 100]);
    }

    #[test]
    fn an_amount_is_worth_what_its_dated_rate_says_and_never_more() {
        let rate = FxRate::new("2026-11-20", "7.0812", "test").unwrap();
        assert_eq!(worth(Currency::Usd, 2_500, None), Some(NanoUsd(25_000_000_000)));
        let nano = worth(Currency::Cny, 10_000, Some(&rate)).unwrap();
        assert_eq!(nano, NanoUsd(14_121_900_242));
        assert!(i128::from(nano.0) * 7_081_200 <= 100 * 1_000_000_000_000_000);
        assert_eq!(worth(Currency::Cny, 10_000, None), None, "no rate, no price");
        assert_eq!(worth(Currency::Usd, i64::MAX, None), None);
        assert_eq!(worth(Currency::Usd, 0, None), None);
        assert_eq!(worth(Currency::Usd, -5, None), None);
    }
}
