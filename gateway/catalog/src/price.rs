//! A price row: which component of the usage it prices, when, for which kind of request, and where the figure is from.
use crate::calendar::{BEIJING_OFFSET_MS, DAY_MS, is_china_working_day};
use crate::money::{Exact, PicoUsd};
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
}

impl Component {
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
        }
    }
}

/// What a price is for one of. Quantities of `Second` and `Minute` are counted in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl Unit {
    /// How many counted things one price is for.
    pub(crate) fn divisor(self) -> i128 {
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

    /// Whether the row depends on what is asked for, such as a picture's size.
    pub fn is_by_kind(&self) -> bool {
        !self.sizes.is_empty() || self.quality.is_some() || self.audio.is_some() || self.video_input.is_some()
    }
}

/// Hours of the day a row is for. DeepSeek doubles its prices at peak hours (its pricing page, since 2026-08-16).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    Peak,
    Offpeak,
}

impl Schedule {
    /// Which side of the day it is: peak is Monday to Friday outside Chinese public holidays,
    /// 09:00–12:00 and 14:00–18:00 in Beijing.
    pub fn at(at_ms: i64) -> Self {
        let local_ms = at_ms + BEIJING_OFFSET_MS;
        let hour = local_ms.rem_euclid(DAY_MS) / 3_600_000;
        let peak_hour = (9..12).contains(&hour) || (14..18).contains(&hour);
        if peak_hour && is_china_working_day(local_ms.div_euclid(DAY_MS)) {
            Self::Peak
        } else {
            Self::Offpeak
        }
    }
}

/// A span of time, from inclusive, to exclusive, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effective {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_ms: Option<i64>,
}

impl Effective {
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
    pub fn applies(&self, at_ms: i64) -> bool {
        self.effective.covers(at_ms) && self.schedule.is_none_or(|schedule| schedule == Schedule::at(at_ms))
    }
}

/// `quantity` counted things of `unit` at `price` each.
pub(crate) fn amount(quantity: u64, price: PicoUsd, unit: Unit) -> Option<Exact> {
    Exact::of(quantity, price, unit.divisor())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::parse_day;

    #[test]
    fn deepseek_peak_turns_at_the_exact_second() {
        let beijing = |day: &str, hour: i64| {
            parse_day(day).expect("a date") * DAY_MS + hour * 3_600_000 - BEIJING_OFFSET_MS
        };
        for (hour, before, after) in [
            (9, Schedule::Offpeak, Schedule::Peak),
            (12, Schedule::Peak, Schedule::Offpeak),
            (14, Schedule::Offpeak, Schedule::Peak),
            (18, Schedule::Peak, Schedule::Offpeak),
        ] {
            let edge = beijing("2026-11-24", hour);
            assert_eq!((Schedule::at(edge - 1), Schedule::at(edge)), (before, after), "{hour}:00");
        }
        assert_eq!(Schedule::at(beijing("2026-10-05", 10)), Schedule::Offpeak, "a holiday");
        assert_eq!(Schedule::at(beijing("2026-11-21", 10)), Schedule::Offpeak, "a Saturday");
    }

    #[test]
    fn a_span_includes_its_start_and_not_its_end() {
        let span = Effective { from_ms: Some(10), to_ms: Some(20) };
        assert_eq!([9, 10, 19, 20].map(|at| span.covers(at)), [false, true, true, false]);
    }
}
