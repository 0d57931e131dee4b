//! Removing an endpoint: what it means first, then one button.
use super::{PATH, address, find, manager, problem_of, words};
use crate::flash::{self, Notice};
use crate::forms::SignedPost;
use crate::problem::Problem;
use crate::shell::{self, Section, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::extract::{Path, State};
use axum::response::Response;
use bytespike_ui::Visit;
use bytespike_ui::components::{Breadcrumbs, Button, ButtonKind, ButtonLink, Hidden};
use leptos::prelude::*;

/// `GET /console/webhooks/{id}/remove`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    who: SignedIn,
) -> Result<Response, Problem> {
    let endpoint = find(&state, &who, &id).await?;
    let t = &visit.t().webhooks.remove;
    let (here, name) = (address(&visit, &id), words::name(&endpoint));
    let above =
        vec![(visit.link(PATH), visit.t().webhooks.list.title.to_owned()), (here.clone(), name.clone())];
    let (action, cancel) = (format!("{here}/remove"), visit.t().console.word.cancel);
    let content = view! {
        <div><Breadcrumbs locale=visit.locale above=above here=t.title/><h1>{t.title}</h1></div>
        <p>{t.lead(&name)}</p>
        <form method="post" action=action class="sheet">
            <Hidden name="csrf" value=who.token.clone()/>
            <p class="actions">
                <Button kind=ButtonKind::Final>{t.submit}</Button>
                <ButtonLink kind=ButtonKind::Quiet href=here>{cancel}</ButtonLink>
            </p>
        </form>
    };
    Ok(shell::signed_in((&visit, &who), Section::Organisation, Titled::ok(t.title), content).await)
}

/// `POST /console/webhooks/{id}/remove`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    Path(id): Path<String>,
    visit: Visit,
    post: SignedPost,
) -> Result<Response, Problem> {
    state.webhooks.remove(&manager(&post.who)?, &id).await.map_err(problem_of)?;
    Ok(see_other(&flash::with(&visit.link(PATH), Notice::WebhookRemoved)))
}
