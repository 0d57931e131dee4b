//! Adding a channel, changing it, switching it, and taking it away.
use super::{PATH, badge, form as fields, standing, test};
use crate::admin::act::Act;
use crate::admin::notice::{self, Did};
use crate::admin::shell::{self, Part};
use crate::admin::who::Operator;
use crate::forms::Form;
use crate::problem::Problem;
use crate::shell::{Titled, see_other};
use crate::state::ConsoleState;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::audit::{Actor, Entry, Event};
use bytespike_accounts::operators::Kept;
use bytespike_gateway::stored_channels::{ChannelView, StoredError};
use bytespike_ui::Visit;
use bytespike_ui::components::{Breadcrumbs, Button, ButtonKind, Hidden};
use leptos::prelude::*;

/// `GET /admin/channels/new`
pub(in crate::admin) async fn create_form(visit: Visit, operator: Operator) -> Response {
    show_new((&visit, &operator), &Form::filled([("weight", "1".to_owned())])).await
}

/// `POST /admin/channels/new`
pub(in crate::admin) async fn create(act: Act) -> Result<Response, Problem> {
    let id = act.form.value("id").trim().to_owned();
    let taken = stored(&act.state, &id).await?.is_some()
        || (act.state.operating.channels)().iter().any(|live| live.id == id);
    let Act { state, visit, operator, mut form, .. } = act;
    if taken {
        form.refuse("id", visit.t().admin.channel.id_taken);
        return Ok(show_new((&visit, &operator), &form).await);
    }
    match put(&state, &operator, (&form, &id)).await {
        Ok(_) => Ok(done(&visit, &id, Did::ChannelSaved)),
        Err(error) => {
            fields::refuse(&mut form, visit.locale, error).map_err(problem)?;
            Ok(show_new((&visit, &operator), &form).await)
        }
    }
}

/// `GET /admin/channels/{id}`
pub(in crate::admin) async fn form(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    operator: Operator,
) -> Result<Response, Problem> {
    let channel = stored(&state, &id).await?.ok_or(Problem::NotFound)?;
    show(&state, (&visit, &operator), &channel, &fields::filled(&channel)).await
}

/// `POST /admin/channels/{id}`
pub(in crate::admin) async fn submit(act: Act) -> Result<Response, Problem> {
    let Act { state, visit, operator, mut form, id } = act;
    let channel = stored(&state, &id).await?.ok_or(Problem::NotFound)?;
    match put(&state, &operator, (&form, &id)).await {
        Ok(_) => Ok(done(&visit, &id, Did::ChannelSaved)),
        Err(error) => {
            fields::refuse(&mut form, visit.locale, error).map_err(problem)?;
            show(&state, (&visit, &operator), &channel, &form).await
        }
    }
}

/// `POST /admin/channels/{id}/on`
pub(in crate::admin) async fn enable(act: Act) -> Result<Response, Problem> {
    switch(act, true).await
}

/// `POST /admin/channels/{id}/off`
pub(in crate::admin) async fn disable(act: Act) -> Result<Response, Problem> {
    switch(act, false).await
}

async fn switch(act: Act, on: bool) -> Result<Response, Problem> {
    let (name, did) =
        if on { ("channel.enabled", Did::ChannelOn) } else { ("channel.disabled", Did::ChannelOff) };
    let entry = told(&act.state, &act.operator, name);
    act.state.operating.desk.stored.set_enabled(&act.id, on, &entry).await.map_err(problem)?;
    Ok(done(&act.visit, &act.id, did))
}

/// `POST /admin/channels/{id}/remove`
pub(in crate::admin) async fn remove(act: Act) -> Result<Response, Problem> {
    let entry = told(&act.state, &act.operator, "channel.removed");
    act.state.operating.desk.stored.remove(&act.id, &entry).await.map_err(problem)?;
    Ok(see_other(&notice::with(&act.visit.link(PATH), Did::ChannelRemoved)))
}

async fn put(
    state: &ConsoleState,
    operator: &Operator,
    (form, id): (&Form, &str),
) -> Result<ChannelView, StoredError> {
    let (new, keys) = fields::read(form, id);
    let entry = told(state, operator, "channel.put");
    state.operating.desk.stored.put(new, &keys, &entry).await
}

