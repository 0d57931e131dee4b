//! Making a key. A key that could not get the limits it was asked for is taken back: nobody may spend without them.
use crate::forms::{Form, SignedPost, words};
use crate::pages::keys::limits::{self, Wanted};
use crate::pages::keys::{may_manage, once};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::keys::{KeyError, ModelRule, NewKey, Scope};
use bytespike_accounts::names;
use bytespike_ui::Visit;
use bytespike_ui::components::{
    Breadcrumbs, Button, ButtonKind, ButtonLink, Checkbox, Field, Hidden, Select, SelectOption, TextArea,
};
use leptos::prelude::*;
use std::collections::BTreeSet;

const DAY_MS: i64 = 24 * 3_600_000;
const EXPIRY_DAYS: [i64; 4] = [7, 30, 90, 365];
/// The scopes of a key that manages, by the field that asks for them.
const MANAGEMENT: [(&str, Scope); 3] = [
    ("org_usage", Scope::OrgUsageRead),
    ("limits_manage", Scope::LimitsManage),
    ("org_admin", Scope::OrgAdmin),
];
const MOST_MODELS: usize = 100;
const MOST_SLUG_BYTES: usize = 128;

/// `GET /console/keys/new`
pub(crate) async fn form(visit: Visit, who: SignedIn) -> Result<Response, Problem> {
    if !may_manage(&who) {
        return Err(Problem::Forbidden);
    }
    Ok(show((&visit, &who), &Form::default()).await)
}

/// `POST /console/keys/new`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    // In the order of the fields, which is the order of the summary above them.
    let name = read_name(&mut form, &visit);
    let wanted = limits::read(&mut form, visit.locale);
    let new = read(&mut form, &visit, (name, state.world.now_ms()));
    if form.has_faults() {
        return Ok(show((&visit, &who), &form).await);
    }
    match state.accounts.keys.create(&who.origin, &who.member, new).await {
        Ok(created) => {
            limit(&state, &who, &created.id, wanted).await?;
            once::keep(&state, &who, &created).await?;
            Ok(see_other(&visit.link(&format!("/console/keys/{}/created", created.id))))
        }
        Err(error) => {
            refuse(&mut form, &visit, error)?;
            Ok(show((&visit, &who), &form).await)
        }
    }
}

async fn limit(state: &ConsoleState, who: &SignedIn, key_id: &str, wanted: Wanted) -> Result<(), Problem> {
    let saved = limits::save(state, who, key_id, wanted).await;
    if saved.is_err()
        && let Err(error) = state.accounts.keys.delete(&who.origin, &who.member, key_id).await
    {
        tracing::error!(%error, key_id, "a key without its limits could not be taken back");
    }
    saved
}

fn read_name(form: &mut Form, visit: &Visit) -> String {
    names::clean(form.value("name")).unwrap_or_else(|problem| {
        form.refuse("name", words::name(visit.locale, problem));
        String::new()
    })
}

fn read(form: &mut Form, visit: &Visit, (name, now_ms): (String, i64)) -> NewKey {
    let t = &visit.t().keys.error;
    let models = read_models(form, visit);
    let expires_at_ms = match form.value("expiry") {
        "" | "never" => None,
        days => {
            let known = EXPIRY_DAYS.into_iter().find(|known| known.to_string() == days);
            if known.is_none() {
                form.refuse("expiry", t.expiry_unknown);
            }
            known.map(|days| now_ms + days * DAY_MS)
        }
    };
    let strict = form.value("strict") == "on";
    NewKey { models, expires_at_ms, strict, scopes: read_scopes(form), ..NewKey::named(name) }
}

/// A key may always call models and read what it used.
fn read_scopes(form: &Form) -> BTreeSet<Scope> {
    let ticked = MANAGEMENT.into_iter().filter(|(field, _)| form.value(field) == "on");
    Scope::DEFAULT.into_iter().chain(ticked.map(|(_, scope)| scope)).collect()
}

fn read_models(form: &mut Form, visit: &Visit) -> ModelRule {
    let t = &visit.t().keys.error;
    let typed: Vec<String> =
        form.value("models").split([',', '\n', '，']).map(str::trim).map(str::to_owned).collect();
    let models: Vec<String> = typed.into_iter().filter(|model| !model.is_empty()).collect();
    if let Some(strange) = models.iter().find(|model| !is_slug(model)) {
        form.refuse("models", t.model_characters(strange));
    }
    if models.len() > MOST_MODELS {
        form.refuse("models", t.models_many(MOST_MODELS));
    }
    if models.is_empty() { ModelRule::Any } else { ModelRule::Only(models.into_iter().collect()) }
}

