//! What must hold before a price book is published. Each problem names the model, the component and what to do.
use crate::basis::{self, Gap};
use crate::book::{Price, PriceBook, PricedModel};
use crate::calendar::{DAY_MS, Day};
use crate::decimal;
use crate::fx::FxRate;
use crate::money::PicoUsd;
use crate::price::{Component, ListPrice, Verification};
use std::collections::BTreeMap;

/// What a channel is charged for a component: a price row of its provider's, from a contract or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelCost {
    pub channel_id: String,
    pub model: String,
    pub row: ListPrice,
}

/// What a draft is checked against.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Slug → the channels that carry it.
    pub wired: &'a BTreeMap<String, Vec<String>>,
    pub costs: &'a [ChannelCost],
    /// What is sold by now.
    pub in_force: Option<&'a PriceBook>,
    pub newest_rate: Option<&'a FxRate>,
    pub at_ms: i64,
}

/// Something about a draft that an operator has to know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error(
        "model `{model}`: {} at ${price} per {per} is below its cost of ${cost} ({whose}); raise the price or the markup, or correct the cost",
        component.name()
    )]
    BelowCost {
        model: String,
        component: Component,
        price: String,
        per: &'static str,
        cost: String,
        whose: String,
    },
    #[error("model `{model}`: the price of {} is negative", component.name())]
    Negative { model: String, component: Component },
    #[error(
        "model `{model}`: {} has no price {where_}; add a row, or call the model by another price list ([basis])",
        component.name()
    )]
    Missing { model: String, component: Component, where_: String, blocks: bool },
    #[error("model `{model}`: {} cannot be counted per {unit}, so no call would find its price; correct the unit", component.name())]
    Unit { model: String, component: Component, unit: &'static str },
    #[error("channel `{channel}`: the cost of {} of `{model}` is per {unit} and its price is not, so they cannot be compared; give both in one unit", component.name())]
    CostUnit { channel: String, model: String, component: Component, unit: &'static str },
    #[error("model `{model}` can be called now and is not in the draft; its callers would get 404")]
    Gone { model: String },
    #[error(
        "the exchange rate {used} of {used_date} is more than 2 % from {newest} of {newest_date}; choose a rate on purpose ([fx])"
    )]
    OldRate { used: String, used_date: String, newest: String, newest_date: String },
}

impl Problem {
    /// Whether nothing is published while it stands; otherwise it is a notice.
    pub fn blocks(&self) -> bool {
        match self {
            Self::Missing { blocks, .. } => *blocks,
            Self::BelowCost { .. } | Self::Negative { .. } | Self::Unit { .. } | Self::CostUnit { .. } => {
                true
            }
            Self::Gone { .. } | Self::OldRate { .. } => false,
        }
    }
}

/// Everything there is to say about a draft, models in order, the exchange rate last.
pub fn check(draft: &PriceBook, around: &Surroundings<'_>) -> Vec<Problem> {
    let of_models = draft.models().flat_map(|model| check_model(draft, model, around));
    of_models.chain(gone(draft, around)).chain(old_rate(draft, around)).collect()
}

fn check_model(draft: &PriceBook, model: &PricedModel, around: &Surroundings<'_>) -> Vec<Problem> {
    let id = || model.model.id.clone();
    let mut problems = Vec::new();
    for price in &model.prices {
        let component = price.list.component;
        if price.usd_pico < PicoUsd(0) {
            problems.push(Problem::Negative { model: id(), component });
        }
        if !component.counts_in(price.list.unit.base()) {
            problems.push(Problem::Unit { model: id(), component, unit: price.quoted().2 });
        }
        problems.extend(below_list(draft, model, price));
        problems.extend(below_costs(draft, model, price, around));
    }
    problems.extend(missing(model, around));
    problems
}

/// An own price against the rows of the provider's it stands for; a marked-up one is never below its own row.
fn below_list(draft: &PriceBook, model: &PricedModel, price: &Price) -> Option<Problem> {
    let replaced = model.other_lists.iter().filter(|row| Some(row.basis) == model.basis);
    let rows = replaced.chain([&price.list]).filter(|row| row.overlaps(&price.list));
    rows.filter_map(|row| below(draft, model, price, (row, "the provider's list price".to_owned()))).next()
}

