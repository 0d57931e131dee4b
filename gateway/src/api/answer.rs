//! Answers of the management API: JSON, and errors in one shape.

use axum::body::Body;
use bytes::Bytes;
use bytespike_dialects::{Dialect, ErrorCode, ErrorInfo};
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What a handler answers: a status and a body, or an error.
pub type Answer = Result<Response<Body>, Fault>;

/// Why there is no answer.
pub type Fault = Box<ErrorInfo>;

/// Every error of the management API.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiError {
    error: ApiErrorBody,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ApiErrorBody {
    /// A code of the error table, such as `permission_denied`.
    code: &'static str,
    /// English, for people.
    message: String,
    /// The field or parameter at fault.
    param: Option<String>,
    /// Facts for programs.
    #[schema(value_type = Object)]
    details: Map<String, Value>,
    /// Also in the `request-id` header.
    request_id: String,
}

/// 200 with a body that is JSON already.
#[must_use]
pub fn json(body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// 200 with a value.
///
/// # Errors
/// The value cannot be written as JSON.
pub fn value<T: Serialize>(value: &T) -> Answer {
    match serde_json::to_vec(value) {
        Ok(body) => Ok(json(Bytes::from(body))),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            Err(crate::serve::refusal::impossible().into())
        }
    }
}

/// 201 with a value.
///
/// # Errors
/// The value cannot be written as JSON.
pub fn created<T: Serialize>(made: &T) -> Answer {
    let mut response = value(made)?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// 204.
#[must_use]
pub fn nothing() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// The caller's mistake in a sentence.
#[must_use]
pub fn invalid(reason: &str) -> ErrorInfo {
    ErrorInfo::new(ErrorCode::InvalidRequest, &[("reason", reason)])
}

/// The answer with its request id.
#[must_use]
pub fn named(outcome: Answer, request_id: &str) -> Response<Body> {
    let mut response = outcome.unwrap_or_else(|error| refusal(*error, request_id));
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert("request-id", value);
    }
    response
}

fn refusal(error: ErrorInfo, request_id: &str) -> Response<Body> {
    crate::telemetry::refused(error.code);
    let status = error.status(Dialect::OpenAiChat);
    let retry = error.retry_headers();
    let body = ApiError {
        error: ApiErrorBody {
            code: error.code.name(),
            message: error.message,
            param: error.param,
            details: error.details,
            request_id: request_id.to_owned(),
        },
    };
    let mut response = json(Bytes::from(serde_json::to_vec(&body).unwrap_or_default()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in retry {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
