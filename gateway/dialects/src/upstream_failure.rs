//! What an upstream's failure means: for the client, for the channel, and for trying elsewhere.

use crate::{Dialect, ErrorCode, ErrorInfo};

/// A failed attempt. Holds nothing the client may not see.
#[derive(Debug, Clone, PartialEq)]
pub struct UpstreamFailure {
    /// What the client is told if no other attempt succeeds.
    pub code: ErrorCode,
    /// The upstream's own words, without hosts, keys and accounts.
    pub reason: String,
    pub param: Option<String>,
    /// The upstream's HTTP status; `None` when the failure was inside a 200.
    pub status: Option<u16>,
    pub retry_after_ms: Option<i64>,
    /// Another channel may succeed with the same request.
    pub elsewhere: bool,
    /// The channel's credential is at fault (refused, out of credit).
    pub credential_fault: bool,
}

/// The response headers that say something about a failure.
#[derive(Debug, Clone, Copy, Default)]
pub struct FailureHeaders<'a> {
    pub retry_after: Option<&'a str>,
    pub retry_after_ms: Option<&'a str>,
}

impl UpstreamFailure {
    /// Reads an upstream's error response (any status, or 200 with an error body).
    pub fn classify(dialect: Dialect, status: u16, headers: FailureHeaders<'_>, body: &[u8]) -> Self {
        let _ = (dialect, status, headers, body);
        unimplemented!("being written")
    }

    /// The stream ended before its terminal event.
    pub fn stream_broke(reason: &str) -> Self {
        Self {
            code: ErrorCode::StreamBroke,
            reason: reason.to_owned(),
            param: None,
            status: None,
            retry_after_ms: None,
            elsewhere: true,
            credential_fault: false,
        }
    }

    /// The error for the client, who knows the model as `model`.
    pub fn error_info(&self, model: &str) -> ErrorInfo {
        let _ = model;
        unimplemented!("being written")
    }
}
