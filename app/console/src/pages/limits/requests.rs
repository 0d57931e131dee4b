//! Requests for more: those that wait, one's own, and the page on which one is answered.
use super::ask::{until, until_options};
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::pages::keys::limits::{label_of, named, read_one, said};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_gateway::quota::{OrgLimits, Which};
use bytespike_gateway::quota_requests::{Answer, QuotaRequestRow, RequestError};
use bytespike_ledger::Names;
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Breadcrumbs, Button, ButtonKind, Field, Hidden, InputKind, Select, TableFrame, TextArea,
};
use leptos::prelude::*;

/// `GET /console/limits/requests/{id}`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let row = answerable(&state, &who, &id).await?;
    let which = Which::parse(&row.limit_name).ok_or(Problem::NotFound)?;
    let wanted =
        if which.is_credits() { crate::forms::amount::usd_field(row.wanted) } else { row.wanted.to_string() };
    let form = Form::filled([("granted", wanted), ("until", "30".to_owned())]);
    show(&state, (&visit, &who), (&row, which), &form).await
}

/// `POST /console/limits/requests/{id}`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let row = answerable(&state, &who, &id).await?;
    let which = Which::parse(&row.limit_name).ok_or(Problem::NotFound)?;
    let granted = match form.value("decision") {
        "grant" => match read_one(form.value("granted"), (which, visit.locale)) {
            Ok(Some(granted)) => Some(granted),
            Ok(None) => {
                return refused(&state, (&visit, &who), (&row, which), (form, RequestError::NotMore)).await;
            }
            Err(fault) => {
                form.refuse("granted", fault);
                return show(&state, (&visit, &who), (&row, which), &form).await;
            }
        },
        _ => None,
    };
    let answer = Answer {
        granted,
        ends_at_ms: until(form.value("until"), state.world.now_ms()),
        words: form.value("answer").to_owned(),
    };
    match state.quota_requests.answer(&who.origin, &who.member, (&row.id, answer)).await {
        Ok(()) => {
            let notice = if granted.is_some() { Notice::RequestGranted } else { Notice::RequestDeclined };
            Ok(see_other(&flash::with(&visit.link("/console/limits"), notice)))
        }
        Err(error) => refused(&state, (&visit, &who), (&row, which), (form, error)).await,
    }
}

/// `POST /console/limits/requests/{id}/withdraw`
pub(crate) async fn withdraw(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let who = post.who;
    let withdrawn = state.quota_requests.withdraw(&who.origin, &who.member, &id).await;
    withdrawn.map_err(problem)?;
    Ok(see_other(&flash::with(&visit.link("/console/limits"), Notice::RequestWithdrawn)))
}

async fn answerable(state: &ConsoleState, who: &SignedIn, id: &str) -> Result<QuotaRequestRow, Problem> {
    if !super::may_set(who) {
        return Err(Problem::Forbidden);
    }
    let found = state.quota_requests.find(&who.member, id).await?;
    found.filter(|row| row.state == "waiting").ok_or(Problem::NotFound)
}

fn problem(error: RequestError) -> Problem {
    match error {
        RequestError::Unavailable(error) => error.into(),
        RequestError::Limits(error) => Problem::unavailable(&error),
        RequestError::Forbidden => Problem::Forbidden,
        _ => Problem::NotFound,
    }
}

async fn refused(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    (row, which): (&QuotaRequestRow, Which),
    (mut form, error): (Form, RequestError),
) -> Result<Response, Problem> {
    match error {
        RequestError::Above(above) => {
            let all = state.quotas().of_org(who.member.org_id()).await?;
            let at = named(visit.locale, &above.node, &all);
            form.refuse(
                "granted",
                visit.t().keys.error.limit_above(said(visit.numbers, (which, above.most)), at),
            );
        }
        RequestError::NotMore => form.refuse("granted", visit.t().keys.error.limit_positive),
        RequestError::NotFound => form.refuse("granted", visit.t().limits.error.answered),
        other => return Err(problem(other)),
    }
    show(state, (visit, who), (row, which), &form).await
}

