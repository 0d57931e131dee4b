//! Whether the books are in order: what the checks of the ledger's rules found, what providers say we cost them, and what
//! failures cost us and nobody else.
use super::shell::{self, Part};
use super::who::Operator;
use crate::problem::Problem;
use crate::shell::Titled;
use crate::state::ConsoleState;
use crate::when::Moments;
use axum::extract::State;
use axum::response::Response;
use bytespike_catalog::decimal;
use bytespike_ledger::{AbsorbedBy, AbsorbedSum, InvariantRun, Reconciliation, ReconciliationFilter};
use bytespike_ui::components::{Badge, BadgeKind, Callout, CalloutKind, TableFrame};
use bytespike_ui::{Visit, format};
use leptos::prelude::*;

const DAY_MS: i64 = 86_400_000;
/// How far back absorbed costs are added up.
const SPAN_MS: i64 = 30 * DAY_MS;
const MOST_RUNS: u32 = 20;
const MOST_ROWS: u32 = 60;

/// `GET /admin/books`
pub(super) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    let now_ms = state.world.now_ms();
    let by_cause = AbsorbedBy { cause: true, ..AbsorbedBy::default() };
    let runs = state.ledger.invariant_runs(MOST_RUNS).await?;
    let days = state.ledger.reconciliations(&ReconciliationFilter::default(), MOST_ROWS).await?;
    let absorbed = state.ledger.absorbed(by_cause, (now_ms - SPAN_MS, now_ms + 1), MOST_ROWS).await?;
    let moments = Moments::new(visit.locale, "UTC", now_ms);
    let t = &visit.t().admin.books;
    let content = view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div></div>
        {checks(&visit, &runs, &moments)}
        {absorbed_part(&visit, &absorbed)}
        {reconciled(&visit, &days, &moments)}
    };
    Ok(shell::page((&visit, &operator), Part::Books, Titled::ok(t.title), content).await)
}

/// A section of the page: what it is about, what is to be said above its table, and what is said in the table's place.
struct Section {
    title: &'static str,
    lead: &'static str,
    none: &'static str,
    above: Option<AnyView>,
}

