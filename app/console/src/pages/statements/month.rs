//! One month's statement, made to be printed, and its files.
use crate::movement;
use crate::problem::Problem;
use crate::shell::{self, Section, Titled};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use bytespike_ledger::{MovementLine, Pockets, Statement, Status, UsagePart};
use bytespike_ui::components::Column::{Number, Text};
use bytespike_ui::components::{
    Badge, BadgeKind, Breadcrumbs, ButtonLink, Callout, CalloutKind, KeyValues, Table,
};
use bytespike_ui::{Visit, format};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use jiff::Timestamp;
use leptos::prelude::*;

/// A statement, and its hash once it is closed.
struct Shown {
    statement: Statement,
    hash: Option<String>,
    json: String,
}

/// `GET /console/statements/{month}`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    Path(month): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let shown = find(&state, &who, &month).await?;
    let statement = &shown.statement;
    let t = &visit.t().statements;
    let title = t.page.month(format::iso_date(visit.locale, &statement.month));
    let above = vec![
        (visit.link("/console/wallet"), visit.t().wallet.page.title.to_owned()),
        (visit.link(super::PATH), t.page.title.to_owned()),
    ];
    let file = |kind: &str| visit.link(&format!("{}/{}/{kind}", super::PATH, statement.month));
    let is_running = statement.status == Status::Preview;
    let badge =
        if is_running { (BadgeKind::Pending, t.page.running) } else { (BadgeKind::Live, t.page.closed) };
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=title.clone()/>
            <div class="page-head">
                <h1>{title.clone()} <Badge kind=badge.0 label=badge.1/></h1>
                <p class="actions">
                    <ButtonLink href=file("csv")>{t.page.csv}</ButtonLink>
                    <ButtonLink href=file("json")>{t.page.json}</ButtonLink>
                </p>
            </div>
        </div>
        {is_running.then(|| view! { <Callout kind=CalloutKind::Note><p>{t.page.running_note}</p></Callout> })}
        <KeyValues pairs=facts(&visit, &state, &shown)/>
        <section class="stack"><h2>{t.sum.title}</h2>{sums(&visit, statement)}</section>
        <section class="stack"><h2>{t.moved.title}</h2>{moved(&visit, &state, statement)}</section>
        {used(&visit, statement)}
        <section class="stack"><h2>{t.free.title}</h2>{free(&visit, statement)}</section>
    };
    Ok(shell::signed_in((&visit, &who), Section::Wallet, Titled::ok(title), content).await)
}

/// `GET /console/statements/{month}/csv`
pub(crate) async fn csv(
    State(state): State<ConsoleState>,
    Path(month): Path<String>,
    who: SignedIn,
) -> Result<Response, Problem> {
    let shown = find(&state, &who, &month).await?;
    let name = format!("attachment; filename=\"bytespike-statement-{}.csv\"", shown.statement.month);
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, bytespike_gateway::export::statement(&shown.statement)).into_response())
}

/// `GET /console/statements/{month}/json`: as the API answers it.
pub(crate) async fn json(
    State(state): State<ConsoleState>,
    Path(month): Path<String>,
    who: SignedIn,
) -> Result<Response, Problem> {
    let shown = find(&state, &who, &month).await?;
    Ok(([(CONTENT_TYPE, "application/json; charset=utf-8")], shown.json).into_response())
}

async fn find(state: &ConsoleState, who: &SignedIn, month: &str) -> Result<Shown, Problem> {
    super::allowed(who)?;
    let org_id = who.member.org_id();
    if let Some(closed) = state.ledger.statement(org_id, month).await? {
        let statement = closed.read().ok_or(Problem::Unavailable)?;
        return Ok(Shown { statement, json: closed.json(), hash: Some(closed.hash) });
    }
    let running = state.ledger.statement_preview(org_id).await?.filter(|running| running.month == month);
    let statement = running.ok_or(Problem::NotFound)?;
    let json = serde_json::to_string(&statement).map_err(|_| Problem::Unavailable)?;
    Ok(Shown { statement, hash: None, json })
}

