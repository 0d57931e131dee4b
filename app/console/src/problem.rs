//! What a handler answers when it cannot answer: a status, which one place turns into a page in the reader's language.
use crate::state::ConsoleState;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytespike_ledger::{BookingError, Unavailable};
use bytespike_ui::components::{ButtonKind, ButtonLink};
use bytespike_ui::layout::Entrance;
use bytespike_ui::{CachePolicy, Catalogue, Head, Page, Visit, layout};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use leptos::prelude::*;

/// Why there is no page. What exactly failed is logged here, once; the reader learns the kind.
#[derive(Debug)]
pub(crate) enum Problem {
    NotFound,
    /// The form lacks its token, or the role does not allow the action.
    Forbidden,
    TooMany,
    Unavailable,
}

impl Problem {
    pub fn unavailable(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a page could not be answered");
        Self::Unavailable
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Self::unavailable(&error)
    }
}

impl From<tower_sessions::session::Error> for Problem {
    fn from(error: tower_sessions::session::Error) -> Self {
        Self::unavailable(&error)
    }
}

impl From<Unavailable> for Problem {
    fn from(error: Unavailable) -> Self {
        Self::unavailable(&error)
    }
}

impl From<BookingError> for Problem {
    fn from(error: BookingError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<bytespike_accounts::passwords::Busy> for Problem {
    fn from(error: bytespike_accounts::passwords::Busy) -> Self {
        tracing::warn!(%error, "no room to check another password");
        Self::Unavailable
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
        .into_response()
    }
}

/// Any address that is nobody's.
pub(crate) async fn not_found() -> Problem {
    Problem::NotFound
}

/// Gives every refusal that is not a page yet the page of its status.
pub(crate) async fn dress(State(state): State<ConsoleState>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let visit = Visit::from_parts(&parts, state.urls.clone());
    let request_id = parts.headers.get("request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let response = next.run(Request::from_parts(parts, body)).await;
    let status = response.status();
    let is_refusal = status.is_client_error() || status.is_server_error();
    if !is_refusal || is_page(response.headers()) {
        return response;
    }
    page(&visit, status, request_id).await
}

fn is_page(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

async fn page(visit: &Visit, status: StatusCode, request_id: Option<String>) -> Response {
    let is_operators = visit.path == "/admin" || visit.path.starts_with("/admin/");
    let (title, text) = words(visit.t(), status);
    let t = &visit.t().console.problem;
    let text = if is_operators && status == StatusCode::NOT_FOUND { t.not_found_operators } else { text };
    let number = request_id.filter(|_| status.is_server_error()).map(|id| t.request_id(id));
    // Nobody's session is read here: whoever has none is asked to sign in there.
    let (home, entrance) =
        if is_operators { ("/admin", Entrance::Operators) } else { ("/console", Entrance::Console) };
    let home = visit.link(home);
    let content = view! {
        <div class="error-page">
            <p class="error-code num">{status.as_u16()}</p>
            <h1>{title}</h1>
            <p>{text}</p>
            {number.map(|number| view! { <p class="hint">{number}</p> })}
            <p class="actions"><ButtonLink kind=ButtonKind::Primary href=home>{t.home}</ButtonLink></p>
        </div>
    };
    let body = layout::narrow_within(visit, entrance, content);
    Page::new(Head::private(title), CachePolicy::Private, || body).status(status).render(visit).await
}

fn words(t: &'static Catalogue, status: StatusCode) -> (&'static str, &'static str) {
    let t = &t.console.problem;
    match status {
        StatusCode::NOT_FOUND => (t.not_found_title, t.not_found),
        StatusCode::FORBIDDEN => (t.forbidden_title, t.forbidden),
        StatusCode::METHOD_NOT_ALLOWED => (t.method_title, t.method),
        StatusCode::PAYLOAD_TOO_LARGE => (t.too_large_title, t.too_large),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (t.not_form_title, t.not_form),
        StatusCode::TOO_MANY_REQUESTS => (t.too_many_title, t.too_many),
        StatusCode::SERVICE_UNAVAILABLE => (t.unavailable_title, t.unavailable),
        status if status.is_client_error() => (t.unprocessable_title, t.unprocessable),
        _ => (t.fault_title, t.fault),
    }
}
