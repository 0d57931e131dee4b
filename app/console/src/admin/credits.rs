//! Credit, debits and vouchers above what one operator may decide alone: another one confirms them here, or nobody does.
use super::act::Act;
use super::notice::{self, Did};
use super::shell::{self, Part};
use super::vouchers;
use super::who::Operator;
use crate::problem::Problem;
use crate::shell::{Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::audit::Actor;
use bytespike_accounts::secrets::SecretText;
use bytespike_accounts::waiting_credits::{ConfirmCreditError, WaitingCreditRow};
use bytespike_gateway::operations::Confirmed;
use bytespike_store::names::Names;
use bytespike_ui::components::{Badge, BadgeKind, Callout, CalloutKind, EmptyState, Hidden, TableFrame};
use bytespike_ui::{Visit, format};
use leptos::prelude::*;

pub(super) const PATH: &str = "/admin/credits";
const MOST_SHOWN: u32 = 50;
/// What waits is vouchers, not credit of a wallet.
const VOUCHERS: &str = "vouchers";

/// What rows are read with.
type Known<'a> = (&'a Names, &'a Moments);

/// `GET /admin/credits`
pub(super) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    show(&state, (&visit, &operator), None).await
}

/// `POST /admin/credits/{id}/confirm`
pub(super) async fn confirm(act: Act) -> Result<Response, Problem> {
    let Act { state, visit, operator, id, .. } = act;
    let found = state.accounts.waiting_credits.find(&id).await?;
    let address = match found.filter(|row| row.kind == VOUCHERS) {
        Some(row) => make_vouchers(&state, (&visit, &operator), &row).await,
        None => book(&state, (&visit, &operator), &id).await,
    };
    let t = &visit.t().operating.credits;
    match address {
        Ok(address) => Ok(see_other(&address)),
        Err(ConfirmCreditError::Own) => show(&state, (&visit, &operator), Some(t.own)).await,
        Err(ConfirmCreditError::Over) => show(&state, (&visit, &operator), Some(t.gone)).await,
        Err(ConfirmCreditError::Past) => show(&state, (&visit, &operator), Some(t.past)).await,
        Err(ConfirmCreditError::Unavailable(error)) => Err(error.into()),
    }
}

/// Confirms credit or a debit; where to go on.
async fn book(
    state: &ConsoleState,
    (visit, operator): (&Visit, &Operator),
    id: &str,
) -> Result<String, ConfirmCreditError> {
    let by = (&operator.origin, operator.row().id.as_str());
    let did = match state.operations().confirm(by, id).await? {
        Confirmed::Done => Did::CreditConfirmed,
        Confirmed::Failed => Did::DebitFailed,
    };
    Ok(notice::with(&visit.link(PATH), did))
}

/// Confirms vouchers, whose codes then wait for their download.
async fn make_vouchers(
    state: &ConsoleState,
    (visit, operator): (&Visit, &Operator),
    row: &WaitingCreditRow,
) -> Result<String, ConfirmCreditError> {
    let by = (&operator.origin, operator.row().id.as_str());
    let seal = |batch_id: &str, codes: &[SecretText]| vouchers::sealed(state, batch_id, codes);
    let batch = state.accounts.vouchers.confirm(by, row, seal).await?;
    Ok(notice::with(&visit.link(&vouchers::batch_path(&batch.id)), Did::BatchMade))
}

/// `POST /admin/credits/{id}/refuse`
pub(super) async fn refuse(act: Act) -> Result<Response, Problem> {
    let Act { state, visit, operator, id, .. } = act;
    let by = (&operator.origin, operator.row().id.as_str());
    if state.accounts.waiting_credits.refuse(by, &id).await? {
        return Ok(see_other(&notice::with(&visit.link(PATH), Did::CreditRefused)));
    }
    show(&state, (&visit, &operator), Some(visit.t().operating.credits.gone)).await
}

/// The page; with why a form on it did nothing.
async fn show(
    state: &ConsoleState,
    (visit, operator): (&Visit, &Operator),
    fault: Option<&'static str>,
) -> Result<Response, Problem> {
    let credits = &state.accounts.waiting_credits;
    let waiting = credits.waiting(MOST_SHOWN).await?;
    let over = credits.over(MOST_SHOWN).await?;
    let names = state.accounts.operators.names().await?;
    let moments = Moments::new(visit.locale, "UTC", state.world.now_ms());
    let t = &visit.t().operating.credits;
    let lead = match credits.above_nano() {
        Some(nano) => t.above(format::usd(nano)),
        None => t.no_threshold.to_owned(),
    };
    let titled = if fault.is_some() { Titled::faulty(visit, t.title) } else { Titled::ok(t.title) };
    let fault =
        fault.map(|why| view! { <Callout kind=CalloutKind::Warning><p role="alert">{why}</p></Callout> });
    let content = view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{lead}</p></div></div>
        {fault}
        {waiting_table((visit, operator), &waiting, (&names, &moments))}
        {over_part(visit, &over, (&names, &moments))}
    };
    Ok(shell::page((visit, operator), Part::Credits, titled, content).await)
}

