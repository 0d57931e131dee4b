//! Usage as the dialects read it, as the gateway counts it, and as the price book prices it.

use bytespike_catalog::Usage;
use bytespike_catalog::estimate::{ContentBytes, Factor};
use bytespike_dialects::{ClientRequest, ContentProfile, Delivered, TokenUsage};

use crate::tokens;

/// The same quantities in the price book's terms.
#[must_use]
pub fn priced(usage: TokenUsage) -> Usage {
    Usage {
        input_tokens: usage.input_tokens,
        cache_read_tokens: usage.cache_read_tokens,
        cache_write_tokens: usage.cache_write_5m_tokens,
        cache_write_1h_tokens: usage.cache_write_1h_tokens,
        output_tokens: usage.output_tokens,
        reasoning_tokens: usage.reasoning_tokens.min(usage.output_tokens),
        searches: usage.web_searches,
        ..Usage::default()
    }
}

/// At least as many input tokens as the request is, for the hold: its bytes, stretched by what is known of the model.
#[must_use]
pub fn estimated_input(request: &ClientRequest, factor: Factor) -> u64 {
    of_request(request).tokens(factor)
}

/// What a provider counted to the bare estimate, in millionths; `None` when it tells nothing.
#[must_use]
pub fn ratio_micro(request: &ClientRequest, counted: TokenUsage) -> Option<u64> {
    of_request(request).ratio_micro(counted.total_input_tokens())
}

/// Above this, reading a request with a tokenizer would keep others waiting.
const MOST_COUNTED_BYTES: u64 = 4 << 20;

/// A closer upper bound than the estimate, by tokenizer: exact for OpenAI's models; others cut the same text into up to
/// half as many tokens again. `None` where the request is too long for it, or has pictures.
#[must_use]
pub fn recounted_input(request: &ClientRequest, provider: &str) -> Option<u64> {
    if request.profile.total_bytes() > MOST_COUNTED_BYTES || !request.media.is_empty() {
        return None;
    }
    let percent = if provider == "openai" { 102 } else { 150 };
    let text = tokens::of_request(request).saturating_mul(percent).div_ceil(100);
    Some(text.saturating_add(of_request(request).frame_tokens()))
}

fn of_request(request: &ClientRequest) -> ContentBytes {
    ContentBytes {
        messages: request.messages.into(),
        tools: request.tools.into(),
        images: u64::try_from(request.media.len()).unwrap_or(u64::MAX),
        ..content(request.profile)
    }
}

/// The request's input counted by tokenizer, for a provider that did not count.
#[must_use]
pub fn of_input(request: &ClientRequest) -> TokenUsage {
    TokenUsage { input_tokens: tokens::of_request(request), ..TokenUsage::default() }
}

/// `input` with the output replaced by what was delivered.
#[must_use]
pub fn with_delivered(input: TokenUsage, delivered: &Delivered) -> TokenUsage {
    let thinking = of_delivered(delivered.thinking);
    let visible = of_delivered(delivered.text).saturating_add(of_delivered(delivered.tool_input));
    TokenUsage { output_tokens: visible.saturating_add(thinking), reasoning_tokens: thinking, ..input }
}

/// Delivered bytes as tokens, at the middle of what tokenizers make of them and not at the upper bound of a hold:
/// four bytes of prose, three of code and of Han text.
fn of_delivered(profile: ContentProfile) -> u64 {
    (profile.latin_bytes / 4)
        + (profile.code_bytes / 3)
        + (profile.han_bytes / 3)
        + (profile.base64_bytes / 2)
        + u64::from(profile.total_bytes() > 0)
}

fn content(profile: ContentProfile) -> ContentBytes {
    ContentBytes {
        latin: profile.latin_bytes,
        code: profile.code_bytes,
        wide: profile.han_bytes,
        base64: profile.base64_bytes,
        ..ContentBytes::default()
    }
}
