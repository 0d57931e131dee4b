//! One model as the table shows it: everything decided, nothing formatted twice.

use super::query::Currency;
use super::words;
use crate::prices::Snapshot;
use bytespike_catalog::book::{Price, PricedModel};
use bytespike_catalog::export::{ExportedModel, PriceExport};
use bytespike_catalog::fx::FxRate;
use bytespike_catalog::model::{Modality, Preset, Protocol, Status};
use bytespike_catalog::price::{Component, Schedule};
use bytespike_catalog::{Bounds, PicoUsd, display, hold_bound};
use bytespike_ui::components::{Badge, BadgeKind};
use bytespike_ui::{Visit, format};
use leptos::prelude::*;

pub(crate) struct Row {
    pub id: String,
    pub provider_id: String,
    pub provider: String,
    /// Where the book lists the provider.
    pub provider_place: usize,
    /// Its provider has something newer, or is taking it away.
    pub is_past: bool,
    pub modality: Modality,
    pub protocols: Vec<Protocol>,
    pub presets: Vec<Preset>,
    pub is_live: bool,
    /// Why it is an estimate, in words.
    pub reason: Option<&'static str>,
    /// Tiers, peak hours, an end: what else to know before relying on the price.
    pub remarks: Vec<(BadgeKind, String)>,
    pub input: Option<PriceText>,
    pub output: Option<PriceText>,
    pub cached: Option<PriceText>,
    /// What a model that is not priced by text tokens bills most of all.
    pub main: Option<MainPrice>,
    pub price_count: u64,
    pub list: Option<String>,
    pub list_date: Option<String>,
    pub context_tokens: Option<u64>,
    pub max_output_tokens: Option<u64>,
    /// Credits, rounded up to whole ones, for 1,000 tokens in and 1,000 out.
    pub typical_hold: Option<String>,
    /// Three parts input to one part output, in pico-USD; or the main price.
    pub blended_pico: Option<i128>,
    aliases: Vec<String>,
}

/// One price in the three ways it can be written. What costs nothing says so in a word: "$0.00" looks like a price that
/// was cut short.
pub(crate) struct PriceText {
    usd: String,
    cny: String,
    credits: String,
    is_free: bool,
}

impl PriceText {
    pub(super) fn new(visit: &Visit, price: &Price, fx: &FxRate) -> Self {
        let is_free = price.usd_pico == PicoUsd(0);
        let or_free = |text| if is_free { visit.t().pricing.table.free.to_owned() } else { text };
        Self {
            usd: or_free(display::usd(price)),
            cny: or_free(display::cny(price, fx)),
            credits: or_free(format::grouped(&display::credits(price))),
            is_free,
        }
    }

    /// `$2.00 / 1M tokens`
    pub(crate) fn per(&self, visit: &Visit, currency: Currency, unit: &str) -> String {
        self.with_unit(visit, self.text(currency), unit)
    }

    /// The same, as [`Self::brief`].
    pub(crate) fn brief_per(&self, visit: &Visit, currency: Currency, unit: &str) -> String {
        self.with_unit(visit, self.brief(currency), unit)
    }

    fn with_unit(&self, visit: &Visit, text: String, unit: &str) -> String {
        if self.is_free { text } else { visit.t().pricing.unit.per(text, unit) }
    }

    pub(crate) fn text(&self, currency: Currency) -> String {
        match currency {
            Currency::Usd => self.usd.clone(),
            Currency::Cny => self.cny.clone(),
            Currency::Credits => self.credits.clone(),
        }
    }

    /// For a table: a price with more than six decimals (a CNY list at a frozen rate has them) is cut short and says
    /// so. The model's own page prints all of them.
    pub(crate) fn brief(&self, currency: Currency) -> String {
        let full = self.text(currency);
        match full.split_once('.') {
            Some((whole, fraction)) if fraction.len() > BRIEF_DECIMALS => {
                format!("≈\u{a0}{whole}.{}", fraction.get(..BRIEF_DECIMALS).unwrap_or(fraction))
            }
            _ => full,
        }
    }
}

