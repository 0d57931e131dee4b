//! Writes a Chat Completions stream: a role, deltas, one finish, then usage if it was asked for, then `[DONE]`.
//! What may come when is in the types of the states.

use serde_json::{Value, json};

use super::stop;
use crate::response::{Ending, answer_id, usage_json};
use crate::stream::Part;
use crate::{AnswerContext, Cost, Dialect, TokenUsage, sse};

/// What all chunks of a stream share.
#[derive(Debug)]
struct Header {
    /// Up to and including `"choices":`.
    prefix: String,
    /// From behind the choices on.
    suffix: &'static str,
}

/// Nothing was written yet.
struct Before;

/// Deltas may be written.
struct Open {
    header: Header,
    calls: u32,
}

/// A tool call is open; its input may be written.
struct Call {
    open: Open,
    form: CallForm,
}

enum CallForm {
    Function {
        has_input: bool,
    },
    /// Free-form input, which the model wrote as JSON and which is written at once.
    Custom {
        id: String,
        name: String,
        input: String,
    },
}

impl Before {
    fn start(self, out: &mut Vec<u8>, context: &AnswerContext, upstream_id: &str) -> Open {
        let id = answer_id("chatcmpl-", upstream_id, &context.seed);
        let model = Value::from(context.model.as_str());
        let prefix = format!(
            "{{\"id\":\"{id}\",\"object\":\"chat.completion.chunk\",\"created\":{},\"model\":{model},\"choices\":",
            context.created_at_s
        );
        let suffix = if context.wants_usage { ",\"usage\":null}" } else { "}" };
        let open = Open { header: Header { prefix, suffix }, calls: 0 };
        open.delta(out, &json!({ "role": "assistant", "content": "" }));
        open
    }
}

impl Open {
    fn delta(&self, out: &mut Vec<u8>, delta: &Value) {
        self.header.choice(out, &delta.to_string(), "null");
    }

    /// Written by hand: this is what a stream mostly consists of.
    fn text(&self, out: &mut Vec<u8>, field: &str, text: &str) {
        let text = serde_json::to_string(text).unwrap_or_default();
        self.header.choice(out, &format!("{{\"{field}\":{text}}}"), "null");
    }

    fn function(self, out: &mut Vec<u8>, id: &str, name: &str) -> Call {
        let function = json!({ "name": name, "arguments": "" });
        let call = json!({ "index": self.calls, "id": id, "type": "function", "function": function });
        self.delta(out, &json!({ "tool_calls": [call] }));
        Call { open: self, form: CallForm::Function { has_input: false } }
    }

    fn custom(self, id: &str, name: &str) -> Call {
        let form = CallForm::Custom { id: id.to_owned(), name: name.to_owned(), input: String::new() };
        Call { open: self, form }
    }

    fn finish(self, out: &mut Vec<u8>, finish_reason: &str, usage: Option<&Value>) {
        self.header.choice(out, "{}", &format!("\"{finish_reason}\""));
        if let Some(usage) = usage {
            let chunk = format!("{}[],\"usage\":{usage}}}", self.header.prefix);
            sse::write(out, "", chunk.as_bytes());
        }
        sse::write(out, "", b"[DONE]");
    }
}

impl Call {
    fn input(&mut self, out: &mut Vec<u8>, partial_json: &str) {
        match &mut self.form {
            CallForm::Function { .. } if partial_json.is_empty() => {}
            CallForm::Function { has_input } => {
                *has_input = true;
                self.open.arguments(out, partial_json);
            }
            CallForm::Custom { input, .. } => input.push_str(partial_json),
        }
    }

    /// A call without input still has arguments: an empty object.
    fn end(self, out: &mut Vec<u8>) -> Open {
        let Self { mut open, form } = self;
        match form {
            CallForm::Function { has_input: true } => {}
            CallForm::Function { has_input: false } => open.arguments(out, "{}"),
            CallForm::Custom { id, name, input } => {
                let custom = json!({ "name": name, "input": free_form(&input) });
                let call = json!({ "index": open.calls, "id": id, "type": "custom", "custom": custom });
                open.delta(out, &json!({ "tool_calls": [call] }));
            }
        }
        open.calls += 1;
        open
    }
}

impl Open {
    fn arguments(&self, out: &mut Vec<u8>, fragment: &str) {
        let arguments = json!({ "arguments": fragment });
        self.delta(out, &json!({ "tool_calls": [{ "index": self.calls, "function": arguments }] }));
    }
}

