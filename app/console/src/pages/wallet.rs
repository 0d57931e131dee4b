//! The wallet: what is in it, what is set aside, and every movement.
pub(crate) mod alerts;
pub(crate) mod billing;
pub(crate) mod invoices;
mod lots;
pub(crate) mod orders;
pub(crate) mod recharge;
pub(crate) mod top_up;
pub(crate) mod voucher;

use crate::calls::narrowed;
use crate::cny::Cny;
use crate::forms::Form;
use crate::movement;
use crate::problem::Problem;
use crate::shell::{self, Section, Titled};
use crate::state::ConsoleState;
use crate::switched_off::remark;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::switches::Feature;
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{CallRow, Transaction, UsageFilter, Wallet};
use bytespike_ui::Visit;
use bytespike_ui::components::Column::{Number, Text};
use bytespike_ui::components::{ButtonLink, Callout, CalloutKind, Stat, Stats, Table};
use leptos::prelude::*;

const JOURNAL_LINES: u32 = 100;
const HOLDS: u32 = 50;

/// `GET /console/wallet`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    show(&state, (&visit, &who), Faulty::default()).await
}

/// The forms of the page that came back with faults.
#[derive(Default)]
struct Faulty {
    alerts: Option<Form>,
    top_up: Option<Form>,
    voucher: Option<Form>,
}

async fn show(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    faulty: Faulty,
) -> Result<Response, Problem> {
    if narrowed(who).is_some() {
        return Err(Problem::Forbidden);
    }
    let org_id = who.member.org_id();
    let wallet = state.ledger.wallet(org_id).await?;
    let journal = state.ledger.transactions(org_id, JOURNAL_LINES).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let lots = state.ledger.lots(org_id).await?;
    let held = state.ledger.held_calls(org_id, &UsageFilter::default(), (None, HOLDS)).await?;
    let t = &visit.t().wallet;
    let title = t.page.title;
    let is_faulty = faulty.alerts.is_some() || faulty.top_up.is_some() || faulty.voucher.is_some();
    let titled = if is_faulty { Titled::faulty(visit, title) } else { Titled::ok(title) };
    let owed = wallet.as_ref().map_or(NanoUsd::ZERO, |wallet| wallet.owed);
    let frozen = wallet.as_ref().is_some_and(|wallet| wallet.frozen);
    let trial = (state.options.trial_grant > NanoUsd(0)).then(|| view! { <li>{t.arrive.trial}</li> });
    let cny = Cny::of(state, who).await?;
    let (offered, top_up_off) = match remark(state, visit, Feature::TopUps) {
        None => (top_up::offered(state, who).await?, None),
        off => (None, off.filter(|_| state.payments.is_some())),
    };
    let by_operator = offered.is_none().then(|| view! { <li>{t.arrive.operator}</li> });
    let top_up = offered.as_ref().map(|offered| top_up::part((visit, who), offered, faulty.top_up));
    let recharge = recharge::part(state, (visit, who)).await?;
    let payments = orders::list(state, (visit, who), &moments).await?;
    let invoices = invoices::list(state, (visit, who), &moments).await?;
    let content = view! {
        <div class="page-head"><div><h1>{t.page.title}</h1><p>{t.page.lead}</p></div></div>
        {frozen.then(|| view! { <Callout kind=CalloutKind::Warning><p>{t.page.frozen}</p></Callout> })}
        {(owed > NanoUsd::ZERO).then(|| owes(visit, owed))}
        {tiles(visit, wallet.as_ref(), cny.as_ref())}
        {cny.as_ref().map(|cny| view! { <p class="soft">{cny.said(visit)}</p> })}
        {top_up}
        {top_up_off}
        {recharge}
        {remark(state, visit, Feature::Vouchers).or_else(|| voucher::part((visit, who), faulty.voucher))}
        <section class="stack">
            <div><h2>{t.lots.title}</h2><p class="soft">{t.lots.lead}</p></div>
            {lots::table((visit, &moments), cny.as_ref(), &lots)}
        </section>
        {payments}
        {invoices}
        {holds(visit, &moments, &held)}
        <section class="stack">
            <div><h2>{t.journal.title}</h2><p class="soft">{t.journal.lead}</p></div>
            {lines((visit, &moments), cny.as_ref(), &journal)}
        </section>
        {statements(visit, who)}
        {alerts::part((visit, who), wallet.as_ref(), faulty.alerts)}
        <section class="stack">
            <h2>{t.arrive.title}</h2>
            <ul class="bullets">{trial}{by_operator}<li>{t.arrive.never_back}</li></ul>
        </section>
    };
    Ok(shell::signed_in((visit, who), Section::Wallet, titled, content).await)
}