fn is_slug(model: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/@".contains(&byte);
    model.len() <= MOST_SLUG_BYTES && model.bytes().all(allowed)
}

fn refuse(form: &mut Form, visit: &Visit, error: KeyError) -> Result<(), Problem> {
    let t = &visit.t().keys.error;
    match error {
        KeyError::Name(problem) => form.refuse("name", words::name(visit.locale, problem)),
        KeyError::ExpiresInThePast => form.refuse("expiry", t.expiry_unknown),
        KeyError::TooMany => form.refuse("name", t.too_many_keys),
        KeyError::Forbidden | KeyError::NoScope | KeyError::ScopeAboveRole(_) => {
            return Err(Problem::Forbidden);
        }
        KeyError::NotFound => return Err(Problem::NotFound),
        KeyError::Unavailable(error) => return Err(error.into()),
    }
    Ok(())
}

async fn show((visit, who): (&Visit, &SignedIn), form: &Form) -> Response {
    let t = &visit.t().keys;
    let title = t.create.title;
    let titled = Titled::of(visit, title, form);
    let cancel = visit.t().console.word.cancel;
    let above = vec![(visit.link("/console/keys"), t.list.title.to_owned())];
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=title/>
            <h1>{title}</h1>
        </div>
        {form.summary(visit.locale)}
        <form method="post" action=visit.link("/console/keys/new") class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            <Field
                id="name" label=t.create.name value=form.value("name") hint=t.create.name_hint
                nostrip:fault=form.fault("name") max_length=64 autocomplete="off"
            />
            {limit_part(visit, form)}
            {more_part((visit, who), form)}
            <p class="actions">
                <Button kind=ButtonKind::Primary>{t.create.submit}</Button>
                <ButtonLink kind=ButtonKind::Quiet href=visit.link("/console/keys")>{cancel}</ButtonLink>
            </p>
        </form>
    };
    shell::signed_in((visit, who), Section::Keys, titled, content).await
}

fn limit_part(visit: &Visit, form: &Form) -> AnyView {
    let t = &visit.t().keys.create;
    view! {
        <fieldset>
            <legend>{t.limits}</legend>
            <p class="hint">{t.limits_lead}</p>
            {limits::fields(visit.locale, form)}
        </fieldset>
    }
    .into_any()
}

/// Folded away until it is wanted, or holds something that is wrong.
fn more_part((visit, who): (&Visit, &SignedIn), form: &Form) -> AnyView {
    let t = &visit.t().keys.create;
    let is_said = |id: &&str| !matches!(form.value(id), "" | "never") || form.fault(id).is_some();
    let is_open =
        ["models", "expiry", "strict", "org_usage", "limits_manage", "org_admin"].iter().any(is_said);
    let days = EXPIRY_DAYS.map(|days| SelectOption::new(days.to_string(), t.expiry_days(days)));
    let expiry: Vec<SelectOption> =
        [SelectOption::new("never", t.expiry_never)].into_iter().chain(days).collect();
    let strict = form.value("strict") == "on";
    view! {
        <details class="more" open=is_open>
            <summary>{t.advanced}</summary>
            <TextArea
                id="models" label=t.models value=form.value("models") hint=t.models_hint
                nostrip:fault=form.fault("models") rows=3
            />
            <Select
                id="expiry" label=t.expiry options=expiry selected=form.value("expiry")
                nostrip:fault=form.fault("expiry")
            />
            <Checkbox id="strict" label=t.strict hint=t.strict_hint checked=strict/>
            {manage_part((visit, who), form)}
        </details>
    }
    .into_any()
}

/// What the reader's role covers; the rest is not offered.
fn manage_part((visit, who): (&Visit, &SignedIn), form: &Form) -> AnyView {
    let t = &visit.t().keys.create;
    let words = |scope| match scope {
        Scope::OrgUsageRead => (t.org_usage, t.org_usage_hint),
        Scope::OrgAdmin => (t.org_admin, t.org_admin_hint),
        _ => (t.limits_manage, t.limits_manage_hint),
    };
    let covered = MANAGEMENT.into_iter().filter(|(_, scope)| scope.is_covered_by(who.member.role()));
    let boxes = covered.map(|(field, scope)| {
        let (label, hint) = words(scope);
        view! { <Checkbox id=field label=label hint=hint checked=form.value(field) == "on"/> }
    });
    boxes.collect_view().into_any()
}
