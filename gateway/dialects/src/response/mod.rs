//! A whole answer: read, translated, and completed with what it cost.

use bytes::Bytes;

use crate::{ContentProfile, Dialect, Seal, TokenUsage, UpstreamFailure};

/// What an answer has to know of its request.
#[derive(Debug, Clone)]
pub struct AnswerContext {
    /// The model's name as the client wrote it.
    pub model: String,
    pub wants_usage: bool,
    pub thinking_requested: bool,
    /// Shown as input until the provider has counted.
    pub estimated_input_tokens: u64,
    /// Unix seconds.
    pub created_at_s: i64,
    /// Randomness for ids.
    pub seed: [u8; 16],
    /// The provider family that answers, which signatures name as their origin.
    pub family: String,
    pub seal: Option<Seal>,
    pub tool_names: ToolNames,
}

/// Tool names that had to be shortened, with the names the client knows.
#[derive(Debug, Clone, Default)]
pub struct ToolNames {
    original_by_sent: Vec<(String, String)>,
}

/// A complete answer in the client's dialect.
#[derive(Debug, Clone)]
pub struct Answer {
    pub body: Bytes,
    /// `None` when the provider counted nothing.
    pub usage: Option<TokenUsage>,
    pub delivered: Delivered,
    pub stop: StopReason,
    /// The stop reason in the provider's own words.
    pub native_stop: String,
    /// The answer holds content, or ended for a reason that is the caller's.
    pub landed: bool,
}

/// What reached the client, for billing where a provider did not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivered {
    pub text: ContentProfile,
    pub tool_input: ContentProfile,
    pub thinking: ContentProfile,
    pub tool_calls: u32,
}

/// Why an answer ended, in the pivot's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    EndTurn,
    MaxTokens,
    StopSequence,
    ToolUse,
    PauseTurn,
    Refusal,
    ContextWindowExceeded,
    Other,
}

/// What a call cost, as it is shown inside the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// Decimal string with three places.
    pub credits: String,
    pub receipt_id: String,
}

/// Reads a provider's whole answer (HTTP 200) and writes it for the client.
pub fn translate(
    from: Dialect,
    to: Dialect,
    body: &[u8],
    context: &AnswerContext,
) -> Result<Answer, UpstreamFailure> {
    let _ = (from, to, body, context);
    unimplemented!("being written")
}

impl Answer {
    /// The body with what it cost in its usage object; `counted` stands in where the provider counted nothing.
    pub fn with_cost(&self, cost: Option<&Cost>, counted: &TokenUsage) -> Bytes {
        let _ = (cost, counted);
        unimplemented!("being written")
    }
}
