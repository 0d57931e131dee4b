//! `POST /api/v1/leaks`: whoever found a key where it should not be ends it. The shape is that of secret-scanning services,
//! and the answer is the same whether there was such a key or not.

use axum::body::Body;
use axum::extract::State;
use bytespike_accounts::Origin;
use bytespike_dialects::{Dialect, ErrorCode, ErrorInfo};
use http::{Request, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{self, Answer, ApiError, invalid};
use super::{origin, read_json};
use crate::Gateway;
use crate::http::Inbound;
use crate::http::receipts::unavailable;

const MOST_LEAKS: usize = 100;

/// A text that was found, and where.
#[derive(Deserialize, ToSchema)]
pub struct Leak {
    /// The whole key. Anything else is passed over.
    token: String,
    /// Where it was found; shown to the key's owner.
    url: Option<String>,
    /// What kind of secret the scanner takes it for.
    #[serde(rename = "type")]
    #[expect(dead_code, reason = "scanners send it; what counts is the text itself")]
    kind: Option<String>,
    /// What kind of place it was found in.
    #[expect(dead_code, reason = "scanners send it; what counts is the text itself")]
    source: Option<String>,
}

/// That the report was taken. It does not say what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeakReport {
    #[schema(pattern = "^leak_report$")]
    object: &'static str,
    /// How many texts were taken.
    received: usize,
}

/// Report leaked keys
///
/// Needs no key. A text that is a key is ended at once: the one secret if the key was rotated and has another, else the
/// key and every key derived from it. Its owner is told by mail. The answer is the same for texts that are no key.
#[utoipa::path(post, path = "/api/v1/leaks", operation_id = "reportLeaks", tag = "leaks",
    request_body = Vec<Leak>, security(()),
    responses(
        (status = 200, description = "The report was taken.", body = LeakReport),
        (status = 400, description = "The body is not valid.", body = ApiError),
        (status = 415, description = "The body is not JSON.", body = ApiError),
        (status = 429, description = "Too many reports from this network.", body = ApiError),
    ))]
pub async fn report(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    match Inbound::read(&gateway, Dialect::OpenAiChat, request).await {
        Err((request_id, error)) => answer::named(Err(error.into()), &request_id),
        Ok(inbound) => {
            let outcome = take(&gateway, &origin(&inbound), &inbound).await;
            answer::named(outcome, &inbound.request_id)
        }
    }
}

async fn take(gateway: &Gateway, origin: &Origin, inbound: &Inbound) -> Answer {
    let keys = &gateway.accounts.keys;
    if !keys.takes_leak_report(origin).await.map_err(|error| unavailable(&error))? {
        let values = [("node", "your network"), ("limit", "60"), ("retry_after_s", "60")];
        return Err(ErrorInfo::new(ErrorCode::RateLimited, &values).with_retry_after_ms(60_000).into());
    }
    let leaks: Vec<Leak> = read_json(&inbound.headers, &inbound.body)?;
    if leaks.is_empty() || leaks.len() > MOST_LEAKS {
        return Err(invalid(&format!("a list of 1 to {MOST_LEAKS} leaks is wanted")).into());
    }
    for leak in &leaks {
        let found_at = leak.url.as_deref().unwrap_or_default();
        let reported = keys.report_leak(origin, (&leak.token, found_at)).await;
        let reported = reported.map_err(|error| unavailable(&error))?;
        metrics::counter!("bytespike_leaks_reported_total", "ended" => reported.name()).increment(1);
    }
    answer::value(&LeakReport { object: "leak_report", received: leaks.len() })
}
