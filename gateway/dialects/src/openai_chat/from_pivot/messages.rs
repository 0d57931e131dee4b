//! The conversation as Chat Completions messages.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::anthropic::block::{Block, Source};
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

/// Null where there is nothing, a string where there is only text, parts otherwise.
#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    None,
    Text(Cow<'a, str>),
    Parts(Vec<Part<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part<'a> {
    Text { text: Cow<'a, str> },
    ImageUrl { image_url: ImageUrl<'a> },
    File { file: File<'a> },
}

#[derive(Serialize)]
struct ImageUrl<'a> {
    url: Cow<'a, str>,
}

#[derive(Serialize)]
struct File<'a> {
    filename: &'a str,
    file_data: String,
}

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
    let system = request.system.iter().filter(|block| !is_billing_line(block));
    let parts = writer.parts(system)?;
    if !parts.is_empty() {
        out.push(Message::new(target.quirks.system_role, writer.content(parts)));
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
fn is_billing_line(block: &Block<'_>) -> bool {
    matches!(block, Block::Text { text, .. } if text.starts_with(BILLING_LINE))
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
        let mut moved = Vec::new();
        for block in blocks {
            if let Block::ToolResult { tool_use_id, content, is_error } = block {
                let text = self.result_text(content, *is_error, &mut moved)?;
                let mut message = Message::new("tool", Content::Text(text));
                message.tool_call_id = Some(self.call_id(tool_use_id));
                out.push(message);
            }
        }
        let mut parts = moved;
        parts.extend(self.parts(
            blocks.iter().filter(|block| !matches!(block, Block::ToolResult { .. } | Block::System { .. })),
        )?);
        if !parts.is_empty() {
            out.push(Message::new("user", self.content(parts)));
        }
        let instructions = blocks.iter().filter_map(|block| match block {
            Block::System { content } => Some(content),
            _ => None,
        });
        for content in instructions {
            self.system(content, out)?;
        }
        Ok(())
    }

    fn result_text<'a>(
        &mut self,
        content: &'a [Block<'_>],
        is_error: bool,
        moved: &mut Vec<Part<'a>>,
    ) -> Result<Cow<'a, str>, FieldError> {
        let mut texts: Vec<Cow<'a, str>> = Vec::new();
        for part in self.parts(content)? {
            match part {
                Part::Text { text } => texts.push(text),
                media => {
                    self.notes.moved("tool_result_media");
                    moved.push(media);
                    texts.push(format!("[attachment {} follows below]", moved.len()).into());
                }
            }
        }
        let text = match texts.len() {
            0 => Cow::Borrowed("(no output)"),
            1 => texts.remove(0),
            _ => texts.join("\n").into(),
        };
        Ok(if is_error { format!("Error: {text}").into() } else { text })
    }

    fn assistant<'a>(
        &mut self,
        blocks: &'a [Block<'_>],
        out: &mut Vec<Message<'a>>,
    ) -> Result<(), FieldError> {
        let spoken = blocks.iter().filter(|block| {
            !matches!(block, Block::ToolUse { .. } | Block::Thinking { .. } | Block::RedactedThinking { .. })
        });
        let parts = self.parts(spoken)?;
        // Assistant parts are text here; hosts want them as one string.
        let text: Vec<Cow<'a, str>> = parts.into_iter().filter_map(Part::into_text).collect();
        let content = if text.is_empty() { Content::None } else { Content::Text(text.concat().into()) };
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
        let parts = self.parts(blocks)?;
        let texts: Vec<Cow<'a, str>> = parts.into_iter().filter_map(Part::into_text).collect();
        if texts.is_empty() {
            return Ok(());
        }
        let text = texts.join("\n");
        out.push(if self.target.quirks.system_first_only {
            self.notes.emulated("messages.system");
            Message::new("user", Content::Text(reminder(&text).into()))
        } else {
            Message::system(self.target.quirks.system_role, text)
        });
        Ok(())
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

    fn content<'a>(&self, mut parts: Vec<Part<'a>>) -> Content<'a> {
        let only_text = parts.iter().all(|part| matches!(part, Part::Text { .. }));
        if parts.len() == 1 && only_text {
            return parts.pop().and_then(Part::into_text).map_or(Content::None, Content::Text);
        }
        if only_text && !self.target.quirks.takes_text_parts {
            let texts: Vec<_> = parts.into_iter().filter_map(Part::into_text).collect();
            return Content::Text(texts.join("\n\n").into());
        }
        Content::Parts(parts)
    }

    fn parts<'a, 'b: 'a>(
        &mut self,
        blocks: impl IntoIterator<Item = &'a Block<'b>>,
    ) -> Result<Vec<Part<'a>>, FieldError> {
        let mut parts = Vec::new();
        for (index, block) in blocks.into_iter().enumerate() {
            self.part(block, &mut parts).map_err(|error| error.at("content", index))?;
        }
        Ok(parts)
    }

    fn part<'a>(&mut self, block: &'a Block<'_>, parts: &mut Vec<Part<'a>>) -> Result<(), FieldError> {
        match block {
            Block::Text { text, .. } => parts.push(Part::text(&**text)),
            Block::Image { source, .. } => parts.push(self.image(source)?),
            Block::Document { source, title, citations } => {
                if citations.is_some() {
                    self.notes.dropped("citations")?;
                }
                self.document(source, title.as_deref(), parts)?;
            }
            Block::SearchResult { source, title, content } => {
                self.notes.emulated("search_result");
                parts.push(Part::text(format!("[{}]({})", &**title, &**source)));
                parts.extend(self.parts(content)?);
            }
            Block::Thinking { .. } | Block::RedactedThinking { .. } => {}
            Block::ToolUse { .. } | Block::ToolResult { .. } | Block::System { .. } => {
                return Err(FieldError::new("this block cannot stand here"));
            }
            Block::Other(other) => {
                let problem = format!(
                    "a '{}' block cannot be sent to this model; send text, images or tool results",
                    &*other.kind
                );
                return Err(FieldError::unsupported("type", problem));
            }
        }
        Ok(())
    }

    fn image<'a>(&self, source: &'a Source<'_>) -> Result<Part<'a>, FieldError> {
        if !self.target.quirks.takes_images {
            let problem = format!(
                "the model '{}' does not read images; send text, or choose a model that does",
                self.target.upstream_model
            );
            return Err(FieldError::unsupported("image", problem));
        }
        let url = match source {
            Source::Base64 { media_type, data } => {
                Cow::Owned(format!("data:{};base64,{}", &**media_type, &**data))
            }
            Source::Url { url } => Cow::Borrowed(&**url),
            _ => return Err(foreign_file()),
        };
        Ok(Part::ImageUrl { image_url: ImageUrl { url } })
    }

    fn document<'a>(
        &mut self,
        source: &'a Source<'_>,
        title: Option<&'a str>,
        parts: &mut Vec<Part<'a>>,
    ) -> Result<(), FieldError> {
        match source {
            Source::Text { data, .. } => {
                parts.extend(title.map(Part::text));
                parts.push(Part::text(&**data));
            }
            Source::Content { content } => {
                parts.extend(title.map(Part::text));
                parts.extend(self.parts(content)?);
            }
            Source::Base64 { media_type, data } if self.target.quirks.takes_files => {
                let file_data = format!("data:{};base64,{}", &**media_type, &**data);
                parts
                    .push(Part::File { file: File { filename: title.unwrap_or("document.pdf"), file_data } });
            }
            Source::Base64 { .. } | Source::Url { .. } => {
                let problem = "this model's provider does not read documents; send their text";
                return Err(FieldError::unsupported("document", problem));
            }
            Source::File { .. } => return Err(foreign_file()),
        }
        Ok(())
    }
}

fn foreign_file() -> FieldError {
    FieldError::unsupported(
        "source",
        "a file id belongs to the provider it was uploaded to; send the data or a URL",
    )
}

impl<'a> Part<'a> {
    fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text { text: text.into() }
    }

    fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text { text } => Some(text),
            Self::ImageUrl { .. } | Self::File { .. } => None,
        }
    }
}

impl Serialize for Mark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.0, true)])
    }
}
