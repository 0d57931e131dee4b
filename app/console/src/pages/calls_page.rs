//! The list of calls, with its filters in the address.
use crate::calls::{self, CallPage, narrowed, read_cursor, write_cursor};
use crate::filter::{Filter, Outcome};
use crate::pages::calls_live;
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::{self, Section, Titled};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytespike_accounts::keys::KeyInfo;
use bytespike_gateway::export::{CallTable, Columns};
use bytespike_ledger::Outcome::{Expired, Released, Settled};
use bytespike_ledger::UsageFilter;
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Button, ButtonKind, ButtonLink, EmptyState, Field, Pagination, Select, SelectOption, Tab, Tabs,
};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use jiff::tz::TimeZone;
use leptos::prelude::*;

pub(super) const ROWS: u32 = 50;
/// A file without dates has this much.
const UNDATED_MS: i64 = 30 * 24 * 3_600_000;
pub(super) const PATH: &str = "/console/calls";

/// `GET /console/calls`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let query = Query::of(&visit);
    let filter = Filter::of(&query);
    let after = query.get("after").and_then(read_cursor);
    let is_first = after.is_none();
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let asked = (filter.asked(&moments, narrowed(&who)), filter.outcome);
    let found = calls::load((&state, &who), asked, (after, ROWS)).await?;
    let keys = state.accounts.keys.list(&who.member).await?;
    let kept = kept(&state, (&visit, &who)).await?;
    let t = &visit.t().calls;
    let shown = results(&visit, &moments, &filter, &found);
    // What is older does not change.
    let newest = if is_first { calls_live::frame(&visit, &filter, shown) } else { shown };
    // Before the first call there is nothing to choose from.
    let is_unused = found.rows.is_empty() && is_first && !filter.is_set();
    let choices = (!is_unused).then(|| {
        view! { <div class="stack">{outcomes(&visit, &filter)} {filter_form(&visit, &filter, &keys)}</div> }
    });
    let content = view! {
        <div class="page-head"><div><h1>{t.page.title}</h1><p>{t.page.lead} {visit.locale.gap()} {kept}</p></div></div>
        {choices}
        {newest}
        {(!found.rows.is_empty()).then(|| files(&visit, &filter))}
        {paging(&visit, &filter, &found, is_first)}
    };
    Ok(shell::signed_in((&visit, &who), Section::Calls, Titled::ok(t.page.title), content).await)
}

/// Whether what calls say is kept, in a sentence.
async fn kept(state: &ConsoleState, (visit, who): (&Visit, &SignedIn)) -> Result<String, Problem> {
    let t = &visit.t().bodies.calls;
    let keeping = state.accounts.bodies.keeping(&who.member).await?;
    Ok(keeping.map_or_else(|| t.not_kept.to_owned(), |keeping| t.kept(u64::from(keeping.days))))
}

/// `GET /console/calls/calls.csv`
pub(crate) async fn calls_csv(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    table(&state, (&visit, &who), Columns::Calls).await
}

/// `GET /console/calls/focus.csv`
pub(crate) async fn focus_csv(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    table(&state, (&visit, &who), Columns::Focus).await
}

/// The calls that the filters in the address let through and that have ended, a piece at a time.
async fn table(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    columns: Columns,
) -> Result<Response, Problem> {
    let filter = Filter::of(&Query::of(visit));
    let now_ms = state.world.now_ms();
    let moments = Moments::new(visit.locale, who.member.time_zone(), now_ms);
    let asked = filter.asked(&moments, narrowed(who));
    let to_ms = asked.to_ms.unwrap_or(now_ms + 1);
    let only_settled = columns == Columns::Focus || filter.outcome == Outcome::Billed;
    let outcomes = match filter.outcome {
        _ if only_settled => vec![Settled],
        Outcome::NotBilled => vec![Released, Expired],
        _ => Vec::new(),
    };
    let wallet = state.ledger.wallet(who.member.org_id()).await?;
    let zone = wallet.and_then(|wallet| bytespike_ledger::time_zone(&wallet.time_zone));
    let tags = state.accounts.keys.tags(who.member.org_id()).await?;
    let table = CallTable {
        tags: tags.into(),
        org_id: who.member.org_id().to_owned(),
        filter: UsageFilter {
            from_ms: asked.from_ms.unwrap_or(to_ms - UNDATED_MS),
            to_ms,
            key_id: asked.key_id,
            member_id: asked.member_id,
            model: asked.model,
            outcomes,
            ..UsageFilter::default()
        },
        columns,
        zone: zone.unwrap_or(TimeZone::UTC),
        for_spreadsheet: true,
    };
    let name = if columns == Columns::Calls { "calls" } else { "focus" };
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"bytespike-{name}.csv\"")),
    ];
    let body = Body::from_stream(bytespike_gateway::export::calls(state.ledger.clone(), table));
    Ok((headers, body).into_response())
}

