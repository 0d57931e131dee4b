//! A whole chat completion: read into parts, and put together from them.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::chunk::Chunk;
use super::stop;
use super::stream_reader::StreamReader;
use super::stream_writer::{annotation, free_form};
use crate::response::{Ending, answer_id, usage_json};
use crate::stream::{Part, Sink};
use crate::{AnswerContext, Dialect, StopReason, UpstreamFailure};

/// Reports the parts of the first answer. A whole answer is read like a stream of one chunk.
pub(crate) fn read(body: &[u8], seed: &[u8; 16], sink: &mut impl Sink) -> Result<Ending, UpstreamFailure> {
    let chunk = Chunk::read(body).map_err(|_| UpstreamFailure::inside(body))?;
    if !chunk.has_choices() || chunk.choices().is_empty() {
        return Err(UpstreamFailure::inside(body));
    }
    let mut reader = StreamReader::new(*seed);
    reader.chunk(&chunk, sink)?;
    // A body that is whole is an end, also where the finish reason is missing.
    reader.set_done();
    reader.finish(sink)
}

/// Puts a chat completion together.
pub(crate) struct Collector<'c> {
    context: &'c AnswerContext,
    upstream_id: String,
    text: String,
    reasoning: String,
    /// Where the current thinking begins in `reasoning`.
    thought_start: usize,
    reasoning_details: Vec<Value>,
    annotations: Vec<Value>,
    block_start: usize,
    calls: Vec<Call>,
}

struct Call {
    id: String,
    name: String,
    input: String,
}

impl<'c> Collector<'c> {
    pub(crate) fn new(context: &'c AnswerContext) -> Self {
        Self {
            context,
            upstream_id: String::new(),
            text: String::new(),
            reasoning: String::new(),
            thought_start: 0,
            reasoning_details: Vec::new(),
            annotations: Vec::new(),
            block_start: 0,
            calls: Vec::new(),
        }
    }

    fn call(&self, call: &Call) -> Value {
        let name = self.context.tool_names.original(&call.name);
        if self.context.tool_names.is_free_form(name) {
            let custom = json!({ "name": name, "input": free_form(&call.input) });
            return json!({ "id": call.id, "type": "custom", "custom": custom });
        }
        let arguments = if call.input.is_empty() { "{}" } else { &call.input };
        json!({ "id": call.id, "type": "function", "function": { "name": name, "arguments": arguments } })
    }

    fn message(&self, stop: StopReason) -> Value {
        let text = if self.text.is_empty() { Value::Null } else { self.text.as_str().into() };
        let (content, refusal) =
            if stop == StopReason::Refusal { (Value::Null, text) } else { (text, Value::Null) };
        let mut message = Map::new();
        message.insert("role".into(), "assistant".into());
        message.insert("content".into(), content);
        message.insert("refusal".into(), refusal);
        if !self.reasoning.is_empty() {
            message.insert("reasoning_content".into(), self.reasoning.as_str().into());
        }
        if !self.reasoning_details.is_empty() {
            message.insert("reasoning_details".into(), self.reasoning_details.clone().into());
        }
        if !self.annotations.is_empty() {
            message.insert("annotations".into(), self.annotations.clone().into());
        }
        if !self.calls.is_empty() {
            message.insert("tool_calls".into(), self.calls.iter().map(|call| self.call(call)).collect());
        }
        Value::Object(message)
    }
}

impl Sink for Collector<'_> {
    fn part(&mut self, part: Part<'_>) {
        match part {
            Part::Start { id } => id.clone_into(&mut self.upstream_id),
            Part::Text(text) => self.text.push_str(text),
            Part::Thinking(text) => self.reasoning.push_str(text),
            Part::Signature(signature) => {
                let text = self.reasoning.get(self.thought_start..).unwrap_or_default();
                self.reasoning_details
                    .push(json!({ "type": "reasoning.text", "text": text, "signature": signature }));
                self.thought_start = self.reasoning.len();
            }
            Part::RedactedThinking(data) => {
                self.reasoning_details.push(json!({ "type": "reasoning.encrypted", "data": data }));
            }
            Part::WebCitation { url, title } => {
                let end = self.text.chars().count();
                self.annotations.push(annotation(url, title, self.block_start, end));
            }
            Part::ToolStart { id, name } => {
                self.calls.push(Call { id: id.to_owned(), name: name.to_owned(), input: String::new() });
            }
            Part::ToolInput(json) => {
                if let Some(call) = self.calls.last_mut() {
                    call.input.push_str(json);
                }
            }
            Part::BlockEnd => self.block_start = self.text.chars().count(),
        }
    }
}

impl crate::response::Collector for Collector<'_> {
    fn body(&mut self, ending: &Ending) -> Bytes {
        let choice = json!({
            "index": 0,
            "message": self.message(ending.stop),
            "logprobs": null,
            "finish_reason": stop::name(ending.stop),
        });
        let mut completion = json!({
            "id": answer_id("chatcmpl-", &self.upstream_id, &self.context.seed),
            "object": "chat.completion",
            "created": self.context.created_at_s,
            "model": self.context.model,
            "choices": [choice],
        });
        // Without a count the usage is added together with the cost.
        if let Some(usage) = &ending.usage {
            completion["usage"] = usage_json(Dialect::OpenAiChat, usage, None);
        }
        Bytes::from(completion.to_string())
    }
}
