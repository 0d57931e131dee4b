//! The most a call may cost: what is held before it is made.
use crate::book::{Price, PricedModel};
use crate::charge::PriceError;
use crate::media::{Kind, Media};
use crate::money::{Exact, MAX_REQUEST, NanoUsd};
use crate::price::{self, Base, Component};
use crate::schedule::Moment;
use crate::usage::{MAX_QUANTITY, Way};

/// Upper bounds of a call, over every route it may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    pub input_tokens: u64,
    /// Enforced towards the upstream, so it is a bound and no guess.
    pub output_tokens: u64,
    /// Answers asked for (`n`). Media quantities are those of all of them together.
    pub answers: u32,
    pub searches: u64,
    /// The request marks content to be cached, for five minutes, an hour or twelve.
    pub marks_cache_5m: bool,
    pub marks_cache_1h: bool,
    pub marks_cache_12h: bool,
    pub start_ms: i64,
    /// When the call is cut off at the latest.
    pub deadline_ms: i64,
    pub media: Option<Media>,
}

/// An estimate this close below a tier's step, in percent of it, may turn out to be above.
const NEAR_STEP_PERCENT: u64 = 85;

/// At least the charge of every usage within the bounds, rounded up to nano-USD.
pub fn hold_bound(model: &PricedModel, bounds: &Bounds) -> Result<NanoUsd, PriceError> {
    let media = bounds.media.unwrap_or_default();
    if [bounds.input_tokens, bounds.output_tokens, bounds.searches].iter().any(|part| *part > MAX_QUANTITY)
        || !media.is_plausible()
    {
        return Err(PriceError::TooLarge);
    }
    let reach = Reach::new(model, bounds);
    let input = [
        Way::tokens(bounds.input_tokens, input_components(bounds)),
        Way::new(media.characters, Base::Character, &[Component::TextInput]),
        Way::new(media.rerank_units, Base::RerankUnit, &[Component::Rerank]),
    ];
    let output = reach.most(&[Way::tokens(bounds.output_tokens, &OUTPUT)])?;
    let mut sum = reach.most(&input)?;
    sum = add(sum, output.checked_mul(bounds.answers.max(1)))?;
    sum = add(sum, Some(reach.most(&[Way::new(bounds.searches, Base::Search, &[Component::WebSearch])])?))?;
    for ways in bounds.media.iter().flat_map(Media::parts) {
        sum = add(sum, Some(reach.most(&ways)?))?;
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
    let output = Reach::new(model, bounds).dearest(&Way::tokens(1, &OUTPUT));
    let output = output.ok_or_else(|| missing(model, Component::Output))?;
    let per_token_pico = i128::from(output.usd_pico.0) * i128::from(bounds.answers.max(1));
    let left_pico = i128::from(available.0.saturating_sub(without_output.0).max(0)) * 1_000;
    let tokens = left_pico.checked_div(per_token_pico).unwrap_or(i128::from(bounds.output_tokens));
    Ok(u64::try_from(tokens).unwrap_or(u64::MAX).min(bounds.output_tokens))
}

const OUTPUT: [Component; 3] = [Component::Output, Component::TextOutput, Component::Reasoning];

/// Everything that input may turn out to be, what it is when nothing is cached first.
fn input_components(bounds: &Bounds) -> &'static [Component] {
    use Component::{
        CacheRead, CacheReadExplicit, CacheWrite, CacheWrite1h, CacheWrite5m, CacheWrite12h, Input,
        TextInput, TextInputCached,
    };
    const ALL: [Component; 9] = [
        Input,
        TextInput,
        CacheRead,
        TextInputCached,
        CacheReadExplicit,
        // A cache that works by itself needs no mark.
        CacheWrite,
        CacheWrite5m,
        CacheWrite1h,
        CacheWrite12h,
    ];
    let marks = [bounds.marks_cache_5m, bounds.marks_cache_1h, bounds.marks_cache_12h];
    let longest = marks.iter().rposition(|mark| *mark).map_or(0, |position| position + 1);
    ALL.get(..6 + longest).unwrap_or(&ALL)
}

/// The prices a call may come to: any tier its input may reach, at its start and at its end, any kind left open.
struct Reach<'a> {
    model: &'a PricedModel,
    bounds: &'a Bounds,
    kind: Kind,
    start: Moment,
    deadline: Moment,
    input_tokens: u64,
}

impl<'a> Reach<'a> {
    fn new(model: &'a PricedModel, bounds: &'a Bounds) -> Self {
        Self {
            model,
            bounds,
            kind: bounds.media.unwrap_or_default().kind,
            start: model.moment(bounds.start_ms),
            deadline: model.moment(bounds.deadline_ms),
            input_tokens: bounds.input_tokens.saturating_mul(100) / NEAR_STEP_PERCENT,
        }
    }

    /// The most a part may cost, counted in the way that costs most.
    fn most(&self, ways: &[Way]) -> Result<Exact, PriceError> {
        let counted = || ways.iter().filter(|way| way.quantity > 0);
        if counted().next().is_none() {
            return Ok(Exact::ZERO);
        }
        let mut most = None;
        for way in counted() {
            if let Some(price) = self.dearest(way) {
                let amount = price::amount(way.quantity, price.usd_pico, price.list.unit);
                most = most.max(Some(amount.ok_or(PriceError::TooLarge)?));
            }
        }
        let first = counted().find_map(|way| way.components.first()).copied();
        most.ok_or_else(|| missing(self.model, first.unwrap_or(Component::Input)))
    }

    /// The highest price of any of the way's components; none unless it has a price now for exactly this request.
    fn dearest(&self, way: &Way) -> Option<&'a Price> {
        let of_way = |price: &&Price| {
            way.components.contains(&price.list.component)
                && price.list.unit.base() == way.base
                && price.list.tier.may_cover_kind(&self.kind)
        };
        // The dearest of them is of no use where the plain one is missing: input itself, before any cache.
        let plain = |price: &&Price| {
            of_way(price)
                && is_plain(price.list.component)
                && price.list.tier.covers_input(self.bounds.input_tokens)
                && price.list.applies(self.start)
        };
        self.model.prices.iter().find(plain)?;
        let may_apply = |price: &&Price| {
            of_way(price)
                && price.list.tier.input_tokens_above.is_none_or(|above| self.input_tokens > above)
                && (price.list.applies(self.start) || price.list.applies(self.deadline))
        };
        self.model.prices.iter().filter(may_apply).max_by_key(|price| price.usd_pico)
    }
}

/// Not a special rate of something that has a plain one.
fn is_plain(component: Component) -> bool {
    use Component::{
        CacheRead, CacheReadExplicit, CacheWrite, CacheWrite1h, CacheWrite5m, CacheWrite12h, Reasoning,
        TextInputCached,
    };
    !matches!(
        component,
        CacheRead
            | CacheReadExplicit
            | CacheWrite
            | CacheWrite5m
            | CacheWrite1h
            | CacheWrite12h
            | Reasoning
            | TextInputCached
    )
}

fn missing(model: &PricedModel, component: Component) -> PriceError {
    PriceError::Missing { model: model.model.id.clone(), component }
}

fn add(sum: Exact, more: Option<Exact>) -> Result<Exact, PriceError> {
    more.and_then(|more| sum.checked_add(more)).ok_or(PriceError::TooLarge)
}
