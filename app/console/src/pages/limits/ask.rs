//! Asking for more than a limit allows.
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::pages::keys::limits::{label_of, named, read_one, said};
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_gateway::quota::{OrgLimits, Which};
use bytespike_gateway::quota_requests::{NewRequest, RequestError};
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Breadcrumbs, Button, ButtonKind, ButtonLink, Field, Hidden, InputKind, Select, SelectOption, TextArea,
};
use leptos::prelude::*;

pub(super) const DAY_MS: i64 = 24 * 3_600_000;
const DAYS: [i64; 4] = [1, 7, 30, 90];

/// The limit that is in the way.
struct Limit {
    node: String,
    which: Which,
    now: i64,
    all: OrgLimits,
}

/// `GET /console/limits/ask?node=…&limit=…`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let query = Query::of(&visit);
    let (node, name) = (query.get("node").unwrap_or_default(), query.get("limit").unwrap_or_default());
    let limit = limit(&state, &who, (node, name)).await?;
    Ok(show((&visit, &who), &limit, &Form::filled([("until", "30".to_owned())])).await)
}

/// `POST /console/limits/ask`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let limit = limit(&state, &who, (form.value("node"), form.value("limit"))).await?;
    let wanted = match read_one(form.value("wanted"), (limit.which, visit.locale)) {
        Ok(wanted) => wanted.unwrap_or(0),
        Err(fault) => {
            form.refuse("wanted", fault);
            return Ok(show((&visit, &who), &limit, &form).await);
        }
    };
    let new = NewRequest {
        node: limit.node.clone(),
        which: limit.which,
        wanted,
        reason: form.value("reason").to_owned(),
        ends_at_ms: until(form.value("until"), state.world.now_ms()),
    };
    match state.quota_requests.ask(&who.origin, &who.member, new).await {
        Ok(()) => Ok(see_other(&flash::with(&visit.link("/console/limits"), Notice::RequestSent))),
        Err(error) => {
            refuse(&mut form, &visit, (&limit, error))?;
            Ok(show((&visit, &who), &limit, &form).await)
        }
    }
}

/// Days from now; for good when it is none of those offered.
pub(super) fn until(days: &str, now_ms: i64) -> Option<i64> {
    DAYS.into_iter().find(|known| known.to_string() == days).map(|days| now_ms + days * DAY_MS)
}

pub(super) fn until_options(visit: &Visit) -> Vec<SelectOption> {
    let t = &visit.t().limits.ask;
    let days = DAYS.map(|days| SelectOption::new(days.to_string(), t.until_days(days)));
    days.into_iter().chain([SelectOption::new("good", t.until_good)]).collect()
}

async fn limit(state: &ConsoleState, who: &SignedIn, (node, name): (&str, &str)) -> Result<Limit, Problem> {
    let which = Which::parse(name).ok_or(Problem::NotFound)?;
    let all = state.quotas().of_org(who.member.org_id()).await?;
    let now = all.value(node, which).ok_or(Problem::NotFound)?;
    if !super::binding_nodes(state, who).await?.iter().any(|one| one == node) {
        return Err(Problem::NotFound);
    }
    Ok(Limit { node: node.to_owned(), which, now, all })
}

fn refuse(form: &mut Form, visit: &Visit, (limit, error): (&Limit, RequestError)) -> Result<(), Problem> {
    let t = &visit.t().limits.error;
    match error {
        RequestError::NotMore => {
            form.refuse("wanted", t.not_more(said(visit.numbers, (limit.which, limit.now))));
        }
        RequestError::NoReason => form.refuse("reason", t.reason),
        RequestError::TooMany => form.refuse("wanted", t.too_many),
        RequestError::Unavailable(error) => return Err(error.into()),
        RequestError::Forbidden => return Err(Problem::Forbidden),
        _ => return Err(Problem::NotFound),
    }
    Ok(())
}

async fn show((visit, who): (&Visit, &SignedIn), limit: &Limit, form: &Form) -> Response {
    let t = &visit.t().limits;
    let title = t.ask.title;
    let (node, label) = (named(visit.locale, &limit.node, &limit.all), label_of(visit.locale, limit.which));
    let lead = t.ask.lead(label, node, said(visit.numbers, (limit.which, limit.now)));
    let back = visit.link("/console/limits");
    let above = vec![(back.clone(), t.page.title.to_owned())];
    let cancel = visit.t().console.word.cancel;
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=title/>
            <h1>{title}</h1>
            <p class="soft">{lead}</p>
        </div>
        {form.summary(visit.locale)}
        <form method="post" action=visit.link("/console/limits/ask") class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            <Hidden name="node" value=limit.node.clone()/>
            <Hidden name="limit" value=limit.which.name()/>
            <Field
                id="wanted" label=t.ask.wanted kind=InputKind::Number value=form.value("wanted")
                nostrip:fault=form.fault("wanted") autocomplete="off"
            />
            <Select id="until" label=t.ask.until options=until_options(visit) selected=form.value("until")/>
            <TextArea
                id="reason" label=t.ask.reason hint=t.ask.reason_hint value=form.value("reason")
                nostrip:fault=form.fault("reason") rows=3
            />
            <p class="actions">
                <Button kind=ButtonKind::Primary>{t.ask.submit}</Button>
                <ButtonLink kind=ButtonKind::Quiet href=back>{cancel}</ButtonLink>
            </p>
        </form>
    };
    shell::signed_in((visit, who), Section::Limits, Titled::of(visit, title, form), content).await
}
