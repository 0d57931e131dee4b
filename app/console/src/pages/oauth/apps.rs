//! `/console/apps`: the programs that act for this person, and cutting them off; for admins, their org's own programs.
use crate::flash::{self, Notice};
use crate::forms::SignedPost;
use crate::pages::oauth::{decision, programs};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::keys::KeyInfo;
use bytespike_accounts::oauth::apps::ConnectedApp;
use bytespike_accounts::role::Permission;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, EmptyState, Hidden, KeyValues};
use leptos::prelude::*;

/// `GET /console/apps`
pub(crate) async fn page(
    State(state): State<ConsoleState>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let t = &visit.t().oauth.apps;
    let apps = state.accounts.oauth.apps(who.member.person_id()).await?;
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let keys = state.accounts.keys.list(&who.member).await?;
    let cards: Vec<AnyView> = apps.iter().map(|app| card((&visit, &who), (&keys, &moments), app)).collect();
    let is_empty = cards.is_empty();
    let registered = match who.member.role().may(Permission::ManageOrg) {
        true => Some(programs::part(&state, (&visit, &who)).await?),
        false => None,
    };
    let content = view! {
        <div class="page-head"><div><h1>{t.title}</h1><p>{t.lead}</p></div></div>
        {is_empty.then(|| view! { <EmptyState title=t.empty_title><p>{t.empty}</p></EmptyState> })}
        {cards}
        {registered}
    };
    Ok(shell::signed_in((&visit, &who), Section::Apps, Titled::ok(t.title), content).await)
}

/// `POST /console/apps/{grant}/disconnect`
pub(crate) async fn disconnect(
    State(state): State<ConsoleState>,
    Path(grant_id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, form } = post;
    let and_keys = form.value("keys") == "on";
    match state.accounts.oauth.disconnect(&who.origin, &who.member, (&grant_id, and_keys)).await? {
        true => Ok(see_other(&flash::with(&visit.link("/console/apps"), Notice::AppDisconnected))),
        false => Err(Problem::NotFound),
    }
}

fn card(
    (visit, who): (&Visit, &SignedIn),
    (known, moments): (&[KeyInfo], &Moments),
    app: &ConnectedApp,
) -> AnyView {
    let t = &visit.t().oauth.apps;
    let scopes =
        app.scopes.iter().map(|scope| view! { <li>{decision::words(visit, *scope)}</li> }).collect_view();
    let used = match app.last_used_at_ms {
        Some(at_ms) => moments.relative(at_ms),
        None => view! { <span class="faint">{t.never_used}</span> }.into_any(),
    };
    let keys = app.key_ids.iter().map(|id| {
        let href = visit.link(&format!("/console/keys/{id}"));
        // A key of another organisation of theirs is known by its id alone.
        let key = known.iter().find(|key| key.id == *id);
        let name = key.map_or_else(|| id.clone(), |key| key.terms.name.clone());
        let masked = key.map(|key| view! { <code class="nowrap">{key.masked.clone()}</code> });
        view! { <li><a class="long" href=href>{name}</a> " " {masked}</li> }
    });
    let keys = keys.collect_view();
    let facts = vec![
        (t.place.to_owned(), app.place.clone().into_any()),
        (t.since.to_owned(), moments.date(app.allowed_at_ms).into_any()),
        (t.last_used.to_owned(), used),
    ];
    let has_keys = !app.key_ids.is_empty();
    let action = visit.link(&format!("/console/apps/{}/disconnect", app.grant_id));
    let id = format!("keys-{}", app.grant_id);
    view! {
        <section class="card sheet stack">
            <h2>{app.client_name.clone()}</h2>
            <KeyValues pairs=facts/>
            <ul class="bullets">{scopes}</ul>
            {has_keys.then(|| view! { <p>{t.keys}</p><ul class="bullets">{keys}</ul> })}
            <form method="post" action=action>
                <Hidden name="csrf" value=who.token.clone()/>
                {has_keys.then(|| view! { <KeysToo id=id label=t.and_keys/> })}
                <Button kind=ButtonKind::Danger>{t.disconnect}</Button>
            </form>
        </section>
    }
    .into_any()
}

/// The keys a program made end with it unless the person wants to keep them.
#[component]
fn KeysToo(id: String, label: &'static str) -> impl IntoView {
    view! {
        <div class="field checkbox">
            <input id=id.clone() name="keys" type="checkbox" value="on" checked/>
            <label for=id>{label}</label>
        </div>
    }
}
