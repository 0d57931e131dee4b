//! The form of an endpoint: adding one, changing one, switching one.
use super::{PATH, address, find, manager, problem_of, words};
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::shown_once::{self, Of};
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_gateway::egress::EgressError;
use bytespike_gateway::webhooks::{Endpoint, EndpointChange, EventType, Events, NewEndpoint, WebhookError};
use bytespike_ui::Visit;
use bytespike_ui::components::{Breadcrumbs, Button, ButtonKind, ButtonLink, Checkbox, Field, Hidden};
use leptos::prelude::*;

/// The field that makes sending the form twice the same as once.
const ONCE: &str = "once";

/// `GET /console/webhooks/new`
pub(crate) async fn new_form(State(state): State<ConsoleState>, visit: Visit, who: SignedIn) -> Response {
    let form = Form::filled([("every", "on".to_owned()), (ONCE, state.world.id("form"))]);
    show((&visit, &who), &form, None).await
}

/// `POST /console/webhooks/new`
pub(crate) async fn create(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let Some(events) = events(&visit, &mut form) else { return Ok(show((&visit, &who), &form, None).await) };
    let new = NewEndpoint {
        url: form.value("url").to_owned(),
        description: form.value("description").to_owned(),
        events,
        creation_key: Some(form.value(ONCE).to_owned()).filter(|once| !once.is_empty()),
    };
    match state.webhooks.create(&manager(&who)?, new).await {
        Ok(made) => {
            shown_once::keep((&state, &who), (Of::Webhook, &made.endpoint.id), &made.secret).await?;
            Ok(see_other(&format!("{}/secret", address(&visit, &made.endpoint.id))))
        }
        Err(error) => {
            refuse(&visit, &mut form, error)?;
            Ok(show((&visit, &who), &form, None).await)
        }
    }
}

/// `GET /console/webhooks/{id}/edit`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let endpoint = find(&state, &who, &id).await?;
    Ok(show((&visit, &who), &filled(&endpoint), Some(&endpoint)).await)
}

/// `POST /console/webhooks/{id}/edit`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let endpoint = find(&state, &who, &id).await?;
    let Some(events) = events(&visit, &mut form) else {
        return Ok(show((&visit, &who), &form, Some(&endpoint)).await);
    };
    let to = EndpointChange {
        url: Some(form.value("url").to_owned()),
        description: Some(form.value("description").to_owned()),
        events: Some(events),
        is_on: None,
    };
    match state.webhooks.change(&manager(&who)?, &id, to).await {
        Ok(()) => Ok(see_other(&flash::with(&address(&visit, &id), Notice::WebhookSaved))),
        Err(error) => {
            refuse(&visit, &mut form, error)?;
            Ok(show((&visit, &who), &form, Some(&endpoint)).await)
        }
    }
}

/// `POST /console/webhooks/{id}/state`
pub(crate) async fn switch(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, form } = post;
    let is_on = form.value("on") == "on";
    let to = EndpointChange { is_on: Some(is_on), ..EndpointChange::default() };
    state.webhooks.change(&manager(&who)?, &id, to).await.map_err(problem_of)?;
    let notice = if is_on { Notice::WebhookOn } else { Notice::WebhookOff };
    Ok(see_other(&flash::with(&address(&visit, &id), notice)))
}

fn filled(endpoint: &Endpoint) -> Form {
    let texts = [("url", endpoint.url.clone()), ("description", endpoint.description.clone())];
    let every = (endpoint.events == Events::All).then(|| ("every", "on".to_owned()));
    let wanted = EventType::ALL.into_iter().filter(|one| endpoint.events.contains(*one));
    let boxes: Vec<(String, String)> = wanted.map(|one| (field_of(one), "on".to_owned())).collect();
    let boxes = boxes.iter().filter(|_| every.is_none()).map(|(name, value)| (name.as_str(), value.clone()));
    Form::filled(texts.into_iter().chain(every.clone()).chain(boxes))
}

