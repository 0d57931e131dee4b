//! Confirming a new address. Opening the link changes nothing, because mail scanners open links; the button does.
use crate::flash::{self, Notice};
use crate::forms::VisitorPost;
use crate::pages::auth::dead_link;
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::{self, Titled, see_other};
use crate::state::ConsoleState;
use crate::who::Visitor;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::EmailChangeError;
use bytespike_ui::Visit;
use bytespike_ui::components::{Button, ButtonKind, Hidden};
use leptos::prelude::*;

const SETTINGS: &str = "/console/settings/security";

/// `GET /console/confirm-email?token=…`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    visit: Visit,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let token = Query::of(&visit).get("token").unwrap_or_default().to_owned();
    let Some(email) = state.accounts.people.email_to_confirm(&token).await? else {
        return Ok(dead_link((&visit, &visitor), SETTINGS).await);
    };
    let t = &visit.t().security.email;
    let content = view! {
        <h1>{t.confirm_title}</h1>
        <p>{t.confirm_lead(email)}</p>
        <form method="post" action=visit.link("/console/confirm-email")>
            <Hidden name="csrf" value=visitor.token.clone()/>
            <Hidden name="token" value=token/>
            <Button kind=ButtonKind::Primary>{t.confirm}</Button>
        </form>
    };
    Ok(shell::narrow((&visit, &visitor), Titled::ok(t.confirm_title), content).await)
}

/// `POST /console/confirm-email`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: VisitorPost,
) -> Result<Response, Problem> {
    let VisitorPost { visitor, form } = post;
    match state.accounts.people.confirm_email(&visitor.origin, form.value("token")).await {
        Ok(letters) => {
            for letter in letters {
                state.mail.deliver(&state.urls, &visitor.id, Some(letter)).await;
            }
            Ok(see_other(&flash::with(&visit.link("/console/sign-in"), Notice::EmailChanged)))
        }
        Err(EmailChangeError::Unavailable(error)) => Err(error.into()),
        Err(_) => Ok(dead_link((&visit, &visitor), SETTINGS).await),
    }
}
