//! Where the provider tells us what happened. It is believed for its signature over the raw body, and for nothing else.
use crate::Payments;
use crate::event::EventError;
use crate::signature;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use http::{HeaderMap, StatusCode};

/// The address to enter at Stripe, below the console's.
pub const WEBHOOK_PATH: &str = "/webhooks/stripe";
/// Stripe's events are a few kilobytes.
const MOST_BYTES: usize = 512 << 10;

/// The one route. No cookie counts here, and no page may call it.
pub fn router(payments: Payments) -> Router {
    Router::new()
        .route(WEBHOOK_PATH, post(receive))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .with_state(payments)
}

async fn receive(State(payments): State<Payments>, headers: HeaderMap, body: Bytes) -> Response {
    let header = headers.get("stripe-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let now_ms = payments.world.now_ms();
    if let Err(error) = signature::verify(header, &body, &payments.webhook_secrets, now_ms) {
        tracing::warn!(%error, "an event that claims to be Stripe's was not believed");
        return answer(StatusCode::BAD_REQUEST, &error.to_string());
    }
    let Ok(text) = std::str::from_utf8(&body) else {
        return answer(StatusCode::BAD_REQUEST, "this is not UTF-8");
    };
    match payments.take(text).await {
        Ok(()) => answer(StatusCode::OK, "received"),
        Err(error @ EventError::Malformed(_)) => answer(StatusCode::BAD_REQUEST, &error.to_string()),
        Err(EventError::NotYet(error)) => {
            tracing::error!(%error, "an event could not be applied; Stripe sends it again");
            answer(StatusCode::SERVICE_UNAVAILABLE, "not yet; send it again")
        }
    }
}

fn answer(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(serde_json::json!({ "message": message }))).into_response()
}
