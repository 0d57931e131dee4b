//! OpenAI to OpenAI: chunks and bodies keep their bytes; the model's name is edited, usage is held for the end.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::chunk::{Choice, Chunk};
use super::response;
use super::stop;
use super::stream_reader::StreamReader;
use crate::json::{Editor, members, offset_in};
use crate::response::{Counter, Ending, answer_id, insert_cost, usage_json};
use crate::sse::{self, Frame};
use crate::stream::{Flow, Lane, Out, Part, Sink};
use crate::{Answer, AnswerContext, Cost, Dialect, TokenUsage, UpstreamFailure};

pub(crate) struct Relay {
    /// Follows the stream to judge it; what it says is written from the frames.
    reader: StreamReader,
    context: AnswerContext,
    model_json: String,
    upstream_id: String,
    finished_choices: Vec<u32>,
    /// Chunks that carry a finish reason, until the call is settled.
    held: Vec<u8>,
    /// The data of the chunk that carries only usage.
    usage_chunk: Option<String>,
    ending: Ending,
}

impl Relay {
    pub(crate) fn new(context: AnswerContext) -> Self {
        Self {
            reader: StreamReader::new(context.seed),
            model_json: Value::from(context.model.as_str()).to_string(),
            context,
            upstream_id: String::new(),
            finished_choices: Vec::new(),
            held: Vec::new(),
            usage_chunk: None,
            ending: Ending::default(),
        }
    }

    fn chunk(&mut self, data: &str, chunk: &Chunk<'_>, plain: Option<&[u8]>, out: &mut Out) {
        if chunk.choices().is_empty() && chunk.usage.is_some() {
            self.usage_chunk = Some(data.to_owned());
            return;
        }
        if self.all_finished(chunk) {
            return;
        }
        for choice in chunk.choices() {
            count(choice, out);
            if choice.finish_reason.as_deref().is_some_and(|reason| !reason.is_empty()) {
                self.finished_choices.push(choice.index);
            }
        }
        let is_finish = chunk.choices().iter().any(|choice| choice.finish_reason.is_some());
        let target = if is_finish { &mut self.held } else { &mut out.bytes };
        write_patched(target, data, plain, &patches(data, chunk, &self.model_json));
    }

    /// Every answer this chunk speaks of had its finish before: nothing may follow for the client.
    fn all_finished(&self, chunk: &Chunk<'_>) -> bool {
        !chunk.choices().is_empty()
            && chunk.choices().iter().all(|choice| self.finished_choices.contains(&choice.index))
    }

    fn usage_event(&self, cost: Option<&Cost>, counted: &TokenUsage) -> Vec<u8> {
        let Some(data) = &self.usage_chunk else {
            let usage = self.ending.usage.unwrap_or(*counted);
            return self
                .own_chunk(&json!([]), Some(usage_json(Dialect::OpenAiChat, &usage, cost)))
                .into_bytes();
        };
        let mut editor = Editor::new(data);
        for member in members(data) {
            match (&*member.key, cost) {
                ("model", _) => editor.replace(member.value, self.model_json.clone()),
                ("usage", Some(cost)) => insert_cost(&mut editor, member.value, cost),
                _ => {}
            }
        }
        if !members(data).any(|member| member.key == "choices" && member.value != "null") {
            editor.remove(data, |key| key == "choices");
            editor.insert(data, "choices", "[]");
        }
        editor.finish().to_vec()
    }

    /// A chunk of our own, for what the provider left out.
    fn own_chunk(&self, choices: &Value, usage: Option<Value>) -> String {
        let mut chunk = json!({
            "id": if self.upstream_id.is_empty() { answer_id("chatcmpl-", "", &self.context.seed) } else { self.upstream_id.clone() },
            "object": "chat.completion.chunk",
            "created": self.context.created_at_s,
            "model": self.context.model,
            "choices": choices,
        });
        if let Some(usage) = usage {
            chunk["usage"] = usage;
        }
        chunk.to_string()
    }
}

