//! An error as the bytes and headers of one dialect.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{ErrorInfo, Retry};
use crate::Dialect;

/// Waits longer than this are not retried by the official SDKs, so they are told not to.
const LONGEST_RETRY_WAIT_MS: i64 = 60_000;

impl ErrorInfo {
    /// The HTTP status and body of this error.
    pub fn render(&self, dialect: Dialect) -> (u16, Bytes) {
        (self.status(dialect), Bytes::from(self.envelope(dialect).to_string()))
    }

    pub fn status(&self, dialect: Dialect) -> u16 {
        let row = self.code.row();
        match dialect {
            Dialect::Anthropic => row.anthropic_status,
            Dialect::OpenAiChat => row.status,
        }
    }

    /// `x-should-retry`, and `retry-after` (whole seconds, rounded up) when the wait is known.
    pub fn retry_headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![("x-should-retry", self.should_retry().to_string())];
        if let Some(wait_ms) = self.retry_after_ms.filter(|_| self.code.row().retry != Retry::Never) {
            headers.push((
                "retry-after",
                wait_ms.max(0).saturating_add(999).div_euclid(1000).max(1).to_string(),
            ));
        }
        headers
    }

    fn should_retry(&self) -> bool {
        let soon = self.retry_after_ms.is_none_or(|wait_ms| wait_ms <= LONGEST_RETRY_WAIT_MS);
        match self.code.row().retry {
            Retry::Never => false,
            Retry::Later => soon,
            Retry::AfterReset => soon && self.retry_after_ms.is_some(),
        }
    }

    /// The error object in its dialect's envelope; the same in a body and in a stream.
    pub(crate) fn envelope(&self, dialect: Dialect) -> Value {
        match dialect {
            Dialect::Anthropic => self.anthropic_envelope(),
            Dialect::OpenAiChat => self.openai_envelope(),
        }
    }

    fn anthropic_envelope(&self) -> Value {
        let mut error = Map::new();
        error.insert("type".into(), self.code.row().anthropic_type.into());
        error.insert("message".into(), self.message.clone().into());
        let mut details = self.details.clone();
        details.insert("code".into(), self.code.name().into());
        if let Some(param) = &self.param {
            details.insert("param".into(), param.clone().into());
        }
        error.insert("details".into(), Value::Object(details));
        json!({ "type": "error", "error": error, "request_id": self.request_id })
    }

    fn openai_envelope(&self) -> Value {
        let row = self.code.row();
        let mut error = json!({
            "message": self.message, "type": row.openai_type, "param": self.param, "code": row.openai_code,
        });
        if !self.details.is_empty() {
            error["details"] = Value::Object(self.details.clone());
        }
        json!({ "error": error })
    }
}
