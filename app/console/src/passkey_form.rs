//! The form that asks a device for a passkey, and the addresses that give it a challenge. It stays hidden without a script:
//! every page that has it has another way beside it.
use crate::forms::{SignedPost, VisitorPost};
use crate::problem::Problem;
use crate::state::ConsoleState;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytespike_accounts::passkeys::{Asker, PasskeyError};
use bytespike_ui::assets;
use bytespike_ui::components::{Button, ButtonKind, Hidden};
use http::header::CONTENT_TYPE;
use leptos::prelude::*;

/// The field that carries the device's answer, but where it is a fresh proof.
pub(crate) const ANSWER: &str = "passkey";

/// What the device is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Any passkey of this site.
    Use,
    /// A new one.
    Add,
}

/// Where a form with a passkey goes, and what it says.
pub(crate) struct PasskeyForm {
    pub ask: Ask,
    /// Carries the device's answer.
    pub field: &'static str,
    pub action: String,
    /// Gives the challenge.
    pub challenge: String,
    pub csrf: String,
    pub label: &'static str,
    /// Said when the device gave none.
    pub failed: &'static str,
}

impl PasskeyForm {
    /// With further fields of the form before its button.
    pub fn view(self, fields: AnyView) -> AnyView {
        let (kind, asks) = match self.ask {
            Ask::Use => (ButtonKind::Secondary, "use"),
            Ask::Add => (ButtonKind::Primary, "add"),
        };
        view! {
            <form
                method="post" action=self.action data-passkey=asks
                data-challenge=self.challenge data-failed=self.failed hidden
            >
                <Hidden name="csrf" value=self.csrf/>
                <input type="hidden" name=self.field value="" data-answer=""/>
                {fields}
                <Button kind=kind>{self.label}</Button>
                <p role="status" class="hint"></p>
            </form>
            <script type="module" src=assets::url("passkey.js")></script>
        }
        .into_any()
    }
}

/// `POST /console/passkeys/sign-in`: a challenge for a browser that nobody is signed in with.
pub(crate) async fn to_sign_in(
    State(state): State<ConsoleState>,
    post: VisitorPost,
) -> Result<Response, Problem> {
    let site = state.passkey_site().ok_or(Problem::NotFound)?;
    let visitor = post.visitor;
    let asker = Asker { origin: &visitor.origin, browser: &visitor.id };
    let challenge = state.accounts.passkeys.challenge(asker, &site).await.map_err(problem_of)?;
    Ok(visitor.remember(json(challenge)))
}

/// `POST /console/passkeys/confirm`: a challenge for a session, to prove anew who holds it.
pub(crate) async fn to_confirm(
    State(state): State<ConsoleState>,
    post: SignedPost,
) -> Result<Response, Problem> {
    let site = state.passkey_site().ok_or(Problem::NotFound)?;
    let asker = Asker { origin: &post.who.origin, browser: &post.who.session.csrf_binding };
    Ok(json(state.accounts.passkeys.challenge(asker, &site).await.map_err(problem_of)?))
}

pub(crate) fn json(text: String) -> Response {
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], text).into_response()
}

/// What cannot be shown on the page of a form.
pub(crate) fn problem_of(error: PasskeyError) -> Problem {
    match error {
        PasskeyError::Refused => Problem::Forbidden,
        PasskeyError::TooMany => Problem::TooMany,
        PasskeyError::Unavailable(error) => error.into(),
    }
}
