//! Reads a Messages stream and refuses every order of events that the protocol does not allow.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer_block::{AnswerBlock, Citation};
use super::stop;
use super::usage::Usage;
use crate::UpstreamFailure;
use crate::json::Text;
use crate::response::Ending;
use crate::stream::{Flow, Part, Sink};

#[derive(Debug, Default)]
pub(crate) struct StreamReader {
    state: State,
    usage: Usage,
    /// The provider counted at the end, not only an estimate at the start.
    counted_output: bool,
    stop: Option<String>,
    stop_sequence: Option<String>,
    /// The last event was a second `message_start` for the same message.
    pub(crate) repeated_start: bool,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    BeforeStart,
    Between {
        id: String,
        next_index: u32,
    },
    InBlock {
        id: String,
        index: u32,
        kind: Kind,
    },
    /// `message_delta` named the stop reason.
    Stopping,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
    Tool,
    /// A block that is passed over: server tools, their results, what is not known yet.
    Other,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    #[serde(default)]
    index: Option<u32>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    content_block: Option<&'a RawValue>,
    #[serde(borrow, default)]
    delta: Option<&'a RawValue>,
    #[serde(default)]
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct MessageStart<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(default)]
    usage: Usage,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    #[serde(borrow, default)]
    text: Option<Text<'a>>,
    #[serde(borrow, default)]
    partial_json: Option<Text<'a>>,
    #[serde(borrow, default)]
    thinking: Option<Text<'a>>,
    #[serde(borrow, default)]
    signature: Option<Text<'a>>,
    #[serde(borrow, default)]
    citation: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct MessageDelta<'a> {
    #[serde(borrow, default)]
    stop_reason: Option<Text<'a>>,
    #[serde(borrow, default)]
    stop_sequence: Option<Text<'a>>,
}

impl StreamReader {
    /// Takes the data of one event.
    pub(crate) fn read(&mut self, data: &[u8], sink: &mut impl Sink) -> Result<Flow, UpstreamFailure> {
        let event: Event<'_> = parse(data)?;
        self.repeated_start = false;
        match &*event.kind {
            "message_start" => self.message_start(&event, sink)?,
            "content_block_start" => self.block_start(&event, sink)?,
            "content_block_delta" => self.delta(&event, sink)?,
            "content_block_stop" => self.block_stop(&event, sink)?,
            "message_delta" => self.message_delta(&event, sink)?,
            "message_stop" if matches!(self.state, State::Stopping) => return Ok(Flow::Done),
            "message_stop" => return Err(out_of_order("message_stop")),
            "error" => return Err(UpstreamFailure::inside(data)),
            // Pings, and events newer than this code.
            _ => {}
        }
        Ok(Flow::More)
    }

    pub(crate) fn finish_seen(&self) -> bool {
        matches!(self.state, State::Stopping)
    }

    /// A block whose end the provider left out: its index. Fine-grained tool streams do so when they are cut.
    pub(crate) fn open_index(&self) -> Option<u32> {
        match self.state {
            State::InBlock { index, .. } => Some(index),
            _ => None,
        }
    }

    pub(crate) fn finish(&mut self, _sink: &mut impl Sink) -> Result<Ending, UpstreamFailure> {
        let Some(native_stop) = self.stop.clone() else {
            return Err(UpstreamFailure::stream_broke("its stream ended unexpectedly."));
        };
        Ok(Ending {
            usage: self.usage.counted().filter(|_| self.counted_output),
            stop: stop::read(&native_stop),
            native_stop,
            stop_sequence: self.stop_sequence.clone(),
        })
    }

    fn message_start(&mut self, event: &Event<'_>, sink: &mut impl Sink) -> Result<(), UpstreamFailure> {
        let start: MessageStart<'_> = parse_raw(event.message)?;
        match &self.state {
            State::BeforeStart => {
                self.usage = start.usage;
                self.state = State::Between { id: start.id.to_string(), next_index: 0 };
                sink.part(Part::Start { id: &start.id });
                Ok(())
            }
            State::Between { id, .. } | State::InBlock { id, .. } if **id == *start.id => {
                self.repeated_start = true;
                Ok(())
            }
            _ => Err(UpstreamFailure::stream_broke("it began another message inside its answer.")),
        }
    }

    fn block_start(&mut self, event: &Event<'_>, sink: &mut impl Sink) -> Result<(), UpstreamFailure> {
        let block: AnswerBlock<'_> = parse_raw(event.content_block)?;
        let State::Between { id, next_index } = &mut self.state else {
            return Err(out_of_order("content_block_start"));
        };
        if event.index != Some(*next_index) {
            return Err(out_of_order("content_block_start"));
        }
        let kind = start_parts(&block, sink)?;
        self.state = State::InBlock { id: std::mem::take(id), index: *next_index, kind };
        Ok(())
    }