async fn show(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    (row, which): (&QuotaRequestRow, Which),
    form: &Form,
) -> Result<Response, Problem> {
    let t = &visit.t().limits;
    let all = state.quotas().of_org(who.member.org_id()).await?;
    let names = state.ledger.names(who.member.org_id()).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let title = t.request.title;
    let now = all
        .value(&row.node_id, which)
        .map_or_else(|| "–".to_owned(), |now| said(visit.numbers, (which, now)));
    let node = named(visit.locale, &row.node_id, &all);
    let label = label_of(visit.locale, which);
    let lead =
        t.request.lead(label, node, now, said(visit.numbers, (which, row.wanted)), names.get(&row.member_id));
    let until = match row.ends_at_ms {
        Some(at_ms) => t.request.until_date(moments.date(at_ms)),
        None => t.ask.until_good.to_owned(),
    };
    let above = vec![(visit.link("/console/limits"), t.page.title.to_owned())];
    let action = visit.link(&format!("/console/limits/requests/{}", row.id));
    let reason = row.reason.clone();
    let granted = if which.is_credits() { t.request.granted_usd } else { t.request.granted };
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=title/>
            <h1>{title}</h1>
            <p>{lead}</p>
            <p class="soft">{t.request.until(until)}</p>
        </div>
        <blockquote class="quoted"><p class="hint">{t.request.reason}</p><p>{reason}</p></blockquote>
        {form.summary(visit.locale)}
        <form method="post" action=action class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            <Field
                id="granted" label=granted kind=InputKind::Number value=form.value("granted")
                nostrip:fault=form.fault("granted") autocomplete="off"
            />
            <Select id="until" label=t.ask.until options=until_options(visit) selected=form.value("until")/>
            <TextArea id="answer" label=t.request.answer hint=t.request.answer_hint value=form.value("answer") rows=2/>
            <p class="actions">
                <button type="submit" class="button primary" name="decision" value="grant">{t.request.grant}</button>
                <button type="submit" class="button" name="decision" value="decline">{t.request.decline}</button>
            </p>
        </form>
    };
    Ok(shell::signed_in((visit, who), Section::Limits, Titled::of(visit, title, form), content).await)
}

/// Those that wait, for whoever answers them; else one's own. Nothing when there are none.
pub(super) async fn section(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    all: &OrgLimits,
    moments: &Moments,
) -> Result<Option<AnyView>, Problem> {
    let t = &visit.t().limits.request;
    let answers = super::may_set(who);
    let rows = state.quota_requests.list(&who.member).await?;
    let shown: Vec<QuotaRequestRow> = rows
        .into_iter()
        .filter(|row| if answers { row.state == "waiting" } else { row.state != "withdrawn" })
        .collect();
    if shown.is_empty() {
        return Ok(None);
    }
    let names = state.ledger.names(who.member.org_id()).await?;
    let title = if answers { t.waiting } else { t.mine };
    let rows: Vec<AnyView> =
        shown.iter().map(|row| request_row((visit, who), (all, &names, moments), row)).collect();
    let view = view! {
        <section class="stack">
            <h2>{title}</h2>
            <TableFrame caption=title>
                <thead>
                    <tr>
                        <th scope="col">{t.who}</th>
                        <th scope="col">{t.what}</th>
                        <th scope="col" class="num">{t.wanted}</th>
                        <th scope="col">{t.reason}</th>
                        <th scope="col">{t.state}</th>
                        <th scope="col"><span class="visually-hidden">{t.answer_link}</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </section>
    };
    Ok(Some(view.into_any()))
}

fn request_row(
    (visit, who): (&Visit, &SignedIn),
    (all, names, moments): (&OrgLimits, &Names, &Moments),
    row: &QuotaRequestRow,
) -> AnyView {
    let t = &visit.t().limits.request;
    let which = Which::parse(&row.limit_name).unwrap_or(Which::ALL[0]);
    let what = format!("{} · {}", label_of(visit.locale, which), named(visit.locale, &row.node_id, all));
    let page = visit.link(&format!("/console/limits/requests/{}", row.id));
    let (is_waiting, is_own) = (row.state == "waiting", row.member_id == who.member.member_id());
    let action = match (is_waiting, super::may_set(who), is_own) {
        (true, true, _) => view! { <a href=page>{t.answer_link}</a> }.into_any(),
        (true, false, true) => view! {
            <form method="post" action=format!("{page}/withdraw") class="inline">
                <Hidden name="csrf" value=who.token.clone()/>
                <Button kind=ButtonKind::Quiet>{t.withdraw}</Button>
            </form>
        }
        .into_any(),
        _ => ().into_any(),
    };
    let answer = (!row.answer.is_empty()).then(|| view! { <span class="note">{row.answer.clone()}</span> });
    view! {
        <tr>
            <th scope="row">{names.get(&row.member_id)}</th>
            <td data-label=t.what>{what}</td>
            <td class="num" data-label=t.wanted>{said(visit.numbers, (which, row.wanted))}</td>
            <td data-label=t.reason>{row.reason.clone()}</td>
            <td data-label=t.state>{state_words(visit, (row, which), moments)} {answer}</td>
            <td>{action}</td>
        </tr>
    }
    .into_any()
}

fn state_words(visit: &Visit, (row, which): (&QuotaRequestRow, Which), moments: &Moments) -> String {
    let t = &visit.t().limits.request;
    let granted = said(visit.numbers, (which, row.granted.unwrap_or(0)));
    match (row.state.as_str(), row.ends_at_ms) {
        ("granted", Some(at_ms)) => t.state_granted_until(granted, moments.date(at_ms)),
        ("granted", None) => t.state_granted(granted),
        ("declined", _) => t.state_declined.to_owned(),
        ("ended", _) => t.state_ended.to_owned(),
        ("withdrawn", _) => t.state_withdrawn.to_owned(),
        _ => t.state_waiting.to_owned(),
    }
}