impl Header {
    fn choice(&self, out: &mut Vec<u8>, delta: &str, finish_reason: &str) {
        for piece in [
            "data: ",
            &self.prefix,
            "[{\"index\":0,\"delta\":",
            delta,
            ",\"logprobs\":null,\"finish_reason\":",
            finish_reason,
            "}]",
            self.suffix,
            "\n\n",
        ] {
            out.extend_from_slice(piece.as_bytes());
        }
    }
}

/// The text inside `{"input": "…"}`, which is how a free-form tool is offered to models that have only schemas.
pub(crate) fn free_form(input: &str) -> String {
    let value: Value = serde_json::from_str(input).unwrap_or_default();
    value.get("input").and_then(Value::as_str).map_or_else(|| input.to_owned(), str::to_owned)
}

/// The states at run time. `Finished` also stands in while one is exchanged for the next.
enum State {
    Before(Before),
    Open(Open),
    Call(Call),
    Finished,
}

pub(crate) struct StreamWriter {
    state: State,
    context: AnswerContext,
    /// Thinking so far, which goes out once more with its signature.
    thinking: String,
    text_chars: usize,
    block_start: usize,
}

impl StreamWriter {
    pub(crate) fn new(context: AnswerContext) -> Self {
        Self { state: State::Before(Before), context, thinking: String::new(), text_chars: 0, block_start: 0 }
    }

    pub(crate) fn part(&mut self, part: &Part<'_>, out: &mut Vec<u8>) {
        let state = std::mem::replace(&mut self.state, State::Finished);
        self.state = match (state, part) {
            (State::Finished, _) => State::Finished,
            (State::Before(before), Part::Start { id }) => State::Open(before.start(out, &self.context, id)),
            (State::Call(mut call), Part::ToolInput(json)) => {
                call.input(out, json);
                State::Call(call)
            }
            (state, part) => match self.open(state, out) {
                Some(open) => self.write(open, part, out),
                None => State::Finished,
            },
        };
    }

    fn write(&mut self, open: Open, part: &Part<'_>, out: &mut Vec<u8>) -> State {
        match part {
            Part::Text("") | Part::Thinking("") => {}
            Part::Text(text) => {
                self.text_chars += text.chars().count();
                open.text(out, "content", text);
            }
            Part::Thinking(text) => {
                self.thinking.push_str(text);
                open.text(out, "reasoning_content", text);
            }
            Part::Signature(signature) => {
                let text = std::mem::take(&mut self.thinking);
                let detail = json!({ "type": "reasoning.text", "text": text, "signature": signature });
                open.delta(out, &json!({ "reasoning_details": [detail] }));
            }
            Part::RedactedThinking(data) => {
                open.delta(
                    out,
                    &json!({ "reasoning_details": [{ "type": "reasoning.encrypted", "data": data }] }),
                );
            }
            Part::WebCitation { url, title } => {
                open.delta(
                    out,
                    &json!({ "annotations": [annotation(url, title, self.block_start, self.text_chars)] }),
                );
            }
            Part::ToolStart { id, name } => {
                let name = self.context.tool_names.original(name);
                return State::Call(if self.context.tool_names.is_free_form(name) {
                    open.custom(id, name)
                } else {
                    open.function(out, id, name)
                });
            }
            Part::BlockEnd => self.block_start = self.text_chars,
            Part::Start { .. } | Part::ToolInput(_) => {}
        }
        State::Open(open)
    }

    /// `None` once the stream is finished.
    fn open(&self, state: State, out: &mut Vec<u8>) -> Option<Open> {
        match state {
            State::Before(before) => Some(before.start(out, &self.context, "")),
            State::Open(open) => Some(open),
            State::Call(call) => Some(call.end(out)),
            State::Finished => None,
        }
    }

    /// Writes the end, once. A client that did not ask for usage gets none.
    pub(crate) fn close(
        &mut self,
        ending: &Ending,
        counted: &TokenUsage,
        cost: Option<&Cost>,
        out: &mut Vec<u8>,
    ) {
        let state = std::mem::replace(&mut self.state, State::Finished);
        let Some(open) = self.open(state, out) else { return };
        let usage = self.context.wants_usage.then(|| usage_json(Dialect::OpenAiChat, counted, cost));
        open.finish(out, stop::name(ending.stop), usage.as_ref());
    }
}

/// A cited page, with the part of the text that cites it, counted in characters.
pub(crate) fn annotation(url: &str, title: &str, start_index: usize, end_index: usize) -> Value {
    let url_citation =
        json!({ "url": url, "title": title, "start_index": start_index, "end_index": end_index });
    json!({ "type": "url_citation", "url_citation": url_citation })
}
