//! An order: the way to the page on which it is paid, and afterwards what is known of it. That somebody came back from
//! there says nothing, so it is asked.
use super::invoices;
use super::top_up::{self, money};
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::{self, Section, Titled};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_payments::{Currency, Invoice, OrderRow, Payments};
use bytespike_store::payment_order;
use bytespike_store::payment_reversal::{self, ReversalRow};
use bytespike_ui::components::{
    Badge, BadgeKind, Breadcrumbs, ButtonKind, ButtonLink, Callout, CalloutKind, KeyValues, TableFrame,
};
use bytespike_ui::{CachePolicy, Head, Page, Visit, format, layout};
use http::HeaderValue;
use http::header::REFERRER_POLICY;
use leptos::prelude::*;
use std::time::Duration;

/// A reader does not wait longer for the provider; the page then says what was known before.
pub(super) const ASK_WITHIN: Duration = Duration::from_secs(6);
const LINES: u32 = 20;

/// `GET /console/wallet/orders/{id}`: with `go`, on to the page where it is paid.
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let payments = state.payments.as_ref().ok_or(Problem::NotFound)?;
    if !top_up::may_pay(&who) {
        return Err(Problem::Forbidden);
    }
    let found = payment_order::find(&payments.store, &id).await?;
    let order = found.filter(|order| order.org_id == who.member.org_id()).ok_or(Problem::NotFound)?;
    let query = Query::of(&visit);
    if query.get("go").is_some()
        && let Some(address) = to_pay(&order, state.world.now_ms())
    {
        return Ok(leave(&visit, address).await);
    }
    let order = if query.get("returned").is_some() { asked(payments, order).await } else { order };
    let undone = payment_reversal::of_order(&payments.store, &order.id).await?;
    let invoices = payments.invoices(who.member.org_id(), Some(&order.id), LINES).await?;
    Ok(show(&state, (&visit, &who), Known { order, undone, invoices }).await)
}

/// Where it can still be paid.
fn to_pay(order: &OrderRow, now_ms: i64) -> Option<&str> {
    let is_open = order.state == "open" && order.closes_at_ms.is_some_and(|closes| closes > now_ms);
    order.checkout_url.as_deref().filter(|url| is_open && !url.is_empty())
}

async fn asked(payments: &Payments, order: OrderRow) -> OrderRow {
    match tokio::time::timeout(ASK_WITHIN, payments.ask(order.clone())).await {
        Ok(Ok(asked)) => asked,
        Ok(Err(error)) => {
            tracing::warn!(%error, order_id = order.id, "the payment provider could not be asked");
            order
        }
        Err(_) => order,
    }
}

/// No redirect: browsers hold what a form leads to to `form-action`, and the form was ours.
pub(super) async fn leave(visit: &Visit, address: &str) -> Response {
    let t = &visit.t().payments.leave;
    let content = view! {
        <h1>{t.title}</h1>
        <p>{t.text}</p>
        <p class="actions"><ButtonLink kind=ButtonKind::Primary href=address.to_owned()>{t.link}</ButtonLink></p>
    };
    let body = layout::bare(content);
    let head = Head::private(t.title).onward(address);
    let mut response = Page::new(head, CachePolicy::NoStore, || body).render(visit).await;
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// An order, and what followed from it.
struct Known {
    order: OrderRow,
    undone: Vec<ReversalRow>,
    invoices: Vec<Invoice>,
}

async fn show(state: &ConsoleState, (visit, who): (&Visit, &SignedIn), known: Known) -> Response {
    let Known { order, undone, invoices } = &known;
    let t = &visit.t().payments.order;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let title = t.title(amount(visit, order));
    let above = vec![(visit.link("/console/wallet"), visit.t().wallet.page.title.to_owned())];
    let mut facts = facts((visit, &moments), order);
    facts.extend(undone.iter().map(|row| reversal((visit, &moments), order, row)));
    let issued = (!invoices.is_empty()).then(|| {
        let table = invoices::table((visit, &moments), invoices);
        view! { <section class="stack"><h2>{visit.t().invoices.list.title}</h2>{table}</section> }
    });
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=title.clone()/>
            <div class="page-head"><h1>{title.clone()} " " {badge(visit, order)}</h1></div>
        </div>
        {news((visit, &moments), order)}
        <KeyValues pairs=facts/>
        {issued}
    };
    shell::signed_in((visit, who), Section::Wallet, Titled::ok(title), content).await
}

/// What is known, and what can be done next.
fn news((visit, moments): (&Visit, &Moments), order: &OrderRow) -> AnyView {
    let t = &visit.t().payments.order;
    let (kind, text) = match order.state.as_str() {
        "processing" => (CalloutKind::Note, t.processing),
        "paid" => (CalloutKind::Note, t.paid),
        "credited" => (CalloutKind::Tip, t.credited),
        "failed" => (CalloutKind::Warning, t.failed),
        "expired" => (CalloutKind::Note, t.expired),
        _ => (CalloutKind::Note, t.open),
    };
    let wallet = visit.link("/console/wallet");
    let here = visit.link(&format!("/console/wallet/orders/{}", order.id));
    let is_payable = to_pay(order, moments.now_ms).is_some();
    let until = order.closes_at_ms.filter(|_| is_payable).map(|at_ms| t.open_until(moments.written(at_ms)));
    let next = match order.state.as_str() {
        _ if is_payable => (format!("{here}?go=1"), t.resume),
        "open" | "processing" | "paid" => (format!("{here}?returned=1"), t.again),
        "credited" => (wallet.clone(), t.wallet),
        _ => (format!("{wallet}#add-credit"), t.start_again),
    };
    let back = (order.state != "credited").then(|| view! { <ButtonLink href=wallet>{t.wallet}</ButtonLink> });
    let gap = visit.locale.gap();
    view! {
        <Callout kind=kind><p>{text} {gap} {until}</p></Callout>
        <p class="actions"><ButtonLink kind=ButtonKind::Primary href=next.0>{next.1}</ButtonLink> {back}</p>
    }
    .into_any()
}

