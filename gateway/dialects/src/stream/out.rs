//! Where a stream's output gathers, and the parts it is made of.

use bytes::Bytes;

use crate::response::Delivered;

/// One step of an answer, in the pivot's order: blocks follow each other, they never overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part<'p> {
    /// The answer began; with the provider's id, which may be empty.
    Start {
        id: &'p str,
    },
    Text(&'p str),
    Thinking(&'p str),
    /// Belongs to the thinking before it.
    Signature(&'p str),
    RedactedThinking(&'p str),
    ToolStart {
        id: &'p str,
        name: &'p str,
    },
    /// JSON text of the tool call that is open.
    ToolInput(&'p str),
    /// A page that the text cites.
    WebCitation {
        url: &'p str,
        title: &'p str,
    },
    /// The block is complete; what follows is a new one, even if of the same kind.
    BlockEnd,
}

/// Takes the parts of an answer.
pub(crate) trait Sink {
    fn part(&mut self, part: Part<'_>);
}

/// Frames on their way to the client, with what they deliver.
#[derive(Debug)]
pub(crate) struct Out {
    pub(crate) bytes: Vec<u8>,
    pub(crate) has_content: bool,
    pub(crate) delivered: Delivered,
    pub(crate) thinking_is_content: bool,
}

impl Out {
    pub(crate) fn new(thinking_is_content: bool) -> Self {
        Self { bytes: Vec::new(), has_content: false, delivered: Delivered::default(), thinking_is_content }
    }

    pub(crate) fn take(&mut self) -> Bytes {
        Bytes::from(std::mem::take(&mut self.bytes))
    }

    /// Counts a part that is being written.
    pub(crate) fn count(&mut self, part: &Part<'_>) {
        let text = self.delivered.add(part);
        self.has_content |= match part {
            Part::Thinking(_) => text && self.thinking_is_content,
            _ => text,
        };
    }
}

/// Only counts: in a native lane the frames are written as they came.
impl Sink for Out {
    fn part(&mut self, part: Part<'_>) {
        self.count(&part);
    }
}
