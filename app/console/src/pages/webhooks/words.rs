//! How endpoints, events and messages are called on pages.
use bytespike_gateway::webhooks::{Endpoint, EventType, State, TEST_EVENT};
use bytespike_ui::components::{Badge, BadgeKind};
use bytespike_ui::{Locale, Visit};
use leptos::prelude::*;

pub(super) fn event(locale: Locale, one: EventType) -> &'static str {
    let t = &locale.t().webhooks.event;
    match one {
        EventType::BalanceLow => t.balance_low,
        EventType::PaymentUndone => t.payment_undone,
        EventType::LimitThresholdReached => t.limit_threshold_reached,
        EventType::LimitExhausted => t.limit_exhausted,
        EventType::QuotaRequested => t.quota_requested,
        EventType::QuotaDecided => t.quota_decided,
        EventType::KeyExpiring => t.key_expiring,
        EventType::KeyLeaked => t.key_leaked,
        EventType::StatementClosed => t.statement_closed,
        EventType::InvoiceIssued => t.invoice_issued,
        EventType::RechargeSwitchedOff => t.recharge_switched_off,
        EventType::WebhookSwitchedOff => t.webhook_switched_off,
    }
}

/// The words for a message's type, or the type itself.
pub(super) fn message(locale: Locale, kind: &str) -> String {
    if kind == TEST_EVENT {
        return locale.t().webhooks.event.test.to_owned();
    }
    EventType::parse(kind).map_or_else(|| kind.to_owned(), |one| event(locale, one).to_owned())
}

pub(super) fn state(visit: &Visit, endpoint: &Endpoint) -> AnyView {
    let t = &visit.t().webhooks.state;
    let (kind, label) = match endpoint.state {
        State::On if endpoint.failing_since_ms.is_some() => (BadgeKind::Warning, t.failing),
        State::On => (BadgeKind::Live, t.on),
        State::Off => (BadgeKind::Muted, t.off),
        State::Failed => (BadgeKind::Danger, t.failed),
    };
    view! { <Badge kind=kind label=label/> }.into_any()
}

pub(super) fn message_state(visit: &Visit, state: &str) -> AnyView {
    let t = &visit.t().webhooks.message;
    let (kind, label) = match state {
        "delivered" => (BadgeKind::Live, t.delivered),
        "given_up" => (BadgeKind::Danger, t.given_up),
        _ => (BadgeKind::Pending, t.waiting),
    };
    view! { <Badge kind=kind label=label/> }.into_any()
}

/// The name of an endpoint: what people call it, or where it leads.
pub(super) fn name(endpoint: &Endpoint) -> String {
    if endpoint.description.is_empty() { host(&endpoint.url) } else { endpoint.description.clone() }
}

fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest).to_owned()
}

/// The types an endpoint wants, in words.
pub(super) fn events(locale: Locale, endpoint: &Endpoint) -> String {
    match endpoint.events.names() {
        None => locale.t().webhooks.list.every.to_owned(),
        Some(names) => {
            let words = names.iter().filter_map(|name| EventType::parse(name)).map(|one| event(locale, one));
            words.collect::<Vec<_>>().join(if locale == Locale::Zh { "、" } else { ", " })
        }
    }
}
