//! The most a call may cost: what is held before it is made.
use crate::book::PricedModel;
use crate::charge::PriceError;
use crate::money::{Exact, MAX_REQUEST, NanoUsd};
use crate::price::{self, Component};
use crate::usage::MAX_QUANTITY;

/// Upper bounds of a call, over every route it may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    pub input_tokens: u64,
    /// Enforced towards the upstream, so it is a bound and no guess.
    pub output_tokens: u64,
    /// Answers asked for (`n`).
    pub answers: u32,
    pub searches: u64,
    /// The request marks content to be cached, for five minutes or an hour.
    pub marks_cache_5m: bool,
    pub marks_cache_1h: bool,
    pub start_ms: i64,
    /// When the call is cut off at the latest.
    pub deadline_ms: i64,
}

/// An estimate this close below a tier's step, in percent of it, may turn out to be above.
const NEAR_STEP_PERCENT: u64 = 85;

/// At least the charge of every usage within the bounds, rounded up to nano-USD.
pub fn hold_bound(model: &PricedModel, bounds: &Bounds) -> Result<NanoUsd, PriceError> {
    let answers = bounds.answers.max(1);
    if bounds.input_tokens > MAX_QUANTITY
        || bounds.output_tokens > MAX_QUANTITY
        || bounds.searches > MAX_QUANTITY
    {
        return Err(PriceError::TooLarge);
    }
    let input = dearest(model, bounds, input_components(bounds), Component::Input)?;
    let output = dearest(model, bounds, &[Component::Output, Component::Reasoning], Component::Output)?;
    let mut sum = times(bounds.input_tokens, input)?;
    sum = add(sum, times(bounds.output_tokens, output)?.checked_mul(answers))?;
    if bounds.searches > 0 {
        let search = dearest(model, bounds, &[Component::WebSearch], Component::WebSearch)?;
        sum = add(sum, Some(times(bounds.searches, search)?))?;
    }
    sum.ceil_nano().filter(|bound| *bound <= MAX_REQUEST).ok_or(PriceError::TooLarge)
}

/// The most output tokens that `available` pays for after the input, for a client that named no limit.
pub fn affordable_output_tokens(
    model: &PricedModel,
    bounds: &Bounds,
    available: NanoUsd,
) -> Result<u64, PriceError> {
    let without_output = hold_bound(model, &Bounds { output_tokens: 0, ..*bounds })?;
    let output = dearest(model, bounds, &[Component::Output, Component::Reasoning], Component::Output)?;
    let per_token_pico = i128::from(output.usd_pico.0) * i128::from(bounds.answers.max(1));
    let left_pico = i128::from(available.0.saturating_sub(without_output.0).max(0)) * 1_000;
    let tokens = left_pico.checked_div(per_token_pico).unwrap_or(i128::from(bounds.output_tokens));
    Ok(u64::try_from(tokens).unwrap_or(u64::MAX).min(bounds.output_tokens))
}

fn input_components(bounds: &Bounds) -> &'static [Component] {
    use Component::{CacheRead, CacheWrite, CacheWrite1h, CacheWrite5m, Input};
    match (bounds.marks_cache_5m, bounds.marks_cache_1h) {
        (_, true) => &[Input, CacheRead, CacheWrite, CacheWrite5m, CacheWrite1h],
        (true, false) => &[Input, CacheRead, CacheWrite, CacheWrite5m],
        // A cache that works by itself needs no mark.
        (false, false) => &[Input, CacheRead, CacheWrite],
    }
}

/// The highest price of any of the components, in any tier the input may reach, now or at the deadline.
fn dearest<'a>(
    model: &'a PricedModel,
    bounds: &Bounds,
    components: &[Component],
    required: Component,
) -> Result<&'a crate::book::Price, PriceError> {
    let reachable = bounds.input_tokens.saturating_mul(100) / NEAR_STEP_PERCENT;
    let may_apply = |price: &&crate::book::Price| {
        let row = &price.list;
        components.contains(&row.component)
            && row.tier.input_tokens_above.is_none_or(|above| reachable > above)
            && (row.applies(bounds.start_ms) || row.applies(bounds.deadline_ms))
    };
    let found = model.prices.iter().filter(may_apply);
    let missing = || PriceError::Missing { model: model.model.id.clone(), component: required };
    if model.price(required, bounds.input_tokens, bounds.start_ms).is_none() {
        return Err(missing());
    }
    found.max_by_key(|price| price.usd_pico).ok_or_else(missing)
}

fn times(quantity: u64, price: &crate::book::Price) -> Result<Exact, PriceError> {
    price::amount(quantity, price.usd_pico, price.list.unit).ok_or(PriceError::TooLarge)
}

fn add(sum: Exact, more: Option<Exact>) -> Result<Exact, PriceError> {
    more.and_then(|more| sum.checked_add(more)).ok_or(PriceError::TooLarge)
}
