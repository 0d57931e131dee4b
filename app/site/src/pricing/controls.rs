//! The filter form: a GET form, so that a filtered list is an address.

use super::query::{Currency, Filters, Order};
use super::words;
use crate::prices::Snapshot;
use bytespike_catalog::model::{Modality, Preset, Protocol};
use bytespike_ui::Visit;
use bytespike_ui::components::{Badge, BadgeKind, Button, Icon, IconName, Select, SelectOption, Tab, Tabs};
use leptos::prelude::*;
use serde::Serialize;
use std::collections::BTreeSet;

const KINDS: [Modality; 7] = [
    Modality::Text,
    Modality::Image,
    Modality::Video,
    Modality::AudioSpeech,
    Modality::AudioTranscription,
    Modality::Embedding,
    Modality::Rerank,
];

pub(super) fn form(visit: &Visit, prices: &Snapshot, filters: &Filters, count: u64) -> AnyView {
    let t = &visit.t().pricing.filter;
    let badge = &visit.t().pricing.badge;
    let carried = (filters.currency != Currency::Usd)
        .then(|| view! { <input type="hidden" name="currency" value=filters.currency.code()/> });
    let is_filtered = *filters != Filters { currency: filters.currency, ..Filters::default() };
    let clear =
        is_filtered.then(|| view! { <a href=visit.link("/pricing")>{visit.t().pricing.page.clear}</a> });
    view! {
        <form class="filters" method="get" action=visit.link("/pricing") aria-label=t.label role="search">
            <div class="field search">
                <label for="q">{t.search}</label>
                <div class="search-box">
                    <Icon name=IconName::Search/>
                    <input id="q" name="q" type="search" value=filters.search.clone() placeholder=t.search_hint maxlength="80"/>
                </div>
            </div>
            {choices(visit, prices, filters)}
            {carried}
            <Button>{t.apply}</Button>
        </form>
        <div class="list-bar">
            <p><strong>{t.count(count)}</strong>{clear}</p>
            <p class="legend">
                <span><Badge kind=BadgeKind::Live label=badge.live/>{t.legend_live}</span>
                <span><Badge kind=BadgeKind::Muted label=badge.estimate/>{t.legend_estimate}</span>
            </p>
            {currencies(visit, filters)}
        </div>
    }
    .into_any()
}

fn choices(visit: &Visit, prices: &Snapshot, filters: &Filters) -> AnyView {
    let t = &visit.t().pricing.filter;
    let badge = &visit.t().pricing.badge;
    let kinds = KINDS.map(|kind| option(kind, words::kind(visit, kind))).to_vec();
    let presets =
        [Preset::Global, Preset::China].map(|preset| option(preset, words::preset(visit, preset))).to_vec();
    let status = vec![SelectOption::new("live", badge.live), SelectOption::new("estimate", badge.estimate)];
    let live = filters.is_live.map(|is_live| if is_live { "live" } else { "estimate" }.to_owned());
    view! {
        {select(visit, "kind", t.kind, kinds, filters.modality.map(name))}
        {select(visit, "provider", t.provider, providers(prices), filters.provider.clone())}
        {select(visit, "protocol", t.protocol, protocols(prices), filters.protocol.map(name))}
        {select(visit, "preset", t.preset, presets, filters.preset.map(name))}
        {select(visit, "status", t.status, status, live)}
        {order(visit, filters)}
    }
    .into_any()
}

fn select(
    visit: &Visit,
    id: &'static str,
    label: &'static str,
    options: Vec<SelectOption>,
    selected: Option<String>,
) -> AnyView {
    let all = std::iter::once(SelectOption::new("", visit.t().pricing.filter.all));
    let options = all.chain(options).collect();
    view! { <Select id=id label=label options=options selected=selected.unwrap_or_default()/> }.into_any()
}

fn order(visit: &Visit, filters: &Filters) -> AnyView {
    let t = &visit.t().pricing.sort;
    let options = Order::ALL.map(|order| {
        let label = match order {
            Order::Provider => t.provider,
            Order::Price => t.price,
            Order::Context => t.context,
            Order::Name => t.name,
        };
        SelectOption::new(order.code(), label)
    });
    let label = visit.t().pricing.filter.sort;
    view! { <Select id="sort" label=label options=options.to_vec() selected=filters.order.code()/> }
        .into_any()
}

/// The same list in another currency; every other filter stays.
fn currencies(visit: &Visit, filters: &Filters) -> AnyView {
    let rest: Vec<&str> =
        visit.query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("currency=")).collect();
    let tabs = Currency::ALL.map(|currency| {
        let own = (currency != Currency::Usd).then(|| format!("currency={}", currency.code()));
        let query = rest.iter().map(|pair| (*pair).to_owned()).chain(own).collect::<Vec<_>>().join("&");
        let mark = if query.is_empty() { "" } else { "?" };
        Tab {
            href: format!("{}{mark}{query}", visit.link("/pricing")),
            label: words::currency(visit, currency).to_owned(),
            is_current: currency == filters.currency,
        }
    });
    view! { <Tabs label=visit.t().pricing.filter.currency tabs=tabs.to_vec()/> }.into_any()
}

fn providers(prices: &Snapshot) -> Vec<SelectOption> {
    let export = prices.export.as_ref();
    let providers = export.map_or(&[][..], |export| &export.providers);
    providers.iter().map(|provider| SelectOption::new(provider.id.clone(), provider.name.clone())).collect()
}

fn protocols(prices: &Snapshot) -> Vec<SelectOption> {
    let known: BTreeSet<Protocol> =
        prices.models().iter().flat_map(|model| model.priced.model.protocols.iter().copied()).collect();
    known.into_iter().map(|protocol| option(protocol, words::protocol(protocol))).collect()
}

fn option(value: impl Serialize, label: &str) -> SelectOption {
    SelectOption::new(name(value), label)
}

/// A catalogue value's name in JSON, which is its name in the address.
fn name(value: impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
