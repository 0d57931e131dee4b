//! A whole Message: read into parts, and put together from them.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::answer_block::{AnswerBlock, Citation};
use super::stop;
use super::usage::Usage;
use crate::json::{Raw, Text};
use crate::response::{Ending, answer_id, usage_json};
use crate::seal::{thought::Thought, tool_id};
use crate::stream::{Part, Sink};
use crate::{AnswerContext, Dialect, UpstreamFailure};

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    content: Vec<AnswerBlock<'a>>,
    #[serde(borrow, default)]
    stop_reason: Option<Text<'a>>,
    #[serde(borrow, default)]
    stop_sequence: Option<Text<'a>>,
    #[serde(default)]
    usage: Usage,
}

/// Reports the parts of a whole answer.
pub(crate) fn read(body: &[u8], sink: &mut dyn Sink) -> Result<Ending, UpstreamFailure> {
    let message: Message<'_> = serde_json::from_slice(body)
        .ok()
        .filter(|message: &Message<'_>| *message.kind == *"message")
        .ok_or_else(|| UpstreamFailure::inside(body))?;
    sink.part(Part::Start { id: &message.id });
    for block in &message.content {
        report(block, sink)?;
    }
    let Some(native_stop) = message.stop_reason else {
        return Err(UpstreamFailure::invalid("its answer has no stop_reason."));
    };
    Ok(Ending {
        usage: message.usage.counted(),
        stop: stop::read(&native_stop),
        native_stop: native_stop.to_string(),
        stop_sequence: message.stop_sequence.map(|text| text.to_string()),
    })
}

fn report(block: &AnswerBlock<'_>, sink: &mut dyn Sink) -> Result<(), UpstreamFailure> {
    match &*block.kind {
        "text" => {
            sink.part(Part::Text(block.text.as_deref().unwrap_or_default()));
            report_citations(block.citations, sink);
        }
        "thinking" => {
            sink.part(Part::Thinking(block.thinking.as_deref().unwrap_or_default()));
            sink.part(Part::Signature(block.signature.as_deref().unwrap_or_default()));
        }
        "redacted_thinking" => {
            let data: Option<Text<'_>> = block.data.and_then(|data| serde_json::from_str(data.get()).ok());
            sink.part(Part::RedactedThinking(data.as_deref().unwrap_or_default()));
        }
        "tool_use" => {
            block.tool_start(sink)?;
            sink.part(Part::ToolInput(block.input.map_or("{}", RawValue::get)));
        }
        _ => return Ok(()),
    }
    sink.part(Part::BlockEnd);
    Ok(())
}

fn report_citations(raw: Option<&RawValue>, sink: &mut dyn Sink) {
    let citations: Vec<Citation<'_>> =
        raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    for citation in citations {
        citation.report(sink);
    }
}

/// Puts a Message together.
pub(crate) struct Collector<'c> {
    context: &'c AnswerContext,
    upstream_id: String,
    content: Vec<Value>,
    open: Open,
}

/// The block that is being gathered.
enum Open {
    None,
    Text(String),
    Thinking { text: String, signature: String },
    Tool { id: String, name: String, input: String },
}

impl<'c> Collector<'c> {
    pub(crate) fn new(context: &'c AnswerContext) -> Self {
        Self { context, upstream_id: String::new(), content: Vec::new(), open: Open::None }
    }

    fn close(&mut self) {
        let block = match std::mem::replace(&mut self.open, Open::None) {
            Open::None => return,
            Open::Text(text) if text.is_empty() => return,
            Open::Text(text) => json!({ "type": "text", "text": text }),
            Open::Thinking { text, signature } => self.thinking(&text, &signature),
            Open::Tool { id, name, input } => {
                let input: Value = serde_json::from_str(Raw::object(&input).get()).unwrap_or_default();
                let name = self.context.tool_names.original(&name);
                json!({ "type": "tool_use", "id": tool_id::for_client(&id), "name": name, "input": input })
            }
        };
        self.content.push(block);
    }

    /// A thought without a signature of its own gets one of ours.
    fn thinking(&self, text: &str, signature: &str) -> Value {
        if !signature.is_empty() {
            return json!({ "type": "thinking", "thinking": text, "signature": signature });
        }
        let mut thought = Thought::new(self.context);
        let shown = thought.add(text);
        json!({ "type": "thinking", "thinking": shown, "signature": thought.sign(self.context) })
    }
}

impl Sink for Collector<'_> {
    fn part(&mut self, part: Part<'_>) {
        match (part, &mut self.open) {
            (Part::Start { id }, _) => id.clone_into(&mut self.upstream_id),
            (Part::Text(more), Open::Text(text)) => text.push_str(more),
            (Part::Thinking(more), Open::Thinking { text, .. }) => text.push_str(more),
            (Part::Signature(more), Open::Thinking { signature, .. }) => signature.push_str(more),
            (Part::ToolInput(more), Open::Tool { input, .. }) => input.push_str(more),
            (Part::Signature(_) | Part::ToolInput(_) | Part::WebCitation { .. }, _) => {}
            (part, _) => {
                self.close();
                self.open = match part {
                    Part::Text(text) => Open::Text(text.to_owned()),
                    Part::Thinking(text) => {
                        Open::Thinking { text: text.to_owned(), signature: String::new() }
                    }
                    Part::ToolStart { id, name } => {
                        Open::Tool { id: id.to_owned(), name: name.to_owned(), input: String::new() }
                    }
                    Part::RedactedThinking(data) => {
                        self.content.push(json!({ "type": "redacted_thinking", "data": data }));
                        Open::None
                    }
                    _ => Open::None,
                };
            }
        }
    }
}

impl crate::response::Collector for Collector<'_> {
    fn body(&mut self, ending: &Ending) -> Bytes {
        self.close();
        let mut message = json!({
            "id": answer_id("msg_", &self.upstream_id, &self.context.seed),
            "type": "message",
            "role": "assistant",
            "model": self.context.model,
            "content": std::mem::take(&mut self.content),
            "stop_reason": stop::name(ending.stop),
            "stop_sequence": ending.stop_sequence,
        });
        // Without a count the usage is added together with the cost.
        if let Some(usage) = &ending.usage {
            message["usage"] = usage_json(Dialect::Anthropic, usage, None);
        }
        Bytes::from(message.to_string())
    }
}
