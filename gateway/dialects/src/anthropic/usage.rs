//! Usage on the Anthropic wire: disjoint input buckets, counted up over a stream.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::TokenUsage;

/// What one event or answer says; a stream says it in pieces.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct Usage {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation: Option<CacheCreation>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    output_tokens_details: Option<OutputDetails>,
    #[serde(default)]
    server_tool_use: Option<ServerToolUse>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
struct CacheCreation {
    #[serde(default)]
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
struct OutputDetails {
    #[serde(default)]
    thinking_tokens: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
struct ServerToolUse {
    #[serde(default)]
    web_search_requests: Option<u64>,
}

impl Usage {
    /// Takes over what `later` says and keeps the rest: the split of cache writes comes only at the start.
    pub(crate) fn update(&mut self, later: Self) {
        self.input_tokens = later.input_tokens.or(self.input_tokens);
        self.cache_read_input_tokens = later.cache_read_input_tokens.or(self.cache_read_input_tokens);
        self.cache_creation_input_tokens =
            later.cache_creation_input_tokens.or(self.cache_creation_input_tokens);
        self.cache_creation = later.cache_creation.or(self.cache_creation);
        self.output_tokens = later.output_tokens.or(self.output_tokens);
        self.output_tokens_details = later.output_tokens_details.or(self.output_tokens_details);
        self.server_tool_use = later.server_tool_use.or(self.server_tool_use);
    }

    /// `None` if neither input nor output was counted: zeros would be a free call.
    pub(crate) fn counted(&self) -> Option<TokenUsage> {
        let written = self.cache_creation_input_tokens.unwrap_or(0);
        let hour =
            self.cache_creation.and_then(|split| split.ephemeral_1h_input_tokens).unwrap_or(0).min(written);
        let usage = TokenUsage {
            input_tokens: self.input_tokens.unwrap_or(0),
            cache_read_tokens: self.cache_read_input_tokens.unwrap_or(0),
            cache_write_5m_tokens: written - hour,
            cache_write_1h_tokens: hour,
            output_tokens: self.output_tokens.unwrap_or(0),
            reasoning_tokens: self
                .output_tokens_details
                .and_then(|details| details.thinking_tokens)
                .unwrap_or(0),
            web_searches: self.server_tool_use.and_then(|tools| tools.web_search_requests).unwrap_or(0),
        };
        (usage.total_input_tokens() > 0 || usage.output_tokens > 0).then_some(usage)
    }
}

/// Every count, zeros included, as clients expect them.
pub(crate) fn json(usage: &TokenUsage) -> Value {
    let mut json = json!({
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens(),
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m_tokens,
            "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens,
        },
        "output_tokens": usage.output_tokens,
    });
    if usage.reasoning_tokens > 0 {
        json["output_tokens_details"] = json!({ "thinking_tokens": usage.reasoning_tokens });
    }
    if usage.web_searches > 0 {
        json["server_tool_use"] = json!({ "web_search_requests": usage.web_searches });
    }
    json
}