fn facts((visit, moments): (&Visit, &Moments), order: &OrderRow) -> Vec<(String, AnyView)> {
    let t = &visit.t().payments.order;
    let credits = |nano: i64| visit.t().payments.form.worth(visit.numbers.credits(nano));
    let mut facts = vec![
        (t.amount.to_owned(), view! { <span class="num">{amount(visit, order)}</span> }.into_any()),
        (t.worth.to_owned(), view! { <span class="num">{credits(order.paid_nano)}</span> }.into_any()),
    ];
    if order.bonus_nano > 0 {
        let until = order.bonus_expires_at_ms.map(|at_ms| t.on_top_until(moments.date(at_ms)));
        let until = until.map(|until| view! { {visit.t().payments.form.comma} {until} });
        let value = view! { <span class="num">{credits(order.bonus_nano)}</span> {until} };
        facts.push((t.on_top.to_owned(), value.into_any()));
    }
    if let Some(rate) = rate(visit, order) {
        facts.push((t.rate.to_owned(), rate.into_any()));
    }
    facts.push((t.made.to_owned(), moments.exact(order.created_at_ms)));
    if let Some(at_ms) = order.paid_at_ms {
        facts.push((t.arrived.to_owned(), moments.exact(at_ms)));
    }
    facts.push((t.number.to_owned(), view! { <code>{order.id.clone()}</code> }.into_any()));
    facts
}

/// What was undone of it, and whether that was undone in turn.
fn reversal((visit, moments): (&Visit, &Moments), order: &OrderRow, row: &ReversalRow) -> (String, AnyView) {
    let t = &visit.t().payments.order;
    let what = if row.kind == "dispute" { t.dispute } else { t.given_back };
    let day = moments.date(row.left_at_ms.or(row.back_at_ms).unwrap_or(moments.now_ms));
    let when = if row.back_at_ms.is_some() { t.undone_and_back(day) } else { t.undone_on(day) };
    let currency = Currency::parse(&order.currency).unwrap_or(Currency::Usd);
    let amount = money(visit.numbers, (currency, row.amount_minor));
    let value = view! { <span class="num">{amount}</span> " " <span class="note">{when}</span> };
    (what.to_owned(), value.into_any())
}

fn rate(visit: &Visit, order: &OrderRow) -> Option<String> {
    let micro = order.usd_cny_micro?;
    let day = order.fx_rate_id.as_deref()?.strip_prefix("fx_")?;
    let rate = format!("{}.{:04}", micro / 1_000_000, micro % 1_000_000 / 100);
    Some(visit.t().payments.order.rate_value(format::iso_date(visit.locale, day), rate))
}

fn amount(visit: &Visit, order: &OrderRow) -> String {
    let currency = Currency::parse(&order.currency).unwrap_or(Currency::Usd);
    money(visit.numbers, (currency, order.amount_minor))
}

fn badge(visit: &Visit, order: &OrderRow) -> AnyView {
    let t = &visit.t().payments.state;
    let (kind, label) = match order.state.as_str() {
        "processing" => (BadgeKind::Pending, t.processing),
        "paid" => (BadgeKind::Pending, t.paid),
        "credited" => (BadgeKind::Live, t.credited),
        "failed" => (BadgeKind::Danger, t.failed),
        "expired" => (BadgeKind::Muted, t.expired),
        _ => (BadgeKind::Muted, t.open),
    };
    view! { <Badge kind=kind label=label/> }.into_any()
}

/// The org's payments, for those who may make them; nothing before the first.
pub(super) async fn list(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    moments: &Moments,
) -> Result<Option<AnyView>, Problem> {
    let Some(payments) = state.payments.as_ref().filter(|_| top_up::may_pay(who)) else { return Ok(None) };
    let orders = payment_order::of_org(&payments.store, who.member.org_id(), LINES).await?;
    if orders.is_empty() {
        return Ok(None);
    }
    let t = &visit.t().payments.list;
    let rows: Vec<AnyView> = orders.iter().map(|order| row(visit, moments, order)).collect();
    let view = view! {
        <section class="stack">
            <div><h2>{t.title}</h2><p class="soft">{t.lead}</p></div>
            <TableFrame caption=t.title>
                <thead>
                    <tr>
                        <th scope="col">{t.made}</th>
                        <th scope="col">{t.state}</th>
                        <th scope="col" class="num">{t.amount}</th>
                        <th scope="col" class="num">{t.credit}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </section>
    };
    Ok(Some(view.into_any()))
}

fn row(visit: &Visit, moments: &Moments, order: &OrderRow) -> AnyView {
    let t = &visit.t().payments.list;
    let href = visit.link(&format!("/console/wallet/orders/{}", order.id));
    view! {
        <tr>
            <th scope="row"><a href=href>{moments.exact(order.created_at_ms)}</a></th>
            <td data-label=t.state>{badge(visit, order)}</td>
            <td class="num" data-label=t.amount>{amount(visit, order)}</td>
            <td class="num" data-label=t.credit>{visit.numbers.credits(order.paid_nano + order.bonus_nano)}</td>
        </tr>
    }
    .into_any()
}
