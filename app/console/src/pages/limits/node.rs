//! Every limit of one node, and what the node allows to the keys below it: the organisation, a deployment, a member. A key
//! has its terms on its own page.
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::pages::keys::limits;
use crate::pages::limits::rule;
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::keys::Manager;
use bytespike_gateway::quota::OrgLimits;
use bytespike_ui::Visit;
use bytespike_ui::components::{Breadcrumbs, Button, ButtonKind, ButtonLink, Hidden};
use leptos::prelude::*;

/// `GET /console/limits/node/{node}`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    Path(node): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let all = settable(&state, &who, &node).await?;
    show(&state, (&visit, &who), (&node, &all), Forms::default()).await
}

/// `POST /console/limits/node/{node}`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    Path(node): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let all = settable(&state, &who, &node).await?;
    let wanted = limits::read(&mut form, visit.locale);
    let saved =
        !form.has_faults() && limits::save(&state, (&visit, &who), (&node, &wanted), &mut form).await?;
    match saved {
        true => Ok(see_other(&flash::with(&address(&visit, &node), Notice::LimitsSaved))),
        false => show(&state, (&visit, &who), (&node, &all), Forms { limits: Some(form), rule: None }).await,
    }
}

/// `POST /console/limits/node/{node}/rule`
pub(crate) async fn set_rule(
    State(state): State<ConsoleState>,
    Path(node): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let all = settable(&state, &who, &node).await?;
    if node.starts_with("key:") {
        return Err(Problem::NotFound);
    }
    let rules = &state.accounts.node_rules;
    let before = rules.of(who.member.org_id(), &node).await?;
    let rule = rule::read(&mut form, (&state, visit.locale), &before);
    if form.has_faults() {
        return show(&state, (&visit, &who), (&node, &all), Forms { limits: None, rule: Some(form) }).await;
    }
    let by = (&who.origin, Manager::Member(&who.member).actor());
    rules.set(by, (who.member.org_id(), &node), &rule).await?;
    Ok(see_other(&flash::with(&address(&visit, &node), Notice::LimitsSaved)))
}

fn address(visit: &Visit, node: &str) -> String {
    visit.link(&format!("/console/limits/node/{node}"))
}

/// The forms of this page that came back with faults.
#[derive(Default)]
struct Forms {
    limits: Option<Form>,
    rule: Option<Form>,
}

/// A node of the reader's organisation, if they set limits.
async fn settable(state: &ConsoleState, who: &SignedIn, node: &str) -> Result<OrgLimits, Problem> {
    if !super::may_set(who) {
        return Err(Problem::Forbidden);
    }
    let all = state.quotas().of_org(who.member.org_id()).await?;
    if all.tree.get(node).is_some() { Ok(all) } else { Err(Problem::NotFound) }
}

async fn show(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    (node, all): (&str, &OrgLimits),
    forms: Forms,
) -> Result<Response, Problem> {
    let t = &visit.t().limits;
    let title = t.node.title(limits::named(visit.locale, node, all));
    let faulty = forms.limits.as_ref().or(forms.rule.as_ref());
    let titled = if faulty.is_some() { Titled::faulty(visit, &title) } else { Titled::ok(title.clone()) };
    let summary = faulty.map(|form| form.summary(visit.locale));
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let above = vec![(visit.link("/console/limits"), t.page.title.to_owned())];
    let rule = match node.starts_with("key:") {
        true => None,
        false => {
            let rule = state.accounts.node_rules.of(who.member.org_id(), node).await?;
            let ends = rule::ends(&rule, moments.now_ms);
            let form = forms.rule.unwrap_or_else(|| rule::filled(rule));
            let action = format!("{}/rule", address(visit, node));
            Some(rule::part((visit, who), (action, &ends), &moments, &form))
        }
    };
    let limit_form = forms.limits.unwrap_or_else(|| limits::filled(node, all));
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=title.clone()/>
            <h1>{title}</h1>
        </div>
        {summary}
        <section class="stack">{limits::table(visit, &moments, node, all)}</section>
        {limits_part((visit, who), node, &limit_form)}
        {rule}
    };
    Ok(shell::signed_in((visit, who), Section::Limits, titled, content).await)
}

fn limits_part((visit, who): (&Visit, &SignedIn), node: &str, form: &Form) -> AnyView {
    let t = &visit.t().limits;
    let action = address(visit, node);
    let (back, cancel) = (visit.link("/console/limits"), visit.t().console.word.cancel);
    let hints = (visit.t().keys.create.limits_lead, visit.t().keys.detail.change_limits_hint);
    view! {
        <form method="post" action=action class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            <fieldset>
                <legend>{t.node.spend}</legend>
                <p class="hint">{hints.0} {visit.locale.gap()} {hints.1}</p>
                {limits::spend_fields(visit.locale, form)}
            </fieldset>
            <fieldset><legend>{t.node.calls}</legend>{limits::call_fields(visit.locale, form)}</fieldset>
            <p class="actions">
                <Button kind=ButtonKind::Primary>{t.node.submit}</Button>
                <ButtonLink kind=ButtonKind::Quiet href=back>{cancel}</ButtonLink>
            </p>
        </form>
    }
    .into_any()
}
