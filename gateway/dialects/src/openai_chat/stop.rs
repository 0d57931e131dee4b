//! Finish reasons on the OpenAI wire.

use crate::{StopReason, UpstreamFailure};

/// `called` says whether tool calls came: several hosts say `stop` after them.
pub(crate) fn read(finish_reason: &str, called: bool) -> Result<StopReason, UpstreamFailure> {
    Ok(match finish_reason {
        "stop" | "tool_calls" | "function_call" if called => StopReason::ToolUse,
        "length" | "max_tokens" => StopReason::MaxTokens,
        "content_filter" | "sensitive" => StopReason::Refusal,
        "network_error" | "error" => {
            return Err(UpstreamFailure::stream_broke(&format!("it stopped with '{finish_reason}'.")));
        }
        "stop" | "tool_calls" | "function_call" => StopReason::EndTurn,
        _ if called => StopReason::ToolUse,
        _ => StopReason::Other,
    })
}

pub(crate) fn name(stop: StopReason) -> &'static str {
    match stop {
        StopReason::EndTurn | StopReason::StopSequence | StopReason::PauseTurn | StopReason::Other => "stop",
        StopReason::MaxTokens | StopReason::ContextWindowExceeded => "length",
        StopReason::ToolUse => "tool_calls",
        StopReason::Refusal => "content_filter",
    }
}
