//! One call's receipt: the equation, what it is made of, every attempt, and the facts around it.
use crate::calls::narrowed;
use crate::pages::receipt_bodies;
use crate::problem::Problem;
use crate::receipt::{Attempt, Body, component_text, reason_text};
use crate::shell::{self, Section, Titled};
use crate::state::ConsoleState;
use crate::when::{Moments, duration};
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use bytespike_accounts::keys::KeyState;
use bytespike_accounts::orgs::Preset;
use bytespike_dialects::Dialect;
use bytespike_ledger::Receipt as Stored;
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Badge, BadgeKind, Breadcrumbs, ButtonLink, KeyValues, Receipt, ReceiptEquation, ReceiptLine,
    ReceiptLines, TableFrame,
};
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use leptos::prelude::*;

/// `GET /console/receipts/{id}`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let body = load(&state, &who, &id).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let t = &visit.t().receipt;
    let above = vec![(visit.link("/console/calls"), visit.t().calls.page.title.to_owned())];
    let json = visit.link(&format!("/console/receipts/{}/json", body.id));
    let key = state.accounts.keys.find(&who.member, &body.caller.key_id).await?;
    let key_page = key.filter(|key| key.state != KeyState::Deleted);
    let key_page = key_page.map(|key| visit.link(&format!("/console/keys/{}", key.id)));
    let said = receipt_bodies::part(&state, (&visit, &who), (&body.id, &moments)).await?;
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=t.page.title/>
            <div class="page-head">
                <div><h1>{t.page.title}</h1><p><code>{body.id.clone()}</code></p></div>
                <ButtonLink href=json>{t.page.json}</ButtonLink>
            </div>
        </div>
        {summary(&visit, &body, who.member.preset() == Preset::China)}
        {charge(&visit, &body)}
        {attempts(&visit, &body.attempts)}
        <div class="columns">
            <section class="stack"><h2>{t.part.call}</h2><KeyValues pairs=call(&visit, &body, key_page)/></section>
            <section class="stack"><h2>{t.part.timing}</h2><KeyValues pairs=timing(&visit, &moments, &body)/></section>
        </div>
        {said}
    };
    Ok(shell::signed_in((&visit, &who), Section::Calls, Titled::ok(t.page.title), content).await)
}

/// `GET /console/receipts/{id}/json`: the receipt as the API answers it, for someone with a session instead of a key.
pub(crate) async fn json(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    who: SignedIn,
) -> Result<Response, Problem> {
    let receipt = find(&state, &who, &id).await?;
    Ok(([(CONTENT_TYPE, "application/json; charset=utf-8")], receipt.body).into_response())
}

async fn load(state: &ConsoleState, who: &SignedIn, id: &str) -> Result<Body, Problem> {
    read(id, &find(state, who, id).await?)
}

/// Another organisation's receipt, another member's where the role sees only its own, and none at all are the same.
async fn find(state: &ConsoleState, who: &SignedIn, id: &str) -> Result<Stored, Problem> {
    let stored = state.ledger.receipt(id).await?;
    let stored = stored.filter(|receipt| receipt.org_id == who.member.org_id()).ok_or(Problem::NotFound)?;
    match narrowed(who) {
        Some(member_id) if read(id, &stored)?.caller.member_id != member_id => Err(Problem::NotFound),
        _ => Ok(stored),
    }
}

fn read(id: &str, stored: &Stored) -> Result<Body, Problem> {
    serde_json::from_str(&stored.body).map_err(|error| {
        tracing::error!(%error, receipt_id = id, "a stored receipt could not be read");
        Problem::Unavailable
    })
}

