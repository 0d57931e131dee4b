//! One key: what it may spend, its secrets, the keys derived from it, what it is, and how to change or end it.
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::pages::keys::list::spent;
use crate::pages::keys::tree::{self, Facts};
use crate::pages::keys::{find, limits, manageable, rotate, state_badge, terms};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::keys::{AllowList, KeyError, KeyInfo, KeyReach, KeyState, Manager};
use bytespike_accounts::role::Permission;
use bytespike_ui::Visit;
use bytespike_ui::components::{Breadcrumbs, Button, ButtonKind, ButtonLink, Hidden, KeyValues};
use leptos::prelude::*;

/// `GET /console/keys/{id}`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    Path(key_id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let key = find(&state, &who, &key_id).await?;
    show(&state, (&visit, &who), &key, None).await
}

/// `POST /console/keys/{id}/limits`
pub(crate) async fn set_limits(
    State(state): State<ConsoleState>,
    Path(key_id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let key = manageable(&state, &who, &key_id).await?;
    if !may_limit(&who) {
        return Err(Problem::Forbidden);
    }
    let wanted = limits::read(&mut form, visit.locale);
    let node = format!("key:{}", key.id);
    let saved =
        !form.has_faults() && limits::save(&state, (&visit, &who), (&node, &wanted), &mut form).await?;
    match saved {
        true => Ok(see_other(&flash::with(&address(&visit, &key), Notice::LimitsSaved))),
        false => show(&state, (&visit, &who), &key, Some(form)).await,
    }
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
    faulty: Option<Form>,
) -> Result<Response, Problem> {
    let t = &visit.t().keys;
    let all = state.quotas().of_org(who.member.org_id()).await?;
    let credentials = state.accounts.keys.credentials(key).await?;
    let names = state.ledger.names(who.member.org_id()).await?;
    let spent = spent(state, who).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let title = key.terms.name.clone();
    let titled = if faulty.is_some() { Titled::faulty(visit, &title) } else { Titled::ok(title.clone()) };
    let can_change = key.state.is_open() && Manager::Member(&who.member).reach(key) == KeyReach::Manage;
    let node = format!("key:{}", key.id);
    let facts_of_tree = Facts { visit, moments: &moments, limits: &all, spent: &spent };
    let below = below(state, who, key).await?;
    let summary = faulty.as_ref().map(|form| form.summary(visit.locale));
    let limit_form = (can_change && may_limit(who)).then(|| {
        let form = faulty.unwrap_or_else(|| limits::filled(&node, &all));
        limit_form((visit, who), key, &form)
    });
    let content = view! {
        {head((visit, &moments), key, can_change)}
        {summary}
        <section class="stack">
            <h2>{t.detail.spent}</h2>
            {limits::table(visit, &moments, &node, &all)}
            {limit_form}
        </section>
        {rotate::section((visit, &moments), key, &credentials, can_change.then_some(who))}
        {(!below.is_empty()).then(|| view! {
            <section class="stack">
                <h2>{t.detail.derived}</h2>
                {tree::table(facts_of_tree, t.detail.derived, &below)}
            </section>
        })}
        <section class="stack">
            <h2>{t.detail.facts}</h2>
            <KeyValues pairs=facts((visit, &moments), key, &names, spent.get(&key.id).copied().unwrap_or(0))/>
        </section>
        {can_change.then(|| danger((visit, who), key))}
    };
    Ok(shell::signed_in((visit, who), Section::Keys, titled, content).await)
}

fn head((visit, moments): (&Visit, &Moments), key: &KeyInfo, can_change: bool) -> AnyView {
    let t = &visit.t().keys;
    let above = vec![(visit.link("/console/keys"), t.list.title.to_owned())];
    let calls = visit.link(&format!("/console/calls?key={}", key.id));
    let name = key.terms.name.clone();
    let page = address(visit, key);
    let changing = can_change.then(|| {
        view! {
            <ButtonLink href=format!("{page}/edit")>{t.detail.edit}</ButtonLink>
            <ButtonLink href=format!("{page}/derive")>{t.detail.derive}</ButtonLink>
        }
    });
    view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=name.clone()/>
            <div class="page-head">
                <div>
                    <h1>{name} " " {state_badge(visit.locale, key, moments.now_ms)}</h1>
                    {(!key.terms.note.is_empty()).then(|| view! { <p class="lines">{key.terms.note.clone()}</p> })}
                    {tree::tags(visit, &key.terms.tags)}
                </div>
                <div class="actions"><ButtonLink href=calls>{t.detail.calls}</ButtonLink>{changing}</div>
            </div>
        </div>
    }
    .into_any()
}

/// The keys derived from this one, at any depth, that have not been deleted.
async fn below(state: &ConsoleState, who: &SignedIn, key: &KeyInfo) -> Result<Vec<KeyInfo>, Problem> {
    let all = state.accounts.keys.list(&who.member).await?;
    Ok(all.into_iter().filter(|one| one.id != key.id && one.path.contains(&key.id)).collect())
}

