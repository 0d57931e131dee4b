//! Which of a model's price lists is used: the first that can price everything the model bills, at every size and hour.
use crate::book::BookError;
use crate::load::Listing;
use crate::model::{Modality, Model};
use crate::price::{Basis, Component, Currency, ListPrice, Region, Schedule, Tier, Unit};
use std::collections::BTreeSet;

/// The chosen list, and the first component it cannot price.
pub(crate) struct Choice {
    pub basis: Option<Basis>,
    pub missing: Option<Component>,
}

/// Where a component has no price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub component: Component,
    /// For input of this many tokens, where other sizes have a price.
    pub input_tokens: u64,
    pub from_ms: i64,
    pub side: Schedule,
}

/// `own` are the operator's prices for the model: they stand in the place of every list's rows for their components.
pub(crate) fn choose(
    listing: &Listing,
    own: &[ListPrice],
    wanted: Option<Basis>,
    at_ms: i64,
) -> Result<Choice, BookError> {
    let known: BTreeSet<Basis> =
        listing.prices.iter().filter(|row| !is_restated(listing, row)).map(|row| row.basis).collect();
    if let Some(basis) = wanted.filter(|basis| !known.contains(basis)) {
        return Err(BookError::NoSuchBasis { model: listing.model.id.clone(), basis });
    }
    let mut candidates: Vec<Basis> = wanted.map_or_else(|| known.into_iter().collect(), |basis| vec![basis]);
    candidates.sort_by_key(preference);
    let mut first_missing = None;
    for &basis in &candidates {
        let rows: Vec<&ListPrice> = billed(listing, own, basis).collect();
        refuse_overlap(&listing.model, &rows)?;
        match first_gap(&listing.model, &rows, at_ms) {
            None => return Ok(Choice { basis: Some(basis), missing: None }),
            Some(gap) => first_missing = first_missing.or(Some(gap.component)),
        }
    }
    // Nothing is complete: the preferred list is shown, and the model is not sold.
    Ok(Choice { basis: candidates.first().copied(), missing: first_missing.or(Some(Component::Input)) })
}

/// The rows that bill when this list is chosen.
fn billed<'a>(
    listing: &'a Listing,
    own: &'a [ListPrice],
    basis: Basis,
) -> impl Iterator<Item = &'a ListPrice> {
    let listed = listing.prices.iter().filter(move |row| {
        row.basis == basis
            && !is_restated(listing, row)
            && own.iter().all(|one| one.component != row.component)
    });
    listed.chain(own)
}

/// A row that says in another unit what the token rows already say.
pub(crate) fn is_restated(listing: &Listing, row: &ListPrice) -> bool {
    listing.restates_prices && row.unit != Unit::Token
}

/// USD before CNY, the list for everywhere or abroad before the one for China.
fn preference(basis: &Basis) -> (bool, bool) {
    (basis.currency == Currency::Cny, basis.region == Some(Region::Cn))
}

/// Two prices for the same request at the same time: neither can be the one.
fn refuse_overlap(model: &Model, rows: &[&ListPrice]) -> Result<(), BookError> {
    let later = |position: usize| rows.iter().skip(position + 1);
    let twice = rows.iter().enumerate().find(|(at, row)| later(*at).any(|other| row.overlaps(other)));
    match twice {
        Some((_, row)) => Err(BookError::Ambiguous { model: model.id.clone(), component: row.component }),
        None => Ok(()),
    }
}

/// The first component the model can bill that these rows leave without a price somewhere.
pub(crate) fn first_gap(model: &Model, rows: &[&ListPrice], at_ms: i64) -> Option<Gap> {
    let listed: BTreeSet<Component> = rows.iter().map(|row| row.component).collect();
    required(model, &listed).into_iter().find_map(|component| {
        let of_component: Vec<&ListPrice> =
            rows.iter().copied().filter(|row| row.component == component).collect();
        gap_of(component, &of_component, model.context_window_tokens, at_ms)
    })
}

/// Text bills input, output and, where the provider caches, cached input. Elsewhere every listed row can bill.
fn required(model: &Model, listed: &BTreeSet<Component>) -> BTreeSet<Component> {
    if model.modality != Modality::Text {
        return listed.clone();
    }
    let mut required = BTreeSet::from([Component::Input, Component::Output]);
    if model.capabilities.caching {
        required.insert(Component::CacheRead);
    }
    required
}

/// Looks at every size and moment where some row begins or ends, on both sides of the day's schedule, for each kind of
/// picture or video that is listed. Which kinds exist is the request's business.
fn gap_of(
    component: Component,
    rows: &[&ListPrice],
    context_window_tokens: Option<u64>,
    at_ms: i64,
) -> Option<Gap> {
    let kinds: BTreeSet<Tier> = rows.iter().map(|row| row.tier.kind()).collect();
    let nowhere = Gap { component, input_tokens: 0, from_ms: at_ms, side: Schedule::Offpeak };
    if kinds.is_empty() {
        return Some(nowhere);
    }
    kinds.iter().find_map(|kind| {
        let of_kind: Vec<&ListPrice> = rows.iter().copied().filter(|row| row.tier.kind() == *kind).collect();
        points(&of_kind, context_window_tokens, at_ms)
            .into_iter()
            .find(|point| !is_priced(&of_kind, *point))
            .map(|(input_tokens, from_ms, side)| Gap { component, input_tokens, from_ms, side })
    })
}

fn points(rows: &[&ListPrice], context_window_tokens: Option<u64>, at_ms: i64) -> Vec<(u64, i64, Schedule)> {
    let begins = rows.iter().filter_map(|row| row.tier.input_tokens_above?.checked_add(1));
    let ends = rows.iter().filter_map(|row| row.tier.input_tokens_upto);
    let ends = ends.flat_map(|upto| [upto, upto.saturating_add(1)]);
    let largest = context_window_tokens.unwrap_or(u64::MAX);
    let sizes: BTreeSet<u64> = begins.chain(ends).chain([0]).filter(|size| *size <= largest).collect();
    let moments = rows.iter().flat_map(|row| [row.effective.from_ms, row.effective.to_ms]).flatten();
    let moments: BTreeSet<i64> = moments.filter(|moment| *moment > at_ms).chain([at_ms]).collect();
    let sides = [Schedule::Peak, Schedule::Offpeak];
    let at = |size: u64| moments.iter().flat_map(move |at| sides.map(|side| (size, *at, side)));
    sizes.iter().flat_map(|size| at(*size)).collect()
}

fn is_priced(rows: &[&ListPrice], (size, at_ms, side): (u64, i64, Schedule)) -> bool {
    rows.iter().any(|row| {
        row.amount_pico.is_some()
            && row.tier.covers_input(size)
            && row.effective.covers(at_ms)
            && row.schedule.is_none_or(|schedule| schedule == side)
    })
}
