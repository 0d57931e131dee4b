//! Which of a model's price lists is used: the first that can price everything the model bills, at every size and hour.
use crate::book::BookError;
use crate::load::Listing;
use crate::model::Modality;
use crate::price::{Basis, Component, Currency, ListPrice, Region, Schedule, Unit};
use std::collections::BTreeSet;

/// The chosen list, and the first component it cannot price.
pub(crate) struct Choice {
    pub basis: Option<Basis>,
    pub missing: Option<Component>,
}

pub(crate) fn choose(listing: &Listing, wanted: Option<Basis>, at_ms: i64) -> Result<Choice, BookError> {
    let known: BTreeSet<Basis> = billed_rows(listing).map(|row| row.basis).collect();
    if let Some(basis) = wanted.filter(|basis| !known.contains(basis)) {
        return Err(BookError::NoSuchBasis { model: listing.model.id.clone(), basis });
    }
    let mut candidates: Vec<Basis> = wanted.map_or_else(|| known.into_iter().collect(), |basis| vec![basis]);
    candidates.sort_by_key(preference);
    let mut first_missing = None;
    for &basis in &candidates {
        match missing(listing, basis, at_ms)? {
            None => return Ok(Choice { basis: Some(basis), missing: None }),
            some => first_missing = first_missing.or(some),
        }
    }
    // Nothing is complete: the preferred list is shown, and the model is not sold.
    Ok(Choice { basis: candidates.first().copied(), missing: first_missing.or(Some(Component::Input)) })
}

/// A row that says in another unit what the token rows already say.
pub(crate) fn is_restated(listing: &Listing, row: &ListPrice) -> bool {
    listing.restates_prices && row.unit != Unit::Token
}

fn billed_rows(listing: &Listing) -> impl Iterator<Item = &ListPrice> {
    listing.prices.iter().filter(|row| !is_restated(listing, row))
}

/// USD before CNY, the list for everywhere or abroad before the one for China.
fn preference(basis: &Basis) -> (bool, bool) {
    (basis.currency == Currency::Cny, basis.region == Some(Region::Cn))
}

fn missing(listing: &Listing, basis: Basis, at_ms: i64) -> Result<Option<Component>, BookError> {
    let rows: Vec<&ListPrice> = billed_rows(listing).filter(|row| row.basis == basis).collect();
    let listed: BTreeSet<Component> = rows.iter().map(|row| row.component).collect();
    let required = required(listing, &listed);
    for component in listed.union(&required).copied() {
        let of_component: Vec<&ListPrice> =
            rows.iter().copied().filter(|row| row.component == component).collect();
        let coverage = coverage(&of_component, listing.model.context_window_tokens, at_ms);
        if coverage == Coverage::Twice {
            return Err(BookError::Ambiguous { model: listing.model.id.clone(), component });
        }
        if coverage == Coverage::Gap && required.contains(&component) {
            return Ok(Some(component));
        }
    }
    Ok(None)
}

/// Text bills input, output and, where the provider caches, cached input. Elsewhere every listed row can bill.
fn required(listing: &Listing, listed: &BTreeSet<Component>) -> BTreeSet<Component> {
    if listing.model.modality != Modality::Text {
        return listed.clone();
    }
    let mut required = BTreeSet::from([Component::Input, Component::Output]);
    if listing.model.capabilities.caching {
        required.insert(Component::CacheRead);
    }
    required
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Coverage {
    Once,
    Gap,
    Twice,
}

/// Looks at every size and moment where some row begins or ends, on both sides of the day's schedule.
fn coverage(rows: &[&ListPrice], context_window_tokens: Option<u64>, at_ms: i64) -> Coverage {
    if rows.iter().any(|row| row.tier.is_by_kind()) {
        // One row per kind of picture or video; which kinds exist is the request's business.
        let known = rows.iter().all(|row| row.amount_pico.is_some());
        return if known { Coverage::Once } else { Coverage::Gap };
    }
    let begins = rows.iter().filter_map(|row| row.tier.input_tokens_above.map(|above| above + 1));
    let ends = rows.iter().filter_map(|row| row.tier.input_tokens_upto).flat_map(|upto| [upto, upto + 1]);
    let largest = context_window_tokens.unwrap_or(u64::MAX);
    let sizes: BTreeSet<u64> = begins.chain(ends).chain([0]).filter(|size| *size <= largest).collect();
    let moments = rows.iter().flat_map(|row| [row.effective.from_ms, row.effective.to_ms]).flatten();
    let moments: BTreeSet<i64> = moments.filter(|moment| *moment > at_ms).chain([at_ms]).collect();
    let schedules = [Schedule::Peak, Schedule::Offpeak];
    let points = sizes
        .iter()
        .flat_map(|size| moments.iter().flat_map(move |at| schedules.map(|side| (*size, *at, side))));
    points.map(|point| covered(rows, point)).max().unwrap_or(Coverage::Gap)
}

fn covered(rows: &[&ListPrice], (size, at_ms, side): (u64, i64, Schedule)) -> Coverage {
    let mut matching = rows.iter().filter(|row| {
        row.tier.covers_input(size)
            && row.effective.covers(at_ms)
            && row.schedule.is_none_or(|schedule| schedule == side)
    });
    match (matching.next(), matching.next()) {
        (Some(_), Some(_)) => Coverage::Twice,
        (Some(row), None) if row.amount_pico.is_some() => Coverage::Once,
        _ => Coverage::Gap,
    }
}
