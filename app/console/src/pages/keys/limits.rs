//! Spend limits of a key: their fields in a form, their state in a table, and both in a few words.
use crate::forms::{Form, amount, words};
use crate::problem::Problem;
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{LimitState, NodeId, SetLimit, Window};
use bytespike_ui::components::{Badge, BadgeKind, Field, InputKind, TableFrame};
use bytespike_ui::{Locale, Visit, format};
use leptos::prelude::*;
use serde_json::json;

/// In the order people think of them.
const WINDOWS: [Window; 5] = [Window::Month, Window::Day, Window::Lifetime, Window::Week, Window::FiveHours];

/// The limits as typed: one entry for each window, `None` for no limit.
pub(super) type Wanted = Vec<(Window, Option<NanoUsd>)>;

/// The form field of a window.
fn field_of(window: Window) -> &'static str {
    match window {
        Window::Lifetime => "limit_lifetime",
        Window::Month => "limit_month",
        Window::Week => "limit_7d",
        Window::Day => "limit_1d",
        Window::FiveHours => "limit_5h",
    }
}

fn label_of(locale: Locale, window: Window) -> &'static str {
    let t = &locale.t().keys.window;
    match window {
        Window::Lifetime => t.lifetime,
        Window::Month => t.month,
        Window::Week => t.seven_days,
        Window::Day => t.one_day,
        Window::FiveHours => t.five_hours,
    }
}

/// Reads every limit field; a fault stands beside its field.
pub(super) fn read(form: &mut Form, locale: Locale) -> Wanted {
    let mut wanted = Wanted::new();
    for window in WINDOWS {
        match amount::parse_usd(form.value(field_of(window))) {
            Ok(nano) => wanted.push((window, nano.map(NanoUsd))),
            Err(error) => form.refuse(field_of(window), words::amount(locale, error)),
        }
    }
    wanted
}

/// The limits a key has, as its form opens with them.
pub(super) fn filled(key_id: &str, all: &[LimitState]) -> Form {
    let node = NodeId::key(key_id);
    let own = all.iter().filter(|limit| limit.node == node);
    Form::filled(own.map(|limit| (field_of(limit.window), amount::usd_field(limit.limit.0))))
}

/// Writes what differs from what is set.
pub(super) async fn save(
    state: &ConsoleState,
    who: &SignedIn,
    key_id: &str,
    wanted: Wanted,
) -> Result<(), Problem> {
    let (org_id, node) = (who.member.org_id(), NodeId::key(key_id));
    let set = state.ledger.limits(org_id).await?;
    for (window, limit) in wanted {
        let before =
            set.iter().find(|limit| limit.node == node && limit.window == window).map(|limit| limit.limit);
        if before != limit {
            let change = SetLimit { org_id: org_id.to_owned(), node: node.clone(), window, limit };
            let said = |limit: Option<NanoUsd>| json!({ window.name(): limit.map(|limit| format!("{} credits", limit.credits())) });
            let event = who.member.did(if limit.is_some() { "limit.set" } else { "limit.removed" });
            let event = event.target(node.as_str()).changed(said(before), said(limit));
            let entry = state.accounts.audit.entry(&who.origin, event);
            state.ledger.change_limit(change, &entry).await?;
        }
    }
    Ok(())
}

/// One field for each window.
pub(super) fn fields(locale: Locale, form: &Form) -> AnyView {
    let field = |window: Window| {
        let id = field_of(window);
        view! {
            <Field
                id=id label=label_of(locale, window) kind=InputKind::Number value=form.value(id)
                nostrip:fault=form.fault(id) placeholder="$" autocomplete="off"
            />
        }
    };
    view! { <div class="form-grid">{WINDOWS.map(field).into_iter().collect_view()}</div> }.into_any()
}

/// `$2.10 of $10.00, per calendar month` for the tightest limit, and how many more there are.
pub(super) fn brief(locale: Locale, node: &NodeId, all: &[LimitState]) -> AnyView {
    let t = &locale.t().keys;
    let own: Vec<&LimitState> = all.iter().filter(|limit| &limit.node == node).collect();
    let Some(tightest) = own.iter().min_by_key(|limit| limit.remaining()) else {
        return view! { <span class="faint">{t.list.no_limit}</span> }.into_any();
    };
    let more = own.len() - 1;
    let (used, limit) = (format::usd(tightest.used.0), format::usd(tightest.limit.0));
    view! {
        <span>
            <span class="num">{t.list.used_of(limit, used)}</span>
            <span class="note">
                {label_of(locale, tightest.window)}
                {(more > 0).then(|| view! { " " {t.list.more(more)} })}
            </span>
        </span>
    }
    .into_any()
}

/// Every limit on the way from the organisation to the key, the tightest marked.
pub(super) fn table(visit: &Visit, moments: &Moments, nodes: &[NodeId], all: &[LimitState]) -> AnyView {
    let t = &visit.t().keys.detail;
    let mut on_the_way: Vec<&LimitState> = all.iter().filter(|limit| nodes.contains(&limit.node)).collect();
    on_the_way.sort_by_key(|limit| nodes.iter().position(|node| *node == limit.node));
    if on_the_way.is_empty() {
        return view! { <p class="soft">{t.no_limits}</p> }.into_any();
    }
    let least = on_the_way.iter().map(|limit| limit.remaining()).min();
    let row = |limit: &LimitState| row(visit, moments, limit, Some(limit.remaining()) == least);
    let rows: Vec<AnyView> = on_the_way.into_iter().map(row).collect();
    view! {
        <TableFrame caption=t.spent>
            <thead>
                <tr>
                    <th scope="col">{t.window}</th>
                    <th scope="col">{t.node}</th>
                    <th scope="col" class="num">{t.used}</th>
                    <th scope="col" class="num">{t.held}</th>
                    <th scope="col" class="num">{t.limit}</th>
                    <th scope="col" class="num">{t.left}</th>
                    <th scope="col">{t.resets}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn row(visit: &Visit, moments: &Moments, limit: &LimitState, is_tightest: bool) -> AnyView {
    let t = &visit.t().keys.detail;
    let node = match limit.node.kind() {
        "org" => t.node_org,
        "dep" => t.node_deployment,
        "mem" => t.node_member,
        _ => t.node_key,
    };
    let resets = match limit.resets_at_ms {
        Some(at_ms) => moments.relative(at_ms),
        None => view! { <span class="faint">{visit.t().console.word.no_reset}</span> }.into_any(),
    };
    let mark = is_tightest.then(|| view! { " " <Badge kind=BadgeKind::Warning label=t.binding/> });
    view! {
        <tr>
            <th scope="row">{label_of(visit.locale, limit.window)} {mark}</th>
            <td data-label=t.node>{node}</td>
            <td class="num" data-label=t.used>{format::usd(limit.used.0)}</td>
            <td class="num" data-label=t.held>{format::usd(limit.held.0)}</td>
            <td class="num" data-label=t.limit>{format::usd(limit.limit.0)}</td>
            <td class="num" data-label=t.left>{format::usd(limit.remaining().0)}</td>
            <td data-label=t.resets>{resets}</td>
        </tr>
    }
    .into_any()
}
