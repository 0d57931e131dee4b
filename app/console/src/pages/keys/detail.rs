//! One key: what it may spend, what it is, and how to change or end it.
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost, words};
use crate::pages::keys::{find, is_live, limits, may_manage, state_badge};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::keys::{KeyError, KeyInfo, ModelRule};
use bytespike_accounts::role::Permission;
use bytespike_ledger::NodeId;
use bytespike_ui::Visit;
use bytespike_ui::components::{Breadcrumbs, Button, ButtonKind, ButtonLink, Field, Hidden, KeyValues};
use leptos::prelude::*;

/// `GET /console/keys/{id}`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    Path(key_id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let key = find(&state, &who, &key_id).await?;
    show(&state, (&visit, &who), &key, Forms::default()).await
}

/// `POST /console/keys/{id}/name`
pub(crate) async fn rename(
    State(state): State<ConsoleState>,
    Path(key_id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let key = find(&state, &who, &key_id).await?;
    match state.accounts.keys.rename(&who.origin, &who.member, &key.id, form.value("name")).await {
        Ok(()) => Ok(see_other(&flash::with(&address(&visit, &key), Notice::KeyRenamed))),
        Err(KeyError::Name(problem)) => {
            form.refuse("name", words::name(visit.locale, problem));
            show(&state, (&visit, &who), &key, Forms { name: Some(form), limits: None }).await
        }
        Err(error) => Err(problem_of(error)),
    }
}

/// `POST /console/keys/{id}/limits`
pub(crate) async fn set_limits(
    State(state): State<ConsoleState>,
    Path(key_id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let key = find(&state, &who, &key_id).await?;
    if !may_limit(&who) {
        return Err(Problem::Forbidden);
    }
    let wanted = limits::read(&mut form, visit.locale);
    if form.has_faults() {
        return show(&state, (&visit, &who), &key, Forms { name: None, limits: Some(form) }).await;
    }
    limits::save(&state, &who, &key.id, wanted).await?;
    Ok(see_other(&flash::with(&address(&visit, &key), Notice::LimitsSaved)))
}

/// The forms of this page that came back with faults.
#[derive(Default)]
struct Forms {
    name: Option<Form>,
    limits: Option<Form>,
}

/// Setting limits at creation only narrows a key one may create anyway; changing them later is for those who
/// answer for the organisation's money.
fn may_limit(who: &SignedIn) -> bool {
    who.member.role().may(Permission::SetLimits)
}

pub(super) fn problem_of(error: KeyError) -> Problem {
    match error {
        KeyError::NotFound => Problem::NotFound,
        KeyError::Unavailable(error) => error.into(),
        _ => Problem::Forbidden,
    }
}

pub(super) fn address(visit: &Visit, key: &KeyInfo) -> String {
    visit.link(&format!("/console/keys/{}", key.id))
}

async fn show(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    key: &KeyInfo,
    forms: Forms,
) -> Result<Response, Problem> {
    let t = &visit.t().keys;
    let all = state.ledger.limits(who.member.org_id()).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let faulty = forms.name.as_ref().or(forms.limits.as_ref());
    let titled =
        if faulty.is_some() { Titled::faulty(visit, &key.name) } else { Titled::ok(key.name.as_str()) };
    let above = vec![(visit.link("/console/keys"), t.list.title.to_owned())];
    let nodes = [
        NodeId::org(who.member.org_id()),
        NodeId::deployment(&key.deployment_id),
        NodeId::member(&key.member_id),
        NodeId::key(&key.id),
    ];
    let can_change = may_manage(who) && is_live(key, moments.now_ms);
    let calls = visit.link(&format!("/console/calls?key={}", key.id));
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=key.name.clone()/>
            <div class="page-head">
                <h1>{key.name.clone()} " " {state_badge(visit.locale, key, moments.now_ms)}</h1>
                <ButtonLink href=calls>{t.detail.calls}</ButtonLink>
            </div>
        </div>
        {faulty.map(|form| form.summary(visit.locale))}
        <section class="stack">
            <h2>{t.detail.spent}</h2>
            {limits::table(visit, &moments, &nodes, &all)}
            {(can_change && may_limit(who)).then(|| {
                let form = forms.limits.clone().unwrap_or_else(|| limits::filled(&key.id, &all));
                limit_form(visit, who, key, &form)
            })}
        </section>
        <section class="stack"><h2>{t.detail.facts}</h2><KeyValues pairs=facts(visit, &moments, key)/></section>
        {can_change.then(|| rename_form(visit, who, key, forms.name.as_ref()))}
        {can_change.then(|| danger(visit, key))}
    };
    Ok(shell::signed_in((visit, who), Section::Keys, titled, content).await)
}

fn limit_form(visit: &Visit, who: &SignedIn, key: &KeyInfo, form: &Form) -> AnyView {
    let t = &visit.t().keys.detail;
    view! {
        <details class="more" open=form.has_faults()>
            <summary>{t.change_limits}</summary>
            <form method="post" action=format!("{}/limits", address(visit, key))>
                <Hidden name="csrf" value=who.token.clone()/>
                <p class="hint">{visit.t().keys.create.limits_lead} " " {t.change_limits_hint}</p>
                {limits::fields(visit.locale, form)}
                <Button kind=ButtonKind::Primary>{t.limits_submit}</Button>
            </form>
        </details>
    }
    .into_any()
}

fn facts(visit: &Visit, moments: &Moments, key: &KeyInfo) -> Vec<(String, AnyView)> {
    let t = &visit.t().keys.detail;
    let at = |moment: Option<i64>, never: &'static str| match moment {
        Some(at_ms) => moments.exact(at_ms),
        None => never.into_any(),
    };
    let models = match &key.models {
        ModelRule::Any => t.models_all.into_any(),
        ModelRule::Only(models) => {
            models.iter().map(|model| view! { <code>{model.clone()}</code> " " }).collect_view().into_any()
        }
    };
    let mut facts = vec![
        (t.shown_as, view! { <code>{key.masked.clone()}</code> }.into_any()),
        (t.id, view! { <code>{key.id.clone()}</code> }.into_any()),
        (t.created, moments.exact(key.created_at_ms)),
        (t.last_used, at(key.last_used_at_ms, visit.t().console.word.never)),
        (t.expires, at(key.expires_at_ms, visit.t().keys.create.expiry_never)),
        (t.models, models),
    ];
    if key.strict {
        facts.push((visit.t().keys.create.strict, visit.t().console.word.yes.into_any()));
    }
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn rename_form(visit: &Visit, who: &SignedIn, key: &KeyInfo, faulty: Option<&Form>) -> AnyView {
    let t = &visit.t().keys.detail;
    let value = faulty.map_or(key.name.as_str(), |form| form.value("name")).to_owned();
    let fault = faulty.and_then(|form| form.fault("name"));
    view! {
        <section class="stack">
            <h2>{t.rename}</h2>
            <form method="post" action=format!("{}/name", address(visit, key)) class="form-row sheet">
                <Hidden name="csrf" value=who.token.clone()/>
                <Field id="name" label=visit.t().keys.create.name value=value nostrip:fault=fault max_length=64 autocomplete="off"/>
                <Button>{t.rename_submit}</Button>
            </form>
        </section>
    }
    .into_any()
}

fn danger(visit: &Visit, key: &KeyInfo) -> AnyView {
    let t = &visit.t().keys.detail;
    let href = format!("{}/revoke", address(visit, key));
    view! {
        <section class="danger-zone">
            <div><h2>{t.danger}</h2><p>{t.danger_note}</p></div>
            <ButtonLink kind=ButtonKind::Danger href=href>{t.revoke}</ButtonLink>
        </section>
    }
    .into_any()
}