fn summary(visit: &Visit, body: &Body, in_yuan: bool) -> AnyView {
    let t = &visit.t().receipt;
    let equation = Receipt {
        held: visit.numbers.grouped(&body.held.credits),
        charged: visit.numbers.grouped(&body.charged.credits),
        returned: visit.numbers.grouped(&body.returned.credits),
        is_delivered: body.outcome == "settled",
        lines: Vec::new(),
    };
    let why = reason_text(visit.locale, &body.reason).map_or_else(
        || view! { {t.reason.other} " " <code>{body.reason.clone()}</code> }.into_any(),
        |sentence| sentence.into_any(),
    );
    let money = (body.outcome == "settled").then(|| {
        let usd = visit.numbers.marked(&format!("${}", trimmed(&body.charged.usd)));
        let cny = || visit.numbers.marked(&trimmed(&body.charged.cny));
        if in_yuan { t.page.money_cny(cny(), usd) } else { t.page.money(usd) }
    });
    view! {
        <section class="stack">
            <ReceiptEquation locale=visit.locale receipt=equation nostrip:money=money/>
            <p>{why}</p>
        </section>
    }
    .into_any()
}

/// Decimals as the amount has them, two at least.
fn trimmed(decimal: &str) -> String {
    let Some((whole, fraction)) = decimal.split_once('.') else { return decimal.to_owned() };
    let kept = fraction.trim_end_matches('0').len().max(2).min(fraction.len());
    format!("{whole}.{}", fraction.get(..kept).unwrap_or(fraction))
}

fn charge(visit: &Visit, body: &Body) -> AnyView {
    let t = &visit.t().receipt;
    if body.lines.is_empty() {
        return view! { <section class="stack"><h2>{t.part.lines}</h2><p class="soft">{t.line.none}</p></section> }.into_any();
    }
    let line = |line: &crate::receipt::Line| ReceiptLine {
        component: component_text(visit.locale, &line.component),
        quantity: visit.numbers.grouped(&line.qty),
        price: visit.numbers.marked(&trimmed(&line.price_usd)),
        credits: visit.numbers.grouped(&line.credits),
    };
    let lines: Vec<ReceiptLine> = body.lines.iter().map(line).collect();
    let sums = [
        (t.line.sum, &body.sum_exact_credits, true),
        (t.line.rounding, &body.rounding_credits, is_more_than_nothing(&body.rounding_credits)),
        (t.line.over_hold, &body.over_hold_credits, is_more_than_nothing(&body.over_hold_credits)),
        (t.page.charged, &body.charged.credits, true),
    ];
    let sums = sums.into_iter().filter(|(_, _, is_shown)| *is_shown);
    let sums = sums.map(|(name, credits, _)| {
        (name.to_owned(), view! { <span class="num">{visit.numbers.grouped(credits)}</span> }.into_any())
    });
    view! {
        <section class="stack">
            <h2>{t.part.lines}</h2>
            <ReceiptLines locale=visit.locale lines=lines/>
            <div class="sums"><KeyValues pairs=sums.collect()/></div>
            <p class="hint">{t.part.lines_note}</p>
        </section>
    }
    .into_any()
}

fn is_more_than_nothing(credits: &str) -> bool {
    credits.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
}

fn attempts(visit: &Visit, attempts: &[Attempt]) -> AnyView {
    let t = &visit.t().receipt;
    if attempts.is_empty() {
        return ().into_any();
    }
    let rows: Vec<AnyView> = attempts.iter().map(|attempt| attempt_row(visit, attempt)).collect();
    view! {
        <section class="stack">
            <h2>{t.part.attempts}</h2>
            <TableFrame caption=t.part.attempts>
                <thead>
                    <tr>
                        <th scope="col">{t.attempt.number}</th>
                        <th scope="col">{t.attempt.channel}</th>
                        <th scope="col" class="num">{t.attempt.status}</th>
                        <th scope="col" class="num">{t.attempt.first_content}</th>
                        <th scope="col" class="num">{t.attempt.took}</th>
                        <th scope="col" class="num">{t.line.amount}</th>
                        <th scope="col">{t.attempt.outcome}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            <p class="hint">{t.part.attempts_note}</p>
        </section>
    }
    .into_any()
}

