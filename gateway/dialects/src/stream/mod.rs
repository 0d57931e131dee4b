//! A streamed answer: bytes from the provider in, bytes for the client out, with the end held back for the cost.

use bytes::Bytes;

use crate::{AnswerContext, Cost, Delivered, Dialect, ErrorInfo, StopReason, TokenUsage, UpstreamFailure};

/// Translates one stream. Feed it with [`push`](Self::push) until a batch carries an [`End`].
pub struct StreamTranslator {}

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
    pub native_stop: String,
    pub landed: bool,
}

impl StreamTranslator {
    pub fn new(from: Dialect, to: Dialect, context: AnswerContext) -> Self {
        let _ = (from, to, context);
        unimplemented!("being written")
    }

    /// Takes bytes from the upstream. After an end, everything more is ignored.
    pub fn push(&mut self, bytes: &[u8]) -> Batch {
        let _ = bytes;
        unimplemented!("being written")
    }

    /// The upstream closed its connection (or stayed silent for two seconds after [`finish_seen`](Self::finish_seen)).
    pub fn eof(&mut self) -> Batch {
        unimplemented!("being written")
    }

    /// The answer is complete but its usage or terminator may still follow: wait briefly, then call [`eof`](Self::eof).
    pub fn finish_seen(&self) -> bool {
        unimplemented!("being written")
    }

    /// What reached the client so far.
    pub fn delivered(&self) -> Delivered {
        unimplemented!("being written")
    }

    /// The closing events, with what the call cost; `counted` is shown where the provider counted nothing.
    pub fn close(&mut self, cost: Option<&Cost>, counted: &TokenUsage) -> Bytes {
        let _ = (cost, counted);
        unimplemented!("being written")
    }

    /// An error instead of an end: never followed by `[DONE]` or a tidy stop.
    pub fn fail(&mut self, error: &ErrorInfo) -> Bytes {
        let _ = error;
        unimplemented!("being written")
    }

    /// Keeps the connection alive while the provider is silent.
    pub fn ping(&self) -> Bytes {
        unimplemented!("being written")
    }
}
