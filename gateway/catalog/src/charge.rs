//! What a call costs: the smaller of its totals at the requested and at the served model's price, rounded down once.
use crate::book::{Ask, Price, PriceBook, PricedModel};
use crate::decimal;
use crate::money::{Exact, NanoUsd, PicoUsd};
use crate::price::{self, Component, Tier, Unit};
use crate::usage::{Usage, Way};
use serde::{Deserialize, Serialize};

/// Why something has no price. None of these ever becomes a zero.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PriceError {
    #[error("no model `{0}` is in the price book")]
    UnknownModel(String),
    #[error("model `{model}` has no price for {}", component.name())]
    Missing { model: String, component: Component },
    /// The price is per something that nobody counted.
    #[error("model `{model}` bills {} per {unit:?}, and that was not counted", component.name())]
    Uncounted { model: String, component: Component, unit: Unit },
    #[error("the reported usage is not plausible: {0:?}")]
    Implausible(Box<Usage>),
    #[error("the amount is too large")]
    TooLarge,
}

/// A line of a receipt: quantity × price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub component: Component,
    /// A count as text.
    pub qty: String,
    /// How many of `qty` make one `unit`: 1,000 (milliseconds) for a second, 60,000 for a minute, else 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub qty_per_unit: u32,
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

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_one(count: &u32) -> bool {
    *count == 1
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
        return Err(PriceError::Implausible(Box::new(*usage)));
    }
    let kind = usage.media.unwrap_or_default().kind;
    let ask = Ask { input_tokens: usage.input_total(), now: model.moment(at_ms), kind };
    let mut sum = Sum { model, ask, exact: Exact::ZERO, lines: Vec::with_capacity(4) };
    sum.add(&usage.text_input())?;
    for way in usage.parts(model.prices_component(Component::Reasoning)) {
        sum.add(&[way])?;
    }
    for ways in usage.media.iter().flat_map(|media| media.parts()) {
        sum.add(&ways)?;
    }
    let nano = sum.exact.floor_nano().ok_or(PriceError::TooLarge)?;
    Ok(Charge { nano, exact: sum.exact, priced_as: model.model.id.clone(), lines: sum.lines })
}

struct Sum<'a> {
    model: &'a PricedModel,
    ask: Ask,
    exact: Exact,
    lines: Vec<Line>,
}

impl Sum<'_> {
    /// Adds one part, in the first of its ways that was counted and has a price.
    fn add(&mut self, ways: &[Way]) -> Result<(), PriceError> {
        if ways.iter().all(|way| way.quantity == 0) {
            return Ok(());
        }
        let priced = ways.iter().filter_map(|way| Some((way, self.model.price_of(way, &self.ask)?)));
        let (mut uncounted, mut found) = (None, None);
        for (way, price) in priced {
            match way.quantity {
                0 => uncounted = uncounted.or(Some(price)),
                _ => found = found.or(Some((way.quantity, price))),
            }
        }
        let Some((quantity, price)) = found else { return Err(self.unpriced(ways, uncounted)) };
        let amount = price::amount(quantity, price.usd_pico, price.list.unit).ok_or(PriceError::TooLarge)?;
        let line = Line::new(quantity, price, amount);
        self.exact = self.exact.checked_add(amount).ok_or(PriceError::TooLarge)?;
        self.lines.push(line);
        Ok(())
    }

    fn unpriced(&self, ways: &[Way], uncounted: Option<&Price>) -> PriceError {
        let model = self.model.model.id.clone();
        if let Some(price) = uncounted {
            return PriceError::Uncounted { model, component: price.list.component, unit: price.list.unit };
        }
        let counted = ways.iter().find(|way| way.quantity > 0);
        let component = counted.and_then(|way| way.components.first()).copied();
        PriceError::Missing { model, component: component.unwrap_or(Component::Input) }
    }
}

impl Line {
    /// Quantity × price, computed again from the line itself. `None` when it is no quantity or too large.
    pub fn amount(&self) -> Option<Exact> {
        price::amount(self.qty.parse().ok()?, self.price_pico, self.unit)
    }

    fn new(quantity: u64, price: &Price, amount: Exact) -> Self {
        let (pico, decimals, per) = price.quoted();
        Self {
            component: price.list.component,
            qty: quantity.to_string(),
            qty_per_unit: price.list.unit.counted(),
            unit: price.list.unit,
            price_pico: price.usd_pico,
            price_usd: decimal::format(pico, decimals, 2),
            per: per.to_owned(),
            tier: Some(price.list.tier.clone()).filter(|tier| *tier != Tier::default()),
            credits: amount.credits(),
        }
    }
}
