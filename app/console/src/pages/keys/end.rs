//! Ending a key, after saying what that means and having its name typed: revoking cuts what still runs on it, deleting lets
//! it finish.
use crate::flash::{self, Notice};
use crate::forms::{Form, SignedPost};
use crate::pages::keys::{detail, manageable};
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

/// How a key ends, as its page's address says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Revoke,
    Delete,
}

impl Ending {
    fn of(visit: &Visit) -> Self {
        if visit.path.ends_with("/revoke") { Self::Revoke } else { Self::Delete }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Revoke => "revoke",
            Self::Delete => "delete",
        }
    }

    /// What the key becomes, and what is said of it.
    fn outcome(self) -> (KeyState, Notice) {
        match self {
            Self::Revoke => (KeyState::Revoked, Notice::KeyRevoked),
            Self::Delete => (KeyState::Deleted, Notice::KeyDeleted),
        }
    }
}

/// `GET /console/keys/{id}/revoke`, `GET /console/keys/{id}/delete`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    Path(key_id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let visit = who.reads(visit);
    let key = manageable(&state, &who, &key_id).await?;
    show(&state, (&visit, &who), (&key, Ending::of(&visit)), &Form::default()).await
}

/// `POST /console/keys/{id}/revoke`, `POST /console/keys/{id}/delete`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    Path(key_id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, mut form } = post;
    let visit = who.reads(visit);
    let (key, ending) = (manageable(&state, &who, &key_id).await?, Ending::of(&visit));
    if form.value("confirm").trim() != key.terms.name {
        form.refuse("confirm", visit.t().keys.error.confirm_wrong);
        return show(&state, (&visit, &who), (&key, ending), &form).await;
    }
    let (wanted, notice) = ending.outcome();
    let ended = state.accounts.keys.set_state(&who.origin, &who.member, &key.id, wanted).await;
    ended.map_err(detail::problem_of)?;
    Ok(see_other(&flash::with(&visit.link("/console/keys"), notice)))
}

async fn show(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    (key, ending): (&KeyInfo, Ending),
    form: &Form,
) -> Result<Response, Problem> {
    let t = &visit.t().keys;
    let name = &key.terms.name;
    let (title, here, lead) = match ending {
        Ending::Revoke => (t.revoke.title(name), t.detail.revoke, t.revoke.lead),
        Ending::Delete => (t.delete.title(name), t.detail.delete, t.delete.lead),
    };
    let (running, submit) = match ending {
        Ending::Revoke => (t.revoke.running, t.revoke.submit),
        Ending::Delete => (t.delete.running, t.delete.submit),
    };
    let titled = Titled::of(visit, &title, form);
    let moments = Moments::new(visit.locale, who.member.time_zone(), state.world.now_ms());
    let last_used = match key.last_used_at_ms {
        Some(at_ms) => t.revoke.last_used(moments.distance(at_ms)),
        None => t.revoke.never_used.to_owned(),
    };
    let all = state.accounts.keys.list(&who.member).await?;
    let below = all
        .iter()
        .filter(|one| one.id != key.id && one.path.contains(&key.id) && one.state.is_open())
        .count();
    let below = (below > 0).then(|| t.revoke.below(below));
    let key_page = detail::address(visit, key);
    let action = format!("{key_page}/{}", ending.name());
    let above =
        vec![(visit.link("/console/keys"), t.list.title.to_owned()), (key_page.clone(), name.clone())];
    let content = view! {
        <div>
            <Breadcrumbs locale=visit.locale above=above here=here/>
            <h1>{title}</h1>
        </div>
        {form.summary(visit.locale)}
        <ul class="bullets">
            <li>{lead}</li>
            <li>{last_used}</li>
            <li>{running}</li>
            {below.map(|below| view! { <li>{below}</li> })}
        </ul>
        <form method="post" action=action class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            <Field
                id="confirm" label=t.revoke.confirm hint=name.clone() value=form.value("confirm")
                nostrip:fault=form.fault("confirm") autocomplete="off"
            />
            <p class="actions">
                <Button kind=ButtonKind::Final>{submit}</Button>
                <ButtonLink kind=ButtonKind::Quiet href=key_page>{t.revoke.keep}</ButtonLink>
            </p>
        </form>
    };
    Ok(shell::signed_in((visit, who), Section::Keys, titled, content).await)
}
