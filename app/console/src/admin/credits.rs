//! Credit that is above what one operator may give alone: another one confirms it here, or nobody does.
use super::act::Act;
use super::notice::{self, Did};
use super::shell::{self, Part};
use super::who::Operator;
use crate::problem::Problem;
use crate::shell::{Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::audit::Actor;
use bytespike_accounts::waiting_credits::{ConfirmCreditError, WaitingCreditRow};
use bytespike_store::names::Names;
use bytespike_ui::components::{Badge, BadgeKind, Callout, CalloutKind, EmptyState, Hidden, TableFrame};
use bytespike_ui::{Visit, format};
use leptos::prelude::*;

pub(super) const PATH: &str = "/admin/credits";
const MOST_SHOWN: u32 = 50;

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
    let by = (&operator.origin, operator.row().id.as_str());
    let t = &visit.t().operating.credits;
    match state.operations().confirm_credit(by, &id).await {
        Ok(_) => Ok(see_other(&notice::with(&visit.link(PATH), Did::CreditConfirmed))),
        Err(ConfirmCreditError::Own) => show(&state, (&visit, &operator), Some(t.own)).await,
        Err(ConfirmCreditError::Over) => show(&state, (&visit, &operator), Some(t.gone)).await,
        Err(ConfirmCreditError::Unavailable(error)) => Err(error.into()),
    }
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
            <td class="num" data-label=t.amount>{format::usd(row.amount_nano)}<span class="note">{kind(visit, row)}</span></td>
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

fn org_link(visit: &Visit, row: &WaitingCreditRow, names: &Names) -> AnyView {
    let href = visit.link(&format!("/admin/orgs/{}", row.org_id));
    view! { <a class="long" href=href title=row.org_id.clone()>{names.get(&row.org_id)}</a> }.into_any()
}

/// By address, and what the audit log has in a title.
fn who(names: &Names, actor: &str) -> AnyView {
    view! { <span class="long" title=actor.to_owned()>{names.actor(actor)}</span> }.into_any()
}

fn kind(visit: &Visit, row: &WaitingCreditRow) -> &'static str {
    let t = &visit.t().operating.credits;
    if row.kind == "top_up" { t.top_up } else { t.grant }
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
        _ => (BadgeKind::Muted, t.expired),
    };
    let decided = row.decided_by.as_deref().map(|by| who(names, by));
    let at_ms = row.decided_at_ms.unwrap_or(row.waits_until_ms);
    view! {
        <tr>
            <th scope="row">{org_link(visit, row, names)}</th>
            <td class="num" data-label=t.amount>{format::usd(row.amount_nano)}</td>
            <td data-label=t.asked>{who(names, &row.asked_by)}</td>
            <td data-label=t.decided>
                <div class="event-change">{decided}<span class="note">{moments.written(at_ms)}</span></div>
            </td>
            <td data-label=t.state><Badge kind=badge label=label/></td>
        </tr>
    }
    .into_any()
}
