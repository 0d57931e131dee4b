//! Errors as OAuth writes them: a code, a sentence, and for a bearer the challenge that says what is wanted.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytespike_accounts::oauth::device::DeviceError;
use bytespike_accounts::oauth::exchange::ExchangeError;
use bytespike_accounts::oauth::{BearerProblem, GrantScope};
use bytespike_dialects::{ErrorCode, ErrorInfo};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::serve::Refused;

/// An answer that is no success.
#[derive(Debug)]
pub struct Refusal {
    status: u16,
    error: &'static str,
    description: String,
    challenge: Option<String>,
}

impl Refusal {
    pub fn new(status: u16, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, error, description: description.into(), challenge: None }
    }

    pub fn invalid_request(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", description)
    }

    /// The program did not prove itself. One that tried with Basic is told that this is how.
    pub fn client(tried_basic: bool) -> Self {
        let challenge = tried_basic.then(|| "Basic realm=\"oauth\"".to_owned());
        Self {
            challenge,
            ..Self::new(401, "invalid_client", "the program is unknown or did not prove itself")
        }
    }

    /// No good access token: which there must be, and where they come from.
    pub fn bearer(was_presented: bool, metadata_url: &str, scope: GrantScope) -> Self {
        let error = if was_presented { "error=\"invalid_token\", " } else { "" };
        let challenge =
            format!("Bearer {error}resource_metadata=\"{metadata_url}\", scope=\"{}\"", scope.as_str());
        Self {
            challenge: Some(challenge),
            ..Self::new(401, "invalid_token", "send a valid access token as Authorization: Bearer")
        }
    }

    /// A good token without this scope.
    pub fn scope(metadata_url: &str, scope: GrantScope) -> Self {
        let wanted = scope.as_str();
        let challenge = format!(
            "Bearer error=\"insufficient_scope\", scope=\"{wanted}\", resource_metadata=\"{metadata_url}\""
        );
        let description = format!("the access token lacks the scope {wanted}");
        Self { challenge: Some(challenge), ..Self::new(403, "insufficient_scope", description) }
    }

    /// Operators have switched it off.
    pub fn switched_off(what: &str) -> Self {
        let description = format!("whoever runs this installation has switched off {what} for now");
        Self::new(403, "temporarily_unavailable", description)
    }

    pub fn unavailable(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "an OAuth request could not be answered");
        Self::new(
            503,
            "server_error",
            "this cannot be answered right now; nothing was handed out, so try again",
        )
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::unavailable(&error)
    }
}

/// Where a token stands in for a key, its refusal has the shape of that address's errors, and keeps the challenge.
impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let error = match refusal.status {
            401 => ErrorInfo::new(ErrorCode::AccessTokenInvalid, &[]),
            403 => {
                let reason = format!("{}.", refusal.description);
                ErrorInfo::new(ErrorCode::PermissionDenied, &[("reason", &reason)])
            }
            _ => ErrorInfo::new(ErrorCode::LedgerUnavailable, &[]),
        };
        let mut refused = Self::from(error);
        if let Some(challenge) = refusal.challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
            refused.headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        refused
    }
}

impl From<ExchangeError> for Refusal {
    fn from(error: ExchangeError) -> Self {
        let code = match &error {
            ExchangeError::Client => return Self::client(false),
            ExchangeError::Unavailable(error) => return Self::unavailable(error),
            ExchangeError::Grant => "invalid_grant",
            ExchangeError::Scope => "invalid_scope",
            ExchangeError::Target => "invalid_target",
            ExchangeError::Pending => "authorization_pending",
            ExchangeError::SlowDown => "slow_down",
            ExchangeError::ExpiredDevice => "expired_token",
            ExchangeError::Denied => "access_denied",
        };
        Self::new(400, code, error.to_string())
    }
}

impl From<DeviceError> for Refusal {
    fn from(error: DeviceError) -> Self {
        let code = match &error {
            DeviceError::Unavailable(error) => return Self::unavailable(error),
            DeviceError::Unauthorized => "unauthorized_client",
            DeviceError::Scope => "invalid_scope",
            DeviceError::Target => "invalid_target",
            DeviceError::KeyRequest(_) => "invalid_authorization_details",
        };
        Self::new(400, code, error.to_string())
    }
}

impl Refusal {
    /// Why an access token was not taken.
    pub fn of_bearer(problem: BearerProblem, metadata_url: &str, scope: GrantScope) -> Self {
        match problem {
            BearerProblem::Invalid => Self::bearer(true, metadata_url, scope),
            BearerProblem::Unavailable(error) => Self::unavailable(&error),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        let body = json!({ "error": self.error, "error_description": self.description });
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = no_store(status, &body);
        if let Some(challenge) = self.challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// JSON that nobody may keep.
pub fn no_store(status: StatusCode, body: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
