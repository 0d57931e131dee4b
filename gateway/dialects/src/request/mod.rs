//! A client's request: what the gateway needs to know of it, and how it goes upstream.

mod error;
mod facts;
mod media;
mod messages;
mod native;
mod notes;
mod upstream;

use bytes::Bytes;

use crate::{ContentProfile, Dialect};

pub(crate) use error::FieldError;
pub use error::RequestError;
pub(crate) use facts::Piece;
pub use facts::{for_counting, read, read_count};
pub use media::{Media, MediaKind};
pub(crate) use media::{data_uri, media_of_data_uri, sniffed_type};
pub(crate) use messages::messages;
pub(crate) use native::reminder;
pub(crate) use notes::Notes;
pub use notes::{Warning, WarningKind, warning_header};
pub use upstream::{Target, UpstreamRequest, for_upstream};

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
    /// Thinking is asked for, but its text is not to be shown.
    pub thinking_hidden: bool,
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

/// What ties calls of one conversation together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionHint {
    pub prompt_cache_key: Option<String>,
    pub user_id: Option<String>,
    /// SHA-256 of system, tools and the first user message.
    pub opening_sha256: [u8; 32],
}
