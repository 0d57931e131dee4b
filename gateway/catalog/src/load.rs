//! Reads the embedded catalogue. A row that cannot be typed is an error that names the model and the field:
//! a price that is not understood must never become a zero or a default.
use crate::calendar::{BEIJING_OFFSET_MS, DAY_MS, parse_day};
use crate::decimal;
use crate::fx::FxRate;
use crate::model::{Capabilities, Lifecycle, Modality, Model, Preset, Protocol, Provider, Status};
use crate::price::{
    Basis, Component, Currency, Effective, ListPrice, Region, Schedule, Source, Tier, Unit, Verification,
};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Everything the catalogue says: models with their price lists, providers, and observed exchange rates.
#[derive(Clone, Debug)]
pub struct Catalog {
    pub as_of: String,
    pub providers: Vec<Provider>,
    pub models: Vec<Listing>,
    pub fx_observations: Vec<FxRate>,
}

/// A model with every price row known for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    pub model: Model,
    pub aliases: Vec<String>,
    pub prices: Vec<ListPrice>,
    /// Some rows say the same price in another unit; only the rows in tokens bill.
    pub restates_prices: bool,
}

/// Why a catalogue could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("the catalogue is not JSON of the expected shape: {0}")]
    Json(#[from] serde_json::Error),
    #[error("model `{model}`: price row {row} (from 1): {problem}")]
    Row { model: String, row: usize, problem: String },
    #[error("model `{0}` is listed twice")]
    Duplicate(String),
    #[error("exchange rate of {date}: `{rate}` is not a positive decimal")]
    Rate { date: String, rate: String },
}

impl Catalog {
    /// The catalogue this program was built with.
    pub fn embedded() -> Result<Self, CatalogError> {
        Self::parse(include_str!("../catalog.json"))
    }

    pub fn parse(json: &str) -> Result<Self, CatalogError> {
        let raw: RawCatalog = serde_json::from_str(json)?;
        let fx_observations =
            raw.meta.fx_observations.into_iter().map(RawRate::typed).collect::<Result<_, _>>()?;
        let models: Vec<Listing> = raw.models.into_iter().map(RawModel::typed).collect::<Result<_, _>>()?;
        let mut seen = std::collections::BTreeSet::new();
        if let Some(twice) = models.iter().find(|listing| !seen.insert(&listing.model.id)) {
            return Err(CatalogError::Duplicate(twice.model.id.clone()));
        }
        Ok(Self { as_of: raw.meta.as_of, providers: raw.providers, models, fx_observations })
    }
}

#[derive(Deserialize)]
struct RawCatalog {
    meta: RawMeta,
    providers: Vec<Provider>,
    models: Vec<RawModel>,
}

#[derive(Deserialize)]
struct RawMeta {
    as_of: String,
    fx_observations: Vec<RawRate>,
}

#[derive(Deserialize)]
struct RawRate {
    rate: String,
    source: String,
    date: String,
}

impl RawRate {
    fn typed(self) -> Result<FxRate, CatalogError> {
        FxRate::new(&self.date, &self.rate, &self.source)
            .ok_or(CatalogError::Rate { date: self.date, rate: self.rate })
    }
}

#[derive(Deserialize)]
struct RawModel {
    id: String,
    provider: String,
    family: String,
    modality: Modality,
    protocols: Vec<Protocol>,
    context_window: Option<u64>,
    max_output: Option<u64>,
    capabilities: Capabilities,
    presets: Vec<Preset>,
    status: Status,
    prices: Vec<RawPrice>,
    #[serde(default)]
    lifecycle: Lifecycle,
    #[serde(default)]
    aliases: Vec<String>,
    alternatives: Option<IgnoredAny>,
}

