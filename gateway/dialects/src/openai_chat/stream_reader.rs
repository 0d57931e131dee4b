//! Reads a Chat Completions stream into parts that follow each other.

use super::chunk::{Choice, Chunk, Delta};
use super::stop;
use super::tool_queue::ToolQueue;
use super::usage::Usage;
use crate::response::Ending;
use crate::stream::{Flow, Part, Sink};
use crate::{StopReason, UpstreamFailure};

#[derive(Debug)]
pub(crate) struct StreamReader {
    tools: ToolQueue,
    /// Text that came in the middle of a tool call, to follow it.
    deferred: String,
    has_begun: bool,
    finish_reason: Option<String>,
    has_refused: bool,
    usage: Option<Usage>,
    is_done: bool,
}

impl StreamReader {
    pub(crate) fn new(seed: [u8; 16]) -> Self {
        Self {
            tools: ToolQueue::new(seed),
            deferred: String::new(),
            has_begun: false,
            finish_reason: None,
            has_refused: false,
            usage: None,
            is_done: false,
        }
    }

    /// Takes the data of one event.
    pub(crate) fn read(&mut self, data: &[u8], sink: &mut impl Sink) -> Result<Flow, UpstreamFailure> {
        if data.trim_ascii_start().starts_with(b"[DONE]") {
            self.is_done = true;
            return Ok(Flow::Done);
        }
        self.chunk(&Chunk::read(data)?, sink)
    }

    /// Takes a chunk that was read already. Answers beyond the first are not looked at.
    pub(crate) fn chunk(&mut self, chunk: &Chunk<'_>, sink: &mut impl Sink) -> Result<Flow, UpstreamFailure> {
        if !self.has_begun {
            self.has_begun = true;
            sink.part(Part::Start { id: chunk.id.as_deref().unwrap_or_default() });
        }
        if let Some(usage) = chunk.usage() {
            self.usage = Some(usage);
        }
        for choice in chunk.choices().iter().filter(|choice| choice.index == 0) {
            self.choice(choice, sink)?;
        }
        // Usage by itself after the finish is the last thing a host says.
        let is_last = self.finish_reason.is_some() && self.usage.is_some() && chunk.choices().is_empty();
        Ok(if is_last { Flow::Done } else { Flow::More })
    }

    pub(crate) fn set_done(&mut self) {
        self.is_done = true;
    }

    pub(crate) fn finish_seen(&self) -> bool {
        self.finish_reason.is_some()
    }

    pub(crate) fn finish(&mut self, sink: &mut impl Sink) -> Result<Ending, UpstreamFailure> {
        self.tools.finish(sink)?;
        self.flush_deferred(sink);
        let called = self.tools.has_calls();
        let stop = match &self.finish_reason {
            Some(_) if self.has_refused => StopReason::Refusal,
            Some(reason) => stop::read(reason, called)?,
            None if called && self.is_done => StopReason::ToolUse,
            None if self.is_done => StopReason::EndTurn,
            None => return Err(UpstreamFailure::stream_broke("its stream ended unexpectedly.")),
        };
        Ok(Ending {
            usage: self.usage.and_then(|usage| usage.counted()),
            stop,
            native_stop: self.finish_reason.clone().unwrap_or_default(),
            stop_sequence: None,
        })
    }

    fn choice(&mut self, choice: &Choice<'_>, sink: &mut impl Sink) -> Result<(), UpstreamFailure> {
        if let Some(delta) = &choice.delta {
            self.delta(delta, sink)?;
        }
        if let Some(reason) = choice.finish_reason.as_deref().filter(|reason| !reason.is_empty()) {
            self.finish_reason = Some(reason.to_owned());
        }
        Ok(())
    }

    /// One delta may hold reasoning, text and calls; they go in this order.
    fn delta(&mut self, delta: &Delta<'_>, sink: &mut impl Sink) -> Result<(), UpstreamFailure> {
        let reasoning = delta.reasoning();
        if !reasoning.is_empty() {
            self.tools.make_way(sink);
            // Thinking in the middle of a call cannot be shown; it would cut the call in two.
            if !self.tools.is_busy() {
                sink.part(Part::Thinking(&reasoning));
            }
        }
        self.text(delta.content(), sink);
        if !delta.refusal().is_empty() {
            self.has_refused = true;
            self.text(delta.refusal(), sink);
        }
        for call in delta.tool_calls() {
            self.tools.fragment(call, sink)?;
        }
        Ok(())
    }

    fn text(&mut self, text: &str, sink: &mut impl Sink) {
        if text.is_empty() {
            return;
        }
        self.tools.make_way(sink);
        if self.tools.is_busy() {
            self.deferred.push_str(text);
            return;
        }
        self.flush_deferred(sink);
        sink.part(Part::Text(text));
    }

    fn flush_deferred(&mut self, sink: &mut impl Sink) {
        if !self.deferred.is_empty() {
            sink.part(Part::Text(&std::mem::take(&mut self.deferred)));
        }
    }
}
