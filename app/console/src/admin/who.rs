//! Who operates: the holder of an operator's session, read anew for every request. No cookie of a person's counts here.
use crate::problem::Problem;
use crate::state::ConsoleState;
use crate::who::{cookie_value, origin_of};
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Redirect, Response};
use bytespike_accounts::Origin;
use bytespike_accounts::csrf::Binding;
use bytespike_accounts::operators::{HalfSignedIn, OPERATOR_COOKIE, OperatorSession};
use bytespike_accounts::secrets::SecretText;
use bytespike_store::operator::OperatorRow;
use bytespike_ui::Visit;
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderValue, Method};

const SIGN_IN: &str = "/admin/sign-in";

/// An operator after both steps. Nothing else makes one.
pub(crate) struct Operator {
    pub session: OperatorSession,
    pub origin: Origin,
    /// For the forms of this page; bound to the session.
    pub token: String,
}

/// Between the password and the second factor.
pub(crate) struct Half(pub HalfSignedIn);

impl Operator {
    pub fn row(&self) -> &OperatorRow {
        &self.session.operator
    }

    async fn find(parts: &Parts, state: &ConsoleState) -> Result<Option<Self>, Problem> {
        let Some(cookie) = cookie_of(parts, state) else { return Ok(None) };
        let found = state.accounts.operators.sessions.current(&cookie).await?;
        Ok(found.map(|session| Self {
            token: state.accounts.csrf.token(Binding::Operator(&session.csrf_binding)),
            origin: origin_of(parts),
            session,
        }))
    }
}

impl FromRequestParts<ConsoleState> for Operator {
    type Rejection = Response;

    /// A reader is sent to sign in and comes back afterwards; a form is refused.
    async fn from_request_parts(parts: &mut Parts, state: &ConsoleState) -> Result<Self, Response> {
        match Self::find(parts, state).await {
            Ok(Some(operator)) => Ok(operator),
            Ok(None) if matches!(parts.method, Method::GET | Method::HEAD) => Err(to_sign_in(parts, state)),
            Ok(None) => Err(Problem::Forbidden.into_response()),
            Err(problem) => Err(problem.into_response()),
        }
    }
}

impl OptionalFromRequestParts<ConsoleState> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ConsoleState) -> Result<Option<Self>, Problem> {
        Self::find(parts, state).await
    }
}

impl FromRequestParts<ConsoleState> for Half {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &ConsoleState) -> Result<Self, Response> {
        let found = match cookie_of(parts, state) {
            Some(cookie) => state.accounts.operators.sessions.half(&cookie).await,
            None => Ok(None),
        };
        match found {
            Ok(Some(half)) => Ok(Self(half)),
            Ok(None) => {
                let visit = Visit::from_parts(parts, state.urls.clone());
                Err(Redirect::to(&visit.link(SIGN_IN)).into_response())
            }
            Err(error) => Err(Problem::from(error).into_response()),
        }
    }
}

/// The answer, with the operator's cookie. It ends with the browser, and earlier on the server.
pub(super) fn with_cookie(state: &ConsoleState, cookie: &SecretText, mut response: Response) -> Response {
    set(&mut response, state, cookie.expose(), "");
    response
}

/// The answer, and the cookie is taken back.
pub(super) fn without_cookie(state: &ConsoleState, mut response: Response) -> Response {
    set(&mut response, state, "", "; Max-Age=0");
    response
}

/// Strict: nothing that another site links to is opened with an operator's rights.
fn set(response: &mut Response, state: &ConsoleState, value: &str, age: &str) {
    let transport = state.options.transport;
    let secure = if transport.is_secure() { "; Secure" } else { "" };
    let name = transport.cookie_name(OPERATOR_COOKIE);
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

fn cookie_of(parts: &Parts, state: &ConsoleState) -> Option<String> {
    cookie_value(&parts.headers, &state.options.transport.cookie_name(OPERATOR_COOKIE))
}

fn to_sign_in(parts: &Parts, state: &ConsoleState) -> Response {
    let visit = Visit::from_parts(parts, state.urls.clone());
    let sign_in = visit.link(SIGN_IN);
    if visit.path == "/admin" {
        return Redirect::to(&sign_in).into_response();
    }
    let next = crate::query::write(&[("next", &visit.here())]);
    Redirect::to(&format!("{sign_in}?{next}")).into_response()
}
