//! What an upstream's failure means: for the client, for the channel, and for trying elsewhere.

use serde::Deserialize;

use crate::{ErrorCode, ErrorInfo};

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
    pub fn classify(status: u16, headers: FailureHeaders<'_>, body: &[u8]) -> Self {
        let said = Said::read(body);
        let code = said.code(status);
        Self {
            code,
            reason: said.reason(code),
            param: said.param.filter(|_| code == ErrorCode::InvalidRequest),
            status: Some(status),
            retry_after_ms: wait_ms(headers),
            elsewhere: !is_callers_fault(code),
            credential_fault: code == ErrorCode::UpstreamCredentialRejected,
        }
    }

    /// An error inside a 200: a body or an event that is no answer.
    pub(crate) fn inside(body: &[u8]) -> Self {
        let said = Said::read(body);
        let status = said.status.unwrap_or(if said.message.is_empty() { 0 } else { 500 });
        Self { status: None, ..Self::classify(status, FailureHeaders::default(), body) }
    }

    /// An answer that breaks the rules of its dialect. `reason` is a sentence about the provider, "it …".
    pub(crate) fn invalid(reason: &str) -> Self {
        Self { code: ErrorCode::UpstreamError, ..Self::stream_broke(reason) }
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
        let mut info = ErrorInfo::new(self.code, &[("model", model), ("reason", &self.reason)]);
        info.param.clone_from(&self.param);
        info.retry_after_ms = self.retry_after_ms;
        info
    }
}

/// The parts of an error body that all dialects share under some name.
#[derive(Debug, Default)]
struct Said {
    kind: String,
    code: String,
    message: String,
    param: Option<String>,
    status: Option<u16>,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    error: Option<Inner>,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Inner {
    Text(String),
    Object {
        #[serde(default, rename = "type")]
        kind: Option<String>,
        #[serde(default)]
        code: Option<serde_json::Value>,
        #[serde(default)]
        message: Option<String>,
        #[serde(default)]
        param: Option<String>,
        /// Google's name for the type.
        #[serde(default)]
        status: Option<serde_json::Value>,
    },
}

impl Said {
    fn read(body: &[u8]) -> Self {
        let Ok(envelope) = serde_json::from_slice::<Envelope>(body) else { return Self::default() };
        match envelope.error {
            Some(Inner::Object { kind, code, message, param, status }) => {
                let text = |value: Option<serde_json::Value>| match value {
                    Some(serde_json::Value::String(text)) => text,
                    Some(other) if !other.is_null() => other.to_string(),
                    _ => String::new(),
                };
                let code = text(code);
                Self {
                    status: code.parse().ok().filter(|status| (400..600).contains(status)),
                    kind: kind.unwrap_or_else(|| text(status)),
                    code,
                    message: message.unwrap_or_default(),
                    param,
                }
            }
            Some(Inner::Text(message)) => Self { message, ..Self::default() },
            None => Self { message: envelope.message.unwrap_or_default(), ..Self::default() },
        }
    }

    /// Words weigh more than the status: hosts disagree on statuses.
    fn code(&self, status: u16) -> ErrorCode {
        if self.is_context_overflow() {
            return ErrorCode::ContextLengthExceeded;
        }
        if self.is_content_policy() {
            return ErrorCode::ContentFiltered;
        }
        match (&*self.kind, &*self.code) {
            ("overloaded_error" | "UNAVAILABLE", _) | (_, "overloaded") => {
                return ErrorCode::UpstreamOverloaded;
            }
            (_, "insufficient_quota") | ("insufficient_quota" | "billing_error", _) => {
                return ErrorCode::UpstreamCredentialRejected;
            }
            ("rate_limit_error" | "RESOURCE_EXHAUSTED", _) | (_, "rate_limit_exceeded") => {
                return ErrorCode::UpstreamRateLimited;
            }
            ("authentication_error" | "permission_error", _) | (_, "invalid_api_key") => {
                return ErrorCode::UpstreamCredentialRejected;
            }
            ("invalid_request_error", _) if matches!(status, 0 | 200 | 500) => {
                return ErrorCode::InvalidRequest;
            }
            ("timeout_error", _) => return ErrorCode::UpstreamTimeout,
            _ => {}
        }
        by_status(status)
    }

