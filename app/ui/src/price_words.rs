//! What the components and units of prices are called, by the names that the price book and receipts store.

use crate::Locale;

/// What is priced, by its name in JSON: `cache_write_5m`. `None` for one that has no words.
#[must_use]
pub fn component(locale: Locale, name: &str) -> Option<&'static str> {
    let t = &locale.t().pricing.component;
    Some(match name {
        "input" => t.input,
        "output" => t.output,
        "reasoning" => t.reasoning,
        "cache_read" => t.cache_read,
        "cache_read_explicit" => t.cache_read_explicit,
        "cache_write" => t.cache_write,
        "cache_write_5m" => t.cache_write_5m,
        "cache_write_1h" => t.cache_write_1h,
        "cache_write_12h" => t.cache_write_12h,
        "web_search" => t.web_search,
        "image" => t.image,
        "image_input" => t.image_input,
        "image_input_cached" => t.image_input_cached,
        "image_output" => t.image_output,
        "text_input" => t.text_input,
        "text_input_cached" => t.text_input_cached,
        "text_output" => t.text_output,
        "audio_input" => t.audio_input,
        "audio_output" => t.audio_output,
        "video" => t.video,
        "video_input" => t.video_input,
        "video_tokens" => t.video_tokens,
        "rerank" => t.rerank,
        _ => return None,
    })
}

/// What a price is for, by how the price book quotes it: `1M tokens`. `None` for a unit that has no words.
#[must_use]
pub fn unit(locale: Locale, per: &str) -> Option<&'static str> {
    let t = &locale.t().pricing.unit;
    Some(match per {
        "1M tokens" => t.million_tokens,
        "1M video tokens" => t.million_video_tokens,
        "1k chars" | "1k characters" => t.thousand_characters,
        "1k searches" => t.thousand_searches,
        "1k rerank units" => t.thousand_rerank_units,
        "image" => t.image,
        "video" => t.video,
        "second" => t.second,
        "minute" => t.minute,
        _ => return None,
    })
}
