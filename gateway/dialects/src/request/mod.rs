//! A client's request: what the gateway needs to know of it, and how it goes upstream.

use bytes::Bytes;

use crate::response::ToolNames;
use crate::seal::Seal;
use crate::{ContentProfile, Dialect, ErrorInfo, Quirks};

/// A request that was read once. The body is kept as it came.
#[derive(Debug, Clone)]
pub struct ClientRequest {
    pub dialect: Dialect,
    pub body: Bytes,
    pub model: String,
    pub stream: bool,
    /// The output limit the client gave, in whichever field.
    pub max_output_tokens: Option<u32>,
    /// How many answers (`n`); 1 unless asked otherwise.
    pub choices: u32,
    /// The client wants usage in its stream. Always true on the Anthropic wire.
    pub wants_usage: bool,
    /// The client asked to see thinking, so that thinking counts as content.
    pub thinking_requested: bool,
    pub cache: CacheMarkers,
    pub tools: u32,
    pub server_tools: Vec<ServerTool>,
    pub media: Vec<Media>,
    pub profile: ContentProfile,
    pub messages: u32,
    pub session: SessionHint,
    /// Fields that change what a provider bills, as (path, value).
    pub billing_fields: Vec<(&'static str, String)>,
}

/// The longest-lived cache marker in a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum CacheMarkers {
    #[default]
    None,
    FiveMinutes,
    OneHour,
}

/// A tool that the provider runs and bills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTool {
    /// `web_search`, `web_fetch`, `code_execution`, …
    pub name: String,
    pub max_uses: Option<u32>,
}

/// An image or a document in the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    pub kind: MediaKind,
    /// Size once decoded; `None` when it is given by URL or file id.
    pub bytes: Option<u64>,
    /// Width and height in pixels, read from the file's header.
    pub pixels: Option<(u32, u32)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    Image,
    Pdf,
    Audio,
    Other,
}

/// What ties calls of one conversation together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionHint {
    pub prompt_cache_key: Option<String>,
    pub user_id: Option<String>,
    /// SHA-256 of system, tools and the first user message.
    pub opening_sha256: [u8; 32],
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub struct Target {
    pub dialect: Dialect,
    pub upstream_model: String,
    /// Sent where the client gave no limit; a client's higher limit is lowered to it.
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
    /// Below the provider's base URL, such as `/messages` (the base ends in its version).
    pub path: &'static str,
    pub body: Bytes,
    pub warnings: Vec<Warning>,
    /// Names the answer has to be mapped back to.
    pub tool_names: ToolNames,
}

/// One thing that was changed on the way, as `dropped=top_k`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    pub kind: WarningKind,
    pub field: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarningKind {
    Dropped,
    Clamped,
    Moved,
    Emulated,
}

/// A request that cannot be taken as it is.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", .0.message)]
pub struct RequestError(pub Box<ErrorInfo>);

/// Reads a request body. Errors name the field and what to send instead.
pub fn read(dialect: Dialect, body: &Bytes) -> Result<ClientRequest, RequestError> {
    let _ = (dialect, body);
    unimplemented!("being written")
}

/// Reads a `count_tokens` body: as [`read`], without an output limit.
pub fn read_count(body: &Bytes) -> Result<ClientRequest, RequestError> {
    let _ = body;
    unimplemented!("being written")
}

/// Writes the request for a provider: edited in place in its own dialect, translated otherwise.
pub fn for_upstream(request: &ClientRequest, target: &Target) -> Result<UpstreamRequest, RequestError> {
    let _ = (request, target);
    unimplemented!("being written")
}

/// The `x-bytespike-warning` header: a comma list of at most 1 KiB; `None` when there is nothing to warn of.
pub fn warning_header(warnings: &[Warning]) -> Option<String> {
    let _ = warnings;
    unimplemented!("being written")
}

/// Every text a tokenizer has to count: system, messages, tool names, schemas and results.
pub fn for_counting(request: &ClientRequest) -> Vec<String> {
    let _ = request;
    unimplemented!("being written")
}
