//! Usage on the OpenAI wire: totals that include what was cached and what was reasoned.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::TokenUsage;

#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct Usage {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
    #[serde(default)]
    total_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(default)]
    completion_tokens_details: Option<CompletionDetails>,
    /// DeepSeek.
    #[serde(default)]
    prompt_cache_hit_tokens: Option<u64>,
    /// Moonshot.
    #[serde(default)]
    cached_tokens: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
struct PromptDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    cache_write_tokens: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
struct CompletionDetails {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

impl Usage {
    /// `None` if neither input nor output was counted: zeros would be a free call.
    pub(crate) fn counted(&self) -> Option<TokenUsage> {
        let prompt = self.prompt_tokens.unwrap_or(0);
        let completion = self.completion_tokens.unwrap_or(0);
        if prompt == 0 && completion == 0 {
            return None;
        }
        let details = self.prompt_tokens_details.unwrap_or_default();
        let cached =
            details.cached_tokens.or(self.prompt_cache_hit_tokens).or(self.cached_tokens).unwrap_or(0);
        let written = details.cache_write_tokens.unwrap_or(0);
        let reasoning =
            self.completion_tokens_details.and_then(|details| details.reasoning_tokens).unwrap_or(0);
        // More cached than sent: this host counts its buckets apart already.
        let is_disjoint = cached > prompt;
        // xAI counts reasoning beside the completion, which only its total shows.
        let is_beside = reasoning > 0
            && self
                .total_tokens
                .is_some_and(|total| total == prompt.saturating_add(completion).saturating_add(reasoning));
        Some(TokenUsage {
            input_tokens: if is_disjoint {
                prompt
            } else {
                prompt.saturating_sub(cached).saturating_sub(written)
            },
            cache_read_tokens: cached,
            cache_write_5m_tokens: written,
            cache_write_1h_tokens: 0,
            output_tokens: if is_beside { completion.saturating_add(reasoning) } else { completion },
            reasoning_tokens: reasoning,
            web_searches: 0,
        })
    }
}

pub(crate) fn json(usage: &TokenUsage) -> Value {
    let prompt = usage.total_input_tokens();
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": usage.output_tokens,
        "total_tokens": prompt.saturating_add(usage.output_tokens),
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens(),
        },
        "completion_tokens_details": { "reasoning_tokens": usage.reasoning_tokens },
    })
}
