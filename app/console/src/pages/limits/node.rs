//! Every limit of one node, and what the node allows to the keys below it: the organisation, a deployment, a member. A key
//! has its terms on its own page.
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::pages::keys::{limits, terms};
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
    let all = settable(&state, &who, &node).await?;
    let wanted = limits::read(&mut form, visit.locale);
    let saved =
        !form.has_faults() && limits::save(&state, (&who, visit.locale), (&node, &wanted), &mut form).await?;
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
    let all = settable(&state, &who, &node).await?;
    if node.starts_with("key:") {
        return Err(Problem::NotFound);
    }
    let rules = &state.accounts.node_rules;
    let before = rules.of(who.member.org_id(), &node).await?;
    let rule = terms::read_rule(&mut form, (&state, visit.locale), &before);
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
    let rule = match forms.rule {
        _ if node.starts_with("key:") => None,
        Some(form) => Some(form),
        None => Some(terms::filled_rule(&state.accounts.node_rules.of(who.member.org_id(), node).await?)),
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
        {rule.map(|form| rule_part((visit, who), node, &form))}
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
                <p class="hint">{hints.0} " " {hints.1}</p>
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

fn rule_part((visit, who): (&Visit, &SignedIn), node: &str, form: &Form) -> AnyView {
    let t = &visit.t().limits.node;
    let action = format!("{}/rule", address(visit, node));
    view! {
        <section class="stack">
            <div><h2>{t.rules}</h2><p class="soft">{t.rules_lead}</p></div>
            <form method="post" action=action class="sheet">
                <Hidden name="csrf" value=who.token.clone()/>
                {terms::rule_fields(visit, form, true)}
                {terms::scope_fields((visit, who), form, None)}
                <p class="actions"><Button kind=ButtonKind::Primary>{t.rules_submit}</Button></p>
            </form>
        </section>
    }
    .into_any()
}