/// The section with its table. A column with `true` holds numbers.
fn section<const N: usize>(part: Section, columns: [(&'static str, bool); N], rows: Vec<AnyView>) -> AnyView {
    let Section { title, lead, none, above } = part;
    let head = columns.map(|(label, is_number)| {
        let class = is_number.then_some("num");
        view! { <th scope="col" class=class>{label}</th> }
    });
    let body = if rows.is_empty() {
        view! { <p class="soft">{none}</p> }.into_any()
    } else {
        let head = head.into_iter().collect_view();
        view! { <TableFrame caption=title><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></TableFrame> }
            .into_any()
    };
    view! { <section class="stack"><div><h2>{title}</h2><p class="soft">{lead}</p></div>{above}{body}</section> }
        .into_any()
}

fn checks(visit: &Visit, runs: &[InvariantRun], moments: &Moments) -> AnyView {
    let t = &visit.t().admin.books;
    let broken = runs.first().map(InvariantRun::violations).filter(|found| !found.is_empty());
    let broken = broken.map(|found| {
        let lines: Vec<AnyView> = found
            .into_iter()
            .map(|one| {
                view! { <li><code>{one.invariant}</code> " " <span class="long">{one.example}</span></li> }
                    .into_any()
            })
            .collect();
        view! { <Callout kind=CalloutKind::Warning title=t.broken.to_owned()><ul>{lines}</ul></Callout> }
            .into_any()
    });
    let part = Section { title: t.checks, lead: t.checks_lead, none: t.no_runs, above: broken };
    let columns = [(t.when, false), (t.scope, false), (t.rules, true), (t.found, false)];
    section(part, columns, runs.iter().map(|run| run_line(visit, run, moments)).collect())
}

fn run_line(visit: &Visit, run: &InvariantRun, moments: &Moments) -> AnyView {
    let t = &visit.t().admin.books;
    let found = run.violations().len();
    let badge = match found {
        0 => view! { <Badge kind=BadgeKind::Live label=t.in_order/> }.into_any(),
        found => {
            let label = t.violations(u64::try_from(found).unwrap_or(0));
            view! { <Badge kind=BadgeKind::Danger label=label/> }.into_any()
        }
    };
    view! {
        <tr>
            <th scope="row">{moments.exact(run.at_ms)}</th>
            <td data-label=t.scope>{if run.whole_history { t.whole } else { t.newest }}</td>
            <td class="num" data-label=t.rules>{run.checked}</td>
            <td data-label=t.found>{badge}</td>
        </tr>
    }
    .into_any()
}

fn absorbed_part(visit: &Visit, sums: &[AbsorbedSum]) -> AnyView {
    let t = &visit.t().admin.books;
    let row = |sum: &AbsorbedSum| {
        let cause = sum.cause.clone().unwrap_or_default();
        view! {
            <tr>
                <th scope="row">{cause_words(visit, &cause)}</th>
                <td class="num" data-label=t.calls>{sum.calls}</td>
                <td class="num" data-label=t.cost>{usd(sum.amount_pico)}</td>
            </tr>
        }
        .into_any()
    };
    let part = Section { title: t.absorbed, lead: t.absorbed_lead, none: t.no_absorbed, above: None };
    section(part, [(t.cause, false), (t.calls, true), (t.cost, true)], sums.iter().map(row).collect())
}

/// The words of the receipt for it; a cause that has none is shown as it is stored.
fn cause_words(visit: &Visit, cause: &str) -> AnyView {
    match crate::receipt::reason_text(visit.locale, cause) {
        Some(words) => words.into_any(),
        None => view! { <code>{cause.to_owned()}</code> }.into_any(),
    }
}

fn reconciled(visit: &Visit, days: &[Reconciliation], moments: &Moments) -> AnyView {
    let t = &visit.t().admin.books;
    let compared = days.iter().map(|day| day.at_ms).max();
    let compared =
        compared.map(|at_ms| view! { <p class="soft">{t.compared(moments.distance(at_ms))}</p> }.into_any());
    let part = Section { title: t.reconciled, lead: t.reconciled_lead, none: t.no_days, above: compared };
    let columns = [
        (t.day, false),
        (t.provider, false),
        (t.attempts, true),
        (t.expected, true),
        (t.actual, true),
        (t.state, false),
    ];
    section(part, columns, days.iter().map(|day| day_line(visit, day)).collect())
}

fn day_line(visit: &Visit, day: &Reconciliation) -> AnyView {
    let t = &visit.t().admin.books;
    let (kind, label) = match day.state.as_str() {
        "matched" => (BadgeKind::Live, t.matched),
        "missing" => (BadgeKind::Muted, t.missing),
        _ => (BadgeKind::Danger, t.unmatched),
    };
    let actual = day.actual_nano.map_or_else(|| "—".to_owned(), format::usd);
    let unpriced = u64::try_from(day.unpriced_attempts).unwrap_or(0);
    let unpriced = (unpriced > 0).then(|| view! { <span class="note">{t.unpriced(unpriced)}</span> });
    view! {
        <tr>
            <th scope="row">{format::iso_date(visit.locale, &day.day)}</th>
            <td data-label=t.provider>{day.provider.clone()}</td>
            <td class="num" data-label=t.attempts>{day.attempts}{unpriced}</td>
            <td class="num" data-label=t.expected>{format::usd(day.expected_nano)}</td>
            <td class="num" data-label=t.actual>{actual}</td>
            <td data-label=t.state><Badge kind=kind label=label/></td>
        </tr>
    }
    .into_any()
}

/// Pico-USD with what digits it has, at least two.
fn usd(pico: i128) -> String {
    format!("${}", decimal::format(pico, 12, 2))
}