fn facts(visit: &Visit, state: &ConsoleState, shown: &Shown) -> Vec<(String, AnyView)> {
    let (t, statement) = (&visit.t().statements.fact, &shown.statement);
    let at = |text: &str| moment(visit, state, statement, text);
    let span = view! { {at(&statement.from)} " – " {at(&statement.to)} }.into_any();
    let mut pairs = vec![
        (t.organisation, statement.org.clone().into_any()),
        (t.span, span),
        (t.zone, statement.time_zone.clone().into_any()),
        (t.written, at(&statement.written_at)),
    ];
    let hash = shown.hash.clone();
    pairs.extend(hash.map(|hash| (t.hash, view! { <code>{hash}</code> }.into_any())));
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A statement's moments are those of its own calendar, whoever reads it.
fn moment(visit: &Visit, state: &ConsoleState, statement: &Statement, text: &str) -> AnyView {
    let moments = Moments::new(visit.locale, &statement.time_zone, state.world.now_ms());
    match text.parse::<Timestamp>() {
        Ok(at) => moments.exact(at.as_millisecond()),
        Err(_) => text.to_owned().into_any(),
    }
}

fn sums(visit: &Visit, statement: &Statement) -> AnyView {
    let t = &visit.t().statements.sum;
    let usage = &statement.usage;
    let paid_only = |amount: i64| (amount, 0);
    let both = |pockets: &Pockets| (pockets.paid_credits.nano(), pockets.bonus_credits.nano());
    let minus = |(paid, bonus): (i64, i64)| (-paid, -bonus);
    let closing = if statement.status == Status::Preview { t.so_far } else { t.closing };
    let lines = [
        (t.opening, both(&statement.opening)),
        (t.top_ups, paid_only(statement.top_ups.credits.nano())),
        (t.grants, (0, statement.grants.credits.nano())),
        (t.usage, minus((usage.from_paid_credits.nano(), usage.from_bonus_credits.nano()))),
        (t.expired, minus(both(&statement.expired))),
        (t.withdrawals, minus(paid_only(statement.withdrawals.credits.nano()))),
        (t.debits, minus(both(&statement.debits.taken))),
        (closing, both(&statement.closing)),
    ];
    let last = lines.len() - 1;
    let rows = lines.into_iter().enumerate().map(|(at, (label, (paid, bonus)))| {
        view! {
            <tr class=(at == last).then_some("total")>
                <th scope="row">{label}</th>
                <td class="num" data-label=t.paid>{visit.numbers.credits(paid)}</td>
                <td class="num" data-label=t.bonus>{visit.numbers.credits(bonus)}</td>
                <td class="num" data-label=t.total>{visit.numbers.credits(paid.saturating_add(bonus))}</td>
            </tr>
        }
    });
    let columns = vec![Text(t.line), Number(t.paid), Number(t.bonus), Number(t.total)];
    view! { <Table caption=t.title columns=columns rows=rows.map(IntoAny::into_any).collect()/> }.into_any()
}

fn moved(visit: &Visit, state: &ConsoleState, statement: &Statement) -> AnyView {
    let t = &visit.t().statements.moved;
    let lines = |kind: &'static str, moved: &[MovementLine], sign: i64| {
        let row = |line: &MovementLine| {
            view! {
                <tr>
                    <th scope="row">{moment(visit, state, statement, &line.at)}</th>
                    <td data-label=t.what>{movement::described(visit, kind, line.note.as_deref())}</td>
                    <td class="num" data-label=t.credits>{visit.numbers.credits(sign * line.credits.nano())}</td>
                </tr>
            }
            .into_any()
        };
        moved.iter().map(row).collect::<Vec<AnyView>>()
    };
    let mut rows = lines("top_up", &statement.top_ups.lines, 1);
    rows.extend(lines("grant", &statement.grants.lines, 1));
    rows.extend(lines("withdrawal", &statement.withdrawals.lines, -1));
    rows.extend(lines("debit", &statement.debits.lines, -1));
    if rows.is_empty() {
        return view! { <p class="soft">{t.none}</p> }.into_any();
    }
    let columns = vec![Text(t.time), Text(t.what), Number(t.credits)];
    view! { <Table caption=t.title columns=columns rows=rows/> }.into_any()
}

fn used(visit: &Visit, statement: &Statement) -> AnyView {
    let (t, usage) = (&visit.t().statements.used, &statement.usage);
    if usage.by_model.is_empty() {
        return view! { <section class="stack"><h2>{t.title}</h2><p class="soft">{t.none}</p></section> }
            .into_any();
    }
    let parts = [
        (t.by_model, &usage.by_model),
        (t.by_key, &usage.by_key),
        (t.by_member, &usage.by_member),
        (t.by_deployment, &usage.by_deployment),
    ];
    let sections = parts.map(|(title, parts)| {
        view! { <section class="stack even"><h2>{title}</h2>{part_table(visit, title, parts)}</section> }
    });
    sections.into_iter().collect_view().into_any()
}

fn part_table(visit: &Visit, title: &'static str, parts: &[UsagePart]) -> AnyView {
    let t = &visit.t().statements.used;
    let count = |calls: i64| visit.numbers.count(u64::try_from(calls).unwrap_or(0));
    let rows = parts.iter().map(|part| {
        view! {
            <tr>
                <th scope="row">{bytespike_ui::components::breakable(&part.name)}</th>
                <td class="num" data-label=t.calls>{count(part.calls)}</td>
                <td class="num" data-label=t.not_billed>{count(part.not_billed_calls)}</td>
                <td class="num" data-label=t.charged>{visit.numbers.credits(part.charged_credits.nano())}</td>
            </tr>
        }
    });
    let rows: Vec<AnyView> = rows.map(IntoAny::into_any).collect();
    let columns = vec![Text(t.name), Number(t.calls), Number(t.not_billed), Number(t.charged)];
    view! { <Table caption=title columns=columns rows=rows/> }.into_any()
}

fn free(visit: &Visit, statement: &Statement) -> AnyView {
    let t = &visit.t().statements.free;
    let number = |calls: i64| u64::try_from(calls).unwrap_or(0);
    let (failed, open) = (&statement.not_billed, &statement.open_holds);
    let text = if failed.calls == 0 {
        t.none.to_owned()
    } else {
        let charged = visit.numbers.credits(failed.charged_credits.nano());
        t.text(number(failed.calls), charged, visit.numbers.credits(failed.held_credits.nano()))
    };
    let open = (open.calls > 0).then(
        || view! { <p>{t.open(number(open.calls), visit.numbers.credits(open.held_credits.nano()))}</p> },
    );
    view! { <p>{text}</p> {open} }.into_any()
}