/// The price a row shows where input and output are not what it bills.
pub(crate) struct MainPrice {
    pub component: &'static str,
    /// What the price in money is for, and what the price in credits is for.
    pub unit: String,
    pub single_unit: &'static str,
    pub price: PriceText,
    /// Other kinds of the same cost more.
    pub is_least: bool,
}

/// Six decimals reach a ten-thousandth of a cent.
const BRIEF_DECIMALS: usize = 6;

/// A typical call lives ten minutes at most.
const TYPICAL_CALL_MS: i64 = 600_000;
const TYPICAL_TOKENS: u64 = 1_000;

impl Row {
    pub(crate) fn new(
        visit: &Visit,
        prices: &Snapshot,
        export: &PriceExport,
        exported: &ExportedModel,
    ) -> Self {
        let (priced, at_ms) = (&exported.priced, export.exported_at_ms);
        let model = &priced.model;
        let price = |component| priced.price(component, 1, at_ms);
        let text = |component| price(component).map(|price| PriceText::new(visit, price, &export.fx));
        let main = main_price(priced, at_ms);
        let is_live = prices.is_live(exported);
        Self {
            id: model.id.clone(),
            provider_id: model.provider.clone(),
            provider: prices.provider_name(&model.provider),
            provider_place: export
                .providers
                .iter()
                .position(|one| one.id == model.provider)
                .unwrap_or(usize::MAX),
            is_past: !matches!(model.status, Status::Active | Status::Preview | Status::Limited),
            modality: model.modality,
            protocols: model.protocols.clone(),
            presets: model.presets.clone(),
            is_live,
            reason: (!is_live).then(|| words::reason(visit, exported, prices.is_current)),
            remarks: remarks(visit, priced, at_ms),
            input: text(Component::Input),
            output: text(Component::Output),
            cached: text(Component::CacheRead),
            main: main.map(|price| MainPrice {
                component: words::component(visit, price.list.component),
                unit: words::unit(visit, price),
                single_unit: words::single(visit, price.list.unit),
                price: PriceText::new(visit, price, &export.fx),
                is_least: priced.prices.iter().any(|other| {
                    other.list.component == price.list.component
                        && other.usd_pico > price.usd_pico
                        && other.list.applies(priced.moment(at_ms))
                }),
            }),
            price_count: u64::try_from(priced.prices.len()).unwrap_or(0),
            list: list(visit, priced, main),
            list_date: main.map(|price| words::checked(visit, &price.list.source.date)),
            context_tokens: model.context_window_tokens,
            max_output_tokens: model.max_output_tokens,
            typical_hold: typical_hold(priced, at_ms),
            blended_pico: blended(price(Component::Input), price(Component::Output), main),
            aliases: priced.aliases.clone(),
        }
    }

    /// Whether the (lower-case) search is part of the id, an alias or the provider's name.
    pub(super) fn matches(&self, search: &str) -> bool {
        let mut names = self.aliases.iter().chain([&self.id, &self.provider]);
        search.is_empty() || names.any(|name| name.to_lowercase().contains(search))
    }
}

/// What the model mostly bills: output where it has text output, otherwise the first row that applies now.
fn main_price(priced: &PricedModel, at_ms: i64) -> Option<&Price> {
    let now = priced.moment(at_ms);
    let first = || priced.prices.iter().find(|price| price.list.applies(now));
    let wanted = match priced.model.modality {
        Modality::Text => [Component::Input, Component::Output],
        Modality::Image => [Component::Image, Component::ImageOutput],
        Modality::Video => [Component::Video, Component::VideoTokens],
        _ => [Component::AudioOutput, Component::Input],
    };
    let cheapest = |component| {
        let of_component = priced.prices.iter().filter(move |price| price.list.component == component);
        of_component.filter(|price| price.list.applies(now)).min_by_key(|price| price.usd_pico)
    };
    let named = match priced.model.modality {
        Modality::Text => wanted.into_iter().find_map(|component| {
            priced.prices.iter().find(|price| price.list.component == component && price.list.applies(now))
        }),
        _ => wanted.into_iter().find_map(cheapest),
    };
    named.or_else(first)
}

