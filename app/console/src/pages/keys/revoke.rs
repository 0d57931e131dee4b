//! Ending a key, after saying what that means and having its name typed.
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::pages::keys::{detail, find, may_manage};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::keys::{KeyInfo, KeyState};
use bytespike_ui::Visit;
use bytespike_ui::components::{Breadcrumbs, Button, ButtonKind, ButtonLink, Field, Hidden};
use leptos::prelude::*;

/// `GET /console/keys/{id}/revoke`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    Path(key_id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let key = revocable(&state, &who, &key_id).await?;
    Ok(show(&state, (&visit, &who), &key, &Form::default()).await)
}

/// `POST /console/keys/{id}/revoke`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    Path(key_id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let key = revocable(&state, &who, &key_id).await?;
    if form.value("confirm").trim() != key.name {
        form.refuse("confirm", visit.t().keys.error.confirm_wrong);
        return Ok(show(&state, (&visit, &who), &key, &form).await);
    }
    state.accounts.keys.revoke(&who.origin, &who.member, &key.id).await.map_err(detail::problem_of)?;
    Ok(see_other(&flash::with(&visit.link("/console/keys"), Notice::KeyRevoked)))
}

async fn revocable(state: &ConsoleState, who: &SignedIn, key_id: &str) -> Result<KeyInfo, Problem> {
    if !may_manage(who) {
        return Err(Problem::Forbidden);
    }
    let key = find(state, who, key_id).await?;
    if key.state == KeyState::Revoked { Err(Problem::NotFound) } else { Ok(key) }
}

async fn show(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    key: &KeyInfo,
    form: &Form,
) -> Response {
    let t = &visit.t().keys;
    let title = t.revoke.title(&key.name);
    let titled = Titled::of(visit, &title, form);
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let last_used = match key.last_used_at_ms {
        Some(at_ms) => t.revoke.last_used(moments.distance(at_ms)),
        None => t.revoke.never_used.to_owned(),
    };
    let key_page = detail::address(visit, key);
    let action = format!("{key_page}/revoke");
    let above =
        vec![(visit.link("/console/keys"), t.list.title.to_owned()), (key_page.clone(), key.name.clone())];
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=t.detail.revoke/>
            <h1>{title}</h1>
        </div>
        {form.summary(visit.locale)}
        <ul class="bullets"><li>{t.revoke.lead}</li><li>{last_used}</li><li>{t.revoke.running}</li></ul>
        <form method="post" action=action class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            <Field
                id="confirm" label=t.revoke.confirm hint=key.name.clone() value=form.value("confirm")
                nostrip:fault=form.fault("confirm") autocomplete="off"
            />
            <p class="actions">
                <Button kind=ButtonKind::Danger>{t.revoke.submit}</Button>
                <ButtonLink kind=ButtonKind::Quiet href=key_page>{t.revoke.keep}</ButtonLink>
            </p>
        </form>
    };
    shell::signed_in((visit, who), Section::Keys, titled, content).await
}
