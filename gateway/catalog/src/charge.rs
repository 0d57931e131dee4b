//! What a call costs: the smaller of its totals at the requested and at the served model's price, rounded down once.
use crate::book::{PriceBook, PricedModel};
use crate::decimal;
use crate::money::{Exact, NanoUsd, PicoUsd};
use crate::price::{self, Component, Tier, Unit};
use crate::usage::Usage;
use serde::{Deserialize, Serialize};

/// Why something has no price. None of these ever becomes a zero.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PriceError {
    #[error("no model `{0}` is in the price book")]
    UnknownModel(String),
    #[error("model `{model}` has no price for {}", component.name())]
    Missing { model: String, component: Component },
    #[error("the reported usage is not plausible: {0:?}")]
    Implausible(Usage),
    #[error("the amount is too large")]
    TooLarge,
}

/// A line of a receipt: quantity × price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub component: Component,
    /// A count as text.
    pub qty: String,
    pub unit: Unit,
    /// Pico-USD per unit: what the arithmetic uses.
    pub price_pico: PicoUsd,
    /// The same price as people quote it, such as USD per 1M tokens.
    pub price_usd: String,
    pub per: String,
    pub tier: Option<Tier>,
    /// The exact product in credits, three to six decimals.
    pub credits: String,
}

/// A price computed for a usage; not yet limited by what was held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Rounded down.
    pub nano: NanoUsd,
    pub exact: Exact,
    /// The model whose price was the smaller one.
    pub priced_as: String,
    pub lines: Vec<Line>,
}

/// Which call is to be priced.
#[derive(Clone, Copy, Debug)]
pub struct Served<'a> {
    pub requested: &'a str,
    /// As our channel names it; one that the book does not know cannot lower the price.
    pub served: &'a str,
    /// When the call was held: dated prices and schedules are those of its start.
    pub held_at_ms: i64,
}

/// What the customer pays for a usage, before the cap by the hold.
pub fn charge(book: &PriceBook, usage: &Usage, call: Served<'_>) -> Result<Charge, PriceError> {
    let requested =
        book.find(call.requested).ok_or_else(|| PriceError::UnknownModel(call.requested.to_owned()))?;
    let at_requested = total(requested, usage, call.held_at_ms)?;
    let served = book.find(call.served).filter(|served| served.model.id != requested.model.id);
    let at_served = served.and_then(|served| total(served, usage, call.held_at_ms).ok());
    Ok(at_served
        .into_iter()
        .fold(at_requested, |least, other| if other.exact < least.exact { other } else { least }))
}

/// What a usage costs at one model's prices; also what an upstream costs us at list.
pub fn total(model: &PricedModel, usage: &Usage, at_ms: i64) -> Result<Charge, PriceError> {
    if !usage.is_plausible() {
        return Err(PriceError::Implausible(*usage));
    }
    let input_total = usage.input_total();
    let (mut exact, mut lines) = (Exact::ZERO, Vec::new());
    for (quantity, components) in usage.parts(model.prices_component(Component::Reasoning)) {
        if quantity == 0 {
            continue;
        }
        let price = components.iter().find_map(|component| model.price(*component, input_total, at_ms));
        let price = price
            .ok_or_else(|| PriceError::Missing { model: model.model.id.clone(), component: components[0] })?;
        let amount = price::amount(quantity, price.usd_pico, price.list.unit).ok_or(PriceError::TooLarge)?;
        exact = exact.checked_add(amount).ok_or(PriceError::TooLarge)?;
        lines.push(Line::new(quantity, price, amount));
    }
    let nano = exact.floor_nano().ok_or(PriceError::TooLarge)?;
    Ok(Charge { nano, exact, priced_as: model.model.id.clone(), lines })
}

impl Line {
    /// Quantity × price, computed again from the line itself. `None` when it is no quantity or too large.
    pub fn amount(&self) -> Option<Exact> {
        price::amount(self.qty.parse().ok()?, self.price_pico, self.unit)
    }

    fn new(quantity: u64, price: &crate::book::Price, amount: Exact) -> Self {
        let (pico, decimals, per) = price.quoted();
        Self {
            component: price.list.component,
            qty: quantity.to_string(),
            unit: price.list.unit,
            price_pico: price.usd_pico,
            price_usd: decimal::format(pico, decimals, 2),
            per: per.to_owned(),
            tier: Some(price.list.tier.clone()).filter(|tier| *tier != Tier::default()),
            credits: amount.credits(),
        }
    }
}
