//! Writes a Messages stream. Each state is a type that has only the events allowed in it, so that an order the
//! protocol forbids does not compile.

use std::marker::PhantomData;

use serde_json::{Value, json};

use super::{stop, usage};
use crate::response::{Ending, answer_id, usage_json};
use crate::seal::{thought::Thought, tool_id};
use crate::stream::Part;
use crate::{AnswerContext, Cost, Dialect, TokenUsage, sse};

/// Nothing was written yet.
struct Before;

/// The message has begun and no block is open.
struct Between {
    next_index: u32,
}

/// A block of kind `K` is open.
struct Block<K> {
    index: u32,
    kind: PhantomData<K>,
}

struct Text;
struct Thinking;
struct Tool;

impl Before {
    fn start(self, out: &mut Vec<u8>, message: &Value) -> Between {
        event(out, "message_start", &json!({ "type": "message_start", "message": message }));
        Between { next_index: 0 }
    }
}

impl Between {
    fn text(self, out: &mut Vec<u8>) -> Block<Text> {
        self.block(out, &json!({ "type": "text", "text": "" }))
    }

    fn thinking(self, out: &mut Vec<u8>) -> Block<Thinking> {
        self.block(out, &json!({ "type": "thinking", "thinking": "", "signature": "" }))
    }

    fn tool(self, out: &mut Vec<u8>, id: &str, name: &str) -> Block<Tool> {
        self.block(out, &json!({ "type": "tool_use", "id": id, "name": name, "input": {} }))
    }

    /// A block that is complete when it begins.
    fn redacted(self, out: &mut Vec<u8>, data: &str) -> Between {
        self.block::<Text>(out, &json!({ "type": "redacted_thinking", "data": data })).stop(out)
    }

    fn finish(self, out: &mut Vec<u8>, delta: &Value, usage: &Value) {
        event(out, "message_delta", &json!({ "type": "message_delta", "delta": delta, "usage": usage }));
        event(out, "message_stop", &json!({ "type": "message_stop" }));
    }

    fn block<K>(self, out: &mut Vec<u8>, content_block: &Value) -> Block<K> {
        let start = json!({ "type": "content_block_start", "index": self.next_index, "content_block": content_block });
        event(out, "content_block_start", &start);
        Block { index: self.next_index, kind: PhantomData }
    }
}

impl<K> Block<K> {
    fn stop(self, out: &mut Vec<u8>) -> Between {
        event(out, "content_block_stop", &json!({ "type": "content_block_stop", "index": self.index }));
        Between { next_index: self.index + 1 }
    }

    /// Written by hand: this is what a stream mostly consists of.
    fn delta(&self, out: &mut Vec<u8>, kind: &str, field: &str, text: &str) {
        out.extend_from_slice(
            b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":",
        );
        out.extend_from_slice(self.index.to_string().as_bytes());
        out.extend_from_slice(format!(",\"delta\":{{\"type\":\"{kind}\",\"{field}\":").as_bytes());
        // Writing a string into memory cannot fail.
        let _ = serde_json::to_writer(&mut *out, text);
        out.extend_from_slice(b"}}\n\n");
    }
}

impl Block<Text> {
    fn text(&self, out: &mut Vec<u8>, text: &str) {
        self.delta(out, "text_delta", "text", text);
    }
}

impl Block<Thinking> {
    fn thinking(&self, out: &mut Vec<u8>, text: &str) {
        if text.is_empty() {
            return;
        }
        self.delta(out, "thinking_delta", "thinking", text);
    }

    /// Consumes the block: nothing may follow a signature.
    fn sign(self, out: &mut Vec<u8>, signature: &str) -> Between {
        self.delta(out, "signature_delta", "signature", signature);
        self.stop(out)
    }
}

impl Block<Tool> {
    fn input(&self, out: &mut Vec<u8>, partial_json: &str) {
        self.delta(out, "input_json_delta", "partial_json", partial_json);
    }
}

