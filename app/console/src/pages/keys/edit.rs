//! Changing a key's terms, and switching it off and on.
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::pages::keys::expiry::Ends;
use crate::pages::keys::{create, detail, lists, manageable, terms};
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::keys::{KeyInfo, KeyState};
use bytespike_ui::Visit;
use bytespike_ui::components::{Breadcrumbs, Button, ButtonKind, ButtonLink, Hidden};
use leptos::prelude::*;

/// `GET /console/keys/{id}/edit`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    Path(key_id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let key = manageable(&state, &who, &key_id).await?;
    let page = Page::of(&state, (&visit, &who), &key).await?;
    Ok(show((&visit, &who), &page, &terms::filled(&key)).await)
}

/// `POST /console/keys/{id}/edit`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    Path(key_id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let key = manageable(&state, &who, &key_id).await?;
    let page = Page::of(&state, (&visit, &who), &key).await?;
    let wanted = terms::read(&mut form, (&state, visit.locale), &page.ends);
    if form.has_faults() {
        return Ok(show((&visit, &who), &page, &form).await);
    }
    match state.accounts.keys.change(&who.origin, &who.member, (&key.id, wanted)).await {
        Ok(_) => Ok(see_other(&flash::with(&detail::address(&visit, &key), Notice::KeyChanged))),
        Err(error) => {
            create::refuse_key(&mut form, (&visit, &page.moments), error)?;
            Ok(show((&visit, &who), &page, &form).await)
        }
    }
}

/// `POST /console/keys/{id}/state`: switches it off or on. It is undone with the same button.
pub(crate) async fn switch(
    State(state): State<ConsoleState>,
    Path(key_id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, form } = post;
    let key = manageable(&state, &who, &key_id).await?;
    let (wanted, notice) = match form.value("state") {
        "active" => (KeyState::Active, Notice::KeyEnabled),
        _ => (KeyState::Disabled, Notice::KeyDisabled),
    };
    let switched = state.accounts.keys.set_state(&who.origin, &who.member, &key.id, wanted).await;
    switched.map_err(detail::problem_of)?;
    Ok(see_other(&flash::with(&detail::address(&visit, &key), notice)))
}

/// What the form is made of.
struct Page<'a> {
    key: &'a KeyInfo,
    ends: Ends,
    moments: Moments,
}

impl<'a> Page<'a> {
    async fn of(
        state: &ConsoleState,
        (visit, who): (&Visit, &SignedIn),
        key: &'a KeyInfo,
    ) -> Result<Self, Problem> {
        let above = state.accounts.keys.allowed_to(who.member.org_id(), key).await?;
        let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
        let ends =
            Ends::fresh(moments.now_ms).kept(key.terms.expires_at_ms).within(&above, key.created_at_ms);
        Ok(Self { key, ends, moments })
    }
}

async fn show((visit, who): (&Visit, &SignedIn), at: &Page<'_>, form: &Form) -> Response {
    let key = at.key;
    let t = &visit.t().keys;
    let title = t.edit.title(&key.terms.name);
    let titled = Titled::of(visit, &title, form);
    let page = detail::address(visit, key);
    let above =
        vec![(visit.link("/console/keys"), t.list.title.to_owned()), (page.clone(), key.terms.name.clone())];
    let action = format!("{page}/edit");
    let (cancel, submit, here) = (visit.t().console.word.cancel, t.edit.submit, t.detail.edit);
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=here/>
            <h1>{title}</h1>
            <p class="soft">{t.edit.lead}</p>
        </div>
        {form.summary(visit.locale)}
        <form method="post" action=action class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            {terms::name_fields(visit, form)}
            {lists::fields(visit, form)}
            {at.ends.field(visit, &at.moments, form)}
            {terms::strict_field(visit, form)}
            {terms::scope_fields((visit, who), form, None)}
            <p class="actions">
                <Button kind=ButtonKind::Primary>{submit}</Button>
                <ButtonLink kind=ButtonKind::Quiet href=page>{cancel}</ButtonLink>
            </p>
        </form>
    };
    shell::signed_in((visit, who), Section::Keys, titled, content).await
}