/// The same calls as files. A table without an outcome has what was billed, as a bill has.
fn files(visit: &Visit, filter: &Filter) -> AnyView {
    let t = &visit.t().calls.export;
    let link = |page: &str, filter: &Filter| filter.address(&visit.link(page), "");
    let billed = filter.with_outcome(Outcome::Billed);
    let csv = link("/console/calls/calls.csv", &billed);
    let csv_all = link("/console/calls/calls.csv", &filter.with_outcome(Outcome::All));
    let focus = link("/console/calls/focus.csv", &billed);
    view! {
        <section class="stack">
            <h2>{t.title}</h2>
            <p class="actions">
                <ButtonLink href=csv>{t.csv}</ButtonLink>
                <ButtonLink href=csv_all>{t.csv_all}</ButtonLink>
                <ButtonLink href=focus>{t.focus}</ButtonLink>
            </p>
            <p class="hint">{t.note}</p>
        </section>
    }
    .into_any()
}

fn outcomes(visit: &Visit, filter: &Filter) -> AnyView {
    let t = &visit.t().calls.filter;
    let tab = |outcome: Outcome| Tab {
        href: filter.with_outcome(outcome).address(&visit.link(PATH), ""),
        label: outcome_label(visit, outcome).to_owned(),
        is_current: filter.outcome == outcome,
    };
    let tabs = Outcome::ALL.map(tab).into();
    view! { <Tabs label=t.outcome tabs=tabs/> }.into_any()
}

fn outcome_label(visit: &Visit, outcome: Outcome) -> &'static str {
    let t = &visit.t().calls.filter;
    match outcome {
        Outcome::All => t.all,
        Outcome::Billed => t.billed,
        Outcome::NotBilled => t.not_billed,
        Outcome::Running => t.running,
    }
}

fn filter_form(visit: &Visit, filter: &Filter, keys: &[KeyInfo]) -> AnyView {
    let t = &visit.t().calls.filter;
    let any = SelectOption::new("", t.any);
    let keys = keys.iter().map(|key| SelectOption::new(&key.id, &key.terms.name));
    let options: Vec<SelectOption> = std::iter::once(any).chain(keys).collect();
    let clear = filter.is_set().then(|| {
        let label = visit.t().console.word.clear;
        view! { <ButtonLink kind=ButtonKind::Quiet href=visit.link(PATH)>{label}</ButtonLink> }
    });
    view! {
        <form method="get" action=visit.link(PATH) class="call-filters" role="search" aria-label=t.title>
            <input type="hidden" name="outcome" value=filter.outcome.code()/>
            <Field id="model" label=t.model value=filter.model.as_str() autocomplete="off"/>
            <Select id="key" label=t.key options=options selected=filter.key_id.as_str()/>
            {day_field("from", t.from, &filter.from)}
            {day_field("to", t.to, &filter.to)}
            <Button>{t.submit}</Button>
            {clear}
        </form>
    }
    .into_any()
}

fn day_field(id: &'static str, label: &'static str, value: &str) -> AnyView {
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input id=id name=id type="date" value=value.to_owned()/>
        </div>
    }
    .into_any()
}

fn results(visit: &Visit, moments: &Moments, filter: &Filter, found: &CallPage) -> AnyView {
    let t = &visit.t().calls.page;
    if found.rows.is_empty() && filter.is_set() {
        let (all, clear) = (visit.link(PATH), visit.t().console.word.clear);
        return view! { <EmptyState title=t.nothing_found><ButtonLink href=all>{clear}</ButtonLink></EmptyState> }
            .into_any();
    }
    if found.rows.is_empty() {
        let (keys, quickstart) = (visit.link("/console/keys"), visit.link("/docs/quickstart"));
        let labels = (visit.t().keys.list.title, visit.t().common.footer.quickstart);
        let links = view! {
            <p class="actions">
                <ButtonLink kind=ButtonKind::Primary href=keys>{labels.0}</ButtonLink>
                <ButtonLink href=quickstart>{labels.1}</ButtonLink>
            </p>
        };
        return view! { <EmptyState title=t.empty_title><p>{t.empty}</p>{links}</EmptyState> }.into_any();
    }
    let note =
        (filter.outcome == Outcome::NotBilled).then(|| view! { <p class="hint">{t.not_billed_note}</p> });
    view! { <div class="stack">{calls::table(visit, moments, &found.rows)} {note}</div> }.into_any()
}

/// Back means to the newest: a list that grows at its head has no stable page before this one.
fn paging(visit: &Visit, filter: &Filter, found: &CallPage, is_first: bool) -> AnyView {
    let here = visit.link(PATH);
    let newer = (!is_first).then(|| filter.address(&here, ""));
    let older = found.next.as_ref().map(|next| filter.address(&here, &write_cursor(next)));
    view! { <Pagination locale=visit.locale newer=newer older=older/> }.into_any()
}
