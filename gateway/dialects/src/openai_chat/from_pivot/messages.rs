//! The conversation as Chat Completions messages.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::content::{Content, Part, parts, texts};
use crate::anthropic::block::Block;
use crate::anthropic::facts::BILLING_LINE;
use crate::anthropic::request::{Message as PivotMessage, Request, Role};
use crate::quirks::{Prefill, ReasoningBack};
use crate::request::{FieldError, Notes, Target, reminder};
use crate::response::ToolNames;
use crate::seal::tool_id;

#[derive(Serialize)]
pub(super) struct Message<'a> {
    role: &'static str,
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_details: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<Cow<'a, str>>,
    /// The provider's own mark for a message to be continued.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    prefill: Option<Mark>,
}

struct Mark(&'static str);

#[derive(Serialize)]
struct ToolCall<'a> {
    id: Cow<'a, str>,
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: String,
    arguments: &'a str,
}

/// What stays the same while a conversation is written.
struct Writer<'t> {
    target: &'t Target,
    names: &'t mut ToolNames,
    notes: &'t mut Notes,
}

/// System prompt and conversation, in OpenAI's order.
pub(super) fn write<'a>(
    request: &'a Request<'_>,
    target: &Target,
    names: &mut ToolNames,
    notes: &mut Notes,
) -> Result<Vec<Message<'a>>, FieldError> {
    let mut writer = Writer { target, names, notes };
    let mut out = Vec::with_capacity(request.messages.len() + 1);
    let mut system = parts(&request.system, target, writer.notes).map_err(|error| error.within("system"))?;
    system.retain(|part| !is_billing_line(part));
    if !system.is_empty() {
        out.push(Message::new(target.quirks.system_role, Content::of(system, target)));
    }
    for (index, message) in request.messages.iter().enumerate() {
        writer.message(message, &mut out).map_err(|error| error.at("messages", index))?;
    }
    writer.prefill(&mut out)?;
    Ok(out)
}

