//! Catalogue values in the visitor's language.

use crate::pricing::query::Currency;
use bytespike_catalog::Unavailable;
use bytespike_catalog::book::Price;
use bytespike_catalog::diff::When;
use bytespike_catalog::export::ExportedModel;
use bytespike_catalog::model::{Modality, Preset, Protocol};
use bytespike_catalog::price::{Component, ListPrice, Schedule, Source, Tier, Unit, Verification};
use bytespike_ui::{Visit, format, price_words};
use time::UtcOffset;

pub(super) fn kind(visit: &Visit, modality: Modality) -> &'static str {
    let t = &visit.t().pricing.kind;
    match modality {
        Modality::Text => t.text,
        Modality::Image => t.image,
        Modality::Video => t.video,
        Modality::AudioSpeech => t.speech,
        Modality::AudioTranscription => t.transcription,
        Modality::Embedding => t.embedding,
        Modality::Rerank => t.rerank,
    }
}

pub(super) fn preset(visit: &Visit, preset: Preset) -> &'static str {
    let t = &visit.t().pricing.preset;
    match preset {
        Preset::Global => t.global,
        Preset::China => t.china,
    }
}

/// Names of wire formats are proper names: the same in both languages.
pub(super) const fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Anthropic => "Anthropic Messages",
        Protocol::OpenaiChat => "OpenAI Chat",
        Protocol::OpenaiResponses => "OpenAI Responses",
        Protocol::OpenaiImages => "OpenAI Images",
        Protocol::OpenaiVideos => "OpenAI Videos",
        Protocol::OpenaiAudio => "OpenAI Audio",
        Protocol::OpenaiRealtime => "OpenAI Realtime",
        Protocol::OpenaiEmbeddings => "OpenAI Embeddings",
        Protocol::Gemini => "Gemini",
        Protocol::GeminiLro => "Gemini (long-running)",
        Protocol::Dashscope => "DashScope",
        Protocol::DashscopeAsync => "DashScope (async)",
        Protocol::Ark => "Ark",
        Protocol::ArkAsync => "Ark (async)",
        Protocol::Minimax => "MiniMax",
        Protocol::MinimaxAsync => "MiniMax (async)",
        Protocol::ZhipuAsync => "Zhipu (async)",
        Protocol::Custom => "Other",
    }
}

/// Why a row is an estimate. An export past its lifetime outweighs what it says.
pub(super) fn reason(visit: &Visit, model: &ExportedModel, is_current: bool) -> &'static str {
    let t = &visit.t().pricing.reason;
    match &model.reason {
        _ if !is_current => t.stale,
        Some(Unavailable::Retired) => t.retired,
        Some(Unavailable::NoOfficialApi) => t.no_official_api,
        Some(Unavailable::PriceUnavailable { .. }) => t.price_unavailable,
        Some(Unavailable::Superseded) => t.superseded,
        Some(Unavailable::NotWired) | None => t.not_wired,
    }
}

/// What a price is for: `1M tokens`, `image`.
pub(super) fn unit(visit: &Visit, price: &Price) -> String {
    quoted(visit, price.list.unit).to_owned()
}

/// The same for a unit alone.
pub(super) fn quoted(visit: &Visit, unit: Unit) -> &'static str {
    let t = &visit.t().pricing.unit;
    match unit {
        Unit::Token => t.million_tokens,
        Unit::VideoToken => t.million_video_tokens,
        Unit::Character => t.thousand_characters,
        Unit::Search => t.thousand_searches,
        Unit::RerankUnit => t.thousand_rerank_units,
        other => single(visit, other),
    }
}

/// The unit one credit price is for.
pub(super) fn single(visit: &Visit, unit: Unit) -> &'static str {
    let t = &visit.t().pricing.unit;
    match unit {
        Unit::Token => t.token,
        Unit::VideoToken => t.video_token,
        Unit::Character => t.character,
        Unit::Search => t.search,
        Unit::RerankUnit => t.rerank_unit,
        Unit::Image => t.image,
        Unit::Video => t.video,
        Unit::Second => t.second,
        Unit::Minute => t.minute,
    }
}

