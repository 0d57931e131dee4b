//! Reading a posted form. Only ordinary forms are taken, and only with the token of the page they stood on.
use super::Form;
use crate::confirm::{self, Outcome};
use crate::state::ConsoleState;
use crate::who::{SignedIn, Visitor};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use bytespike_accounts::csrf::Binding;
use bytespike_ui::Visit;
use http::StatusCode;

/// No form of ours has more fields.
const MOST_FIELDS: usize = 200;

/// A form posted by someone signed in, who has confirmed anew that it is them where the form is guarded.
pub(crate) struct SignedPost {
    pub who: SignedIn,
    pub form: Form,
}

/// A form posted before sign-in.
pub(crate) struct VisitorPost {
    pub visitor: Visitor,
    pub form: Form,
}

impl FromRequest<ConsoleState> for SignedPost {
    type Rejection = Response;

    async fn from_request(request: Request, state: &ConsoleState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_parts(&parts, state.urls.clone());
        let who = <SignedIn as FromRequestParts<_>>::from_request_parts(&mut parts, state).await?;
        let request = Request::from_parts(parts.clone(), body);
        let form = read(request, state).await.map_err(IntoResponse::into_response)?;
        let binding = Binding::Session(&who.session.csrf_binding);
        check(state, binding, &form).map_err(IntoResponse::into_response)?;
        match confirm::check(state, (&visit, &who), &form).await.map_err(IntoResponse::into_response)? {
            Outcome::Fresh => Ok(Self { who, form }),
            Outcome::Confirmed => {
                let who = <SignedIn as FromRequestParts<_>>::from_request_parts(&mut parts, state).await?;
                Ok(Self { who, form })
            }
            Outcome::Ask(page) => Err(page),
        }
    }
}

impl FromRequest<ConsoleState> for VisitorPost {
    type Rejection = StatusCode;

    async fn from_request(request: Request, state: &ConsoleState) -> Result<Self, StatusCode> {
        let (mut parts, body) = request.into_parts();
        let Ok(visitor) = Visitor::from_request_parts(&mut parts, state).await;
        let form = read(Request::from_parts(parts, body), state).await?;
        check(state, Binding::Anonymous(&visitor.id), &form)?;
        Ok(Self { visitor, form })
    }
}

/// Whether the form carries the token of the page it stood on.
pub(crate) fn check(state: &ConsoleState, binding: Binding<'_>, form: &Form) -> Result<(), StatusCode> {
    if state.accounts.csrf.verify(binding, form.value("csrf")) { Ok(()) } else { Err(StatusCode::FORBIDDEN) }
}

/// The status of a refusal only: its page is made elsewhere, in the reader's language.
pub(crate) async fn read(request: Request, state: &ConsoleState) -> Result<Form, StatusCode> {
    let read = axum::Form::<Vec<(String, String)>>::from_request(request, state).await;
    let axum::Form(fields) = read.map_err(|refused| refused.into_response().status())?;
    // PostgreSQL keeps no NUL, and nobody types one.
    let has_nul = fields.iter().any(|(name, value)| name.contains('\0') || value.contains('\0'));
    if fields.len() > MOST_FIELDS || has_nul { Err(StatusCode::BAD_REQUEST) } else { Ok(Form::new(fields)) }
}
