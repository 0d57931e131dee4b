//! The wire formats: bytes in, values out. No I/O, no clock; randomness and time are arguments.
//!
//! Anthropic Messages is the pivot: every other dialect is read into its terms and written from them.
//! A new dialect is a variant of [`Dialect`] and a module with four halves: requests to and from the pivot
//! (`to_pivot`, `from_pivot`), answers read into parts (`response::read`, `stream_reader`) and written from them
//! (`response::Collector`, `stream_writer`). Nothing is written per pair of dialects. A dialect that is the
//! same on both sides also has a `relay`, which keeps bytes.

mod anthropic;
pub mod error;
mod json;
mod openai_chat;
pub mod profile;
pub mod quirks;
pub mod request;
pub mod response;
pub mod seal;
mod sse;
pub mod stream;
pub mod upstream_failure;
pub mod usage;

pub use error::{ErrorCode, ErrorInfo};
pub use profile::ContentProfile;
pub use quirks::Quirks;
pub use request::{ClientRequest, RequestError, Target, UpstreamRequest, Warning};
pub use response::{Answer, AnswerContext, Cost, Delivered, StopReason};
pub use seal::Seal;
pub use stream::{Batch, Completion, End, StreamTranslator};
pub use upstream_failure::UpstreamFailure;
pub use usage::TokenUsage;

/// A wire format that a client or a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI Chat Completions.
    OpenAiChat,
}

impl Dialect {
    pub const ALL: [Self; 2] = [Self::Anthropic, Self::OpenAiChat];

    /// As people know it: a proper name, the same in every language.
    pub fn title(self) -> &'static str {
        match self {
            Self::Anthropic => "Anthropic Messages",
            Self::OpenAiChat => "OpenAI Chat Completions",
        }
    }

    /// As receipts, configuration and addresses spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAiChat => "openai-chat",
        }
    }
}
