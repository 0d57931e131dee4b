//! The audit log of the whole installation: what operators, hosts and people changed, and who signed in where.
use super::paging::{self, ONE_MORE};
use super::shell::{self, Part};
use super::who::Operator;
use crate::pages::audit::{self, change, filter::Filter, words};
use crate::problem::Problem;
use crate::query::{self, Query};
use crate::shell::Titled;
use crate::state::ConsoleState;
use crate::when::Moments;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::audit::AuditRow;
use bytespike_gateway::export::AuditTable;
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Button, ButtonKind, ButtonLink, EmptyState, Field, InputKind, Pagination, TableFrame,
};
use leptos::prelude::*;
use std::sync::Arc;

const PATH: &str = "/admin/audit";
const CSV: &str = "/admin/audit/audit.csv";

/// What the page's address asks for.
struct Asked {
    filter: Filter,
    /// Empty for the whole installation.
    org: String,
    after: Option<i64>,
}

impl Asked {
    fn of(visit: &Visit) -> Self {
        let query = Query::of(visit);
        Self {
            filter: Filter::of(&query),
            org: query.get("org").unwrap_or_default().to_owned(),
            after: query.get("after").and_then(|seq| seq.parse().ok()),
        }
    }

    fn org(&self) -> Option<&str> {
        Some(self.org.as_str()).filter(|org| !org.is_empty())
    }
}

/// `GET /admin/audit`
pub(super) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    let asked = Asked::of(&visit);
    let moments = Moments::new(visit.locale, "UTC", state.world.now_ms());
    let wanted = asked.filter.asked(&moments, asked.after);
    let mut rows = state.accounts.audit.of_all(asked.org(), &wanted, i64::from(ONE_MORE)).await?;
    let has_more = paging::cut(&mut rows);
    let newer = asked.after.map(|_| address(&visit, PATH, &asked, None));
    let last = rows.last().map(|row| row.seq).filter(|_| has_more);
    let older = last.map(|seq| address(&visit, PATH, &asked, Some(seq)));
    let t = &visit.t().admin.log;
    let content = view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div></div>
        {form(&visit, &asked)}
        {table(&visit, &rows, &moments)}
        <Pagination locale=visit.locale newer=newer older=older/>
        {(!rows.is_empty()).then(|| audit::download(&visit, address(&visit, CSV, &asked, None)))}
    };
    Ok(shell::page((&visit, &operator), Part::Audit, Titled::ok(t.title), content).await)
}

/// `GET /admin/audit/audit.csv`: all that the filters let through, the newest first.
pub(super) async fn csv(State(state): State<ConsoleState>, visit: Visit, _: Operator) -> Response {
    let asked = Asked::of(&visit);
    let moments = Moments::new(visit.locale, "UTC", state.world.now_ms());
    let filter = asked.filter.asked(&moments, None);
    audit::file(&state, AuditTable { org_id: asked.org().map(str::to_owned), filter, actors: Arc::default() })
}

fn address(visit: &Visit, page: &str, asked: &Asked, after: Option<i64>) -> String {
    let own = asked.filter.address(&visit.link(page), after);
    if asked.org.is_empty() {
        return own;
    }
    let mark = if own.contains('?') { '&' } else { '?' };
    format!("{own}{mark}{}", query::write(&[("org", &asked.org)]))
}

fn form(visit: &Visit, asked: &Asked) -> AnyView {
    let t = &visit.t().admin.log;
    let is_set = asked.filter.is_set() || !asked.org.is_empty();
    let clear = is_set.then(|| {
        let label = visit.t().console.word.clear;
        view! { <ButtonLink kind=ButtonKind::Quiet href=visit.link(PATH)>{label}</ButtonLink> }
    });
    let field = |id: &'static str, label: &'static str, value: &str| {
        view! { <Field id=id label=label kind=InputKind::Text value=value.to_owned() autocomplete="off"/> }
    };
    view! {
        <form method="get" action=visit.link(PATH) class="call-filters" role="search" aria-label=t.filter>
            {field("event", t.event, &asked.filter.event)}
            {field("actor", t.who, &asked.filter.actor)}
            {field("target", t.on, &asked.filter.target)}
            {field("org", t.org, &asked.org)}
            <Button>{t.find}</Button>
            {clear}
        </form>
        <p class="hint">{t.hint}</p>
    }
    .into_any()
}

fn table(visit: &Visit, rows: &[AuditRow], moments: &Moments) -> AnyView {
    let t = &visit.t().admin.log;
    if rows.is_empty() {
        return view! { <EmptyState title=t.none_title><p>{t.none}</p></EmptyState> }.into_any();
    }
    let lines: Vec<AnyView> = rows.iter().map(|row| line(visit, row, moments)).collect();
    view! {
        <TableFrame caption=t.title>
            <thead>
                <tr>
                    <th scope="col">{t.when}</th>
                    <th scope="col">{t.who}</th>
                    <th scope="col">{t.event}</th>
                    <th scope="col">{t.on}</th>
                    <th scope="col">{t.change}</th>
                </tr>
            </thead>
            <tbody>{lines}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn line(visit: &Visit, row: &AuditRow, moments: &Moments) -> AnyView {
    let t = &visit.t().admin.log;
    let here = visit.link(PATH);
    let what =
        words::event(visit.locale, &row.event).or_else(|| super::words::event(visit.locale, &row.event));
    let what = what.map_or_else(|| row.event.clone(), str::to_owned);
    let by = Filter::default().with_actor(&row.actor).address(&here, None);
    let on = row.target.as_ref().map(|target| {
        let href = Filter::default().with_target(target).address(&here, None);
        view! { <a class="long" href=href>{target.clone()}</a> }
    });
    let reading = change::Reading { locale: visit.locale, numbers: visit.numbers, moments, names: None };
    view! {
        <tr>
            <th scope="row">{moments.exact(row.at_ms)}</th>
            <td data-label=t.who><a class="long" href=by>{row.actor.clone()}</a></td>
            <td data-label=t.event>{what}<span class="note"><code>{row.event.clone()}</code></span></td>
            <td data-label=t.on>{on}</td>
            <td data-label=t.change>
                <div class="event-change">
                    {change::of(reading, &row.detail_json)}
                    <span class="note">{format!("{} · {}", row.ip, row.request_id)}</span>
                </div>
            </td>
        </tr>
    }
    .into_any()
}
