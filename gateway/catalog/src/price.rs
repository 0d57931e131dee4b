//! A price row: which component of the usage it prices, when, for which kind of request, and where the figure is from.
use crate::media::{Kind, Label};
use crate::money::{Exact, PicoUsd};
use crate::schedule::Moment;
pub use crate::schedule::Schedule;
use serde::{Deserialize, Serialize};

/// A part of a call that is priced apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// Input that neither came from nor went into a cache.
    Input,
    Output,
    /// Thinking, where it is not priced as output.
    Reasoning,
    CacheRead,
    CacheReadExplicit,
    /// Written by a cache that works by itself, or whose lifetime is not priced apart.
    CacheWrite,
    #[serde(rename = "cache_write_5m")]
    CacheWrite5m,
    #[serde(rename = "cache_write_1h")]
    CacheWrite1h,
    #[serde(rename = "cache_write_12h")]
    CacheWrite12h,
    WebSearch,
    Image,
    ImageInput,
    ImageInputCached,
    ImageOutput,
    TextInput,
    TextInputCached,
    TextOutput,
    AudioInput,
    AudioOutput,
    Video,
    VideoInput,
    VideoTokens,
    Rerank,
}

impl Component {
    /// Whether it can be counted like that at all. A price in another unit would never find what it prices.
    pub fn counts_in(self, base: Base) -> bool {
        match self {
            Self::TextInput => matches!(base, Base::Token | Base::Character),
            Self::ImageInput => matches!(base, Base::Token | Base::Image),
            Self::Image => base == Base::Image,
            Self::AudioInput | Self::AudioOutput => matches!(base, Base::Token | Base::Millisecond),
            Self::Video => matches!(base, Base::Video | Base::Millisecond),
            Self::VideoInput => base == Base::Millisecond,
            Self::VideoTokens => base == Base::VideoToken,
            Self::WebSearch => base == Base::Search,
            Self::Rerank => base == Base::RerankUnit,
            _ => base == Base::Token,
        }
    }

    /// As it is spelled in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::Reasoning => "reasoning",
            Self::CacheRead => "cache_read",
            Self::CacheReadExplicit => "cache_read_explicit",
            Self::CacheWrite => "cache_write",
            Self::CacheWrite5m => "cache_write_5m",
            Self::CacheWrite1h => "cache_write_1h",
            Self::CacheWrite12h => "cache_write_12h",
            Self::WebSearch => "web_search",
            Self::Image => "image",
            Self::ImageInput => "image_input",
            Self::ImageInputCached => "image_input_cached",
            Self::ImageOutput => "image_output",
            Self::TextInput => "text_input",
            Self::TextInputCached => "text_input_cached",
            Self::TextOutput => "text_output",
            Self::AudioInput => "audio_input",
            Self::AudioOutput => "audio_output",
            Self::Video => "video",
            Self::VideoInput => "video_input",
            Self::VideoTokens => "video_tokens",
            Self::Rerank => "rerank",
        }
    }
}

/// What a price is for one of. Quantities of `Second` and `Minute` are counted in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Token,
    VideoToken,
    Character,
    Image,
    Video,
    Search,
    Second,
    Minute,
    RerankUnit,
}

/// What a quantity counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    Token,
    VideoToken,
    Character,
    Image,
    Video,
    Search,
    Millisecond,
    RerankUnit,
}

impl Unit {
    /// What is counted to be priced in this unit.
    pub fn base(self) -> Base {
        match self {
            Self::Token => Base::Token,
            Self::VideoToken => Base::VideoToken,
            Self::Character => Base::Character,
            Self::Image => Base::Image,
            Self::Video => Base::Video,
            Self::Search => Base::Search,
            Self::Second | Self::Minute => Base::Millisecond,
            Self::RerankUnit => Base::RerankUnit,
        }
    }

    /// Decimals of a pico-price at the quantity people quote, and the quantity's name: `(6, "1M tokens")`.
    pub fn quoted(self) -> (u32, &'static str) {
        crate::book::quoted_unit(self)
    }

    /// How many counted things make one of this unit.
    pub fn counted(self) -> u32 {
        match self {
            Self::Second => 1_000,
            Self::Minute => 60_000,
            _ => 1,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    Usd,
    Cny,
}

/// A price list for a part of the world, where a provider keeps several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    Intl,
    Cn,
}

/// One price list of a model: everything a call bills comes from the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Basis {
    pub currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
}

/// Which requests a row is for. An empty tier is for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// The row prices the whole request when its input is above this many tokens …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens_above: Option<u64>,
    /// … and at most this many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens_upto: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sizes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_input: Option<bool>,
}

impl Tier {
    pub fn covers_input(&self, input_tokens: u64) -> bool {
        self.input_tokens_above.is_none_or(|above| input_tokens > above)
            && self.input_tokens_upto.is_none_or(|upto| input_tokens <= upto)
    }