/// What was chosen; a form that chooses nothing is at fault.
fn events(visit: &Visit, form: &mut Form) -> Option<Events> {
    if form.value("every") == "on" {
        return Some(Events::All);
    }
    let chosen: Vec<&'static str> = EventType::ALL
        .into_iter()
        .filter(|one| form.value(&field_of(*one)) == "on")
        .map(EventType::name)
        .collect();
    let events = Events::only(chosen);
    if events.is_none() {
        form.refuse("every", visit.t().webhooks.error.no_event);
    }
    events
}

fn field_of(one: EventType) -> String {
    one.name().replace(['.', '_'], "-")
}

fn refuse(visit: &Visit, form: &mut Form, error: WebhookError) -> Result<(), Problem> {
    let t = &visit.t().webhooks.error;
    match error {
        WebhookError::UrlTooLong | WebhookError::Url(EgressError::NotAUrl) => form.refuse("url", t.not_a_url),
        WebhookError::Url(EgressError::UserInfo) => form.refuse("url", t.user_info),
        WebhookError::Url(EgressError::NotTls) => form.refuse("url", t.not_tls),
        WebhookError::Url(EgressError::Port) => form.refuse("url", t.port),
        WebhookError::Url(EgressError::Private) => form.refuse("url", t.private),
        WebhookError::DescriptionTooLong => form.refuse("description", t.description_too_long),
        WebhookError::TooMany(most) => form.refuse("url", t.too_many(most)),
        WebhookError::OtherBody | WebhookError::ShownBefore => form.refuse("url", t.sent_before),
        error => return Err(problem_of(error)),
    }
    Ok(())
}

async fn show((visit, who): (&Visit, &SignedIn), form: &Form, of: Option<&Endpoint>) -> Response {
    let t = &visit.t().webhooks.form;
    let title = if of.is_some() { t.edit } else { t.new };
    let mut above = vec![(visit.link(PATH), visit.t().webhooks.list.title.to_owned())];
    above.extend(of.map(|endpoint| (address(visit, &endpoint.id), words::name(endpoint))));
    let (action, back) = match of {
        Some(endpoint) => (format!("{}/edit", address(visit, &endpoint.id)), address(visit, &endpoint.id)),
        None => (visit.link(&format!("{PATH}/new")), visit.link(PATH)),
    };
    let submit = if of.is_some() { t.save } else { t.submit };
    let cancel = visit.t().console.word.cancel;
    let content = view! {
        <div><Breadcrumbs locale=visit.locale above=above here=title/><h1>{title}</h1></div>
        {form.summary(visit.locale)}
        <form method="post" action=action class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            <Hidden name=ONCE value=form.value(ONCE)/>
            <Field
                id="url" label=t.url hint=t.url_hint value=form.value("url")
                nostrip:fault=form.fault("url") autocomplete="off" placeholder="https://example.com/webhooks"
            />
            <Field
                id="description" label=t.description hint=t.description_hint value=form.value("description")
                nostrip:fault=form.fault("description") max_length=200 autocomplete="off"
            />
            {event_fields(visit, form)}
            <p class="actions">
                <Button kind=ButtonKind::Primary>{submit}</Button>
                <ButtonLink kind=ButtonKind::Quiet href=back>{cancel}</ButtonLink>
            </p>
        </form>
    };
    shell::signed_in((visit, who), Section::Organisation, Titled::of(visit, title, form), content).await
}

fn event_fields(visit: &Visit, form: &Form) -> AnyView {
    let t = &visit.t().webhooks.form;
    let boxes = EventType::ALL.into_iter().map(|one| {
        let id = field_of(one);
        let checked = form.value(&id) == "on";
        view! { <Checkbox id=id label=words::event(visit.locale, one) hint=one.name() checked=checked/> }
    });
    let boxes = boxes.collect_view();
    view! {
        <fieldset>
            <legend>{t.events}</legend>
            <Checkbox
                id="every" label=t.every hint=t.every_hint checked=form.value("every") == "on"
                nostrip:fault=form.fault("every")
            />
        </fieldset>
        <fieldset class="webhook-events"><legend>{t.some}</legend>{boxes}</fieldset>
    }
    .into_any()
}
