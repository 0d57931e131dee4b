//! Pages of calls: asked of the ledger state by state, merged newest first, and shown as table rows.
use crate::filter::Outcome;
use crate::problem::Problem;
use crate::state::ConsoleState;
use crate::when::{Moments, duration};
use crate::who::SignedIn;
use bytespike_accounts::role::Permission;
use bytespike_ledger::{CallFilter, CallRow, Page, UsageFilter};
use bytespike_ui::components::{Badge, BadgeKind, TableFrame};
use bytespike_ui::{Locale, Visit, format};
use leptos::prelude::*;
use std::cmp::Reverse;

/// Where a page starts: after the row held at this moment with this id.
pub(crate) type Cursor = (i64, String);

/// One page of calls, and where the next one starts if there is one.
pub(crate) struct CallPage {
    pub rows: Vec<CallRow>,
    pub next: Option<Cursor>,
}

/// The member whose calls alone the reader may see; `None` for all of the organisation's.
pub(crate) fn narrowed(who: &SignedIn) -> Option<&str> {
    if who.member.role().may(Permission::SeeOrgUsage) { None } else { Some(who.member.member_id()) }
}

/// The newest `limit` calls that fit.
pub(crate) async fn load(
    (state, who): (&ConsoleState, &SignedIn),
    (filter, outcome): (CallFilter, Outcome),
    (after, limit): (Option<Cursor>, u32),
) -> Result<CallPage, Problem> {
    if outcome == Outcome::Running {
        return running((state, who), &filter, (after, limit)).await;
    }
    let page = Page { after, limit: limit + 1 };
    let states: Vec<Option<&str>> = if outcome == Outcome::All {
        vec![None]
    } else {
        outcome.states().iter().copied().map(Some).collect()
    };
    let mut rows = Vec::new();
    for one in states {
        let filter = CallFilter { state: one.map(str::to_owned), ..filter.clone() };
        rows.extend(state.ledger.calls(who.member.org_id(), &filter, &page).await?);
    }
    rows.sort_by_key(|row| Reverse((row.held_at_ms, row.id.clone())));
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > wanted;
    rows.truncate(wanted);
    let next = rows.last().filter(|_| has_more).map(|last| (last.held_at_ms, last.id.clone()));
    Ok(CallPage { rows, next })
}

/// What runs now is found without reading what has ended. The longest running first: it is what one looks for.
async fn running(
    (state, who): (&ConsoleState, &SignedIn),
    filter: &CallFilter,
    (after, limit): (Option<Cursor>, u32),
) -> Result<CallPage, Problem> {
    let held = UsageFilter {
        key_id: filter.key_id.clone(),
        member_id: filter.member_id.clone(),
        model: filter.model.clone(),
        ..UsageFilter::default()
    };
    let mut rows = state.ledger.held_calls(who.member.org_id(), &held, (after, limit + 1)).await?;
    let within = |row: &CallRow| {
        filter.from_ms.is_none_or(|from| row.held_at_ms >= from)
            && filter.to_ms.is_none_or(|to| row.held_at_ms < to)
    };
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > wanted;
    rows.truncate(wanted);
    let next = rows.last().filter(|_| has_more).map(|last| (last.held_at_ms, last.id.clone()));
    rows.retain(within);
    Ok(CallPage { rows, next })
}

/// `1795276800000.rcp_0193…`, for addresses.
pub(crate) fn write_cursor(cursor: &Cursor) -> String {
    format!("{}.{}", cursor.0, cursor.1)
}

pub(crate) fn read_cursor(text: &str) -> Option<Cursor> {
    let (at_ms, id) = text.split_once('.')?;
    Some((at_ms.parse().ok()?, id.to_owned()))
}

