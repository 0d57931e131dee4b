//! The audit log: every change in the organisation, who made it, and what it changed.
pub(crate) mod change;
pub(crate) mod filter;
pub(crate) mod words;

use crate::pages::members::tabs::{self, OrgTab};
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::{self, Section, Titled};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use bytespike_accounts::audit::AuditRow;
use bytespike_gateway::export::{self, AuditTable};
use bytespike_ledger::Names;
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Button, ButtonKind, ButtonLink, EmptyState, Hidden, Pagination, Select, SelectOption, TableFrame,
};
use filter::Filter;
use leptos::prelude::*;
use std::sync::Arc;

const PATH: &str = "/console/audit";
const CSV: &str = "/console/audit/audit.csv";
const ROWS: i64 = 50;

/// What a page of the log is made of.
struct Log {
    rows: Vec<AuditRow>,
    /// Whether there are older events than these.
    has_more: bool,
    names: Names,
    /// Those who may have acted, as the filter offers them: `person:…` and a name.
    actors: Vec<(String, String)>,
}

/// `GET /console/audit`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let query = Query::of(&visit);
    let filter = Filter::of(&query);
    let after: Option<i64> = query.get("after").and_then(|seq| seq.parse().ok());
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let log = load(&state, &who, &filter.asked(&moments, after)).await?;
    let here = visit.link(PATH);
    let newer = after.map(|_| filter.address(&here, None));
    let last = log.rows.last().map(|row| row.seq).filter(|_| log.has_more);
    let older = last.map(|seq| filter.address(&here, Some(seq)));
    let t = &visit.t().people.audit;
    let content = view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div></div>
        {tabs::of((&visit, &who), OrgTab::Audit)}
        {filter_form(&visit, &filter, &log)}
        {results(&visit, &moments, &filter, &log)}
        <Pagination locale=visit.locale newer=newer older=older/>
        {(!log.rows.is_empty()).then(|| download(&visit, filter.address(&visit.link(CSV), None)))}
    };
    Ok(shell::signed_in((&visit, &who), Section::Organisation, Titled::ok(t.title), content).await)
}

/// `GET /console/audit/audit.csv`: all that the filters let through, the newest first.
pub(crate) async fn csv(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let filter = Filter::of(&Query::of(&visit)).asked(&moments, None);
    let org_id = Some(who.member.org_id().to_owned());
    let actors = actors(&state, who.member.org_id()).await?.into_iter().collect();
    Ok(file(&state, AuditTable { org_id, filter, actors: Arc::new(actors) }))
}

/// The log as a download.
pub(crate) fn file(state: &ConsoleState, table: AuditTable) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"bytespike-audit.csv\""),
    ];
    let body = Body::from_stream(export::audit(state.accounts.audit.clone(), table));
    (headers, body).into_response()
}

/// The people of the org, as `person:…`, and their names.
async fn actors(state: &ConsoleState, org_id: &str) -> Result<Vec<(String, String)>, Problem> {
    let people = state.accounts.people.persons_of_org(org_id).await?;
    Ok(people.into_iter().map(|(id, name)| (format!("person:{id}"), name)).collect())
}

async fn load(
    state: &ConsoleState,
    who: &SignedIn,
    asked: &bytespike_accounts::audit::AuditFilter,
) -> Result<Log, Problem> {
    let org_id = who.member.org_id();
    // One more than is shown tells whether there is another page.
    let mut rows = state.accounts.audit.of_org(org_id, asked, ROWS + 1).await?;
    let has_more = rows.len() > usize::try_from(ROWS).unwrap_or(usize::MAX);
    rows.truncate(usize::try_from(ROWS).unwrap_or(usize::MAX));
    let actors = actors(state, org_id).await?;
    Ok(Log { rows, has_more, names: state.ledger.names(org_id).await?, actors })
}

/// The button under the log that takes along all that the filters let through.
pub(crate) fn download(visit: &Visit, href: String) -> AnyView {
    let t = &visit.t().people.audit;
    view! {
        <div class="stack">
            <p class="actions"><ButtonLink href=href>{t.download}</ButtonLink></p>
            <p class="hint">{t.download_note}</p>
        </div>
    }
    .into_any()
}

