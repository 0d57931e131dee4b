//! What an operator changes about the catalogue's prices, as a file: own prices, markups, a price list, an exchange
//! rate chosen on purpose, peak hours. Kept with the publication it was made for.
use crate::book::Markup;
use crate::calendar::{DAY_MS, Day};
use crate::decimal;
use crate::fx::FxRate;
use crate::load::{UNITS, read_unit};
use crate::price::{
    Basis, Component, Currency, Effective, ListPrice, Schedule, Source, Tier, Unit, Verification,
};
use crate::schedule::PeakHours;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All of it; the default changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Overrides {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fx: Option<ChosenRate>,
    /// By model, else by provider, else the configured one.
    pub markup: Markups,
    /// The price list to use for a model, where the usual choice is not wanted.
    pub basis: BTreeMap<String, Basis>,
    /// Prices of our own. They stand in the place of the listed rows for the same component, and no markup applies.
    pub prices: Vec<OwnPrice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_hours: Option<PeakHours>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChosenRate {
    pub date: Day,
    /// CNY per USD as a decimal.
    pub usd_cny: String,
    pub source: String,
}

/// Decimals from 1 to 100, such as `"1.05"`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Markups {
    pub providers: BTreeMap<String, String>,
    pub models: BTreeMap<String, String>,
}

/// A price of our own, or what a channel is charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnPrice {
    pub model: String,
    pub component: Component,
    /// A decimal in USD; or in CNY, for what a channel is charged.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub usd: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cny: String,
    /// What that is for, as in the catalogue: `1M tokens`, `image`, `minute`, …
    pub unit: String,
    #[serde(default)]
    pub tier: Tier,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// The first and the last day it is for, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_from: Option<Day>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_to: Option<Day>,
}

fn unit_of(text: &str) -> Option<Unit> {
    read_unit(text).map(|(unit, _)| unit)
}

/// What is wrong with an override.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum OverrideError {
    #[error("no model `{0}` is known; write its id as /pricing shows it")]
    UnknownModel(String),
    #[error("model `{model}`: `{amount}` is not a price for {}; give usd as a decimal such as \"2.50\", not negative", component.name())]
    Amount { model: String, component: Component, amount: String },
    #[error("model `{model}`: our price of {} is given in USD; CNY is for what a channel is charged", component.name())]
    Currency { model: String, component: Component },
    #[error("model `{model}`: {} cannot be priced per `{unit}`; known units are {}", component.name(), UNITS.join(", "))]
    Unit { model: String, component: Component, unit: String },
    #[error("model `{model}`: the price of {} ends before it begins", component.name())]
    Span { model: String, component: Component },
    #[error(
        "the markup of `{0}` is not a decimal from 1 to 100 with at most six decimals; below 1 would sell below cost"
    )]
    Markup(String),
    #[error("the exchange rate `{0}` is not a positive decimal with at most six decimals")]
    Rate(String),
}

impl Overrides {
    /// The exchange rate chosen on purpose.
    pub fn rate(&self) -> Result<Option<FxRate>, OverrideError> {
        let Some(chosen) = &self.fx else { return Ok(None) };
        let rate = FxRate::new(&chosen.date.to_string(), &chosen.usd_cny, &chosen.source);
        let rate = rate.ok_or_else(|| OverrideError::Rate(chosen.usd_cny.clone()))?;
        // Another rate may be known of the same day.
        Ok(Some(FxRate { id: format!("{}_chosen_{}", rate.id, rate.usd_cny_micro), ..rate }))
    }

    /// What a model's list prices are multiplied by, unless it is the usual.
    pub(crate) fn markup(&self, provider: &str, model: &str) -> Result<Option<Markup>, OverrideError> {
        let of_model = self.markup.models.get_key_value(model);
        let Some((name, text)) = of_model.or_else(|| self.markup.providers.get_key_value(provider)) else {
            return Ok(None);
        };
        Markup::new(text).map(Some).ok_or_else(|| OverrideError::Markup(name.clone()))
    }

    /// The operator's rows for a model.
    pub(crate) fn own(&self, model: &str) -> Result<Vec<ListPrice>, OverrideError> {
        let own = self.prices.iter().filter(|price| price.model == model).map(OwnPrice::row);
        own.map(|row| match row {
            Ok(ListPrice { basis: Basis { currency: Currency::Cny, .. }, component, .. }) => {
                Err(OverrideError::Currency { model: model.to_owned(), component })
            }
            row => row,
        })
        .collect()
    }

    /// Every model named anywhere in it.
    pub(crate) fn models(&self) -> impl Iterator<Item = &String> {
        let own = self.prices.iter().map(|price| &price.model);
        own.chain(self.markup.models.keys()).chain(self.basis.keys())
    }
}

impl OwnPrice {
    /// The unit that a component is usually priced in, as a file of prices spells it: the one its row has, or the first that it
    /// can be counted in.
    pub fn usual_unit(component: Component, row: Option<&ListPrice>) -> &'static str {
        let of_row = row.and_then(|row| UNITS.into_iter().find(|text| unit_of(text) == Some(row.unit)));
        let fits = |text: &&str| unit_of(text).is_some_and(|unit| component.counts_in(unit.base()));
        of_row.or_else(|| UNITS.into_iter().find(fits)).unwrap_or(UNITS[0])
    }

    /// As a row of a price list, with the operator as its source.
    pub fn row(&self) -> Result<ListPrice, OverrideError> {
        let (model, component) = (self.model.clone(), self.component);
        let unit = read_unit(&self.unit).filter(|(unit, _)| component.counts_in(unit.base()));
        let Some((unit, decimals)) = unit else {
            return Err(OverrideError::Unit { model, component, unit: self.unit.clone() });
        };
        let (currency, amount) = match self.cny.as_str() {
            "" => (Currency::Usd, &self.usd),
            _ if self.usd.is_empty() => (Currency::Cny, &self.cny),
            cny => {
                return Err(OverrideError::Amount {
                    model,
                    component,
                    amount: format!("{} and {cny}", self.usd),
                });
            }
        };
        let amount_pico = decimal::parse(amount, decimals).filter(|pico| *pico >= 0);
        if amount_pico.is_none() {
            return Err(OverrideError::Amount { model, component, amount: amount.clone() });
        }
        let start = |day: Day| day.0.saturating_mul(DAY_MS);
        let effective = Effective {
            from_ms: self.effective_from.map(start),
            to_ms: self.effective_to.map(|last| start(Day(last.0.saturating_add(1)))),
        };
        if effective.from_ms.zip(effective.to_ms).is_some_and(|(from, to)| from >= to) {
            return Err(OverrideError::Span { model, component });
        }
        Ok(ListPrice {
            component,
            basis: Basis { currency, region: None },
            amount_pico,
            unit,
            tier: self.tier.clone(),
            schedule: self.schedule,
            effective,
            source: Source {
                name: "operator".to_owned(),
                date: String::new(),
                verification: Verification::Operator,
                remark: None,
            },
        })
    }
}
