//! Anthropic to Anthropic: frames and bodies keep their bytes; only the model's name and the cost are edited.

use super::response;
use super::stream_reader::StreamReader;
use crate::json::{Editor, members};
use crate::response::{Counter, Ending, insert_cost, usage_json};
use crate::sse::{self, Frame};
use crate::stream::{Flow, Lane, Out, Part, Sink};
use crate::{Answer, AnswerContext, Cost, Dialect, TokenUsage, UpstreamFailure};

pub(crate) struct Relay {
    reader: StreamReader,
    context: AnswerContext,
    /// The data of the terminal `message_delta`, until the cost is known.
    last_delta: Option<String>,
}

impl Relay {
    pub(crate) fn new(context: AnswerContext) -> Self {
        Self { reader: StreamReader::default(), context, last_delta: None }
    }

    fn forward(&self, frame: &Frame<'_>, out: &mut Out) {
        match frame.plain {
            Some(bytes) if !frame.event.is_empty() => out.bytes.extend_from_slice(bytes),
            // Clients dispatch on the event's name: where it is missing, it is the type.
            _ => sse::write(&mut out.bytes, &event_name(frame), &frame.data),
        }
    }
}

impl Lane for Relay {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Out) -> Result<Flow, UpstreamFailure> {
        let was_finished = self.reader.finish_seen();
        let open_index = self.reader.open_index();
        let mut started = Started { out, is_start: false };
        let flow = self.reader.read(&frame.data, &mut started)?;
        let is_start = started.is_start;
        if self.reader.finish_seen() {
            if !was_finished {
                close_block(open_index, out);
                self.last_delta = String::from_utf8(frame.data.to_vec()).ok();
            }
            return Ok(flow);
        }
        if is_start {
            sse::write(&mut out.bytes, "message_start", &renamed_start(&frame.data, &self.context.model));
        } else if !self.reader.repeated_start {
            self.forward(frame, out);
        }
        Ok(flow)
    }

    fn finish_seen(&self) -> bool {
        self.reader.finish_seen()
    }

    fn finish(&mut self, out: &mut Out) -> Result<Ending, UpstreamFailure> {
        self.reader.finish(out)
    }

    fn close(&mut self, cost: Option<&Cost>, counted: &TokenUsage, out: &mut Out) {
        let Some(delta) = self.last_delta.take() else { return };
        sse::write(&mut out.bytes, "message_delta", &with_cost(&delta, cost, counted));
        sse::write(&mut out.bytes, "message_stop", br#"{"type":"message_stop"}"#);
    }
}

/// Counts parts and notices the first.
struct Started<'o> {
    out: &'o mut Out,
    is_start: bool,
}

impl Sink for Started<'_> {
    fn part(&mut self, part: Part<'_>) {
        self.is_start |= matches!(part, Part::Start { .. });
        self.out.count(&part);
    }
}

/// The end of a block that the provider left out.
fn close_block(open_index: Option<u32>, out: &mut Out) {
    if let Some(index) = open_index {
        let stop = format!("{{\"type\":\"content_block_stop\",\"index\":{index}}}");
        sse::write(&mut out.bytes, "content_block_stop", stop.as_bytes());
    }
}

fn event_name(frame: &Frame<'_>) -> String {
    let text = std::str::from_utf8(&frame.data).unwrap_or_default();
    let kind = members(text).find(|member| member.key == "type");
    kind.map_or(String::new(), |kind| kind.value.trim_matches('"').to_owned())
}

fn renamed_start(data: &[u8], model: &str) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(data) else { return data.to_vec() };
    let mut editor = Editor::new(text);
    if let Some(message) = members(text).find(|member| member.key == "message") {
        rename(&mut editor, message.value, model);
    }
    editor.finish().to_vec()
}

fn rename(editor: &mut Editor<'_>, object: &str, model: &str) {
    if let Some(name) = members(object).find(|member| member.key == "model") {
        editor.replace(name.value, serde_json::Value::from(model).to_string());
    }
}

fn with_cost(delta: &str, cost: Option<&Cost>, counted: &TokenUsage) -> Vec<u8> {
    let mut editor = Editor::new(delta);
    match (members(delta).find(|member| member.key == "usage"), cost) {
        (Some(usage), Some(cost)) if usage.value.starts_with('{') => {
            insert_cost(&mut editor, usage.value, cost);
        }
        (Some(_), _) => {}
        (None, _) => {
            editor.insert(delta, "usage", &usage_json(Dialect::Anthropic, counted, cost).to_string());
        }
    }
    editor.finish().to_vec()
}

/// A whole answer with the client's name for the model.
pub(crate) fn whole(body: &[u8], context: &AnswerContext) -> Result<Answer, UpstreamFailure> {
    let mut counter = Counter::default();
    let ending = response::read(body, &mut counter)?;
    let text = std::str::from_utf8(body).map_err(|_| UpstreamFailure::invalid("its answer is not UTF-8."))?;
    let mut editor = Editor::new(text);
    rename(&mut editor, text, &context.model);
    Ok(Answer::new(Dialect::Anthropic, editor.finish(), ending, counter.delivered, context))
}
