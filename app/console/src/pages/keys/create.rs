//! Making a key, at the root or derived from another. A key that could not get the limits it was asked for is not made:
//! nobody may spend without them.
use crate::forms::{Form, SignedPost, words};
use crate::pages::keys::expiry::{self, Ends};
use crate::pages::keys::{derivable, detail, limits, lists, may_manage, once, terms};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::switched_off;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::keys::{Allowed, KeyError, KeyInfo, Manager, NewKey};
use bytespike_accounts::limit_nodes::Deployment;
use bytespike_accounts::switches::Feature;
use bytespike_gateway::quota::{MakeError, Which};
use bytespike_ui::Visit;
use bytespike_ui::components::{Breadcrumbs, Button, ButtonKind, ButtonLink, Hidden, Select, SelectOption};
use leptos::prelude::*;

/// Where the new key will stand.
struct Place {
    /// The key it is derived from, and what that one allows.
    parent: Option<(KeyInfo, Allowed)>,
    ends: Ends,
    moments: Moments,
    /// Those to choose from, of a key at the root.
    deployments: Vec<Deployment>,
}

/// `GET /console/keys/new`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    if let Some(off) = switched_off::page(&state, &visit, Feature::NewKeys).await {
        return Ok(off);
    }
    let place = root(&state, (&visit, &who), "").await?;
    Ok(show((&visit, &who), &place, &terms::blank(None, &place.ends)).await)
}

/// `POST /console/keys/new`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    if let Some(off) = switched_off::page(&state, &visit, Feature::NewKeys).await {
        return Ok(off);
    }
    let place = root(&state, (&visit, &post.who), post.form.value("deployment")).await?;
    Box::pin(make(&state, &visit, (post, place))).await
}

