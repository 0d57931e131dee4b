//! What changes from one price book to another, and what each publication changed.
use crate::book::{Price, PriceBook, PricedModel};
use crate::calendar::{DAY_MS, Day};
use crate::decimal;
use crate::money::PicoUsd;
use crate::price::{Component, Effective, Schedule, Tier, Unit};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A publication, and what it changed about the one before; newest first they are a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    pub version: i64,
    pub at_ms: i64,
    /// `None` of the first one that is known: everything was new.
    pub changes: Option<Vec<Change>>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    ModelAdded {
        model: String,
    },
    ModelRemoved {
        model: String,
    },
    /// It had every price it needs and has not, or the other way round.
    Sellable {
        model: String,
        now: bool,
    },
    /// A price appears (`from_pico` is none), goes (`to_pico` is none) or moves.
    Price {
        model: String,
        component: Component,
        unit: Unit,
        when: When,
        from_pico: Option<PicoUsd>,
        to_pico: Option<PicoUsd>,
    },
    ExchangeRate {
        from: String,
        to: String,
    },
}

/// For which requests and when a price is; the default is for all and always.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct When {
    pub tier: Tier,
    pub schedule: Option<Schedule>,
    pub effective: Effective,
}

type Row = (Component, Unit, When);

impl Change {
    /// The model it is about; `None` for what concerns all.
    pub fn model(&self) -> Option<&str> {
        match self {
            Self::ModelAdded { model }
            | Self::ModelRemoved { model }
            | Self::Sellable { model, .. }
            | Self::Price { model, .. } => Some(model),
            Self::ExchangeRate { .. } => None,
        }
    }
}

/// Models in order, the exchange rate last.
pub fn diff(from: &PriceBook, to: &PriceBook) -> Vec<Change> {
    let ids: BTreeSet<&String> = from.content.models.keys().chain(to.content.models.keys()).collect();
    let of = |book: &'_ PriceBook, id: &String| book.content.models.get(id).cloned();
    let mut changes: Vec<Change> =
        ids.into_iter().flat_map(|id| model_changes(id, of(from, id), of(to, id))).collect();
    let rate = |book: &PriceBook| format!("{} ({})", book.content.fx.rate(), book.content.fx.date);
    if from.content.fx.usd_cny_micro != to.content.fx.usd_cny_micro {
        changes.push(Change::ExchangeRate { from: rate(from), to: rate(to) });
    }
    changes
}

fn model_changes(id: &str, from: Option<PricedModel>, to: Option<PricedModel>) -> Vec<Change> {
    let model = id.to_owned();
    match (from, to) {
        (None, Some(_)) => vec![Change::ModelAdded { model }],
        (Some(_), None) => vec![Change::ModelRemoved { model }],
        (Some(from), Some(to)) => changed(&from, &to),
        (None, None) => Vec::new(),
    }
}

fn changed(from: &PricedModel, to: &PricedModel) -> Vec<Change> {
    let (before, after) = (rows(from), rows(to));
    let keys: BTreeSet<&Row> = before.keys().chain(after.keys()).collect();
    let mut changes: Vec<Change> = keys
        .into_iter()
        .map(|row| (row, before.get(row).copied(), after.get(row).copied()))
        .filter(|(_, from, to)| from != to)
        .map(|(row, from_pico, to_pico)| Change::Price {
            model: to.model.id.clone(),
            component: row.0,
            unit: row.1,
            when: row.2.clone(),
            from_pico,
            to_pico,
        })
        .collect();
    let now = to.price_problem.is_none();
    if now != from.price_problem.is_none() {
        changes.push(Change::Sellable { model: to.model.id.clone(), now });
    }
    changes
}

fn rows(model: &PricedModel) -> BTreeMap<Row, PicoUsd> {
    let row = |price: &Price| {
        let list = &price.list;
        let (tier, schedule, effective) = (list.tier.clone(), list.schedule, list.effective);
        (list.component, list.unit, When { tier, schedule, effective })
    };
    model.prices.iter().map(|price| (row(price), price.usd_pico)).collect()
}

/// In the words of the price file.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tier, schedule, effective } = self;
        let day = |ms: i64| Day(ms.div_euclid(DAY_MS)).to_string();
        let either = |flag: Option<bool>, word: &str| {
            flag.map(|yes| format!("{word} {}", if yes { "yes" } else { "no" }))
        };
        let parts = [
            (!tier.sizes.is_empty()).then(|| tier.sizes.join("|")),
            tier.quality.clone(),
            tier.input_tokens_above.map(|above| format!("input > {above}")),
            tier.input_tokens_upto.map(|upto| format!("input ≤ {upto}")),
            either(tier.audio, "audio"),
            either(tier.video_input, "video input"),
            schedule.map(|side| if side == Schedule::Peak { "peak" } else { "offpeak" }.to_owned()),
            effective.from_ms.map(|from| format!("from {}", day(from))),
            effective.to_ms.map(|to| format!("before {}", day(to))),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ModelAdded { model } => write!(f, "+ {model}"),
            Self::ModelRemoved { model } => write!(f, "- {model}"),
            Self::Sellable { model, now: true } => write!(f, "+ {model}: every price it needs is known now"),
            Self::Sellable { model, now: false } => write!(f, "- {model}: a price it needs is missing now"),
            Self::ExchangeRate { from, to } => write!(f, "~ 1 USD in CNY: {from} → {to}"),
            Self::Price { model, component, unit, when, from_pico, to_pico } => {
                let (decimals, per) = crate::book::quoted_unit(*unit);
                let text = |pico: &Option<PicoUsd>| {
                    let amount =
                        |pico: &PicoUsd| format!("${}", decimal::format(i128::from(pico.0), decimals, 2));
                    pico.as_ref().map_or_else(|| "none".to_owned(), amount)
                };
                let condition = when.to_string();
                let when = if condition.is_empty() { String::new() } else { format!(" ({condition})") };
                let (from, to, name) = (text(from_pico), text(to_pico), component.name());
                write!(f, "~ {model}: {name}{when}: {from} → {to} per {per}")
            }
        }
    }
}