fn blended(input: Option<&Price>, output: Option<&Price>, main: Option<&Price>) -> Option<i128> {
    let pico = |price: &Price| i128::from(price.usd_pico.0);
    match (input, output) {
        (Some(input), Some(output)) => Some((pico(input) * 3 + pico(output)) / 4),
        _ => main.map(pico),
    }
}

/// Input and output as the provider lists them; for others the main price.
fn list(visit: &Visit, priced: &PricedModel, main: Option<&Price>) -> Option<String> {
    let main = main?;
    if priced.prices.iter().all(|price| price.list.amount_pico == Some(0)) {
        return Some(visit.t().pricing.table.free.to_owned());
    }
    let is_text = priced.model.modality == Modality::Text;
    let other = |component| priced.prices.iter().find(|price| price.list.component == component);
    let output = other(Component::Output).filter(|_| is_text).and_then(|price| display::list(&price.list));
    let first = display::list(&main.list)?;
    Some(output.map_or_else(|| first.clone(), |output| format!("{first} / {output}")))
}

fn typical_hold(priced: &PricedModel, at_ms: i64) -> Option<String> {
    if priced.model.modality != Modality::Text || priced.price_problem.is_some() {
        return None;
    }
    let bounds = Bounds {
        input_tokens: TYPICAL_TOKENS,
        output_tokens: TYPICAL_TOKENS,
        answers: 1,
        start_ms: at_ms,
        deadline_ms: at_ms + TYPICAL_CALL_MS,
        ..Bounds::default()
    };
    let held = hold_bound(priced, &bounds).ok()?;
    let credits = u64::try_from(held.0).ok()?.div_ceil(1_000);
    Some(format::count(credits))
}

fn remarks(visit: &Visit, priced: &PricedModel, at_ms: i64) -> Vec<(BadgeKind, String)> {
    let t = &visit.t().pricing.badge;
    let mut remarks = Vec::new();
    let lifecycle = match priced.model.status {
        Status::Preview => Some(t.preview),
        Status::Legacy => Some(t.legacy),
        Status::Deprecated => Some(t.deprecated),
        _ => None,
    };
    remarks.extend(lifecycle.map(|label| (BadgeKind::Plain, label.to_owned())));
    let any = |test: fn(&Price) -> bool| priced.prices.iter().any(test);
    if any(|price| price.list.tier.input_tokens_above.is_some()) {
        remarks.push((BadgeKind::Plain, t.tiered.to_owned()));
    }
    if any(|price| price.list.schedule.is_some()) {
        let is_peak = priced.moment(at_ms).side == Schedule::Peak;
        let (kind, label) =
            if is_peak { (BadgeKind::Warning, t.peak_now) } else { (BadgeKind::Plain, t.peak) };
        remarks.push((kind, label.to_owned()));
    }
    let changes =
        priced.prices.iter().filter(|price| price.list.effective.from_ms.is_some_and(|from| from > at_ms));
    if let Some((from_ms, price)) =
        changes.filter_map(|price| Some((price.list.effective.from_ms?, price))).min_by_key(|(from, _)| *from)
    {
        remarks.push((BadgeKind::Warning, t.changes(words::day(visit, &price.list, from_ms))));
    }
    if let Some(day) = &priced.model.lifecycle.retires {
        remarks.push((BadgeKind::Warning, t.ends(format::iso_date(visit.locale, day))));
    }
    remarks
}

/// Live or estimate, with the reason beside an estimate.
pub(crate) fn badge(visit: &Visit, row: &Row) -> AnyView {
    let t = &visit.t().pricing.badge;
    let (kind, label) = if row.is_live { (BadgeKind::Live, t.live) } else { (BadgeKind::Muted, t.estimate) };
    let reason = row.reason.map(|reason| view! { <span class="reason">{reason}</span> });
    view! { <span class="status"><Badge kind=kind label=label/>{reason}</span> }.into_any()
}