fn attempt_row(visit: &Visit, attempt: &Attempt) -> AnyView {
    let t = &visit.t().receipt.attempt;
    let status = attempt.status.map_or_else(|| t.no_answer.to_owned(), |status| status.to_string());
    let first = attempt.first_content_ms.map_or_else(|| "—".to_owned(), |ms| duration(visit.locale, ms));
    let outcome = match (attempt.outcome.as_str(), reason_text(visit.locale, &attempt.outcome)) {
        ("ok" | "landed", _) => view! { <Badge kind=BadgeKind::Live label=t.landed/> }.into_any(),
        (_, Some(sentence)) => sentence.into_any(),
        (code, None) => view! { <code>{code.to_owned()}</code> }.into_any(),
    };
    // What the provider calls it is told only where this page has no words for it.
    let finish = attempt.native_finish.as_ref().filter(|finish| reason_text(visit.locale, finish).is_none());
    let finish = finish.map(|finish| {
        view! { <span class="note">{t.finish} " " <code>{finish.clone()}</code></span> }
    });
    view! {
        <tr>
            <th scope="row">{attempt.n}</th>
            <td data-label=t.channel>{attempt.channel.clone()}</td>
            <td class="num" data-label=t.status>{status}</td>
            <td class="num" data-label=t.first_content>{first}</td>
            <td class="num" data-label=t.took>{duration(visit.locale, attempt.ms)}</td>
            <td class="num" data-label=visit.t().receipt.line.amount>{visit.numbers.grouped(&attempt.charged_credits)}</td>
            <td data-label=t.outcome><span>{outcome} {finish}</span></td>
        </tr>
    }
    .into_any()
}

/// `key_page` is where its key can be seen, if it still can.
fn call(visit: &Visit, body: &Body, key_page: Option<String>) -> Vec<(String, AnyView)> {
    let t = &visit.t().receipt.field;
    let code = |text: &str| view! { <code>{text.to_owned()}</code> }.into_any();
    let name = body.caller.key_name.clone();
    let key = match key_page {
        Some(href) => view! { <a href=href>{name}</a> }.into_any(),
        None => name.into_any(),
    };
    let source = match body.usage_source.as_deref() {
        Some("provider") => t.usage_provider,
        Some(_) => t.usage_delivered,
        None => t.usage_none,
    };
    let streamed = if body.request.stream { t.yes } else { t.no };
    let pairs = [
        (t.model_requested, code(&body.model.requested)),
        (t.model_served, body.model.served.as_deref().map_or_else(|| "—".into_any(), code)),
        (t.key, view! { {key} " " <code class="nowrap">{body.caller.key.clone()}</code> }.into_any()),
        (t.member, body.caller.member.clone().into_any()),
        (t.protocol, protocol(&body.request.protocol).into_any()),
        (t.streamed, streamed.into_any()),
        (t.usage_source, source.into_any()),
        (
            t.price_version,
            view! { <span title=body.price.hash.clone()>{body.price.version}</span> }.into_any(),
        ),
        (t.request, code(&body.request.id)),
        (t.api, view! { <code>"GET /v1/receipts/"<wbr/>{body.id.clone()}</code> }.into_any()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The name that people know a protocol by.
fn protocol(name: &str) -> String {
    let known = Dialect::ALL.into_iter().find(|dialect| dialect.name() == name);
    known.map_or_else(|| name.to_owned(), |dialect| dialect.title().to_owned())
}

fn timing(visit: &Visit, moments: &Moments, body: &Body) -> Vec<(String, AnyView)> {
    let t = &visit.t().receipt.time;
    let ms = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
    let held = ms(&body.timing.held_at);
    let first = body.timing.first_content_at.as_deref().and_then(ms);
    let finished = ms(&body.timing.resolved_at);
    let since = |at: Option<i64>| Some(duration(visit.locale, at? - held?));
    let exact = |at: Option<i64>| at.map_or_else(|| "—".into_any(), |at_ms| moments.exact(at_ms));
    let after = |at: Option<i64>| {
        let note = since(at).map(|after| view! { <span class="faint num">{format!(" +{after}")}</span> });
        view! { {exact(at)} {note} }.into_any()
    };
    let pairs = [(t.held, exact(held)), (t.first_content, after(first)), (t.finished, after(finished))];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
