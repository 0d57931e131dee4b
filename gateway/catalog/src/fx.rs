//! Exchange rates with dates. A published price never moves with the market: it names the row it was made with.
use crate::decimal;
use crate::price::Currency;
use serde::{Deserialize, Serialize};

/// How many CNY one USD was worth on a day, and who said so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FxRate {
    /// `fx_<date>`.
    pub id: String,
    pub date: String,
    /// CNY per USD in millionths.
    pub usd_cny_micro: i64,
    pub source: String,
}

impl FxRate {
    /// `None` unless the rate is a positive decimal with at most six decimals.
    pub fn new(date: &str, rate: &str, source: &str) -> Option<Self> {
        let usd_cny_micro = decimal::parse(rate, 6).filter(|micro| *micro > 0)?;
        Some(Self {
            id: format!("fx_{date}"),
            date: date.to_owned(),
            usd_cny_micro,
            source: source.to_owned(),
        })
    }

    /// A listed amount in pico-USD, rounded up.
    pub(crate) fn usd_pico(&self, currency: Currency, amount_pico: i64) -> Option<i64> {
        match currency {
            Currency::Usd => Some(amount_pico),
            Currency::Cny => {
                let scaled = i128::from(amount_pico) * 1_000_000;
                i64::try_from(-(-scaled).div_euclid(i128::from(self.usd_cny_micro))).ok()
            }
        }
    }

    /// CNY per USD as text, with at least four decimals.
    pub fn rate(&self) -> String {
        decimal::format(i128::from(self.usd_cny_micro), 6, 4)
    }

    /// What an amount of nano-USD is in nano-CNY, rounded down; as much as the type holds at most.
    pub fn cny_nano(&self, usd_nano: i64) -> i64 {
        let cny = self.cny_scaled(i128::from(usd_nano));
        i64::try_from(cny).unwrap_or(if cny < 0 { i64::MIN } else { i64::MAX })
    }

    /// What an amount in any fraction of a USD is in the same fraction of a CNY, rounded down.
    pub(crate) fn cny_scaled(&self, usd: i128) -> i128 {
        (usd * i128::from(self.usd_cny_micro)).div_euclid(1_000_000)
    }
}
