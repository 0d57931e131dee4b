//! Organisations as operators see them: found by name, id or a member's address. Nothing of what they ask models is here.
mod debit;
mod detail;

pub(super) use debit::debit;
pub(super) use detail::{credit, freeze, page as org, unfreeze};

use super::paging::{self, Asked, ONE_MORE};
use super::shell::{self, Part};
use super::who::Operator;
use crate::problem::Problem;
use crate::shell::Titled;
use crate::state::ConsoleState;
use crate::when::Moments;
use axum::extract::State;
use axum::response::Response;
use bytespike_ledger::OrgRow;
use bytespike_ui::components::{Badge, BadgeKind, ButtonLink, EmptyState, TableFrame};
use bytespike_ui::{Visit, format};
use leptos::prelude::*;

const PATH: &str = "/admin/orgs";

/// `GET /admin/orgs`
pub(super) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    let asked = Asked::of(&visit, PATH);
    let mut rows = state.ledger.orgs(&asked.text, asked.before.as_ref(), ONE_MORE).await?;
    let has_more = paging::cut(&mut rows);
    let last = rows.last().filter(|_| has_more).map(|row| (row.created_at_ms, row.id.as_str()));
    let moments = Moments::new(visit.locale, "UTC", state.world.now_ms());
    let t = &visit.t().admin.orgs;
    let content = view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div></div>
        {asked.search(&visit, (t.search, t.find))}
        {table(&visit, &rows, &moments)}
        {asked.pages(&visit, last)}
    };
    Ok(shell::page((&visit, &operator), Part::Orgs, Titled::ok(t.title), content).await)
}

fn table(visit: &Visit, rows: &[OrgRow], moments: &Moments) -> AnyView {
    let t = &visit.t().admin.orgs;
    if rows.is_empty() {
        let (all, clear) = (visit.link(PATH), visit.t().console.word.clear);
        return view! {
            <EmptyState title=t.none_title><p>{t.none}</p><ButtonLink href=all>{clear}</ButtonLink></EmptyState>
        }
        .into_any();
    }
    let lines: Vec<AnyView> = rows.iter().map(|row| line(visit, row, moments)).collect();
    view! {
        <TableFrame caption=t.title>
            <thead>
                <tr>
                    <th scope="col">{t.name}</th>
                    <th scope="col" class="num">{t.balance}</th>
                    <th scope="col" class="num">{t.held}</th>
                    <th scope="col" class="num">{t.members}</th>
                    <th scope="col" class="num">{t.keys}</th>
                    <th scope="col">{t.created}</th>
                </tr>
            </thead>
            <tbody>{lines}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn line(visit: &Visit, row: &OrgRow, moments: &Moments) -> AnyView {
    let t = &visit.t().admin.orgs;
    let href = visit.link(&format!("{PATH}/{}", row.id));
    view! {
        <tr>
            <th scope="row"><a href=href>{row.name.clone()}</a> " " {state(visit, row)}</th>
            <td class="num" data-label=t.balance>{format::usd(row.posted_nano - row.held_nano)}</td>
            <td class="num" data-label=t.held>{format::usd(row.held_nano)}</td>
            <td class="num" data-label=t.members>{row.members}</td>
            <td class="num" data-label=t.keys>{row.keys}</td>
            <td data-label=t.created>{moments.date(row.created_at_ms)}</td>
        </tr>
    }
    .into_any()
}

/// What is not as usual about it.
fn state(visit: &Visit, row: &OrgRow) -> Option<AnyView> {
    let t = &visit.t().admin.orgs;
    let (kind, label) = match row.state.as_str() {
        "closed" => (BadgeKind::Muted, t.closed),
        _ if row.frozen => (BadgeKind::Warning, t.frozen),
        _ if row.owed_nano > 0 => (BadgeKind::Danger, t.owes),
        _ => return None,
    };
    Some(view! { <Badge kind=kind label=label/> }.into_any())
}