fn limit_form((visit, who): (&Visit, &SignedIn), key: &KeyInfo, form: &Form) -> AnyView {
    let t = &visit.t().keys.detail;
    view! {
        <details class="more" open=form.has_faults()>
            <summary>{t.change_limits}</summary>
            <form method="post" action=format!("{}/limits", address(visit, key))>
                <Hidden name="csrf" value=who.token.clone()/>
                <p class="hint">{visit.t().keys.create.limits_lead} {visit.locale.gap()} {t.change_limits_hint}</p>
                {limits::spend_fields(visit.locale, form)}
                {limits::call_fields(visit.locale, form)}
                <Button kind=ButtonKind::Primary>{t.limits_submit}</Button>
            </form>
        </details>
    }
    .into_any()
}

fn facts(
    (visit, moments): (&Visit, &Moments),
    key: &KeyInfo,
    names: &bytespike_ledger::Names,
    spent_nano: i64,
) -> Vec<(String, AnyView)> {
    let t = &visit.t().keys.detail;
    let terms = &key.terms;
    let at = |moment: Option<i64>, never: &'static str| match moment {
        Some(at_ms) => moments.exact(at_ms),
        None => never.into_any(),
    };
    let codes =
        |texts: Vec<String>| texts.into_iter().map(|text| view! { <code>{text}</code> " " }).collect_view();
    let listed = |list: &AllowList, any: &'static str| match list {
        AllowList::Any => any.into_any(),
        AllowList::Only(names) => codes(names.iter().cloned().collect()).into_any(),
    };
    let ips = match terms.ips.texts() {
        none if none.is_empty() => t.ips_any.into_any(),
        texts => codes(texts).into_any(),
    };
    let scopes: Vec<&str> =
        terms.scopes.iter().map(|scope| terms::scope_label(visit.locale, *scope)).collect();
    let scopes = scopes.into_iter().map(|label| view! { <li>{label}</li> }).collect_view();
    let mut facts = vec![
        (t.shown_as, view! { <code>{key.masked.clone()}</code> }.into_any()),
        (t.id, view! { <code>{key.id.clone()}</code> }.into_any()),
        (t.charged, visit.numbers.usd(spent_nano).into_any()),
        (t.holder, names.get(&key.member_id).into_any()),
        (t.deployment, names.get(&key.deployment_id).into_any()),
        (t.created, moments.exact(key.created_at_ms)),
        (t.last_used, at(key.last_used_at_ms, visit.t().console.word.never)),
        (t.expires, at(terms.expires_at_ms, visit.t().keys.create.expiry_never)),
        (t.models, listed(&terms.models, t.models_all)),
        (t.ips, ips),
        (t.providers, listed(&terms.providers, t.providers_any)),
        (t.regions, listed(&terms.regions, t.regions_any)),
        (t.scopes, view! { <ul class="bullets">{scopes}</ul> }.into_any()),
    ];
    if let Some(parent) = &key.parent_key_id {
        let (href, name) = (visit.link(&format!("/console/keys/{parent}")), names.get(parent));
        facts.insert(2, (t.parent, view! { <a href=href>{name}</a> }.into_any()));
    }
    if let Some(ended_at_ms) = key.ended_at_ms {
        facts.push((t.ended, moments.exact(ended_at_ms)));
    }
    if terms.strict {
        facts.push((visit.t().keys.create.strict, visit.t().console.word.yes.into_any()));
    }
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Switching off is undone with the same button; ending is not undone.
fn danger((visit, who): (&Visit, &SignedIn), key: &KeyInfo) -> AnyView {
    let t = &visit.t().keys.detail;
    let page = address(visit, key);
    let (wanted, label, note) = match key.state {
        KeyState::Disabled => ("active", t.enable, t.enable_note),
        _ => ("disabled", t.disable, t.disable_note),
    };
    let (revoke, delete) = (format!("{page}/revoke"), format!("{page}/delete"));
    view! {
        <section class="action-row">
            <div><h2>{label}</h2><p>{note}</p></div>
            <form method="post" action=format!("{page}/state") class="inline">
                <Hidden name="csrf" value=who.token.clone()/>
                <Hidden name="state" value=wanted/>
                <Button>{label}</Button>
            </form>
        </section>
        <section class="danger-zone">
            <div><h2>{t.danger}</h2><p>{t.danger_note}</p></div>
            <ButtonLink kind=ButtonKind::Danger href=revoke>{t.revoke}</ButtonLink>
        </section>
        <section class="danger-zone">
            <div><h2>{t.delete}</h2><p>{t.delete_note}</p></div>
            <ButtonLink kind=ButtonKind::Danger href=delete>{t.delete}</ButtonLink>
        </section>
    }
    .into_any()
}