fn told(state: &ConsoleState, operator: &Operator, name: &'static str) -> Entry {
    let event = Event::new(name, Actor::Operator(&operator.row().id));
    state.accounts.audit.entry(&operator.origin, event)
}

pub(super) fn problem(error: StoredError) -> Problem {
    match error {
        StoredError::Unknown(_) | StoredError::NoCredentials(_) => Problem::NotFound,
        error => Problem::unavailable(&error),
    }
}

pub(super) async fn stored(state: &ConsoleState, id: &str) -> Result<Option<ChannelView>, Problem> {
    Ok(state.operating.desk.stored.list().await?.into_iter().find(|channel| channel.id == id))
}

pub(super) fn address(visit: &Visit, id: &str) -> String {
    visit.link(&format!("{PATH}/{id}"))
}

fn done(visit: &Visit, id: &str, did: Did) -> Response {
    see_other(&notice::with(&address(visit, id), did))
}

async fn show_new((visit, operator): (&Visit, &Operator), form: &Form) -> Response {
    let t = &visit.t().admin.channel;
    let above = vec![(visit.link(PATH), visit.t().admin.channels.title.to_owned())];
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=t.new/>
            <div class="page-head"><div><h1>{t.new}</h1><p>{t.new_lead}</p></div></div>
        </div>
        {form.summary(visit.locale)}
        <form method="post" action=visit.link(&format!("{PATH}/new")) class="sheet">
            <Hidden name="csrf" value=operator.token.clone()/>
            {fields::fields(visit, form, true)}
            <Button kind=ButtonKind::Primary>{t.add}</Button>
        </form>
    };
    shell::page((visit, operator), Part::Channels, Titled::of(visit, t.new, form), content).await
}

async fn show(
    state: &ConsoleState,
    (visit, operator): (&Visit, &Operator),
    channel: &ChannelView,
    form: &Form,
) -> Result<Response, Problem> {
    let t = &visit.t().admin.channel;
    let tested = state.accounts.operators.sessions.take(&operator.session, Kept::ChannelTest).await?;
    let above = vec![(visit.link(PATH), visit.t().admin.channels.title.to_owned())];
    let badge = badge(visit, standing(channel, &(state.operating.channels)()));
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=channel.id.clone()/>
            <div class="page-head"><h1>{channel.id.clone()} " " {badge}</h1></div>
        </div>
        {form.summary(visit.locale)}
        {tested.and_then(|text| test::shown(visit, text.expose()))}
        {test::part((visit, operator), channel)}
        <section class="stack">
            <h2>{t.settings}</h2>
            <form method="post" action=address(visit, &channel.id) class="sheet">
                <Hidden name="csrf" value=operator.token.clone()/>
                {fields::fields(visit, form, false)}
                <Button kind=ButtonKind::Primary>{t.save}</Button>
            </form>
        </section>
        {ends((visit, operator), channel)}
    };
    let titled = Titled::of(visit, &channel.id, form);
    Ok(shell::page((visit, operator), Part::Channels, titled, content).await)
}

/// Switching it, and taking it away.
fn ends((visit, operator): (&Visit, &Operator), channel: &ChannelView) -> AnyView {
    let t = &visit.t().admin.channel;
    let zone = |words: (&'static str, &'static str, &'static str), verb: &str, kind: ButtonKind| {
        let (title, lead, submit) = words;
        let class = if kind == ButtonKind::Danger { "danger-zone" } else { "action-row" };
        view! {
            <div class=class>
                <div><h2>{title}</h2><p>{lead}</p></div>
                <form method="post" action=format!("{}/{verb}", address(visit, &channel.id))>
                    <Hidden name="csrf" value=operator.token.clone()/>
                    <Button kind=kind>{submit}</Button>
                </form>
            </div>
        }
        .into_any()
    };
    let switch = match (channel.enabled, channel.has_credentials) {
        (true, _) => Some(zone((t.off, t.off_lead, t.off_submit), "off", ButtonKind::Secondary)),
        (false, true) => Some(zone((t.on, t.on_lead, t.on_submit), "on", ButtonKind::Secondary)),
        (false, false) => None,
    };
    let remove = zone((t.remove, t.remove_lead, t.remove_submit), "remove", ButtonKind::Danger);
    view! { {switch} {remove} }.into_any()
}
