//! What a call used, in disjoint parts, whichever way its provider reported it.
use crate::price::Component;
use serde::{Deserialize, Serialize};

/// Quantities of one call. The four input parts never overlap: their sum is the whole input.
/// `reasoning_tokens` are part of `output_tokens`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    pub input_tokens: u64,
    pub cache_read_tokens: u64,
    /// Written for five minutes, or by a cache whose lifetime is not priced apart.
    pub cache_write_tokens: u64,
    pub cache_write_1h_tokens: u64,
    pub output_tokens: u64,
    pub reasoning_tokens: u64,
    pub searches: u64,
}

/// Above any real call, far below where arithmetic could overflow.
pub const MAX_QUANTITY: u64 = 1 << 32;

impl Usage {
    /// All of the input, which tiers look at.
    pub fn input_total(&self) -> u64 {
        [self.input_tokens, self.cache_read_tokens, self.cache_write_tokens, self.cache_write_1h_tokens]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// Each part is plausible: at most 2³², and thinking at most the output.
    pub fn is_plausible(&self) -> bool {
        self.input_total() <= MAX_QUANTITY
            && self.output_tokens <= MAX_QUANTITY
            && self.searches <= MAX_QUANTITY
            && self.reasoning_tokens <= self.output_tokens
    }

    /// What to price, with the components that may price it in order of preference.
    pub(crate) fn parts(&self, reasoning_is_priced: bool) -> [(u64, &'static [Component]); 7] {
        use Component::{
            CacheRead, CacheWrite, CacheWrite1h, CacheWrite5m, Input, Output, Reasoning, WebSearch,
        };
        let (output, reasoning) = match reasoning_is_priced {
            true => (self.output_tokens.saturating_sub(self.reasoning_tokens), self.reasoning_tokens),
            false => (self.output_tokens, 0),
        };
        [
            (self.input_tokens, &[Input]),
            (self.cache_read_tokens, &[CacheRead]),
            // Where a provider asks nothing for writing its cache, what is written is input.
            (self.cache_write_tokens, &[CacheWrite5m, CacheWrite, Input]),
            (self.cache_write_1h_tokens, &[CacheWrite1h, CacheWrite, Input]),
            (output, &[Output]),
            (reasoning, &[Reasoning]),
            (self.searches, &[WebSearch]),
        ]
    }
}
