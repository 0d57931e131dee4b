//! Accounts of other providers that sign the reader in: linking one, and unlinking it.
use crate::flash::{self, Notice};
use crate::forms::SignedPost;
use crate::pages::auth::provider;
use crate::pages::security::PATH;
use crate::problem::Problem;
use crate::providers::Provider;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::when::Moments;
use crate::who::{SignedIn, Visitor};
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_accounts::identities::{LinkedIdentity, UnlinkError};
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, Hidden};
use leptos::prelude::*;

/// `POST /console/settings/security/identities/{provider}/link`
pub(crate) async fn link(
    State(state): State<ConsoleState>,
    Path(provider): Path<String>,
    visit: Visit,
    visitor: Visitor,
    post: SignedPost,
) -> Result<Response, Problem> {
    let page = provider::send_to_link(&state, (&visit, &visitor, &post.who), &provider).await?;
    Ok(visitor.remember(page))
}

/// `POST /console/settings/security/identities/{provider}/unlink`
pub(crate) async fn unlink(
    State(state): State<ConsoleState>,
    Path(provider): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    let SignedPost { who, form } = post;
    let name = name_of(&state, &provider);
    let which = (provider.as_str(), form.value("subject"), name.as_str());
    let owner = (&who.member, &who.session);
    match state.accounts.identities.unlink(&who.origin, owner, which).await {
        Ok(letter) => {
            state.mail.deliver(&state.urls, &who.anonymous, letter).await;
            state.accounts.sessions.renew(&who.cookie).await?;
            Ok(see_other(&flash::with(&visit.link(PATH), Notice::IdentityUnlinked)))
        }
        // The page offers no button for the last one, so whoever is here has an old page.
        Err(UnlinkError::Last) => Ok(see_other(&visit.link(PATH))),
        Err(UnlinkError::NotFound) => Err(Problem::NotFound),
        Err(UnlinkError::Unavailable(error)) => Err(error.into()),
    }
}

/// The section of the page; nothing where no provider is configured and none is linked.
pub(super) fn part(
    state: &ConsoleState,
    (visit, who): (&Visit, &SignedIn),
    (moments, linked, has_other_way): (&Moments, Vec<LinkedIdentity>, bool),
) -> Option<AnyView> {
    let t = &visit.t().security.identities;
    let is_linked = |provider: &&Provider| linked.iter().any(|identity| identity.provider == provider.id);
    let rest: Vec<AnyView> = state
        .providers
        .all()
        .iter()
        .filter(|provider| !is_linked(provider))
        .map(|provider| offer((visit, who), provider))
        .collect();
    if linked.is_empty() && rest.is_empty() {
        return None;
    }
    let may_unlink = has_other_way || linked.len() > 1;
    let rows: Vec<AnyView> = linked
        .into_iter()
        .map(|identity| row((visit, who), (state, moments, may_unlink), identity))
        .collect();
    Some(
        view! {
            <section class="stack">
                <div><h2>{t.title}</h2><p class="soft">{t.lead}</p></div>
                <ul class="choices">{rows}{rest}</ul>
            </section>
        }
        .into_any(),
    )
}

fn offer((visit, who): (&Visit, &SignedIn), provider: &Provider) -> AnyView {
    let t = &visit.t().security.identities;
    let label = t.link(&provider.name);
    view! {
        <li>
            <div><strong>{provider.name.clone()}</strong><p class="soft">{t.not_linked}</p></div>
            <form method="post" class="inline" action=action(visit, &provider.id, "link")>
                <Hidden name="csrf" value=who.token.clone()/>
                <Button>{label}</Button>
            </form>
        </li>
    }
    .into_any()
}

fn row(
    (visit, who): (&Visit, &SignedIn),
    (state, moments, may_unlink): (&ConsoleState, &Moments, bool),
    identity: LinkedIdentity,
) -> AnyView {
    let t = &visit.t().security.identities;
    let name = name_of(state, &identity.provider);
    let used = identity.last_used_at_ms.map_or_else(
        || t.linked_on(moments.date(identity.linked_at_ms)),
        |at_ms| t.last_used(moments.date(at_ms)),
    );
    let label = t.unlink(&name);
    let button = if may_unlink {
        view! {
            <form method="post" class="inline" action=action(visit, &identity.provider, "unlink")>
                <Hidden name="csrf" value=who.token.clone()/>
                <Hidden name="subject" value=identity.subject/>
                <Button>{label}</Button>
            </form>
        }
        .into_any()
    } else {
        view! { <p class="hint">{t.last}</p> }.into_any()
    };
    view! {
        <li>
            <div><strong>{name}</strong> " " {identity.email}<p class="soft">{used}</p></div>
            {button}
        </li>
    }
    .into_any()
}

fn action(visit: &Visit, provider: &str, verb: &str) -> String {
    visit.link(&format!("{PATH}/identities/{provider}/{verb}"))
}

/// What people call the provider; its id when it is configured no more.
fn name_of(state: &ConsoleState, id: &str) -> String {
    state.providers.find(id).map_or_else(|| id.to_owned(), |provider| provider.name.clone())
}
