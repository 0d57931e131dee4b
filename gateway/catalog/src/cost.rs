//! What a model costs us through a channel: the channel's own rows where it has some, else the provider's list. Nobody
//! is charged by it.
use crate::book::{Price, PricedModel};
use crate::fx::FxRate;
use crate::money::PicoUsd;
use crate::price::{ListPrice, Verification};

/// The model at what is paid for it, without any markup. `paid` are the channel's rows for this model: where one of them
/// applies, the list does not.
#[must_use]
pub fn at_cost(model: &PricedModel, paid: &[&ListPrice], fx: &FxRate) -> PricedModel {
    let listed = model.prices.iter().flat_map(|price| behind(model, price));
    let priced = |row: &ListPrice| {
        let usd_pico = fx.usd_pico(row.basis.currency, row.amount_pico?)?;
        Some(Price { usd_pico: PicoUsd(usd_pico), list: row.clone() })
    };
    // The first row that applies counts.
    let prices = paid.iter().copied().chain(listed).filter_map(priced).collect();
    PricedModel { prices, ..model.clone() }
}

/// The provider's rows that a price comes from. An operator's own price stands in the place of some.
fn behind<'a>(model: &'a PricedModel, price: &'a Price) -> Vec<&'a ListPrice> {
    let is_own = price.list.source.verification == Verification::Operator;
    let replaced = |row: &&ListPrice| {
        is_own
            && row.component == price.list.component
            && Some(row.basis) == model.basis
            && row.amount_pico.is_some()
            && row.overlaps(&price.list)
    };
    let replaced: Vec<&ListPrice> = model.other_lists.iter().filter(replaced).collect();
    if replaced.is_empty() { vec![&price.list] } else { replaced }
}
