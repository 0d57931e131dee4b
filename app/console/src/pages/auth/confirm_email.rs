//! Confirming a new address of an account.
use crate::cut_programs;
use crate::flash::{self, Notice};
use crate::forms::VisitorPost;
use crate::pages::auth::dead_link;
use crate::pages::auth::link_page::LinkPage;
use crate::problem::Problem;
use crate::query::Query;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::who::Visitor;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::people::EmailChangeError;
use bytespike_ui::Visit;

const SETTINGS: &str = "/console/settings/security";

/// `GET /console/confirm-email?token=…`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    visit: Visit,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let token = Query::of(&visit).get("token").unwrap_or_default().to_owned();
    let Some(wish) = state.accounts.people.email_to_confirm(&token).await? else {
        return Ok(dead_link((&visit, &visitor), SETTINGS).await);
    };
    let apps = state.accounts.oauth.count_apps(&wish.person_id).await?;
    let t = &visit.t().security.email;
    let page = LinkPage {
        title: t.confirm_title,
        lead: t.confirm_lead(wish.email),
        action: "/console/confirm-email",
        submit: t.confirm,
        kept: vec![("token", token)],
        choice: cut_programs::offer(&visit, apps),
    };
    Ok(page.show((&visit, &visitor)).await)
}

/// `POST /console/confirm-email`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: VisitorPost,
) -> Result<Response, Problem> {
    let VisitorPost { visitor, form } = post;
    match state.accounts.people.confirm_email(&visitor.origin, form.value("token")).await {
        Ok(changed) => {
            for letter in changed.letters {
                state.mail.deliver(&state.urls, &visitor.id, Some(letter)).await;
            }
            cut_programs::after(&state, (&visitor.origin, &changed.person_id), &form).await?;
            Ok(see_other(&flash::with(&visit.link("/console/sign-in"), Notice::EmailChanged)))
        }
        Err(EmailChangeError::Unavailable(error)) => Err(error.into()),
        Err(_) => Ok(dead_link((&visit, &visitor), SETTINGS).await),
    }
}
