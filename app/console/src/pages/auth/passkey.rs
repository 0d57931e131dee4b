//! Signing in with a passkey: alone, which takes no second step, or in place of a code. Both are given the same challenge.
use crate::forms::{Form, VisitorPost};
use crate::pages::auth::land::land;
use crate::pages::auth::sign_in;
use crate::passkey_form::{ANSWER, Ask, PasskeyForm, problem_of};
use crate::problem::Problem;
use crate::state::ConsoleState;
use crate::who::Visitor;
use axum::extract::State;
use axum::response::Response;
use bytespike_accounts::passkeys::{Asker, PasskeyError};
use bytespike_accounts::sessions::Session;
use bytespike_ui::Visit;
use bytespike_ui::components::Hidden;
use leptos::prelude::*;

/// `POST /console/sign-in/passkey`
pub(crate) async fn submit(
    State(state): State<ConsoleState>,
    visit: Visit,
    session: Session,
    post: VisitorPost,
) -> Result<Response, Problem> {
    let VisitorPost { visitor, mut form } = post;
    let member = match prove(&state, &visitor, &form).await? {
        Some(person_id) => state.accounts.people.sign_in_with_passkey(&visitor.origin, &person_id).await?,
        None => None,
    };
    match member {
        Some(member) => land(&state, (&visit, &visitor, &session), (&member, form.value("next"))).await,
        None => {
            form.refuse("email", visit.t().security.passkey.wrong);
            Ok(sign_in::show(&state, (&visit, &visitor), &form).await)
        }
    }
}

/// Whose passkey the form carries; `None` when it was not accepted.
pub(super) async fn prove(
    state: &ConsoleState,
    visitor: &Visitor,
    form: &Form,
) -> Result<Option<String>, Problem> {
    let site = state.passkey_site().ok_or(Problem::NotFound)?;
    let asker = Asker { origin: &visitor.origin, browser: &visitor.id };
    match state.accounts.passkeys.prove(asker, &site, form.value(ANSWER)).await {
        Ok(person_id) => Ok(Some(person_id)),
        Err(PasskeyError::Refused) => Ok(None),
        Err(error) => Err(problem_of(error)),
    }
}

/// The way in beside a form of a page before sign-in; nothing where there are no passkeys.
pub(super) fn part(
    state: &ConsoleState,
    (visit, visitor): (&Visit, &Visitor),
    (action, next): (&str, &str),
) -> Option<AnyView> {
    state.passkey_site()?;
    let t = &visit.t().security.passkey;
    let form = PasskeyForm {
        ask: Ask::Use,
        field: ANSWER,
        action: visit.link(action),
        challenge: visit.link("/console/passkeys/sign-in"),
        csrf: visitor.token.clone(),
        label: t.sign_in,
        failed: t.failed,
    };
    let next = next.to_owned();
    Some(form.view(view! { <Hidden name="next" value=next/> }.into_any()))
}