/// The calls as a table; each row leads to its receipt.
pub(crate) fn table(visit: &Visit, moments: &Moments, rows: &[CallRow]) -> AnyView {
    let t = &visit.t().calls;
    let body: Vec<AnyView> = rows.iter().map(|call| row(visit, moments, call)).collect();
    view! {
        <TableFrame caption=t.page.title>
            <thead>
                <tr>
                    <th scope="col">{t.column.time}</th>
                    <th scope="col">{t.column.model}</th>
                    <th scope="col">{t.column.key}</th>
                    <th scope="col" class="num">{t.column.tokens}</th>
                    <th scope="col" class="num">{t.column.held}</th>
                    <th scope="col" class="num">{t.column.charged}</th>
                    <th scope="col" class="num">{t.column.took}</th>
                    <th scope="col">{t.column.outcome}</th>
                </tr>
            </thead>
            <tbody>{body}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn row(visit: &Visit, moments: &Moments, call: &CallRow) -> AnyView {
    let t = &visit.t().calls.column;
    let is_free = matches!(call.state.as_str(), "released" | "expired");
    let charged = call.charged_nano.map_or_else(|| "—".to_owned(), format::credits);
    let attempts = u64::try_from(call.attempts).ok().filter(|attempts| *attempts > 1);
    let tries = attempts
        .map(|attempts| view! { <span class="note">{visit.t().calls.attempt.count(attempts)}</span> });
    let took = call.duration_ms.map_or_else(|| "—".to_owned(), |ms| duration(visit.locale, ms));
    view! {
        <tr class=is_free.then_some("faded")>
            <th scope="row">{receipt_link(visit, moments, call)}</th>
            <td data-label=t.model>{bytespike_ui::components::breakable(&call.model_requested)}</td>
            <td data-label=t.key>{call.key_name.clone()}</td>
            <td class="num" data-label=t.tokens>{tokens(visit, call)}</td>
            <td class="num" data-label=t.held>{visit.numbers.credits(call.held_nano)}</td>
            <td class="num" data-label=t.charged>{charged}</td>
            <td class="num" data-label=t.took>{took}</td>
            <td data-label=t.outcome><span class="nowrap">{badge(visit.locale, call)} {dots(visit.locale, call)}</span>{tries}</td>
        </tr>
    }
    .into_any()
}

/// A call that still runs has no receipt yet.
fn receipt_link(visit: &Visit, moments: &Moments, call: &CallRow) -> AnyView {
    let when = moments.relative(call.held_at_ms);
    if call.state == "held" {
        return when;
    }
    let href = visit.link(&format!("/console/receipts/{}", call.id));
    view! { <a href=href>{when}</a> }.into_any()
}

/// In → out, and what came from a cache beside it.
fn tokens(visit: &Visit, call: &CallRow) -> AnyView {
    if call.state != "settled" {
        return "—".into_any();
    }
    let count = |tokens: i64| visit.numbers.count(u64::try_from(tokens).unwrap_or(0));
    let used = &call.quantities;
    let cached = (used.cache_read_tokens > 0)
        .then(|| view! { <span class="note">{visit.t().calls.column.cached_tokens(count(used.cache_read_tokens))}</span> });
    let input = used.input_tokens + used.cache_read_tokens + used.cache_write_tokens;
    // Reasoning is part of the output already.
    let both = format!("{} → {}", count(input), count(used.output_tokens));
    view! { <span>{both} {cached}</span> }.into_any()
}

fn badge(locale: Locale, call: &CallRow) -> AnyView {
    let t = &locale.t().calls.outcome;
    let (kind, label) = match call.state.as_str() {
        "settled" => (BadgeKind::Live, t.settled),
        "held" => (BadgeKind::Pending, t.held),
        "released" => (BadgeKind::Muted, t.released),
        _ => (BadgeKind::Muted, t.expired),
    };
    view! { <Badge kind=kind label=label/> }.into_any()
}

/// One mark for each attempt: a ring for one that failed, a disc for the one that landed.
fn dots(locale: Locale, call: &CallRow) -> Option<AnyView> {
    let attempts = call.attempts.clamp(0, 9);
    if attempts < 2 {
        return None;
    }
    let t = &locale.t().calls.attempt;
    let landed = call.state == "settled";
    let marks: String = (1..=attempts).map(|n| if landed && n == attempts { '●' } else { '○' }).collect();
    let text = if landed { t.landed(attempts) } else { t.failed(attempts) };
    Some(
        view! { " " <span class="dots" role="img" aria-label=text.clone() title=text>{marks}</span> }
            .into_any(),
    )
}
