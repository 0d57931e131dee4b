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
    });
    let rows: Vec<AnyView> = runs.iter().map(|run| run_line(visit, run, moments)).collect();
    let body = if rows.is_empty() {
        view! { <p class="soft">{t.no_runs}</p> }.into_any()
    } else {
        view! {
            <TableFrame caption=t.checks>
                <thead>
                    <tr>
                        <th scope="col">{t.when}</th>
                        <th scope="col">{t.scope}</th>
                        <th scope="col" class="num">{t.rules}</th>
                        <th scope="col">{t.found}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
        .into_any()
    };
    view! {
        <section class="stack">
            <div><h2>{t.checks}</h2><p class="soft">{t.checks_lead}</p></div>
            {broken}
            {body}
        </section>
    }
    .into_any()
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
    let rows: Vec<AnyView> = sums.iter().map(row).collect();
    let body = if rows.is_empty() {
        view! { <p class="soft">{t.no_absorbed}</p> }.into_any()
    } else {
        view! {
            <TableFrame caption=t.absorbed>
                <thead>
                    <tr>
                        <th scope="col">{t.cause}</th>
                        <th scope="col" class="num">{t.calls}</th>
                        <th scope="col" class="num">{t.cost}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
        .into_any()
    };
    view! {
        <section class="stack">
            <div><h2>{t.absorbed}</h2><p class="soft">{t.absorbed_lead}</p></div>
            {body}
        </section>
    }
    .into_any()
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
    let rows: Vec<AnyView> = days.iter().map(|day| day_line(visit, day)).collect();
    let compared = days.iter().map(|day| day.at_ms).max();
    let compared = compared.map(|at_ms| view! { <p class="soft">{t.compared(moments.distance(at_ms))}</p> });
    let body = if rows.is_empty() {
        view! { <p class="soft">{t.no_days}</p> }.into_any()
    } else {
        view! {
            <TableFrame caption=t.reconciled>
                <thead>
                    <tr>
                        <th scope="col">{t.day}</th>
                        <th scope="col">{t.provider}</th>
                        <th scope="col" class="num">{t.attempts}</th>
                        <th scope="col" class="num">{t.expected}</th>
                        <th scope="col" class="num">{t.actual}</th>
                        <th scope="col">{t.state}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
        .into_any()
    };
    view! {
        <section class="stack">
            <div><h2>{t.reconciled}</h2><p class="soft">{t.reconciled_lead}</p>{compared}</div>
            {body}
        </section>
    }
    .into_any()
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
