//! Blocks of the pivot as the content of Chat Completions messages.

use std::borrow::Cow;

use serde::Serialize;

use crate::anthropic::block::{Block, Source};
use crate::request::{FieldError, Notes, Target};

/// Null where there is nothing, a string where there is only text, parts otherwise.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    None,
    Text(Cow<'a, str>),
    Parts(Vec<Part<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Part<'a> {
    Text { text: Cow<'a, str> },
    ImageUrl { image_url: ImageUrl<'a> },
    File { file: File<'a> },
}

#[derive(Serialize)]
pub(super) struct ImageUrl<'a> {
    url: Cow<'a, str>,
}

#[derive(Serialize)]
pub(super) struct File<'a> {
    filename: &'a str,
    file_data: String,
}

/// The parts that `blocks` become. Errors carry the path below `blocks`.
pub(super) fn parts<'a>(
    blocks: &'a [Block<'_>],
    target: &Target,
    notes: &mut Notes,
) -> Result<Vec<Part<'a>>, FieldError> {
    let mut parts = Vec::with_capacity(blocks.len());
    for (index, block) in blocks.iter().enumerate() {
        part(block, target, notes, &mut parts).map_err(|error| error.within(&index.to_string()))?;
    }
    Ok(parts)
}

impl<'a> Content<'a> {
    /// As little structure as the parts need and the provider takes.
    pub(super) fn of(mut parts: Vec<Part<'a>>, target: &Target) -> Self {
        let only_text = parts.iter().all(|part| matches!(part, Part::Text { .. }));
        if parts.len() == 1 && only_text {
            return parts.pop().and_then(Part::into_text).map_or(Self::None, Self::Text);
        }
        if only_text && !target.quirks.takes_text_parts {
            return Self::Text(texts(parts).join("\n\n").into());
        }
        Self::Parts(parts)
    }
}

/// The text of parts, where nothing else can be said.
pub(super) fn texts(parts: Vec<Part<'_>>) -> Vec<Cow<'_, str>> {
    parts.into_iter().filter_map(Part::into_text).collect()
}

/// Thinking, calls, results and instructions are written apart from content.
fn part<'a>(
    block: &'a Block<'_>,
    target: &Target,
    notes: &mut Notes,
    parts: &mut Vec<Part<'a>>,
) -> Result<(), FieldError> {
    match block {
        Block::Text { text, .. } => parts.push(Part::text(&**text)),
        Block::Image { source, .. } => parts.push(image(source, target)?),
        Block::Document { source, title, citations } => {
            if citations.is_some() {
                notes.dropped("citations")?;
            }
            parts.extend(document(source, title.as_deref(), target, notes)?);
        }
        Block::SearchResult { source, title, content } => {
            notes.emulated("search_result");
            parts.push(Part::text(format!("[{}]({})", &**title, &**source)));
            parts.extend(self::parts(content, target, notes).map_err(|error| error.within("content"))?);
        }
        Block::Thinking { .. }
        | Block::RedactedThinking { .. }
        | Block::ToolUse { .. }
        | Block::ToolResult { .. }
        | Block::System { .. } => {}
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

fn image<'a>(source: &'a Source<'_>, target: &Target) -> Result<Part<'a>, FieldError> {
    if !target.quirks.takes_images {
        let problem = format!(
            "the model '{}' does not read images; send text, or choose a model that does",
            target.upstream_model
        );
        return Err(FieldError::unsupported("source", problem));
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
    source: &'a Source<'_>,
    title: Option<&'a str>,
    target: &Target,
    notes: &mut Notes,
) -> Result<Vec<Part<'a>>, FieldError> {
    let heading = title.map(Part::text).into_iter();
    match source {
        Source::Text { data, .. } => Ok(heading.chain([Part::text(&**data)]).collect()),
        Source::Content { content } => {
            let parts =
                parts(content, target, notes).map_err(|error| error.within("content").within("source"))?;
            Ok(heading.chain(parts).collect())
        }
        Source::Base64 { media_type, data } if target.quirks.takes_files => {
            let file_data = format!("data:{};base64,{}", &**media_type, &**data);
            Ok(vec![Part::File { file: File { filename: title.unwrap_or("document.pdf"), file_data } }])
        }
        Source::Base64 { .. } | Source::Url { .. } => {
            let problem = "this model's provider does not read documents; send their text";
            Err(FieldError::unsupported("source", problem))
        }
        Source::File { .. } => Err(foreign_file()),
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
