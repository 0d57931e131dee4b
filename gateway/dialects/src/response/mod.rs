//! A whole answer: read, translated, and completed with what it cost.

mod delivered;

use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::json::{Editor, members};
use crate::seal::hex;
pub use crate::seal::tool_names::ToolNames;
use crate::stream::{Part, Sink};
use crate::{Dialect, Seal, TokenUsage, UpstreamFailure, anthropic, openai_chat};
pub(crate) use delivered::Counter;
pub use delivered::Delivered;

/// What an answer has to know of its request.
#[derive(Debug, Clone)]
pub struct AnswerContext {
    /// The model's name as the client wrote it.
    pub model: String,
    pub wants_usage: bool,
    pub thinking_requested: bool,
    /// Thinking is asked for, but its text is not to be shown.
    pub thinking_hidden: bool,
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

impl AnswerContext {
    /// Thinking is content: the client asked to see it.
    pub(crate) fn shows_thinking(&self) -> bool {
        self.thinking_requested && !self.thinking_hidden
    }
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
    pub(crate) dialect: Dialect,
}

/// Why an answer ended, in the pivot's terms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    #[default]
    EndTurn,
    MaxTokens,
    StopSequence,
    ToolUse,
    PauseTurn,
    Refusal,
    ContextWindowExceeded,
    Other,
}

/// How an answer ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) usage: Option<TokenUsage>,
    pub(crate) stop: StopReason,
    pub(crate) native_stop: String,
    pub(crate) stop_sequence: Option<String>,
}

/// What a call cost, as it is shown inside the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// Decimal string with three places.
    pub credits: String,
    pub receipt_id: String,
}

/// Reads a provider's whole answer (HTTP 200) and writes it for the client.
///
/// # Errors
/// When the body is no answer: an error inside a 200, broken JSON, or an answer without an end.
pub fn translate(
    from: Dialect,
    to: Dialect,
    body: &[u8],
    context: &AnswerContext,
) -> Result<Answer, UpstreamFailure> {
    match (from, to) {
        (Dialect::Anthropic, Dialect::Anthropic) => anthropic::relay::whole(body, context),
        (Dialect::OpenAiChat, Dialect::OpenAiChat) => openai_chat::relay::whole(body, context),
        (from, to) => through_pivot(from, to, body, context),
    }
}

/// One reader for the provider's dialect, one collector for the client's.
fn through_pivot(
    from: Dialect,
    to: Dialect,
    body: &[u8],
    context: &AnswerContext,
) -> Result<Answer, UpstreamFailure> {
    let mut collector: Box<dyn Collector + '_> = match to {
        Dialect::Anthropic => Box::new(anthropic::response::Collector::new(context)),
        Dialect::OpenAiChat => Box::new(openai_chat::response::Collector::new(context)),
    };
    let mut tap = Tap { collector: collector.as_mut(), delivered: Delivered::default() };
    let ending = match from {
        Dialect::Anthropic => anthropic::response::read(body, &mut tap)?,
        Dialect::OpenAiChat => openai_chat::response::read(body, &context.seed, &mut tap)?,
    };
    let delivered = tap.delivered;
    let body = collector.body(&ending);
    Ok(Answer::new(to, body, ending, delivered, context))
}

/// Puts an answer together from its parts.
pub(crate) trait Collector: Sink {
    fn body(&mut self, ending: &Ending) -> Bytes;
}

/// Counts each part and hands it on.
struct Tap<'c> {
    collector: &'c mut (dyn Collector + 'c),
    delivered: Delivered,
}

impl Sink for Tap<'_> {
    fn part(&mut self, part: Part<'_>) {
        self.delivered.add(&part);
        self.collector.part(part);
    }
}

impl Answer {
    pub(crate) fn new(
        dialect: Dialect,
        body: Bytes,
        ending: Ending,
        delivered: Delivered,
        context: &AnswerContext,
    ) -> Self {
        let landed = delivered.lands(&ending, context.shows_thinking());
        let Ending { usage, stop, native_stop, .. } = ending;
        Self { body, usage, delivered, stop, native_stop, landed, dialect }
    }

    /// The body with what it cost in its usage object; `counted` stands in where the provider counted nothing.
    pub fn with_cost(&self, cost: Option<&Cost>, counted: &TokenUsage) -> Bytes {
        let Ok(body) = std::str::from_utf8(&self.body) else { return self.body.clone() };
        let mut editor = Editor::new(body);
        match members(body).find(|member| member.key == "usage") {
            Some(usage) if usage.value.starts_with('{') => match cost {
                Some(cost) => insert_cost(&mut editor, usage.value, cost),
                None => return self.body.clone(),
            },
            Some(null) => editor.replace(null.value, usage_json(self.dialect, counted, cost).to_string()),
            None => editor.insert(body, "usage", &usage_json(self.dialect, counted, cost).to_string()),
        }
        editor.finish()
    }
}

/// Adds the cost to a usage object in place.
pub(crate) fn insert_cost(editor: &mut Editor<'_>, usage: &str, cost: &Cost) {
    editor.insert(usage, "cost_credits", &Value::from(cost.credits.as_str()).to_string());
    editor.insert(usage, "receipt_id", &Value::from(cost.receipt_id.as_str()).to_string());
}

/// A usage object in the client's dialect, with the cost.
pub(crate) fn usage_json(dialect: Dialect, usage: &TokenUsage, cost: Option<&Cost>) -> Value {
    let mut json = match dialect {
        Dialect::Anthropic => anthropic::usage::json(usage),
        Dialect::OpenAiChat => openai_chat::usage::json(usage),
    };
    if let Some(cost) = cost {
        json["cost_credits"] = cost.credits.as_str().into();
        json["receipt_id"] = cost.receipt_id.as_str().into();
    }
    json
}

/// An id in the client's dialect that is the same whenever the same answer is read.
pub(crate) fn answer_id(prefix: &str, upstream_id: &str, seed: &[u8; 16]) -> String {
    let source = if upstream_id.is_empty() { seed.as_slice() } else { upstream_id.as_bytes() };
    format!("{prefix}{}", &hex(&Sha256::digest(source))[..24])
}
