//! Token counts in one arithmetic: every bucket disjoint, except that reasoning is part of output.

/// What one answer used. Input buckets are disjoint; `reasoning_tokens` is contained in `output_tokens`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TokenUsage {
    /// Input that was neither read from nor written to a cache.
    pub input_tokens: u64,
    pub cache_read_tokens: u64,
    pub cache_write_5m_tokens: u64,
    pub cache_write_1h_tokens: u64,
    pub output_tokens: u64,
    pub reasoning_tokens: u64,
    /// Server-side web searches, which are billed by number.
    pub web_searches: u64,
}

impl TokenUsage {
    /// Everything the model read: uncached, read from and written to a cache.
    pub fn total_input_tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.cache_read_tokens).saturating_add(self.cache_write_tokens())
    }

    pub fn cache_write_tokens(&self) -> u64 {
        self.cache_write_5m_tokens.saturating_add(self.cache_write_1h_tokens)
    }
}
