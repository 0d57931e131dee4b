//! A book in few words, and moments as people write them.
use bytespike_catalog::extra::ExtraModel;
use bytespike_catalog::fx::FxRate;
use bytespike_catalog::{
    BookOptions, Catalog, Charge, Markup, Overrides, PriceBook, PriceError, Served, Usage, charge,
};

/// 2026-11-24T00:00:00Z, a Tuesday: 08:00 in Beijing, an hour before peak.
pub const NOW_MS: i64 = 1_795_478_400_000;
pub const HOUR_MS: i64 = 3_600_000;
/// 2027-01-01T00:00:00Z.
pub const NEW_YEAR_MS: i64 = 1_798_761_600_000;

pub fn options() -> BookOptions {
    BookOptions {
        markup: Markup::LIST_PRICE,
        fx: FxRate::new("2026-10-14", "7.00", "a test").expect("a rate"),
        extra: Vec::new(),
        overrides: Overrides::default(),
        at_ms: NOW_MS,
    }
}

pub fn book_with(options: &BookOptions) -> PriceBook {
    PriceBook::build(&Catalog::embedded().expect("reads"), options).expect("builds")
}

pub fn book() -> PriceBook {
    book_with(&options())
}

/// A model of our own at these USD per 1M tokens.
pub fn extra(id: &str, prices: &[(&str, &str)]) -> ExtraModel {
    let prices: serde_json::Map<String, serde_json::Value> =
        prices.iter().map(|(component, amount)| ((*component).to_owned(), (*amount).into())).collect();
    let json = serde_json::json!({
        "id": id, "provider": "demo", "protocols": ["anthropic"], "usd_per_million_tokens": prices
    });
    serde_json::from_value(json).expect("a model")
}

pub fn usage(input_tokens: u64, cache_read_tokens: u64, output_tokens: u64) -> Usage {
    Usage { input_tokens, cache_read_tokens, output_tokens, ..Usage::default() }
}

pub fn charge_at(model: &str, usage: &Usage, held_at_ms: i64) -> Result<Charge, PriceError> {
    charge(&book(), usage, Served { requested: model, served: model, held_at_ms })
}
