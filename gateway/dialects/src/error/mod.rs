//! The one error table and how an error looks in each dialect.

mod render;

use serde_json::{Map, Value};

include!(concat!(env!("OUT_DIR"), "/error_codes.rs"));

/// One row of the error table.
#[derive(Debug, Clone, Copy)]
pub struct ErrorRow {
    pub code: ErrorCode,
    /// The code as the API and the documentation write it, such as `model_not_found`.
    pub name: &'static str,
    pub status: u16,
    pub anthropic_status: u16,
    pub anthropic_type: &'static str,
    pub openai_type: &'static str,
    pub openai_code: &'static str,
    pub retry: Retry,
    /// English; `{names}` are filled in by [`ErrorInfo::new`].
    pub message: &'static str,
    pub docs_en: &'static str,
    pub docs_zh: &'static str,
    /// Nothing answers with it yet, and the documentation leaves it out.
    pub reserved: bool,
}

/// Whether sending the same request again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    Never,
    /// After a pause.
    Later,
    /// When the limit named in the message resets.
    AfterReset,
}

impl ErrorCode {
    /// The whole table, in the order of `errors.toml`.
    pub fn rows() -> &'static [ErrorRow] {
        &ROWS
    }

    pub fn row(self) -> &'static ErrorRow {
        // Variants and rows come from the same list in the same order.
        &ROWS[self as usize]
    }

    pub fn name(self) -> &'static str {
        self.row().name
    }
}

/// An error on its way to a client.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorInfo {
    pub code: ErrorCode,
    /// One or two English sentences, safe to show to the caller.
    pub message: String,
    /// The path of the field at fault, such as `messages.3.content`.
    pub param: Option<String>,
    /// Facts for programs: the limit, its node, when it resets.
    pub details: Map<String, Value>,
    pub request_id: Option<String>,
    /// How long to wait before sending the request again, if known.
    pub retry_after_ms: Option<i64>,
}

impl ErrorInfo {
    /// An error with the table's message, each `{name}` replaced by its value.
    pub fn new(code: ErrorCode, values: &[(&str, &str)]) -> Self {
        let message = values.iter().fold(code.row().message.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        });
        Self { code, message, param: None, details: Map::new(), request_id: None, retry_after_ms: None }
    }

    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    pub fn with_detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }

    pub fn with_retry_after_ms(mut self, wait_ms: i64) -> Self {
        self.retry_after_ms = Some(wait_ms);
        self
    }
}