fn filter_form(visit: &Visit, filter: &Filter, log: &Log) -> AnyView {
    let t = &visit.t().people.audit;
    let any = || std::iter::once(SelectOption::new("", t.any));
    let things = words::things(visit.locale).map(|(start, word)| SelectOption::new(start, word));
    let one = words::things(visit.locale).iter().all(|(start, _)| *start != filter.event);
    let one = Some(&filter.event).filter(|event| one && !event.is_empty());
    let one = one.map(|event| SelectOption::new(event, words::event(visit.locale, event).unwrap_or(event)));
    let things = any().chain(things).chain(one).collect();
    let actors = log.actors.iter().map(|(id, name)| SelectOption::new(id, name));
    let other = log.actors.iter().all(|(id, _)| *id != filter.actor) && !filter.actor.is_empty();
    let other = other.then(|| SelectOption::new(&filter.actor, actor_name(log, &filter.actor)));
    let actors = any().chain(actors).chain(other).collect();
    let clear = filter.is_set().then(|| {
        let label = visit.t().console.word.clear;
        view! { <ButtonLink kind=ButtonKind::Quiet href=visit.link(PATH)>{label}</ButtonLink> }
    });
    let target = Some(filter.target.clone()).filter(|target| !target.is_empty());
    view! {
        <form method="get" action=visit.link(PATH) class="call-filters" role="search" aria-label=t.filter>
            {target.map(|target| view! { <Hidden name="target" value=target/> })}
            <Select id="event" label=t.about options=things selected=filter.event.as_str()/>
            <Select id="actor" label=t.who options=actors selected=filter.actor.as_str()/>
            {day_field("from", t.from, &filter.from)}
            {day_field("to", t.to, &filter.to)}
            <Button>{t.submit}</Button>
            {clear}
        </form>
    }
    .into_any()
}

fn day_field(id: &'static str, label: &'static str, value: &str) -> AnyView {
    let value = value.to_owned();
    view! {
        <div class="field"><label for=id>{label}</label><input id=id name=id type="date" value=value/></div>
    }
    .into_any()
}

fn results(visit: &Visit, moments: &Moments, filter: &Filter, log: &Log) -> AnyView {
    let t = &visit.t().people.audit;
    if log.rows.is_empty() {
        let text = if filter.is_set() { t.nothing_found } else { t.empty };
        return view! { <EmptyState title=t.empty_title><p>{text}</p></EmptyState> }.into_any();
    }
    let rows: Vec<AnyView> = log.rows.iter().map(|row| line((visit, moments), filter, log, row)).collect();
    view! {
        <TableFrame caption=t.title>
            <thead>
                <tr>
                    <th scope="col">{t.when}</th>
                    <th scope="col">{t.who}</th>
                    <th scope="col">{t.what}</th>
                    <th scope="col">{t.on}</th>
                    <th scope="col">{t.change}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn line((visit, moments): (&Visit, &Moments), filter: &Filter, log: &Log, row: &AuditRow) -> AnyView {
    let t = &visit.t().people.audit;
    let here = visit.link(PATH);
    let what = match words::event(visit.locale, &row.event) {
        Some(words) => words.into_any(),
        None => view! { <code>{row.event.clone()}</code> }.into_any(),
    };
    let by = filter.with_actor(&row.actor).address(&here, None);
    let on = row.target.as_ref().map(|target| {
        let name = log.names.get(target.split_once(':').map_or(target.as_str(), |(_, id)| id));
        view! { <a class="long" href=filter.with_target(target).address(&here, None)>{name}</a> }
    });
    let source = match row.request_id.as_str() {
        "" => row.ip.clone(),
        request_id => format!("{} · {request_id}", row.ip),
    };
    let reading =
        change::Reading { locale: visit.locale, numbers: visit.numbers, moments, names: Some(&log.names) };
    view! {
        <tr>
            <th scope="row">{moments.exact(row.at_ms)}</th>
            <td data-label=t.who><a href=by>{actor(visit, log, &row.actor)}</a></td>
            <td data-label=t.what>{what}</td>
            <td data-label=t.on>{on}</td>
            <td data-label=t.change>
                <div class="event-change">
                    {change::of(reading, &row.detail_json)}
                    <span class="note">{source}</span>
                </div>
            </td>
        </tr>
    }
    .into_any()
}

fn actor(visit: &Visit, log: &Log, actor: &str) -> String {
    let t = &visit.t().people.audit;
    match actor.split_once(':') {
        Some(("person", _)) => actor_name(log, actor),
        Some(("key", id)) => t.by_key(log.names.get(id)),
        Some(("operator" | "operator-token", _)) => t.by_operator.to_owned(),
        _ if actor == "host" => t.by_operator.to_owned(),
        _ => t.by_program.to_owned(),
    }
}

fn actor_name(log: &Log, actor: &str) -> String {
    let known = log.actors.iter().find(|(id, _)| id == actor).map(|(_, name)| name.clone());
    known.unwrap_or_else(|| log.names.get(actor.split_once(':').map_or(actor, |(_, id)| id)))
}