/// Thinking cannot go on in a conversation whose earlier calls came without their reasoning.
pub(super) fn lack_reasoning(messages: &[Message<'_>]) -> bool {
    messages.iter().any(|message| {
        !message.tool_calls.is_empty()
            && message.reasoning_content.is_none()
            && message.reasoning_details.is_none()
    })
}

/// A line that changes on every call would defeat the provider's prompt cache.
fn is_billing_line(part: &Part<'_>) -> bool {
    matches!(part, Part::Text { text } if text.starts_with(BILLING_LINE))
}

impl<'a> Message<'a> {
    fn new(role: &'static str, content: Content<'a>) -> Self {
        Self {
            role,
            content,
            reasoning_content: None,
            reasoning_details: None,
            tool_calls: Vec::new(),
            tool_call_id: None,
            prefill: None,
        }
    }

    pub(super) fn system(role: &'static str, text: String) -> Self {
        Self::new(role, Content::Text(Cow::Owned(text)))
    }
}

impl Writer<'_> {
    fn message<'a>(
        &mut self,
        message: &'a PivotMessage<'_>,
        out: &mut Vec<Message<'a>>,
    ) -> Result<(), FieldError> {
        match message.role {
            Role::User => self.user(&message.content, out),
            Role::Assistant => self.assistant(&message.content, out),
            Role::System => self.system(&message.content, out),
        }
    }

    /// Each result is a message of its own; media inside them and what follows go into one user message after all.
    fn user<'a>(&mut self, blocks: &'a [Block<'_>], out: &mut Vec<Message<'a>>) -> Result<(), FieldError> {
        let mut media = Vec::new();
        for (index, block) in blocks.iter().enumerate() {
            if let Block::ToolResult { tool_use_id, content, is_error } = block {
                let result = self.parts(content).map_err(|error| error.at("content", index))?;
                let text = self.result_text(result, *is_error, &mut media);
                let mut message = Message::new("tool", Content::Text(text));
                message.tool_call_id = Some(self.call_id(tool_use_id));
                out.push(message);
            }
        }
        let parts: Vec<_> = media.into_iter().chain(self.parts(blocks)?).collect();
        if !parts.is_empty() {
            out.push(Message::new("user", Content::of(parts, self.target)));
        }
        blocks.iter().try_for_each(|block| match block {
            Block::System { content } => self.system(content, out),
            _ => Ok(()),
        })
    }

    /// A tool message holds only text: media is announced there and moved.
    fn result_text<'a>(
        &mut self,
        parts: Vec<Part<'a>>,
        is_error: bool,
        media: &mut Vec<Part<'a>>,
    ) -> Cow<'a, str> {
        let mut texts: Vec<Cow<'a, str>> = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Part::Text { text } => texts.push(text),
                other => {
                    self.notes.moved("tool_result_media");
                    media.push(other);
                    texts.push(format!("[attachment {} follows below]", media.len()).into());
                }
            }
        }
        let text = match texts.len() {
            0 => Cow::Borrowed("(no output)"),
            1 => texts.remove(0),
            _ => texts.join("\n").into(),
        };
        if is_error { format!("Error: {text}").into() } else { text }
    }

    fn assistant<'a>(
        &mut self,
        blocks: &'a [Block<'_>],
        out: &mut Vec<Message<'a>>,
    ) -> Result<(), FieldError> {
        // What an assistant said is text; hosts want it as one string.
        let text = texts(self.parts(blocks)?).concat();
        let content = if text.is_empty() { Content::None } else { Content::Text(text.into()) };
        let mut message = Message::new("assistant", content);
        message.tool_calls = blocks.iter().filter_map(|block| self.tool_call(block)).collect();
        self.reasoning(blocks, &mut message);
        if !(matches!(message.content, Content::None) && message.tool_calls.is_empty()) {
            out.push(message);
        }
        Ok(())
    }

    fn tool_call<'a>(&mut self, block: &'a Block<'_>) -> Option<ToolCall<'a>> {
        let Block::ToolUse { id, name, input } = block else { return None };
        let function = Function { name: self.names.send(name), arguments: input.get() };
        Some(ToolCall { id: self.call_id(id), r#type: "function", function })
    }

    /// Reasoning of this provider's own goes back word for word; anybody else's is left out.
    fn reasoning(&self, blocks: &[Block<'_>], message: &mut Message<'_>) {
        let Some(seal) = &self.target.seal else { return };
        let restored: Vec<String> = blocks
            .iter()
            .filter_map(|block| match block {
                Block::Thinking { thinking, signature } => {
                    seal.restore(signature, thinking, self.target.quirks.family)
                }
                _ => None,
            })
            .filter(|text| !text.is_empty())
            .collect();
        if restored.is_empty() {
            return;
        }
        match self.target.quirks.reasoning.back {
            ReasoningBack::No => {}
            ReasoningBack::Content => message.reasoning_content = Some(restored.concat()),
            ReasoningBack::Details => {
                let detail = |text| serde_json::json!({ "type": "reasoning.text", "text": text });
                message.reasoning_details = Some(restored.into_iter().map(detail).collect());
            }
        }
    }

    /// Where instructions may only come first, later ones are put into the user's mouth, in their place.
    fn system<'a>(&mut self, blocks: &'a [Block<'_>], out: &mut Vec<Message<'a>>) -> Result<(), FieldError> {
        let text = texts(self.parts(blocks)?).join("\n");
        if text.is_empty() {
            return Ok(());
        }
        out.push(if self.target.quirks.system_first_only {
            self.notes.emulated("messages.system");
            Message::new("user", Content::Text(reminder(&text).into()))
        } else {
            Message::system(self.target.quirks.system_role, text)
        });
        Ok(())
    }

    fn parts<'a>(&mut self, blocks: &'a [Block<'_>]) -> Result<Vec<Part<'a>>, FieldError> {
        parts(blocks, self.target, self.notes).map_err(|error| error.within("content"))
    }

    fn prefill(&mut self, out: &mut [Message<'_>]) -> Result<(), FieldError> {
        let Some(last) = out.last_mut().filter(|last| last.role == "assistant") else { return Ok(()) };
        match self.target.quirks.prefill {
            Prefill::Plain => Ok(()),
            Prefill::Marked(name) => {
                last.prefill = Some(Mark(name));
                Ok(())
            }
            Prefill::No => Err(FieldError::unsupported(
                "messages",
                "the last message is from the assistant, and this model cannot continue it; end with a user message",
            )),
        }
    }

    fn call_id<'a>(&self, id: &'a str) -> Cow<'a, str> {
        // OpenAI's own ids fit everywhere; other hosts want theirs back as they were.
        if self.target.quirks.family == "openai" { Cow::Borrowed(id) } else { tool_id::for_origin(id) }
    }
}

impl Serialize for Mark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.0, true)])
    }
}