impl RawModel {
    fn typed(self) -> Result<Listing, CatalogError> {
        let typed_row = |(index, raw): (usize, RawPrice)| {
            raw.typed().map_err(|problem| CatalogError::Row {
                model: self.id.clone(),
                row: index + 1,
                problem,
            })
        };
        Ok(Listing {
            prices: self.prices.into_iter().enumerate().map(typed_row).collect::<Result<_, _>>()?,
            aliases: self.aliases,
            restates_prices: self.alternatives.is_some(),
            model: Model {
                id: self.id,
                provider: self.provider,
                family: self.family,
                modality: self.modality,
                protocols: self.protocols,
                context_window_tokens: self.context_window,
                max_output_tokens: self.max_output,
                capabilities: self.capabilities,
                presets: self.presets,
                status: self.status,
                lifecycle: self.lifecycle,
            },
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrice {
    component: Component,
    currency: Currency,
    amount: Option<String>,
    amount_nano: Option<i64>,
    unit: String,
    source: String,
    source_date: String,
    verification: String,
    #[serde(default)]
    tier: RawTier,
    region: Option<Region>,
    schedule: Option<Schedule>,
    effective_from: Option<String>,
    effective_to: Option<String>,
    /// How many tokens a restated price stands for; shown by the provider, billed by nobody.
    #[serde(rename = "tokens")]
    _tokens: Option<IgnoredAny>,
}

impl RawPrice {
    fn typed(self) -> Result<ListPrice, String> {
        let (unit, decimals) =
            read_unit(&self.unit).ok_or_else(|| format!("unknown unit `{}`", self.unit))?;
        let amount_pico =
            self.amount.as_deref().map(|amount| self.read_amount(amount, decimals)).transpose()?;
        let (verification, remark) = read_verification(&self.verification)?;
        Ok(ListPrice {
            component: self.component,
            basis: Basis { currency: self.currency, region: self.region },
            amount_pico,
            unit,
            effective: self.read_effective()?,
            tier: self.tier.typed(),
            schedule: self.schedule,
            source: Source { name: self.source, date: self.source_date, verification, remark },
        })
    }

    /// The catalogue carries every amount twice; both must say the same.
    fn read_amount(&self, amount: &str, decimals: u32) -> Result<i64, String> {
        let exact = decimal::parse(amount, decimals).filter(|amount| *amount >= 0);
        let pico = exact.ok_or_else(|| {
            format!("`{amount}` per {} is not a whole number of pico-units, or negative", self.unit)
        })?;
        if decimal::parse(amount, 9) != self.amount_nano {
            return Err(format!("amount `{amount}` and amount_nano disagree"));
        }
        Ok(pico)
    }

    /// Days are inclusive and those of the price list's home: Beijing for CNY, UTC for USD.
    fn read_effective(&self) -> Result<Effective, String> {
        let offset_ms = if self.currency == Currency::Cny { BEIJING_OFFSET_MS } else { 0 };
        let start_of = |text: &String, add_days: i64| {
            let day = parse_day(text).ok_or_else(|| format!("`{text}` is not a date"))?;
            Ok::<_, String>((day + add_days) * DAY_MS - offset_ms)
        };
        Ok(Effective {
            from_ms: self.effective_from.as_ref().map(|text| start_of(text, 0)).transpose()?,
            to_ms: self.effective_to.as_ref().map(|text| start_of(text, 1)).transpose()?,
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawTier {
    #[serde(alias = "prompt_tokens_gt")]
    input_tokens_gt: Option<u64>,
    #[serde(alias = "prompt_tokens_lte")]
    input_tokens_lte: Option<u64>,
    /// Always true: every step known prices the whole request.
    #[serde(rename = "whole_request")]
    _whole_request: Option<WholeRequest>,
    size: Option<String>,
    quality: Option<String>,
    audio: Option<bool>,
    video_input: Option<bool>,
}

/// `true`, and nothing else: a step that priced only the tokens above it would need other arithmetic.
#[derive(Deserialize)]
#[serde(try_from = "bool")]
struct WholeRequest;

impl TryFrom<bool> for WholeRequest {
    type Error = &'static str;

    fn try_from(whole: bool) -> Result<Self, Self::Error> {
        if whole { Ok(Self) } else { Err("a tier that does not price the whole request is not supported") }
    }
}

impl RawTier {
    fn typed(self) -> Tier {
        Tier {
            input_tokens_above: self.input_tokens_gt,
            input_tokens_upto: self.input_tokens_lte,
            sizes: self.size.map(|sizes| sizes.split('|').map(str::to_owned).collect()).unwrap_or_default(),
            quality: self.quality,
            audio: self.audio,
            video_input: self.video_input,
        }
    }
}

/// Every unit a price can be written in.
pub(crate) const UNITS: [&str; 10] = [
    "1M tokens",
    "1M video tokens",
    "1k chars",
    "10k chars",
    "1k searches",
    "1k rerank units",
    "image",
    "video",
    "second",
    "minute",
];

/// The unit, and the decimals that turn the listed amount into pico-units per one of it: 12 less the zeros of the count.
pub(crate) fn read_unit(text: &str) -> Option<(Unit, u32)> {
    Some(match text {
        "1M tokens" => (Unit::Token, 6),
        "1M video tokens" => (Unit::VideoToken, 6),
        "1k chars" => (Unit::Character, 9),
        "10k chars" => (Unit::Character, 8),
        "1k searches" => (Unit::Search, 9),
        "1k rerank units" => (Unit::RerankUnit, 9),
        "image" => (Unit::Image, 12),
        "video" => (Unit::Video, 12),
        "second" => (Unit::Second, 12),
        "minute" => (Unit::Minute, 12),
        _ => return None,
    })
}

/// A level, then perhaps a remark after a semicolon.
fn read_verification(text: &str) -> Result<(Verification, Option<String>), String> {
    let (level, remark) = match text.split_once("; ") {
        Some((level, remark)) => (level, Some(remark.to_owned())),
        None => (text, None),
    };
    let level = serde_json::from_value(serde_json::Value::from(level))
        .map_err(|_| format!("unknown verification level `{level}`"))?;
    Ok((level, remark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_embedded_catalogue_is_typed() {
        let catalog = Catalog::embedded().expect("every row has a type");
        assert_eq!(catalog.models.len(), 127);
        assert_eq!(catalog.models.iter().map(|listing| listing.prices.len()).sum::<usize>(), 457);
        let unknown =
            catalog.models.iter().flat_map(|listing| &listing.prices).filter(|row| row.amount_pico.is_none());
        assert_eq!(unknown.count(), 8);
        assert_eq!((catalog.providers.len(), catalog.fx_observations.len()), (9, 3));
    }

    #[test]
    fn a_row_that_cannot_be_typed_names_itself() {
        let cases = [
            (r#""unit":"1M tokens""#, r#""unit":"furlong""#, "unknown unit `furlong`"),
            (r#""amount":"2""#, r#""amount":"2.0000001""#, "not a whole number"),
            (r#""amount":"2""#, r#""amount":"-2""#, "or negative"),
            (r#""amount_nano":2000000000"#, r#""amount_nano":2"#, "disagree"),
            (
                r#""verification":"official""#,
                r#""verification":"rumour""#,
                "unknown verification level `rumour`",
            ),
            (
                r#""effective_to":"2026-12-31""#,
                r#""effective_to":"2026-12-32""#,
                "`2026-12-32` is not a date",
            ),
        ];
        for (from, to, expected) in cases {
            assert!(ONE_MODEL.contains(from), "{from}");
            let error = Catalog::parse(&ONE_MODEL.replace(from, to)).expect_err(to).to_string();
            assert!(error.contains("model `m`: price row 1") && error.contains(expected), "{error}");
        }
        for (from, to) in [("true}", "false}"), (r#""input""#, r#""postage""#), (r#""tier""#, r#""tear""#)] {
            assert!(Catalog::parse(&ONE_MODEL.replace(from, to)).is_err(), "{to}");
        }
        assert!(Catalog::parse(ONE_MODEL).is_ok());
    }

    const ONE_MODEL: &str = r#"{"meta":{"as_of":"2026-11-22","fx_observations":[]},"providers":[],"models":[{
        "id":"m","provider":"p","family":"f","modality":"text","protocols":["anthropic"],"context_window":1,"max_output":1,
        "capabilities":{},"presets":[],"status":"active","prices":[{"component":"input","currency":"USD","amount":"2",
        "amount_nano":2000000000,"unit":"1M tokens","source":"s","source_date":"d","verification":"official",
        "effective_to":"2026-12-31","tier":{"input_tokens_gt":5,"whole_request":true}}]}]}"#;
}
