//! A try that failed: what the client may be told, and what the ledger is told.

use bytespike_dialects::{ErrorCode, UpstreamFailure};
use bytespike_ledger::Ended;

use crate::upstream::SendError;

/// A failed try at a channel.
#[derive(Debug)]
pub struct Failed {
    pub failure: UpstreamFailure,
    pub ended: Ended,
    /// What the provider calls the request, if it said so while it failed.
    pub request_id: Option<String>,
}

impl Failed {
    /// The upstream answered with a status of 400 or above.
    #[must_use]
    pub fn status(failure: UpstreamFailure) -> Self {
        Self { failure, ended: Ended::UpstreamStatus, request_id: None }
    }

    /// A 200 that turned out to be none: an error inside, an answer that cannot be read, or one that broke off.
    #[must_use]
    pub fn inside(failure: UpstreamFailure) -> Self {
        let ended = match failure.code {
            ErrorCode::StreamBroke => Ended::UpstreamCut,
            _ => Ended::UpstreamErrorBody,
        };
        Self { failure, ended, request_id: None }
    }

    /// No head within the wait for it.
    #[must_use]
    pub fn no_first_byte() -> Self {
        Self::gateway(
            ErrorCode::UpstreamTimeout,
            "it did not begin to answer in time.",
            Ended::TimeoutFirstByte,
        )
    }

    /// Silence inside the answer.
    #[must_use]
    pub fn silent() -> Self {
        Self::gateway(
            ErrorCode::UpstreamTimeout,
            "it fell silent in the middle of its answer.",
            Ended::TimeoutIdle,
        )
    }

    /// The whole call took longer than a call may.
    #[must_use]
    pub fn too_long() -> Self {
        Self::gateway(
            ErrorCode::UpstreamTimeout,
            "its answer took longer than a call may.",
            Ended::TimeoutIdle,
        )
    }

    /// More than this gateway reads.
    #[must_use]
    pub fn too_large() -> Self {
        Self::gateway(
            ErrorCode::UpstreamError,
            "its answer is larger than this gateway reads.",
            Ended::UpstreamGarbled,
        )
    }

    /// The channel's address or the request to it cannot be written down.
    #[must_use]
    pub fn unusable() -> Self {
        Self::gateway(
            ErrorCode::UpstreamUnavailable,
            "the channel's address cannot be used.",
            Ended::GatewayFault,
        )
    }

    fn gateway(code: ErrorCode, reason: &str, ended: Ended) -> Self {
        let failure = UpstreamFailure { code, ..UpstreamFailure::stream_broke(reason) };
        Self { failure, ended, request_id: None }
    }
}

impl From<SendError> for Failed {
    fn from(error: SendError) -> Self {
        let (code, ended) = match error {
            SendError::Connect => (ErrorCode::UpstreamUnavailable, Ended::UpstreamStatus),
            SendError::ConnectTimeout => (ErrorCode::UpstreamTimeout, Ended::TimeoutConnect),
            SendError::Broken => (ErrorCode::StreamBroke, Ended::UpstreamCut),
        };
        Self::gateway(code, &error.to_string(), ended)
    }
}
