//! People as operators see them, and what an operator may do about them: stop them, let them in, sign them out, and send
//! them the letter that lets them choose a new password. Never a password, never anything in their name.
mod detail;

pub(super) use detail::{end_sessions, let_in, page as user, reset, suspend};

use super::paging::{self, Asked, ONE_MORE};
use super::shell::{self, Part};
use super::who::Operator;
use crate::problem::Problem;
use crate::shell::Titled;
use crate::state::ConsoleState;
use crate::when::Moments;
use axum::extract::State;
use axum::response::Response;
use bytespike_store::person_list::PersonLine;
use bytespike_ui::Visit;
use bytespike_ui::components::{Badge, BadgeKind, ButtonLink, EmptyState, TableFrame};
use leptos::prelude::*;

const PATH: &str = "/admin/users";

/// `GET /admin/users`
pub(super) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    let asked = Asked::of(&visit, PATH);
    let (before, limit) = (asked.before.as_ref(), i64::from(ONE_MORE));
    let mut rows = state.accounts.people.search(&asked.text, before, limit).await?;
    let has_more = paging::cut(&mut rows);
    let last = rows.last().filter(|_| has_more).map(|row| (row.created_at_ms, row.id.as_str()));
    let moments = Moments::new(visit.locale, "UTC", state.world.now_ms());
    let t = &visit.t().admin.users;
    let content = view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div></div>
        {asked.search(&visit, (t.search, t.find))}
        {table(&visit, &rows, &moments)}
        {asked.pages(&visit, last)}
    };
    Ok(shell::page((&visit, &operator), Part::Users, Titled::ok(t.title), content).await)
}

fn table(visit: &Visit, rows: &[PersonLine], moments: &Moments) -> AnyView {
    let t = &visit.t().admin.users;
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
                    <th scope="col">{t.address}</th>
                    <th scope="col">{t.name}</th>
                    <th scope="col" class="num">{t.orgs}</th>
                    <th scope="col">{t.created}</th>
                    <th scope="col">{t.seen}</th>
                </tr>
            </thead>
            <tbody>{lines}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn line(visit: &Visit, row: &PersonLine, moments: &Moments) -> AnyView {
    let t = &visit.t().admin.users;
    let href = visit.link(&format!("{PATH}/{}", row.id));
    let seen = row.last_seen_at_ms.map_or_else(|| "—".into_any(), |at_ms| moments.relative(at_ms));
    view! {
        <tr>
            <th scope="row"><a href=href>{row.email.clone()}</a> " " {state(visit, row)}</th>
            <td data-label=t.name>{row.name.clone()}</td>
            <td class="num" data-label=t.orgs>{row.orgs}</td>
            <td data-label=t.created>{moments.date(row.created_at_ms)}</td>
            <td data-label=t.seen>{seen}</td>
        </tr>
    }
    .into_any()
}

/// What is not as usual about them.
fn state(visit: &Visit, row: &PersonLine) -> Option<AnyView> {
    let t = &visit.t().admin.users;
    let (kind, label) = match (row.state.as_str(), row.email_verified_at_ms) {
        ("disabled", _) => (BadgeKind::Danger, t.suspended),
        (_, None) => (BadgeKind::Muted, t.unverified),
        _ => return None,
    };
    Some(view! { <Badge kind=kind label=label/> }.into_any())
}