    fn delta(&mut self, event: &Event<'_>, sink: &mut impl Sink) -> Result<(), UpstreamFailure> {
        let State::InBlock { index, kind, .. } = &self.state else {
            return Err(out_of_order("content_block_delta"));
        };
        if event.index != Some(*index) {
            return Err(out_of_order("content_block_delta"));
        }
        let delta: Delta<'_> = parse_raw(event.delta)?;
        match (kind, &*delta.kind) {
            (Kind::Text, "text_delta") => sink.part(Part::Text(delta.text.as_deref().unwrap_or_default())),
            (Kind::Text, "citations_delta") => citation(delta.citation, sink),
            (Kind::Thinking, "thinking_delta") => {
                sink.part(Part::Thinking(delta.thinking.as_deref().unwrap_or_default()));
            }
            (Kind::Thinking, "signature_delta") => {
                sink.part(Part::Signature(delta.signature.as_deref().unwrap_or_default()));
            }
            (Kind::Tool, "input_json_delta") => {
                sink.part(Part::ToolInput(delta.partial_json.as_deref().unwrap_or_default()));
            }
            (_, "text_delta" | "thinking_delta" | "signature_delta") => {
                return Err(out_of_order(&delta.kind));
            }
            _ => {}
        }
        Ok(())
    }

    fn block_stop(&mut self, event: &Event<'_>, sink: &mut impl Sink) -> Result<(), UpstreamFailure> {
        let State::InBlock { id, index, kind } = &mut self.state else {
            return Err(out_of_order("content_block_stop"));
        };
        if event.index != Some(*index) {
            return Err(out_of_order("content_block_stop"));
        }
        if *kind != Kind::Other {
            sink.part(Part::BlockEnd);
        }
        self.state = State::Between { id: std::mem::take(id), next_index: *index + 1 };
        Ok(())
    }

    fn message_delta(&mut self, event: &Event<'_>, sink: &mut impl Sink) -> Result<(), UpstreamFailure> {
        if matches!(self.state, State::BeforeStart) {
            return Err(out_of_order("message_delta"));
        }
        if let Some(usage) = event.usage {
            self.usage.update(usage);
            self.counted_output = true;
        }
        let delta: MessageDelta<'_> = parse_raw(event.delta)?;
        if let Some(stop_reason) = delta.stop_reason {
            if self.open_index().is_some() {
                sink.part(Part::BlockEnd);
            }
            self.stop = Some(stop_reason.to_string());
            self.stop_sequence = delta.stop_sequence.map(|text| text.to_string());
            self.state = State::Stopping;
        }
        Ok(())
    }
}

fn start_parts(block: &AnswerBlock<'_>, sink: &mut impl Sink) -> Result<Kind, UpstreamFailure> {
    match &*block.kind {
        "text" => {
            if let Some(text) = block.text.as_deref().filter(|text| !text.is_empty()) {
                sink.part(Part::Text(text));
            }
            Ok(Kind::Text)
        }
        "thinking" => {
            // An omitted thought is still a block: its signature has to be kept.
            sink.part(Part::Thinking(block.thinking.as_deref().unwrap_or_default()));
            Ok(Kind::Thinking)
        }
        "redacted_thinking" => {
            let data: Text<'_> = parse_raw(block.data)?;
            sink.part(Part::RedactedThinking(&data));
            Ok(Kind::Other)
        }
        "tool_use" => {
            block.tool_start(sink)?;
            // Some hosts send the input at once.
            if let Some(input) = block.input.map(RawValue::get).filter(|input| *input != "{}") {
                sink.part(Part::ToolInput(input));
            }
            Ok(Kind::Tool)
        }
        _ => Ok(Kind::Other),
    }
}

fn citation(raw: Option<&RawValue>, sink: &mut impl Sink) {
    let citation: Option<Citation<'_>> = raw.and_then(|raw| serde_json::from_str(raw.get()).ok());
    if let Some(citation) = citation {
        citation.report(sink);
    }
}

fn parse<'a, T: Deserialize<'a>>(data: &'a [u8]) -> Result<T, UpstreamFailure> {
    serde_json::from_slice(data)
        .map_err(|_| UpstreamFailure::invalid("it sent an event that is not valid JSON of its dialect."))
}

fn parse_raw<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Result<T, UpstreamFailure> {
    parse(raw.map_or("null", RawValue::get).as_bytes())
}

fn out_of_order(event: &str) -> UpstreamFailure {
    UpstreamFailure::invalid(&format!("it sent {event} out of order."))
}
