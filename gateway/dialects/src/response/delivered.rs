//! What reached the client, for deciding whether a call landed, and for billing where a provider did not count.

use super::{Ending, StopReason};
use crate::ContentProfile;
use crate::stream::{Part, Sink};

/// Content by kind, in bytes by class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivered {
    pub text: ContentProfile,
    pub tool_input: ContentProfile,
    pub thinking: ContentProfile,
    pub tool_calls: u32,
}

impl Delivered {
    /// Adds a part and says whether it was content.
    pub(crate) fn add(&mut self, part: &Part<'_>) -> bool {
        match part {
            Part::Text(text) => self.text.add_text(text),
            Part::Thinking(text) => self.thinking.add_text(text),
            Part::ToolInput(json) => self.tool_input.add_code(json),
            Part::ToolStart { name, .. } => {
                self.tool_calls += 1;
                self.tool_input.add_code(name);
            }
            Part::Start { .. }
            | Part::Signature(_)
            | Part::RedactedThinking(_)
            | Part::WebCitation { .. }
            | Part::BlockEnd => return false,
        }
        !matches!(part, Part::Text("") | Part::Thinking("") | Part::ToolInput(""))
    }

    /// There is content the caller asked for; or only thinking, which the caller's own limit cut short.
    pub(crate) fn lands(&self, ending: &Ending, thinking_requested: bool) -> bool {
        let thought =
            !self.thinking.is_empty() || ending.usage.is_some_and(|usage| usage.reasoning_tokens > 0);
        let has_content = !self.text.is_empty() || self.tool_calls > 0;
        let requested_thinking = thinking_requested && !self.thinking.is_empty();
        has_content || requested_thinking || (thought && ending.stop == StopReason::MaxTokens)
    }
}

/// Counts the parts of an answer whose bytes are passed on as they are.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    pub(crate) delivered: Delivered,
}

impl Sink for Counter {
    fn part(&mut self, part: Part<'_>) {
        self.delivered.add(&part);
    }
}