    fn is_context_overflow(&self) -> bool {
        const WORDS: [&str; 6] = [
            "prompt is too long",
            "maximum context length",
            "context window",
            "context length",
            "exceeds the maximum number of tokens",
            "exceed the model's maximum",
        ];
        let message = self.message.to_ascii_lowercase();
        self.code == "context_length_exceeded" || WORDS.iter().any(|words| message.contains(words))
    }

    fn is_content_policy(&self) -> bool {
        const CODES: [&str; 5] = [
            "content_filter",
            "content_policy_violation",
            "data_inspection_failed",
            "DataInspectionFailed",
            "moderation_blocked",
        ];
        CODES.contains(&&*self.code) || CODES.contains(&&*self.kind)
    }

    fn reason(&self, code: ErrorCode) -> String {
        let message = if self.message.is_empty() { "it gave no reason." } else { &self.message };
        if code == ErrorCode::ContextLengthExceeded { overflow(message) } else { cleaned(message) }
    }
}

fn by_status(status: u16) -> ErrorCode {
    match status {
        400 | 422 => ErrorCode::InvalidRequest,
        401..=403 => ErrorCode::UpstreamCredentialRejected,
        408 | 504 => ErrorCode::UpstreamTimeout,
        413 => ErrorCode::RequestTooLarge,
        429 => ErrorCode::UpstreamRateLimited,
        503 | 529 => ErrorCode::UpstreamOverloaded,
        _ => ErrorCode::UpstreamError,
    }
}

/// Sending the same request elsewhere would fail the same way.
fn is_callers_fault(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::InvalidRequest
            | ErrorCode::ContextLengthExceeded
            | ErrorCode::ContentFiltered
            | ErrorCode::RequestTooLarge
    )
}

/// The wording that coding agents look for to shorten their conversation, with the provider's own numbers.
fn overflow(message: &str) -> String {
    let mut numbers: Vec<u64> = numbers(message).filter(|number| *number >= 1000).collect();
    numbers.sort_unstable();
    match (numbers.last(), numbers.first()) {
        (Some(tokens), Some(maximum)) if tokens > maximum => {
            format!("prompt is too long: {tokens} tokens > {maximum} maximum")
        }
        _ => format!("prompt is too long: {}", cleaned(message)),
    }
}

fn numbers(text: &str) -> impl Iterator<Item = u64> + '_ {
    text.split(|c: char| !c.is_ascii_digit() && c != ',')
        .filter_map(|word| word.replace(',', "").parse().ok())
}

/// A provider's words without addresses, hosts, keys and account names; one sentence is enough.
fn cleaned(message: &str) -> String {
    const LENGTH_MAX: usize = 400;
    let words: Vec<&str> =
        message.split_whitespace().map(|word| if is_private(word) { "[…]" } else { word }).collect();
    let mut text = words.join(" ");
    if text.len() > LENGTH_MAX {
        let end = (0..=LENGTH_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    if !text.ends_with(['.', '!', '?', '…', '。']) {
        text.push('.');
    }
    text
}

fn is_private(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let is_address = word.contains("://") || word.contains('@');
    let is_host = word.contains('.')
        && word.split('.').count() >= 2
        && word.split(['/', ':']).next().is_some_and(|host| {
            let last = host.rsplit('.').next().unwrap_or_default();
            matches!(
                last,
                "com" | "net" | "org" | "io" | "ai" | "cn" | "dev" | "internal" | "local" | "cloud" | "app"
            ) || (host.split('.').count() == 4 && host.split('.').all(|part| part.parse::<u8>().is_ok()))
        });
    let is_key = ["sk-", "sk_", "AIza", "org-", "proj_", "key-", "req_", "ak-", "acct_"]
        .iter()
        .any(|prefix| word.starts_with(prefix));
    is_address || is_host || is_key
}

/// `retry-after-ms`, else `retry-after` in seconds. A date is not read: this crate has no clock.
fn wait_ms(headers: FailureHeaders<'_>) -> Option<i64> {
    let number =
        |text: &str| text.trim().parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
    let ms = headers.retry_after_ms.and_then(number);
    let ms = ms.or_else(|| headers.retry_after.and_then(number).map(|seconds| seconds * 1000.0))?;
    // Nothing waits longer than a day.
    #[expect(clippy::cast_possible_truncation, reason = "bounded by a day in milliseconds")]
    Some(ms.ceil().min(86_400_000.0) as i64)
}