impl Lane for Relay {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Out) -> Result<Flow, UpstreamFailure> {
        if frame.data.trim_ascii_start().starts_with(b"[DONE]") {
            self.reader.set_done();
            return Ok(Flow::Done);
        }
        let chunk = Chunk::read(&frame.data)?;
        if self.upstream_id.is_empty() {
            chunk.id.as_deref().unwrap_or_default().clone_into(&mut self.upstream_id);
        }
        let flow = self.reader.chunk(&chunk, &mut Nowhere)?;
        let data = std::str::from_utf8(&frame.data)
            .map_err(|_| UpstreamFailure::invalid("its stream is not UTF-8."))?;
        self.chunk(data, &chunk, frame.plain.filter(|_| frame.event.is_empty()), out);
        Ok(flow)
    }

    fn finish_seen(&self) -> bool {
        self.reader.finish_seen()
    }

    fn finish(&mut self, _out: &mut Out) -> Result<Ending, UpstreamFailure> {
        self.ending = self.reader.finish(&mut Nowhere)?;
        Ok(self.ending.clone())
    }

    fn close(&mut self, cost: Option<&Cost>, counted: &TokenUsage, out: &mut Out) {
        if self.held.is_empty() {
            let reason = stop::name(self.ending.stop);
            let finish = self.own_chunk(&json!([{ "index": 0, "delta": {}, "finish_reason": reason }]), None);
            sse::write(&mut out.bytes, "", finish.as_bytes());
        }
        out.bytes.append(&mut self.held);
        if self.context.wants_usage {
            sse::write(&mut out.bytes, "", &self.usage_event(cost, counted));
        }
        sse::write(&mut out.bytes, "", b"[DONE]");
    }
}

/// The reader's parts are not written: the frames are.
struct Nowhere;

impl Sink for Nowhere {
    fn part(&mut self, _part: Part<'_>) {}
}

fn count(choice: &Choice<'_>, out: &mut Out) {
    let Some(delta) = &choice.delta else { return };
    out.count(&Part::Thinking(&delta.reasoning()));
    out.count(&Part::Text(delta.content()));
    out.count(&Part::Text(delta.refusal()));
    for call in delta.tool_calls() {
        if !call.name().is_empty() {
            out.count(&Part::ToolStart { id: call.id(), name: call.name() });
        }
        out.count(&Part::ToolInput(&call.arguments()));
    }
}

/// (start, end, new text), in order: the model's name, and usage that rides on a chunk with content.
fn patches<'p>(data: &str, chunk: &Chunk<'_>, model_json: &'p str) -> Vec<(usize, usize, &'p str)> {
    let span = |raw: &RawValue| (offset_in(data, raw.get()), offset_in(data, raw.get()) + raw.get().len());
    let mut patches = Vec::new();
    if let Some(model) = chunk.model.filter(|model| model.get() != model_json) {
        patches.push((span(model).0, span(model).1, model_json));
    }
    if let Some(usage) = chunk.usage {
        patches.push((span(usage).0, span(usage).1, "null"));
    }
    patches.sort_unstable();
    patches
}

fn write_patched(out: &mut Vec<u8>, data: &str, plain: Option<&[u8]>, patches: &[(usize, usize, &str)]) {
    if patches.is_empty() {
        match plain {
            Some(bytes) => out.extend_from_slice(bytes),
            None => sse::write(out, "", data.as_bytes()),
        }
        return;
    }
    let mut patched = Vec::with_capacity(data.len() + 64);
    let mut at = 0;
    for (start, end, text) in patches {
        patched.extend_from_slice(data.get(at..*start).unwrap_or_default().as_bytes());
        patched.extend_from_slice(text.as_bytes());
        at = *end;
    }
    patched.extend_from_slice(data.get(at..).unwrap_or_default().as_bytes());
    sse::write(out, "", &patched);
}

/// A whole answer with the client's name for the model.
pub(crate) fn whole(body: &[u8], context: &AnswerContext) -> Result<Answer, UpstreamFailure> {
    let mut counter = Counter::default();
    let ending = response::read(body, &context.seed, &mut counter)?;
    let text = std::str::from_utf8(body).map_err(|_| UpstreamFailure::invalid("its answer is not UTF-8."))?;
    let mut editor = Editor::new(text);
    if let Some(model) = members(text).find(|member| member.key == "model") {
        editor.replace(model.value, Value::from(context.model.as_str()).to_string());
    }
    Ok(Answer::new(Dialect::OpenAiChat, editor.finish(), ending, counter.delivered, context))
}
