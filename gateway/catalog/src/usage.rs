//! What a call used, in disjoint parts, whichever way its provider reported it.
use crate::media::Media;
use crate::price::{Base, Component};
use serde::{Deserialize, Serialize};

/// Quantities of one call. The input parts never overlap: their sum is the whole input.
/// `reasoning_tokens` are part of `output_tokens`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    pub input_tokens: u64,
    pub cache_read_tokens: u64,
    /// Read from a cache that the caller made and named, where that is priced apart.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_read_explicit_tokens: u64,
    /// Written for five minutes, or by a cache whose lifetime is not priced apart.
    pub cache_write_tokens: u64,
    pub cache_write_1h_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_12h_tokens: u64,
    pub output_tokens: u64,
    pub reasoning_tokens: u64,
    pub searches: u64,
    /// Pictures, sound, video and whatever else is not text; `None` for a call of text alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<Media>,
}

/// Above any real call, far below where arithmetic could overflow.
pub const MAX_QUANTITY: u64 = 1 << 32;

/// One way to count a part of a call, with the components that may price it in order of preference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub quantity: u64,
    pub base: Base,
    pub components: &'static [Component],
}

impl Way {
    pub(crate) const fn new(quantity: u64, base: Base, components: &'static [Component]) -> Self {
        Self { quantity, base, components }
    }

    pub(crate) const fn tokens(quantity: u64, components: &'static [Component]) -> Self {
        Self::new(quantity, Base::Token, components)
    }
}

impl Usage {
    /// All of the input text, which tiers look at.
    pub fn input_total(&self) -> u64 {
        self.input_tokens.saturating_add(self.cache_read_total()).saturating_add(self.cache_write_total())
    }

    pub fn cache_read_total(&self) -> u64 {
        self.cache_read_tokens.saturating_add(self.cache_read_explicit_tokens)
    }

    pub fn cache_write_total(&self) -> u64 {
        let parts = [self.cache_write_tokens, self.cache_write_1h_tokens, self.cache_write_12h_tokens];
        parts.into_iter().fold(0, u64::saturating_add)
    }

    /// Each part is plausible: at most 2³², and thinking at most the output.
    pub fn is_plausible(&self) -> bool {
        self.input_total() <= MAX_QUANTITY
            && self.output_tokens <= MAX_QUANTITY
            && self.searches <= MAX_QUANTITY
            && self.reasoning_tokens <= self.output_tokens
            && self.media.is_none_or(|media| media.is_plausible())
    }

    /// The parts counted in one way only. Plain input is apart: a model may count characters instead.
    pub(crate) fn parts(&self, reasoning_is_priced: bool) -> [Way; 8] {
        use Component::{
            CacheRead, CacheReadExplicit, CacheWrite, CacheWrite1h, CacheWrite5m, CacheWrite12h, Input,
            Output, Reasoning, TextInput, TextInputCached, TextOutput, WebSearch,
        };
        let (output, reasoning) = match reasoning_is_priced {
            true => (self.output_tokens.saturating_sub(self.reasoning_tokens), self.reasoning_tokens),
            false => (self.output_tokens, 0),
        };
        [
            Way::tokens(self.cache_read_tokens, &[CacheRead, TextInputCached]),
            Way::tokens(self.cache_read_explicit_tokens, &[CacheReadExplicit]),
            // Where a provider asks nothing for writing its cache, what is written is input.
            Way::tokens(self.cache_write_tokens, &[CacheWrite5m, CacheWrite, Input, TextInput]),
            Way::tokens(self.cache_write_1h_tokens, &[CacheWrite1h, CacheWrite, Input, TextInput]),
            Way::tokens(self.cache_write_12h_tokens, &[CacheWrite12h]),
            Way::tokens(output, &[Output, TextOutput]),
            Way::tokens(reasoning, &[Reasoning]),
            Way::new(self.searches, Base::Search, &[WebSearch]),
        ]
    }

    /// Plain input: tokens, or whatever else the model counts its text in.
    pub(crate) fn text_input(&self) -> [Way; 3] {
        let media = self.media.unwrap_or_default();
        [
            Way::tokens(self.input_tokens, &[Component::Input, Component::TextInput]),
            Way::new(media.characters, Base::Character, &[Component::TextInput]),
            Way::new(media.rerank_units, Base::RerankUnit, &[Component::Rerank]),
        ]
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(quantity: &u64) -> bool {
    *quantity == 0
}
