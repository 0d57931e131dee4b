//! Reads a request once and states what admission, pricing and routing need to know of it.

use bytes::Bytes;
use memchr::memmem;
use sha2::{Digest, Sha256};

use super::{CacheMarkers, ClientRequest, FieldError, Media, RequestError, ServerTool, SessionHint};
use crate::{ContentProfile, Dialect, anthropic, json, openai_chat};

/// A piece of a request's content, in the order it is sent.
pub(crate) enum Piece<'p> {
    Text(&'p str),
    /// Schemas, arguments and tool results that are JSON.
    Code(&'p str),
    Media(Media),
}

/// Reads a request body. Errors name the field and what to send instead.
pub fn read(dialect: Dialect, body: &Bytes) -> Result<ClientRequest, RequestError> {
    let text = json::validate(body)?;
    let request = match dialect {
        Dialect::Anthropic => {
            let request = anthropic::request::Request::read(text)?;
            if request.max_tokens.is_none() {
                return Err(FieldError::new("is required; send the most tokens the answer may have")
                    .within("max_tokens")
                    .into());
            }
            from_anthropic(&request, body)?
        }
        Dialect::OpenAiChat => from_openai(&openai_chat::request::Request::read(text)?, body)?,
    };
    Ok(ClientRequest { cache: cache_markers(body), ..request })
}

/// Reads a `count_tokens` body: an Anthropic request without an output limit.
pub fn read_count(body: &Bytes) -> Result<ClientRequest, RequestError> {
    let request = anthropic::request::Request::read(json::validate(body)?)?;
    let request = from_anthropic(&request, body)?;
    Ok(ClientRequest { cache: cache_markers(body), ..request })
}

/// Every text a tokenizer has to count: system, messages, tool names, schemas, arguments and results.
pub fn for_counting(request: &ClientRequest) -> Vec<String> {
    let mut texts = Vec::new();
    let mut collect = |piece: Piece<'_>| match piece {
        Piece::Text(text) | Piece::Code(text) => texts.push(text.to_owned()),
        Piece::Media(_) => {}
    };
    // The body was read before; one that has become unreadable has nothing to count.
    let Ok(text) = std::str::from_utf8(&request.body) else { return texts };
    match request.dialect {
        Dialect::Anthropic => {
            if let Ok(request) = anthropic::request::Request::read(text) {
                request.pieces(&mut collect);
            }
        }
        Dialect::OpenAiChat => {
            if let Ok(request) = openai_chat::request::Request::read(text) {
                request.pieces(&mut collect);
            }
        }
    }
    texts
}

fn from_anthropic(
    request: &anthropic::request::Request<'_>,
    body: &Bytes,
) -> Result<ClientRequest, FieldError> {
    anthropic::pairing::check(&request.messages)?;
    let mut content = Content::default();
    request.pieces(&mut |piece| content.add(piece));
    Ok(ClientRequest {
        dialect: Dialect::Anthropic,
        body: body.clone(),
        model: request.model.to_string(),
        stream: request.stream,
        max_output_tokens: request.max_tokens,
        choices: 1,
        wants_usage: true,
        thinking_requested: request.thinking.is_some_and(anthropic::request::Thinking::is_on),
        thinking_hidden: request.thinking.is_some_and(anthropic::request::Thinking::is_hidden),
        cache: CacheMarkers::None,
        tools: u32::try_from(request.tools.len()).unwrap_or(u32::MAX),
        server_tools: request.server_tools(),
        media: content.media,
        profile: content.profile,
        messages: u32::try_from(request.messages.len()).unwrap_or(u32::MAX),
        session: SessionHint {
            prompt_cache_key: None,
            user_id: request
                .metadata
                .as_ref()
                .and_then(|metadata| metadata.user_id.as_deref())
                .map(str::to_owned),
            opening_sha256: digest(|add| request.opening(add)),
        },
        billing_fields: request.billing_fields(),
    })
}

fn from_openai(
    request: &openai_chat::request::Request<'_>,
    body: &Bytes,
) -> Result<ClientRequest, FieldError> {
    openai_chat::pairing::check(&request.messages)?;
    let mut content = Content::default();
    request.pieces(&mut |piece| content.add(piece));
    Ok(ClientRequest {
        dialect: Dialect::OpenAiChat,
        body: body.clone(),
        model: request.model.to_string(),
        stream: request.stream,
        max_output_tokens: request.output_limit(),
        choices: request.n,
        wants_usage: !request.stream || request.include_usage,
        thinking_requested: request.asks_for_thinking(),
        thinking_hidden: false,
        cache: CacheMarkers::None,
        tools: u32::try_from(request.tools.len()).unwrap_or(u32::MAX),
        server_tools: request.server_tools(),
        media: content.media,
        profile: content.profile,
        messages: u32::try_from(request.messages.len()).unwrap_or(u32::MAX),
        session: SessionHint {
            prompt_cache_key: request.prompt_cache_key.as_deref().map(str::to_owned),
            user_id: request.safety_identifier.as_deref().or(request.user.as_deref()).map(str::to_owned),
            opening_sha256: digest(|add| request.opening(add)),
        },
        billing_fields: request.billing_fields(),
    })
}

#[derive(Default)]
struct Content {
    profile: ContentProfile,
    media: Vec<Media>,
}

impl Content {
    fn add(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Text(text) => self.profile.add_text(text),
            Piece::Code(text) => self.profile.add_code(text),
            Piece::Media(media) => self.media.push(media),
        }
    }
}

/// SHA-256 of the texts that `walk` reports, with their borders.
fn digest(walk: impl FnOnce(&mut dyn FnMut(Piece<'_>))) -> [u8; 32] {
    let mut hash = Sha256::new();
    walk(&mut |piece| {
        if let Piece::Text(text) | Piece::Code(text) = piece {
            hash.update(text.as_bytes());
            hash.update([0]);
        }
    });
    hash.finalize().into()
}

/// Finds cache markers anywhere, also in blocks that are not read further. Inside a JSON string the quotes
/// would be escaped, so the search finds keys only.
fn cache_markers(body: &[u8]) -> CacheMarkers {
    let mut longest = CacheMarkers::None;
    for key in ["\"cache_control\"", "\"prompt_cache_breakpoint\""] {
        for at in memmem::find_iter(body, key) {
            let value = body.get(at + key.len()..).unwrap_or_default();
            longest = longest.max(marker(value));
        }
    }
    longest
}

/// `after_key` starts at the colon.
fn marker(after_key: &[u8]) -> CacheMarkers {
    let end = memchr::memchr(b'}', after_key).unwrap_or(0);
    let value = after_key.get(..end).unwrap_or_default();
    if !value
        .trim_ascii_start()
        .strip_prefix(b":")
        .is_some_and(|value| value.trim_ascii_start().starts_with(b"{"))
    {
        return CacheMarkers::None;
    }
    if memmem::find(value, b"\"1h\"").is_some() { CacheMarkers::OneHour } else { CacheMarkers::FiveMinutes }
}

impl ServerTool {
    pub(crate) fn new(name: &str, max_uses: Option<u32>) -> Self {
        Self { name: name.to_owned(), max_uses }
    }
}