/// Against what every channel that carries the model pays, where that is known.
fn below_costs(
    draft: &PriceBook,
    model: &PricedModel,
    price: &Price,
    around: &Surroundings<'_>,
) -> Vec<Problem> {
    let component = price.list.component;
    let channels = around.wired.get(&model.model.id).map_or(&[][..], Vec::as_slice);
    let of_price = around.costs.iter().filter(|cost| {
        cost.model == model.model.id && cost.row.component == component && channels.contains(&cost.channel_id)
    });
    let compare = |cost: &ChannelCost| {
        let channel = cost.channel_id.clone();
        if cost.row.unit.base() != price.list.unit.base() {
            let unit = crate::book::quoted_unit(cost.row.unit).1;
            return Some(Problem::CostUnit { channel, model: cost.model.clone(), component, unit });
        }
        let overlapping = cost.row.overlaps(&price.list);
        overlapping.then(|| below(draft, model, price, (&cost.row, format!("channel `{channel}`")))).flatten()
    };
    of_price.filter_map(compare).collect()
}

/// Compares per counted thing, without rounding: a price per minute may stand beside a cost per second.
fn below(
    draft: &PriceBook,
    model: &PricedModel,
    price: &Price,
    (cost, whose): (&ListPrice, String),
) -> Option<Problem> {
    let unit = price.list.unit;
    let cost_pico = draft.content.fx.usd_pico(cost.basis.currency, cost.amount_pico?)?;
    let ours = i128::from(price.usd_pico.0) * i128::from(cost.unit.counted());
    let theirs = i128::from(cost_pico) * i128::from(unit.counted());
    let (price_pico, decimals, per) = price.quoted();
    let in_our_unit = -(-theirs).div_euclid(i128::from(cost.unit.counted()));
    (ours < theirs).then(|| Problem::BelowCost {
        model: model.model.id.clone(),
        component: price.list.component,
        price: decimal::format(price_pico, decimals, 2),
        per,
        cost: decimal::format(in_our_unit, decimals, 2),
        whose,
    })
}

/// A model without a complete price is listed and cannot be called. That blocks when it could be called until now, or
/// when the operator priced it.
fn missing(model: &PricedModel, around: &Surroundings<'_>) -> Option<Problem> {
    let component = model.price_problem?;
    let rows: Vec<&ListPrice> = model.prices.iter().map(|price| &price.list).collect();
    let gap = basis::first_gap(&model.model, &rows, around.at_ms);
    let id = &model.model.id;
    let was_sold = around
        .in_force
        .and_then(|book| book.find(id))
        .is_some_and(|before| before.sellable(around.at_ms).is_ok() && around.wired.contains_key(id));
    let is_own = rows.iter().any(|row| row.source.verification == Verification::Operator);
    let is_wanted = !matches!(model.sellable(around.at_ms), Err(crate::Unavailable::Retired));
    Some(Problem::Missing {
        model: id.clone(),
        component: gap.as_ref().map_or(component, |gap| gap.component),
        where_: gap.as_ref().map_or_else(|| "that is known".to_owned(), |gap| place(gap, around.at_ms)),
        blocks: is_wanted && (was_sold || is_own),
    })
}

fn place(gap: &Gap, at_ms: i64) -> String {
    let size = match gap.input_tokens {
        0 => String::new(),
        tokens => format!(" for input of {tokens} tokens"),
    };
    let begins = gap.from_ms.div_euclid(DAY_MS);
    let since =
        if gap.from_ms > at_ms { format!(" from {} on", Day(begins)) } else { " at present".to_owned() };
    format!("{}{since}", size.trim_start()).trim().to_owned()
}

fn gone<'a>(draft: &'a PriceBook, around: &'a Surroundings<'_>) -> impl Iterator<Item = Problem> + 'a {
    let before = around.in_force.into_iter().flat_map(PriceBook::models);
    let callable = before
        .filter(|model| around.wired.contains_key(&model.model.id) && model.sellable(around.at_ms).is_ok());
    callable
        .filter(|model| draft.find(&model.model.id).is_none())
        .map(|model| Problem::Gone { model: model.model.id.clone() })
}

fn old_rate(draft: &PriceBook, around: &Surroundings<'_>) -> Option<Problem> {
    let (used, newest) = (&draft.content.fx, around.newest_rate?);
    let apart = i128::from(used.usd_cny_micro).abs_diff(i128::from(newest.usd_cny_micro));
    let far = apart * 50 > i128::from(newest.usd_cny_micro).unsigned_abs();
    far.then(|| Problem::OldRate {
        used: used.rate(),
        used_date: used.date.clone(),
        newest: newest.rate(),
        newest_date: newest.date.clone(),
    })
}
