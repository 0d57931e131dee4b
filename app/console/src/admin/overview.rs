//! The first page of an operator: whether the books are in order, and what of the installation wants looking after.
use super::shell::{self, Part};
use super::who::Operator;
use crate::problem::Problem;
use crate::shell::Titled;
use crate::state::ConsoleState;
use crate::when::Moments;
use axum::extract::State;
use axum::response::Response;
use bytespike_ledger::{BooksStatus, CallCounts};
use bytespike_ui::components::{Callout, CalloutKind, Stat, Stats};
use bytespike_ui::{Visit, format};
use leptos::prelude::*;

/// `GET /admin`
pub(super) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    let status = state.ledger.books_status().await?;
    let version = (state.gateway.book)().version;
    let moments = Moments::new(visit.locale, "UTC", state.world.now_ms());
    let t = &visit.t().admin.overview;
    let content = view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div></div>
        {broken(&visit, &status)}
        {tiles(&visit, (&status, version), &moments)}
    };
    Ok(shell::page((&visit, &operator), Part::Overview, Titled::ok(t.title), content).await)
}

fn broken(visit: &Visit, status: &BooksStatus) -> Option<AnyView> {
    let t = &visit.t().admin.overview;
    let violations = status.last_run.as_ref().map_or(0, |run| run.violations);
    let count = u64::try_from(violations).unwrap_or(u64::MAX);
    (violations > 0)
        .then(|| view! { <Callout kind=CalloutKind::Warning><p>{t.broken(count)}</p></Callout> }.into_any())
}

fn tiles(visit: &Visit, (status, version): (&BooksStatus, i64), moments: &Moments) -> AnyView {
    let t = &visit.t().admin.overview;
    let (books, books_note) = match &status.last_run {
        None => (t.never.to_owned(), t.never_note.to_owned()),
        Some(run) => {
            let word = if run.violations == 0 { t.in_order } else { t.not_in_order };
            (word.to_owned(), t.checked(number(run.checked), moments.distance(run.at_ms)))
        }
    };
    let calls = &status.calls;
    let free = calls.released + calls.expired;
    let tiles = [
        (t.books, books, books_note, Some("/admin/books")),
        (t.calls, number(calls.total()), t.calls_note(number(free)), None),
        (t.running, number(calls.held), counted(visit, calls, moments), None),
        (t.prices, t.version(number(version)), t.prices_note.to_owned(), Some("/admin/prices")),
    ];
    let tiles = tiles.map(|(label, value, note, page)| {
        view! { <Stat label=label value=value note=note nostrip:href=page.map(|page| visit.link(page))/> }
    });
    view! { <Stats>{tiles.into_iter().collect_view()}</Stats> }.into_any()
}

fn counted(visit: &Visit, calls: &CallCounts, moments: &Moments) -> String {
    let t = &visit.t().admin.overview;
    calls.counted_at_ms.map_or_else(|| t.not_counted.to_owned(), |at_ms| t.counted(moments.distance(at_ms)))
}

fn number(value: i64) -> String {
    format::count(u64::try_from(value).unwrap_or(0))
}