/// What payments that were undone left owed, and what that means.
fn owes(visit: &Visit, owed: NanoUsd) -> AnyView {
    let t = &visit.t().payments.owed;
    let title = t.title(visit.numbers.usd(owed.0));
    view! { <Callout kind=CalloutKind::Warning title=title><p>{t.text}</p></Callout> }.into_any()
}

/// The way to the statements, for those who may read them.
fn statements(visit: &Visit, who: &SignedIn) -> Option<AnyView> {
    crate::pages::statements::allowed(who).ok()?;
    let t = &visit.t().wallet.statements;
    let href = visit.link("/console/statements");
    let view = view! {
        <section class="stack">
            <div><h2>{t.title}</h2><p class="soft">{t.text}</p></div>
            <p><ButtonLink href=href>{t.link}</ButtonLink></p>
        </section>
    };
    Some(view.into_any())
}

fn tiles(visit: &Visit, wallet: Option<&Wallet>, cny: Option<&Cny>) -> AnyView {
    let t = &visit.t().wallet.page;
    let (available, held, posted, bonus) = wallet.map_or((0, 0, 0, 0), |wallet| {
        (wallet.available().0, wallet.held.0, wallet.posted.0, wallet.bonus.0)
    });
    let tiles = [
        (t.balance, available, visit.t().console.overview.tile_credits(visit.numbers.credits(available))),
        (t.held, held, t.held_note.to_owned()),
        (t.paid, posted - bonus, t.paid_note.to_owned()),
        (t.granted, bonus, t.granted_note.to_owned()),
    ];
    let tiles = tiles.map(|(label, nano, note)| {
        let note = cny.map_or(note.clone(), |cny| format!("{} · {note}", cny.about(nano)));
        view! { <Stat label=label value=visit.numbers.usd(nano) note=note/> }
    });
    view! { <Stats>{tiles.into_iter().collect_view()}</Stats> }.into_any()
}

/// What running calls hold; the tile above says so when there are none.
fn holds(visit: &Visit, moments: &Moments, rows: &[CallRow]) -> Option<AnyView> {
    let t = &visit.t().wallet.holds;
    if rows.is_empty() {
        return None;
    }
    let rows = rows.iter().map(|call| {
        view! {
            <tr>
                <th scope="row">{bytespike_ui::components::breakable(&call.model_requested)}</th>
                <td data-label=t.key>{call.key_name.clone()}</td>
                <td data-label=t.age>{moments.relative(call.held_at_ms)}</td>
                <td data-label=t.expires>{moments.relative(call.expires_at_ms)}</td>
                <td class="num" data-label=t.amount>{visit.numbers.credits(call.held_nano)}</td>
            </tr>
        }
    });
    let rows: Vec<AnyView> = rows.map(IntoAny::into_any).collect();
    let columns = vec![Text(t.model), Text(t.key), Text(t.age), Text(t.expires), Number(t.amount)];
    let table = view! { <Table caption=t.title columns=columns rows=rows/> };
    Some(view! { <section class="stack"><h2>{t.title}</h2>{table}</section> }.into_any())
}

fn lines((visit, moments): (&Visit, &Moments), cny: Option<&Cny>, journal: &[Transaction]) -> AnyView {
    let t = &visit.t().wallet.journal;
    if journal.is_empty() {
        return view! { <p class="soft">{t.empty}</p> }.into_any();
    }
    let rows: Vec<AnyView> = journal.iter().map(|line| journal_row((visit, moments), cny, line)).collect();
    let columns = vec![Text(t.time), Text(t.what), Text(t.receipt), Number(t.amount)];
    view! { <Table caption=t.title columns=columns rows=rows/> }.into_any()
}

fn journal_row((visit, moments): (&Visit, &Moments), cny: Option<&Cny>, line: &Transaction) -> AnyView {
    let t = &visit.t().wallet;
    let receipt = line.reservation_id.as_ref().map(|id| {
        let href = visit.link(&format!("/console/receipts/{id}"));
        view! { <a href=href>{t.journal.receipt}</a> }
    });
    let sign = if line.amount_nano > 0 { "+" } else { "" };
    view! {
        <tr>
            <th scope="row">{moments.exact(line.at_ms)}</th>
            <td data-label=t.journal.what>{movement::described(visit, &line.kind, line.note.as_deref())}</td>
            <td data-label=t.journal.receipt>{receipt}</td>
            <td class="num" data-label=t.journal.amount>
                {format!("{sign}{}", visit.numbers.credits(line.amount_nano))} {about(cny, line.amount_nano)}
            </td>
        </tr>
    }
    .into_any()
}

/// The same in yuan, below it, for those who reckon in yuan.
fn about(cny: Option<&Cny>, nano_usd: i64) -> Option<AnyView> {
    let text = cny?.about(nano_usd);
    Some(view! { <span class="note">{text}</span> }.into_any())
}