/// The states at run time. `Finished` also stands in while one is exchanged for the next.
enum State {
    Before(Before),
    Between(Between),
    Text(Block<Text>),
    /// With what was thought, for the signature.
    Thinking(Block<Thinking>, Thought),
    Tool(Block<Tool>),
    Finished,
}

/// Puts each part into the block it belongs to, and opens and closes blocks as needed.
pub(crate) struct StreamWriter {
    state: State,
    context: AnswerContext,
}

impl StreamWriter {
    pub(crate) fn new(context: AnswerContext) -> Self {
        Self { state: State::Before(Before), context }
    }

    pub(crate) fn part(&mut self, part: &Part<'_>, out: &mut Vec<u8>) {
        let state = std::mem::replace(&mut self.state, State::Finished);
        self.state = match (state, part) {
            (State::Finished, _) => State::Finished,
            (State::Before(before), Part::Start { id }) => {
                State::Between(before.start(out, &self.message(id)))
            }
            (state, Part::Start { .. } | Part::WebCitation { .. }) => state,
            (State::Text(block), Part::Text(text)) => {
                block.text(out, text);
                State::Text(block)
            }
            (State::Thinking(block, mut thought), Part::Thinking(text)) => {
                block.thinking(out, thought.add(text));
                State::Thinking(block, thought)
            }
            (State::Thinking(block, _), Part::Signature(signature)) => {
                State::Between(block.sign(out, signature))
            }
            (state, Part::Signature(_)) => state,
            (State::Tool(block), Part::ToolInput(json)) => {
                block.input(out, json);
                State::Tool(block)
            }
            // Input without a call has nowhere to go; readers never say it.
            (state, Part::ToolInput(_)) => state,
            (state, part) => self.open(state, part, out),
        };
    }

    /// Closes what is open and opens what `part` needs.
    fn open(&self, state: State, part: &Part<'_>, out: &mut Vec<u8>) -> State {
        let between = match self.between(state, out) {
            Some(between) => between,
            None => return State::Finished,
        };
        match part {
            Part::Text(text) => {
                let block = between.text(out);
                block.text(out, text);
                State::Text(block)
            }
            Part::Thinking(text) => {
                let (block, mut thought) = (between.thinking(out), Thought::new(&self.context));
                block.thinking(out, thought.add(text));
                State::Thinking(block, thought)
            }
            Part::ToolStart { id, name } => {
                let name = self.context.tool_names.original(name);
                State::Tool(between.tool(out, &tool_id::for_client(id), name))
            }
            Part::RedactedThinking(data) => State::Between(between.redacted(out, data)),
            _ => State::Between(between),
        }
    }

    /// `None` once the stream is finished.
    fn between(&self, state: State, out: &mut Vec<u8>) -> Option<Between> {
        Some(match state {
            State::Before(before) => before.start(out, &self.message("")),
            State::Between(between) => between,
            State::Text(block) => block.stop(out),
            State::Tool(block) => block.stop(out),
            State::Thinking(block, thought) => block.sign(out, &thought.sign(&self.context)),
            State::Finished => return None,
        })
    }

    /// Writes the end, once.
    pub(crate) fn close(
        &mut self,
        ending: &Ending,
        counted: &TokenUsage,
        cost: Option<&Cost>,
        out: &mut Vec<u8>,
    ) {
        let state = std::mem::replace(&mut self.state, State::Finished);
        let Some(between) = self.between(state, out) else { return };
        let delta = json!({ "stop_reason": stop::name(ending.stop), "stop_sequence": ending.stop_sequence });
        between.finish(out, &delta, &usage_json(Dialect::Anthropic, counted, cost));
    }

    fn message(&self, upstream_id: &str) -> Value {
        let estimate =
            TokenUsage { input_tokens: self.context.estimated_input_tokens.max(1), ..TokenUsage::default() };
        json!({
            "id": answer_id("msg_", upstream_id, &self.context.seed),
            "type": "message",
            "role": "assistant",
            "model": self.context.model,
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": usage::json(&estimate),
        })
    }
}

fn event(out: &mut Vec<u8>, name: &str, data: &Value) {
    sse::write(out, name, data.to_string().as_bytes());
}