pub(super) fn currency(visit: &Visit, currency: Currency) -> &'static str {
    match currency {
        Currency::Usd => "USD",
        Currency::Cny => "CNY",
        Currency::Credits => visit.t().pricing.filter.credits,
    }
}

pub(super) fn component(visit: &Visit, component: Component) -> &'static str {
    price_words::component(visit.locale, component.name()).unwrap_or(component.name())
}

/// For which requests and when a row is: `input above 272K tokens, off-peak, until 31 Dec 2026`.
pub(super) fn condition(visit: &Visit, row: &ListPrice) -> String {
    let when = When { tier: row.tier.clone(), schedule: row.schedule, effective: row.effective };
    when_of(visit, &when, home(row))
}

/// The same of a price that is known without its list.
pub(super) fn when(visit: &Visit, when: &When) -> String {
    when_of(visit, when, UtcOffset::UTC)
}

fn when_of(visit: &Visit, when: &When, home: UtcOffset) -> String {
    let t = &visit.t().pricing.tier;
    let schedule =
        when.schedule.map(|side| if side == Schedule::Peak { t.peak } else { t.offpeak }.to_owned());
    let tier = Some(condition_of_tier(visit, &when.tier)).filter(|text| !text.is_empty());
    let day = |at_ms| format::date(visit.locale, at_ms, home);
    let parts = [
        tier,
        schedule,
        when.effective.from_ms.map(|from| t.since(day(from))),
        // Days are named with the last one included.
        when.effective.to_ms.map(|to| t.until(day(to - 1))),
    ];
    listed(visit, parts.into_iter().flatten().collect())
}

/// The day of a row's beginning or end, where its list price is at home.
pub(super) fn day(visit: &Visit, row: &ListPrice, at_ms: i64) -> String {
    format::date(visit.locale, at_ms, home(row))
}

fn home(row: &ListPrice) -> UtcOffset {
    let hours = if row.basis.currency == bytespike_catalog::price::Currency::Cny { 8 } else { 0 };
    UtcOffset::from_hms(hours, 0, 0).unwrap_or(UtcOffset::UTC)
}

#[expect(clippy::needless_pass_by_value, reason = "the parts were made for this")]
fn listed(visit: &Visit, parts: Vec<String>) -> String {
    parts.join(if visit.locale == bytespike_ui::Locale::Zh { "，" } else { ", " })
}

/// For which requests alone.
pub(super) fn condition_of_tier(visit: &Visit, tier: &Tier) -> String {
    let t = &visit.t().pricing.tier;
    let either =
        |flag: Option<bool>, yes: &str, no: &str| flag.map(|flag| if flag { yes } else { no }.to_owned());
    let parts = [
        (!tier.sizes.is_empty()).then(|| tier.sizes.join(", ")),
        tier.quality.as_ref().map(|quality| t.quality(quality)),
        tier.input_tokens_above.filter(|above| *above > 0).map(|above| t.above(format::tokens(above))),
        tier.input_tokens_upto.map(|upto| t.upto(format::tokens(upto))),
        either(tier.audio, t.with_audio, t.without_audio),
        either(tier.video_input, t.with_video_input, t.without_video_input),
    ];
    listed(visit, parts.into_iter().flatten().collect())
}

pub(super) fn verification(visit: &Visit, source: &Source) -> &'static str {
    let t = &visit.t().pricing.source;
    match source.verification {
        Verification::Official => t.official,
        Verification::OfficialRule => t.official_rule,
        Verification::Quoted => t.quoted,
        Verification::Aggregator => t.aggregator,
        Verification::Derived => t.derived,
        Verification::Unverified => t.unverified,
        Verification::Operator => t.operator,
    }
}

/// `checked 20 Nov 2026`, for a date as exact as the source gives it. A source that names several was read last on the
/// last of them.
pub(super) fn checked(visit: &Visit, date: &str) -> String {
    let is_date = |word: &&str| word.starts_with("20") && (word.len() == 4 || word.get(4..5) == Some("-"));
    let mut words = date.split(|c: char| !c.is_ascii_digit() && c != '-');
    let day = words.rfind(is_date).unwrap_or(date);
    visit.t().pricing.table.checked(format::iso_date(visit.locale, day))
}