fn waiting_table(
    (visit, operator): (&Visit, &Operator),
    rows: &[WaitingCreditRow],
    known: Known<'_>,
) -> AnyView {
    let t = &visit.t().operating.credits;
    if rows.is_empty() {
        return view! { <EmptyState title=t.none_title><p>{t.none}</p></EmptyState> }.into_any();
    }
    let lines: Vec<AnyView> = rows.iter().map(|row| waiting_line((visit, operator), row, known)).collect();
    view! {
        <TableFrame caption=t.waiting>
            <thead>
                <tr>
                    <th scope="col">{t.org}</th>
                    <th scope="col" class="num">{t.amount}</th>
                    <th scope="col">{t.reason}</th>
                    <th scope="col">{t.asked}</th>
                    <th scope="col">{t.decision}</th>
                </tr>
            </thead>
            <tbody>{lines}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn waiting_line(
    (visit, operator): (&Visit, &Operator),
    row: &WaitingCreditRow,
    (names, moments): Known<'_>,
) -> AnyView {
    let t = &visit.t().operating.credits;
    let is_own = row.asked_by == Actor::Operator(&operator.row().id).to_string();
    let form = |verb: &str, class: &'static str, label: &'static str| {
        view! {
            <form method="post" action=visit.link(&format!("{PATH}/{}/{verb}", row.id))>
                <Hidden name="csrf" value=operator.token.clone()/>
                <button type="submit" class=class>{label}</button>
            </form>
        }
        .into_any()
    };
    let decision = if is_own {
        let take_back = form("refuse", "button small", t.take_back);
        view! { <div class="decide">{take_back}<span class="note">{t.own}</span></div> }.into_any()
    } else {
        let (confirm, refuse) = (
            form("confirm", "button primary small", t.confirm),
            form("refuse", "button danger small", t.refuse),
        );
        view! { <div class="decide">{confirm}{refuse}</div> }.into_any()
    };
    view! {
        <tr>
            <th scope="row">{org_link(visit, row, names)}</th>
            <td class="num" data-label=t.amount>{signed(row)}<span class="note">{kind(visit, row)}</span></td>
            <td data-label=t.reason>{row.reason.clone()}</td>
            <td data-label=t.asked>
                <div class="event-change">
                    {who(names, &row.asked_by)}<span class="note">{t.until(moments.written(row.waits_until_ms))}</span>
                </div>
            </td>
            <td data-label=t.decision>{decision}</td>
        </tr>
    }
    .into_any()
}

/// Whose wallet it is about; vouchers are about nobody's yet.
fn org_link(visit: &Visit, row: &WaitingCreditRow, names: &Names) -> AnyView {
    let Some(org_id) = &row.org_id else {
        return visit.t().operating.vouchers.title.into_any();
    };
    let href = visit.link(&format!("/admin/orgs/{org_id}"));
    view! { <a class="long" href=href title=org_id.clone()>{names.get(org_id)}</a> }.into_any()
}

/// By address, and what the audit log has in a title.
fn who(names: &Names, actor: &str) -> AnyView {
    view! { <span class="long" title=actor.to_owned()>{names.actor(actor)}</span> }.into_any()
}

/// What comes in, or below zero what is taken.
fn signed(row: &WaitingCreditRow) -> String {
    let takes = row.kind.starts_with("debit_");
    format::usd(if takes { -row.amount_nano } else { row.amount_nano })
}

fn kind(visit: &Visit, row: &WaitingCreditRow) -> &'static str {
    let (t, debit) = (&visit.t().operating.credits, &visit.t().operating.debit);
    match row.kind.as_str() {
        "top_up" => t.top_up,
        "grant" => t.grant,
        "debit_top_up" => debit.takes_top_up,
        "debit_grant" => debit.takes_grant,
        _ => t.vouchers,
    }
}

fn over_part(visit: &Visit, rows: &[WaitingCreditRow], known: Known<'_>) -> Option<AnyView> {
    let t = &visit.t().operating.credits;
    let lines: Vec<AnyView> = rows.iter().map(|row| over_line(visit, row, known)).collect();
    (!lines.is_empty()).then(|| {
        view! {
            <section class="stack">
                <h2>{t.over}</h2>
                <TableFrame caption=t.over>
                    <thead>
                        <tr>
                            <th scope="col">{t.org}</th>
                            <th scope="col" class="num">{t.amount}</th>
                            <th scope="col">{t.asked}</th>
                            <th scope="col">{t.decided}</th>
                            <th scope="col">{t.state}</th>
                        </tr>
                    </thead>
                    <tbody>{lines}</tbody>
                </TableFrame>
            </section>
        }
        .into_any()
    })
}

fn over_line(visit: &Visit, row: &WaitingCreditRow, (names, moments): Known<'_>) -> AnyView {
    let t = &visit.t().operating.credits;
    let (badge, label) = match (row.state.as_str(), row.booked_at_ms) {
        ("confirmed", Some(_)) => (BadgeKind::Live, t.booked),
        ("confirmed", None) => (BadgeKind::Pending, t.confirmed),
        ("refused", _) => (BadgeKind::Danger, t.refused),
        ("failed", _) => (BadgeKind::Danger, t.failed),
        _ => (BadgeKind::Muted, t.expired),
    };
    let decided = row.decided_by.as_deref().map(|by| who(names, by));
    let at_ms = row.decided_at_ms.unwrap_or(row.waits_until_ms);
    view! {
        <tr>
            <th scope="row">{org_link(visit, row, names)}</th>
            <td class="num" data-label=t.amount>{signed(row)}</td>
            <td data-label=t.asked>{who(names, &row.asked_by)}</td>
            <td data-label=t.decided>
                <div class="event-change">{decided}<span class="note">{moments.written(at_ms)}</span></div>
            </td>
            <td data-label=t.state><Badge kind=badge label=label/></td>
        </tr>
    }
    .into_any()
}
