//! Writes a client's request for a provider.

use bytes::Bytes;

use super::{ClientRequest, FieldError, Notes, RequestError, Warning, native};
use crate::response::ToolNames;
use crate::{Dialect, Quirks, Seal, anthropic, openai_chat};

/// Where a request goes.
#[derive(Debug, Clone)]
pub struct Target {
    pub dialect: Dialect,
    pub upstream_model: String,
    /// The most the model can write. Sent where the client gave no limit; when translating, a higher limit is
    /// lowered to it.
    pub max_output_tokens: Option<u32>,
    pub quirks: Quirks,
    /// Refuse what would otherwise be dropped with a warning.
    pub strict: bool,
    /// Opens the gateway's own reasoning signatures.
    pub seal: Option<Seal>,
}

/// A request as the provider gets it.
#[derive(Debug, Clone)]
pub struct UpstreamRequest {
    /// Below the provider's versioned base URL (`https://…/v1`).
    pub path: &'static str,
    pub body: Bytes,
    pub warnings: Vec<Warning>,
    /// Names the answer has to be mapped back to.
    pub tool_names: ToolNames,
}

/// Writes the request for a provider: edited in place in its own dialect, translated otherwise.
pub fn for_upstream(request: &ClientRequest, target: &Target) -> Result<UpstreamRequest, RequestError> {
    let mut notes = Notes::new(target.strict);
    let (body, tool_names) = if request.dialect == target.dialect {
        (native::edit(request, target, &mut notes)?, ToolNames::default())
    } else {
        translate(request, target, &mut notes)?
    };
    Ok(UpstreamRequest { path: path(target.dialect), body, warnings: notes.into_warnings(), tool_names })
}

fn path(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Anthropic => "/messages",
        Dialect::OpenAiChat => "/chat/completions",
    }
}

/// Through the pivot: one reader per client dialect, one writer per provider dialect.
fn translate(
    request: &ClientRequest,
    target: &Target,
    notes: &mut Notes,
) -> Result<(Bytes, ToolNames), FieldError> {
    let body = std::str::from_utf8(&request.body).map_err(|_| FieldError::new("the body is not UTF-8"))?;
    let (pivot, free_form) = match request.dialect {
        Dialect::Anthropic => (anthropic::request::Request::read(body)?, Vec::new()),
        Dialect::OpenAiChat => {
            let request = openai_chat::request::Request::read(body)?;
            let free_form = request.free_form_tools();
            (openai_chat::to_pivot::convert(request, notes)?, free_form)
        }
    };
    let (body, names) = match target.dialect {
        Dialect::Anthropic => (anthropic::write::body(pivot, target, notes)?, ToolNames::default()),
        Dialect::OpenAiChat => openai_chat::from_pivot::body(&pivot, target, notes)?,
    };
    Ok((body, names.with_free_form(free_form)))
}