    /// Whether the row is for this kind of picture or video. What is not known matches no row that depends on it.
    pub fn covers_kind(&self, kind: &Kind) -> bool {
        let (size, quality) = (kind.size, kind.quality);
        (self.sizes.is_empty() || size.is_some_and(|size| self.names(&size)))
            && self.quality.as_ref().is_none_or(|one| quality.is_some_and(|quality| quality.is(one)))
            && (self.audio.is_none() || self.audio == kind.audio)
            && (self.video_input.is_none() || self.video_input == kind.video_input)
    }

    /// Whether the row may be for it, once what is not known yet is known.
    pub fn may_cover_kind(&self, kind: &Kind) -> bool {
        let either =
            |row: Option<bool>, asked: Option<bool>| row.is_none() || asked.is_none() || row == asked;
        (self.sizes.is_empty() || kind.size.is_none_or(|size| self.names(&size)))
            && self.quality.as_ref().is_none_or(|one| kind.quality.is_none_or(|quality| quality.is(one)))
            && either(self.audio, kind.audio)
            && either(self.video_input, kind.video_input)
    }

    /// Whether some request falls under both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let starts = |tier: &Self| tier.input_tokens_above.map_or(0, |above| above.saturating_add(1));
        let ends = |tier: &Self| tier.input_tokens_upto.unwrap_or(u64::MAX);
        let either = |one: Option<bool>, two: Option<bool>| one.is_none() || two.is_none() || one == two;
        let same = |one: &String, two: &String| one.eq_ignore_ascii_case(two);
        let sizes = self.sizes.is_empty()
            || other.sizes.is_empty()
            || self.sizes.iter().any(|one| other.sizes.iter().any(|two| same(one, two)));
        let qualities = match (&self.quality, &other.quality) {
            (Some(one), Some(two)) => same(one, two),
            _ => true,
        };
        starts(self).max(starts(other)) <= ends(self).min(ends(other))
            && sizes
            && qualities
            && either(self.audio, other.audio)
            && either(self.video_input, other.video_input)
    }

    /// What depends on the kind of picture or video alone.
    pub(crate) fn kind(&self) -> Self {
        Self { input_tokens_above: None, input_tokens_upto: None, ..self.clone() }
    }

    fn names(&self, size: &Label) -> bool {
        self.sizes.iter().any(|one| size.is(one))
    }
}

/// A span of time, from inclusive, to exclusive, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Effective {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_ms: Option<i64>,
}

impl Effective {
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let starts = |span: &Self| span.from_ms.unwrap_or(i64::MIN);
        let ends = |span: &Self| span.to_ms.unwrap_or(i64::MAX);
        starts(self).max(starts(other)) < ends(self).min(ends(other))
    }

    pub fn covers(&self, at_ms: i64) -> bool {
        self.from_ms.is_none_or(|from| at_ms >= from) && self.to_ms.is_none_or(|to| at_ms < to)
    }
}

/// How good a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verification {
    /// From a copy of the provider's own page.
    Official,
    /// Computed from a rule on the provider's page.
    OfficialRule,
    /// A third party quoting the provider.
    Quoted,
    /// From a public map of prices.
    Aggregator,
    /// Computed back from a reseller's stated multiple.
    Derived,
    Unverified,
    /// Set by whoever runs this gateway.
    Operator,
}

/// Where a figure comes from and when it was read there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub name: String,
    pub date: String,
    pub verification: Verification,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// A row as the provider lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPrice {
    pub component: Component,
    pub basis: Basis,
    /// Pico-units of the row's currency per one `unit`. `None` when the figure could not be found.
    pub amount_pico: Option<i64>,
    pub unit: Unit,
    #[serde(default)]
    pub tier: Tier,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    #[serde(default)]
    pub effective: Effective,
    pub source: Source,
}

impl ListPrice {
    /// Whether some request at some moment would find both rows.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let sides = self.schedule.is_none() || other.schedule.is_none() || self.schedule == other.schedule;
        self.component == other.component
            && self.unit.base() == other.unit.base()
            && sides
            && self.tier.overlaps(&other.tier)
            && self.effective.overlaps(&other.effective)
    }

    pub fn applies(&self, now: Moment) -> bool {
        self.effective.covers(now.at_ms) && self.schedule.is_none_or(|schedule| schedule == now.side)
    }
}

/// `quantity` counted things of `unit` at `price` each.
pub(crate) fn amount(quantity: u64, price: PicoUsd, unit: Unit) -> Option<Exact> {
    Exact::of(quantity, price, i128::from(unit.counted()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_includes_its_start_and_not_its_end() {
        let span = Effective { from_ms: Some(10), to_ms: Some(20) };
        assert_eq!([9, 10, 19, 20].map(|at| span.covers(at)), [false, true, true, false]);
    }
}
