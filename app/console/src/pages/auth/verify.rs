//! Confirming an address.
use crate::flash::{self, Notice};
use crate::forms::VisitorPost;
use crate::next::after_sign_in;
use crate::pages::auth::dead_link;
use crate::pages::auth::link_page::LinkPage;
use crate::problem::Problem;
use crate::query::{self, Query};
use crate::shell::{self, Titled, see_other};
use crate::state::ConsoleState;
use crate::trial;
use crate::who::Visitor;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::orgs::TrialGrant;
use bytespike_accounts::people::VerifyError;
use bytespike_ui::Visit;
use bytespike_ui::components::ButtonLink;
use leptos::prelude::*;

/// `GET /console/verify?token=…`
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    visit: Visit,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let query = Query::of(&visit);
    let token = query.get("token").unwrap_or_default().to_owned();
    let next = query.get("next").unwrap_or_default().to_owned();
    if !state.accounts.people.can_verify(&token).await? {
        return Ok(dead_link((&visit, &visitor), "/console/resend").await);
    }
    let t = &visit.t().auth.verify;
    let page = LinkPage {
        title: t.title,
        lead: t.lead.to_owned(),
        action: "/console/verify",
        submit: t.submit,
        kept: vec![("token", token), ("next", next)],
        choice: None,
    };
    Ok(page.show((&visit, &visitor)).await)
}

/// `POST /console/verify`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    post: VisitorPost,
) -> Result<Response, Problem> {
    let VisitorPost { visitor, form } = post;
    match state.accounts.people.verify_email(&visitor.origin, form.value("token")).await {
        Ok(due) => {
            welcome(&state, &due).await;
            let notice = flash::with(&visit.link("/console/sign-in"), Notice::Verified);
            Ok(see_other(&match after_sign_in(Some(form.value("next")), "").as_str() {
                "" => notice,
                next => format!("{notice}&{}", query::write(&[("next", next)])),
            }))
        }
        Err(VerifyError::Waits) => Ok(waits((&visit, &visitor)).await),
        Err(VerifyError::Dead) => Ok(dead_link((&visit, &visitor), "/console/resend").await),
        Err(VerifyError::Unavailable(error)) => Err(error.into()),
    }
}

/// The address is confirmed, and an operator decides about the rest.
async fn waits((visit, visitor): (&Visit, &Visitor)) -> Response {
    let t = &visit.t().switches.sign_up;
    let (home, to_home) = (visit.link("/"), visit.t().common.error.home);
    let content = view! {
        <h1>{t.waits_title}</h1>
        <p>{t.waits}</p>
        <p class="actions"><ButtonLink href=home>{to_home}</ButtonLink></p>
    };
    shell::narrow((visit, visitor), Titled::ok(t.waits_title), content).await
}

/// The address is confirmed whatever happens here: a trial that could not be booked stays due.
pub(crate) async fn welcome(state: &ConsoleState, due: &TrialGrant) {
    let booked = trial::book((&state.accounts, &state.ledger), due, state.options.trial_grant).await;
    if let Err(error) = booked {
        tracing::error!(%error, org_id = %due.org_id, "a trial credit was not booked; it stays due");
    }
}
