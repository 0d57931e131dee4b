//! A streamed answer: bytes from the provider in, bytes for the client out, with the end held back for the cost.

mod lane;
mod out;
mod translation;

use bytes::Bytes;

pub(crate) use lane::{Flow, Lane};
pub(crate) use out::{Out, Part, Sink};

use crate::response::{Delivered, Ending};
use crate::sse::{self, Framer};
use crate::{AnswerContext, Cost, Dialect, ErrorInfo, StopReason, TokenUsage, UpstreamFailure};
use crate::{anthropic, openai_chat};

/// Translates one stream. Feed it with [`push`](Self::push) until a batch carries an [`End`].
pub struct StreamTranslator {
    framer: Framer,
    lane: Box<dyn Lane>,
    out: Out,
    client: Dialect,
    /// What came before the first event: it may turn out to be no stream at all.
    opening: Option<Vec<u8>>,
    over: bool,
}

/// An error body is not longer than this.
const OPENING_BYTES_MAX: usize = 64 * 1024;

/// What one piece of upstream bytes became.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Whole frames to write to the client; may be empty.
    pub frames: Bytes,
    /// The frames hold text, tool input or requested thinking.
    pub has_content: bool,
    /// Set once, when the upstream is done or broken.
    pub end: Option<End>,
}

#[derive(Debug, Clone)]
pub enum End {
    /// The upstream finished. Settle, then write [`StreamTranslator::close`].
    Completed(Completion),
    /// The upstream failed. Write [`StreamTranslator::fail`], or answer with the error if nothing was written.
    Failed(UpstreamFailure),
}

#[derive(Debug, Clone)]
pub struct Completion {
    /// `None` when the provider counted nothing: count what was delivered.
    pub usage: Option<TokenUsage>,
    pub delivered: Delivered,
    pub stop: StopReason,
    /// The stop reason in the provider's own words.
    pub native_stop: String,
    /// The answer holds content, or ended for a reason that is the caller's.
    pub landed: bool,
}

impl StreamTranslator {
    pub fn new(from: Dialect, to: Dialect, context: AnswerContext) -> Self {
        let out = Out::new(context.shows_thinking());
        let lane: Box<dyn Lane> = match (from, to) {
            (Dialect::Anthropic, Dialect::Anthropic) => Box::new(anthropic::relay::Relay::new(context)),
            (Dialect::OpenAiChat, Dialect::OpenAiChat) => Box::new(openai_chat::relay::Relay::new(context)),
            (from, to) => Box::new(translation::Translation::new(from, to, context)),
        };
        Self { framer: Framer::default(), lane, out, client: to, opening: Some(Vec::new()), over: false }
    }

    /// Takes bytes from the upstream. After an end, everything more is ignored.
    pub fn push(&mut self, bytes: &[u8]) -> Batch {
        if self.over {
            return self.batch(None);
        }
        if let Some(opening) = self.opening.as_mut().filter(|opening| opening.len() < OPENING_BYTES_MAX) {
            opening.extend_from_slice(bytes);
        }
        self.framer.push(bytes);
        let end = self.frames();
        self.batch(end)
    }

    /// The upstream closed its connection, or stayed silent for two seconds after [`finish_seen`](Self::finish_seen).
    pub fn eof(&mut self) -> Batch {
        if self.over {
            return self.batch(None);
        }
        let finished = self.finish_seen();
        self.framer.end();
        let end = match self.frames() {
            // A terminator that is cut off behind the finish is not missed.
            Some(End::Failed(_)) if finished => self.finish(),
            Some(end) => end,
            None => self.finish(),
        };
        self.batch(Some(end))
    }

    /// The answer is complete but its usage or terminator may still follow: wait briefly, then call [`eof`](Self::eof).
    pub fn finish_seen(&self) -> bool {
        !self.over && self.lane.finish_seen()
    }

    /// What was handed out for the client so far.
    pub fn delivered(&self) -> Delivered {
        self.out.delivered
    }

    /// The closing events, with what the call cost; `counted` is shown where the provider counted nothing.
    pub fn close(&mut self, cost: Option<&Cost>, counted: &TokenUsage) -> Bytes {
        self.over = true;
        self.lane.close(cost, counted, &mut self.out);
        self.out.take()
    }

    /// An error instead of an end: never followed by `[DONE]` or a tidy stop.
    pub fn fail(&mut self, error: &ErrorInfo) -> Bytes {
        self.over = true;
        let event = match self.client {
            Dialect::Anthropic => "error",
            Dialect::OpenAiChat => "",
        };
        let mut frame = Vec::new();
        sse::write(&mut frame, event, error.envelope(self.client).to_string().as_bytes());
        Bytes::from(frame)
    }

    /// Keeps the connection alive while the provider is silent.
    pub fn ping(&self) -> Bytes {
        match self.client {
            Dialect::Anthropic => Bytes::from_static(b"event: ping\ndata: {\"type\":\"ping\"}\n\n"),
            Dialect::OpenAiChat => Bytes::from_static(b": ping\n\n"),
        }
    }

    /// Takes every whole frame; stops at the end.
    fn frames(&mut self) -> Option<End> {
        loop {
            let flow = match self.framer.next_frame() {
                Ok(Some(frame)) => {
                    self.opening = None;
                    self.lane.frame(&frame, &mut self.out)
                }
                Ok(None) => return None,
                Err(failure) => Err(failure),
            };
            match flow {
                Ok(Flow::More) => {}
                Ok(Flow::Done) => return Some(self.finish()),
                Err(failure) => return Some(End::Failed(failure)),
            }
        }
    }

    fn finish(&mut self) -> End {
        match self.lane.finish(&mut self.out) {
            Ok(ending) => {
                let delivered = self.out.delivered;
                let landed = delivered.lands(&ending, self.out.thinking_is_content);
                let Ending { usage, stop, native_stop, .. } = ending;
                End::Completed(Completion { usage, delivered, stop, native_stop, landed })
            }
            Err(failure) => End::Failed(self.error_body().unwrap_or(failure)),
        }
    }

    /// A host may answer a streamed request with a plain error body.
    fn error_body(&self) -> Option<UpstreamFailure> {
        let opening = self.opening.as_ref()?.trim_ascii_start();
        opening.starts_with(b"{").then(|| UpstreamFailure::inside(opening))
    }

    fn batch(&mut self, end: Option<End>) -> Batch {
        self.over |= end.is_some();
        let has_content = std::mem::take(&mut self.out.has_content);
        Batch { frames: self.out.take(), has_content, end }
    }
}

impl std::fmt::Debug for StreamTranslator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamTranslator")
            .field("client", &self.client)
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}
