//! What a stream does between its two dialects.

use super::Out;
use crate::response::Ending;
use crate::sse::Frame;
use crate::{Cost, TokenUsage, UpstreamFailure};

/// Whether the upstream has more to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    More,
    Done,
}

/// One way from an upstream's frames to a client's.
pub(crate) trait Lane: Send {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Out) -> Result<Flow, UpstreamFailure>;

    /// The upstream named its reason to stop.
    fn finish_seen(&self) -> bool;

    /// The upstream is done or gone: writes content that is still held, or says what is missing.
    fn finish(&mut self, out: &mut Out) -> Result<Ending, UpstreamFailure>;

    /// Writes the closing events.
    fn close(&mut self, cost: Option<&Cost>, counted: &TokenUsage, out: &mut Out);
}