/// `GET /console/keys/{id}/derive`
pub(crate) async fn derive_form(
    State(state): State<ConsoleState>,
    Path(key_id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    if let Some(off) = switched_off::page(&state, &visit, Feature::NewKeys).await {
        return Ok(off);
    }
    let place = below(&state, (&visit, &who), &key_id).await?;
    let above = place.parent.as_ref().map(|(_, allowed)| allowed);
    let form = terms::blank(above, &place.ends);
    Ok(show((&visit, &who), &place, &form).await)
}

/// `POST /console/keys/{id}/derive`
pub(crate) async fn derive(
    State(state): State<ConsoleState>,
    Path(key_id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    if let Some(off) = switched_off::page(&state, &visit, Feature::NewKeys).await {
        return Ok(off);
    }
    let place = below(&state, (&visit, &post.who), &key_id).await?;
    Box::pin(make(&state, &visit, (post, place))).await
}

/// `chosen` is the deployment that was chosen, if any was.
async fn root(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    chosen: &str,
) -> Result<Place, Problem> {
    if !may_manage(who) {
        return Err(Problem::Forbidden);
    }
    let member = &who.member;
    let deployments = state.accounts.deployments(member.org_id()).await?;
    let chosen = deployments.iter().find(|one| one.id == chosen);
    let deployment = chosen.map_or(member.deployment_id(), |one| &one.id);
    let above = state.accounts.keys.allowed_at((member.org_id(), deployment, member.member_id())).await?;
    let moments = moments(state, (visit, who));
    let ends = Ends::fresh(moments.now_ms).within(&above, moments.now_ms);
    Ok(Place { parent: None, ends, moments, deployments })
}

async fn below(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    key_id: &str,
) -> Result<Place, Problem> {
    let parent = derivable(state, who, key_id).await?;
    let allowed = state.accounts.keys.allowed_to(who.member.org_id(), &parent).await?;
    let moments = moments(state, (visit, who));
    let ends = Ends::fresh(moments.now_ms).within(&allowed, moments.now_ms);
    Ok(Place { parent: Some((parent, allowed)), ends, moments, deployments: Vec::new() })
}

fn moments(state: &ConsoleState, (visit, who): (&Visit, &SignedIn)) -> Moments {
    Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms())
}

async fn make(
    state: &ConsoleState,
    visit: &Visit,
    (SignedPost { who, mut form }, place): (SignedPost, Place),
) -> Result<Response, Problem> {
    let terms = terms::read(&mut form, (state, visit.locale), &place.ends);
    let wanted = limits::read(&mut form, visit.locale);
    if form.has_faults() {
        return Ok(show((visit, &who), &place, &form).await);
    }
    let chosen = place.deployments.iter().find(|one| one.id == form.value("deployment"));
    let new = NewKey {
        kind: place.parent.as_ref().map_or(NewKey::with(terms.clone()).kind, |(parent, _)| parent.kind),
        parent_key_id: place.parent.as_ref().map(|(parent, _)| parent.id.clone()),
        deployment_id: chosen.map(|one| one.id.clone()),
        ..NewKey::with(terms)
    };
    let limits: Vec<(Which, i64)> =
        wanted.into_iter().filter_map(|(which, value)| Some((which, value?))).collect();
    let manager = Manager::Member(&who.member);
    match state.quotas().make_key((&who.origin, manager), new, &limits).await {
        Ok(created) => {
            once::keep(state, &who, &created).await?;
            Ok(see_other(&visit.link(&format!("/console/keys/{}/created", created.id))))
        }
        Err(error) => {
            refuse(&mut form, (visit, &place.moments), error)?;
            Ok(show((visit, &who), &place, &form).await)
        }
    }
}

fn refuse(form: &mut Form, (visit, moments): (&Visit, &Moments), error: MakeError) -> Result<(), Problem> {
    match error {
        MakeError::Key(error) => refuse_key(form, (visit, moments), error),
        MakeError::Above(above) => {
            limits::refuse_above(form, visit, &above);
            Ok(())
        }
        MakeError::Limits(error) => Err(Problem::unavailable(&error)),
        // Between the question above and now.
        MakeError::SwitchedOff => Err(Problem::Forbidden),
    }
}

/// What the form's author can mend stands beside its field.
pub(super) fn refuse_key(
    form: &mut Form,
    (visit, moments): (&Visit, &Moments),
    error: KeyError,
) -> Result<(), Problem> {
    let t = &visit.t().keys.error;
    match error {
        KeyError::Name(problem) => form.refuse("name", words::name(visit.locale, problem)),
        KeyError::NoteTooLong => form.refuse("note", t.note_long),
        KeyError::ExpiresInThePast => form.refuse("expiry", t.expiry_unknown),
        KeyError::TooMany(_) => form.refuse("name", t.too_many_keys),
        KeyError::TooDeep => form.refuse("name", t.too_deep),
        KeyError::Wider(wider) => terms::refuse_wider(form, visit.locale, wider),
        KeyError::LivesTooLong(too_long) => expiry::refuse(form, (visit.locale, moments), &too_long),
        KeyError::NoScope => form.refuse("inference", t.no_scope),
        KeyError::ScopeAboveRole(_) => form.refuse("inference", t.wider_scopes),
        other => return Err(detail::problem_of(other)),
    }
    Ok(())
}

async fn show((visit, who): (&Visit, &SignedIn), place: &Place, form: &Form) -> Response {
    let t = &visit.t().keys;
    let list = (visit.link("/console/keys"), t.list.title.to_owned());
    let (title, lead, action, above) = match &place.parent {
        None => (t.create.title.to_owned(), None, visit.link("/console/keys/new"), vec![list]),
        Some((parent, _)) => {
            let page = detail::address(visit, parent);
            let above = vec![list, (page.clone(), parent.terms.name.clone())];
            (
                t.create.derive_title(&parent.terms.name),
                Some(t.create.derive_lead),
                format!("{page}/derive"),
                above,
            )
        }
    };
    let titled = Titled::of(visit, &title, form);
    let back = above.last().map(|(href, _)| href.clone()).unwrap_or_default();
    let (cancel, submit) = (visit.t().console.word.cancel, t.create.submit);
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=title.clone()/>
            <h1>{title}</h1>
            {lead.map(|lead| view! { <p class="soft">{lead}</p> })}
        </div>
        {form.summary(visit.locale)}
        <form method="post" action=action class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            {terms::name_fields(visit, form)}
            {limit_part(visit, form)}
            {more_part((visit, who), place, form)}
            <p class="actions">
                <Button kind=ButtonKind::Primary>{submit}</Button>
                <ButtonLink kind=ButtonKind::Quiet href=back>{cancel}</ButtonLink>
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
            {limits::spend_fields(visit.locale, form)}
        </fieldset>
    }
    .into_any()
}

/// Folded away until it is wanted, or holds something that is wrong.
fn more_part((visit, who): (&Visit, &SignedIn), place: &Place, form: &Form) -> AnyView {
    let t = &visit.t().keys.create;
    let quiet = ["name", "note", "tags", "csrf", "inference", "usage_read"];
    let opening = place.ends.opening();
    let is_said =
        |(name, value): (&str, &str)| !quiet.contains(&name) && (name, value) != ("expiry", opening.as_str());
    let is_open = form.has_faults() || form.said().any(is_said);
    let options: Vec<SelectOption> =
        place.deployments.iter().map(|one| SelectOption::new(&one.id, &one.name)).collect();
    let chosen = match form.value("deployment") {
        "" => who.member.deployment_id().to_owned(),
        id => id.to_owned(),
    };
    let deployment = (options.len() > 1).then(|| {
        view! { <Select id="deployment" label=t.deployment hint=t.deployment_hint options=options selected=chosen/> }
    });
    let above = place.parent.as_ref().map(|(_, allowed)| allowed);
    view! {
        <details class="more" open=is_open>
            <summary>{t.advanced}</summary>
            {deployment}
            {limits::call_fields(visit.locale, form)}
            {lists::fields(visit, form)}
            {place.ends.field(visit, &place.moments, form)}
            {terms::strict_field(visit, form)}
            {terms::scope_fields((visit, who), form, above)}
        </details>
    }
    .into_any()
}
