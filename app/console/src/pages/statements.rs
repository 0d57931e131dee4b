//! The list of monthly statements.
pub(crate) mod month;

use crate::problem::Problem;
use crate::shell::{self, Section, Titled};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::role::Permission;
use bytespike_ledger::{Statement, StatementLine};
use bytespike_ui::components::{Badge, BadgeKind, Breadcrumbs, TableFrame};
use bytespike_ui::{Visit, format};
use leptos::prelude::*;

const PATH: &str = "/console/statements";

/// `GET /console/statements`
pub(crate) async fn list(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    allowed(&who)?;
    let org_id = who.member.org_id();
    let running = state.ledger.statement_preview(org_id).await?;
    let closed = state.ledger.statements(org_id).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let t = &visit.t().statements;
    let none = closed.is_empty().then(|| view! { <p class="soft">{t.page.none}</p> });
    let rows: Vec<AnyView> = running
        .iter()
        .map(|running| running_row(&visit, running))
        .chain(closed.iter().map(|line| closed_row(&visit, &moments, line)))
        .collect();
    let above = vec![(visit.link("/console/wallet"), visit.t().wallet.page.title.to_owned())];
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=t.page.title/>
            <div class="page-head"><div><h1>{t.page.title}</h1><p>{t.page.lead}</p></div></div>
        </div>
        {none}
        <TableFrame caption=t.page.title>
            <thead>
                <tr>
                    <th scope="col">{t.column.month}</th>
                    <th scope="col">{t.column.state}</th>
                    <th scope="col">{t.column.closed_at}</th>
                    <th scope="col" class="num">{t.column.closing}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    };
    Ok(shell::signed_in((&visit, &who), Section::Wallet, Titled::ok(t.page.title), content).await)
}

/// Statements are the business of those who answer for the money.
pub(crate) fn allowed(who: &SignedIn) -> Result<(), Problem> {
    if who.member.role().may(Permission::Billing) { Ok(()) } else { Err(Problem::Forbidden) }
}

fn running_row(visit: &Visit, running: &Statement) -> AnyView {
    let t = &visit.t().statements;
    let badge = view! { <Badge kind=BadgeKind::Pending label=t.page.running/> }.into_any();
    row(visit, (&running.month, badge, "—".into_any()), running.closing.total_credits.nano())
}

fn closed_row(visit: &Visit, moments: &Moments, line: &StatementLine) -> AnyView {
    let t = &visit.t().statements;
    let badge = view! { <Badge kind=BadgeKind::Live label=t.page.closed/> }.into_any();
    let closing = line.closing_paid_nano.saturating_add(line.closing_bonus_nano);
    row(visit, (&line.month, badge, moments.exact(line.closed_at_ms)), closing)
}

fn row(visit: &Visit, (month, badge, closed_at): (&str, AnyView, AnyView), closing_nano: i64) -> AnyView {
    let t = &visit.t().statements.column;
    let href = visit.link(&format!("{PATH}/{month}"));
    view! {
        <tr>
            <th scope="row"><a href=href>{format::iso_date(visit.locale, month)}</a></th>
            <td data-label=t.state>{badge}</td>
            <td data-label=t.closed_at>{closed_at}</td>
            <td class="num" data-label=t.closing>{visit.numbers.credits(closing_nano)}</td>
        </tr>
    }
    .into_any()
}
