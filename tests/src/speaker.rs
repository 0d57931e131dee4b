//! The two wire formats as a client sees them: how to ask, and how to read what comes back.

use serde_json::{Value, json};

use crate::http::{Answer, Call};
use crate::sse::Event;

/// A client's wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    Anthropic,
    OpenAi,
}

/// Both; what is promised is promised to each.
pub const SPEAKERS: [Speaker; 2] = [Speaker::Anthropic, Speaker::OpenAi];

/// An error as a client reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub kind: String,
    pub code: Option<String>,
    pub message: String,
}

impl Speaker {
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Speaker::Anthropic => "/v1/messages",
            Speaker::OpenAi => "/v1/chat/completions",
        }
    }

    /// A question of one user message, at most 64 tokens to be answered.
    #[must_use]
    pub fn ask(self, model: &str, stream: bool) -> Value {
        json!({"model": model, "max_tokens": 64, "stream": stream, "messages": [{"role": "user", "content": "Say hello."}]})
    }

    /// A request of this dialect with its usual credential header.
    #[must_use]
    pub fn call(self, base: &str, key: &str, body: &Value) -> Call {
        let call = Call::post(format!("{base}{}", self.path()), body);
        match self {
            Speaker::Anthropic => call.header("x-api-key", key).header("anthropic-version", "2023-06-01"),
            Speaker::OpenAi => call.header("authorization", format!("Bearer {key}")),
        }
    }

    /// The error in a whole answer; fails when the envelope is not this dialect's.
    pub fn error(self, answer: &Answer) -> ApiError {
        let body = answer.json();
        if self == Speaker::Anthropic {
            assert_eq!(body["request_id"], answer.header("request-id"), "{body}");
        }
        self.read_error(&body).unwrap_or_else(|| panic!("not an error of {self:?}: {body}"))
    }

    /// The error event of a broken stream; nothing when there is none.
    #[must_use]
    pub fn error_event(self, events: &[Event]) -> Option<ApiError> {
        let event = events.iter().find(|event| match self {
            Speaker::Anthropic => event.name == "error",
            Speaker::OpenAi => event.json().get("error").is_some(),
        })?;
        self.read_error(&event.json())
    }

    fn read_error(self, body: &Value) -> Option<ApiError> {
        let error = body.get("error")?;
        if self == Speaker::Anthropic && body["type"] != "error" {
            return None;
        }
        let text = |name: &str| error[name].as_str().map(str::to_owned);
        let has_all =
            self == Speaker::Anthropic || (error.get("param").is_some() && error.get("code").is_some());
        has_all.then_some(ApiError { kind: text("type")?, code: text("code"), message: text("message")? })
    }

    /// Whether a stream says that it is complete.
    #[must_use]
    pub fn ended_well(self, events: &[Event]) -> bool {
        events.iter().any(|event| match self {
            Speaker::Anthropic => event.name == "message_stop",
            Speaker::OpenAi => event.data == "[DONE]",
        })
    }

    /// The text in one event of a stream.
    #[must_use]
    pub fn text_in(self, event: &Event) -> String {
        let json = event.json();
        let text = match self {
            Speaker::Anthropic => &json["delta"]["text"],
            Speaker::OpenAi => &json["choices"][0]["delta"]["content"],
        };
        text.as_str().unwrap_or_default().to_owned()
    }

    /// All the text of a stream.
    #[must_use]
    pub fn text(self, events: &[Event]) -> String {
        events.iter().map(|event| self.text_in(event)).collect()
    }

    /// The text of a whole answer.
    #[must_use]
    pub fn whole_text(self, body: &Value) -> String {
        let text = match self {
            Speaker::Anthropic => &body["content"][0]["text"],
            Speaker::OpenAi => &body["choices"][0]["message"]["content"],
        };
        text.as_str().unwrap_or_default().to_owned()
    }

    /// The usage object of the last event that carries one.
    #[must_use]
    pub fn last_usage(self, events: &[Event]) -> Value {
        events
            .iter()
            .rev()
            .map(|event| event.json()["usage"].clone())
            .find(Value::is_object)
            .unwrap_or(Value::Null)
    }
}
