//! The filters, as they stand in the address. An unknown value filters nothing.

use super::row::Row;
use bytespike_catalog::model::{Modality, Preset, Protocol};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// What prices are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Currency {
    #[default]
    Usd,
    Cny,
    Credits,
}

impl Currency {
    pub(super) const ALL: [Self; 3] = [Self::Usd, Self::Cny, Self::Credits];

    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Usd => "usd",
            Self::Cny => "cny",
            Self::Credits => "credits",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    #[default]
    Provider,
    Price,
    Context,
    Name,
}

impl Order {
    pub(super) const ALL: [Self; 4] = [Self::Provider, Self::Price, Self::Context, Self::Name];

    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Price => "price",
            Self::Context => "context",
            Self::Name => "name",
        }
    }
}

/// What the visitor asked to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filters {
    pub search: String,
    pub modality: Option<Modality>,
    pub provider: Option<String>,
    pub protocol: Option<Protocol>,
    pub preset: Option<Preset>,
    pub is_live: Option<bool>,
    pub order: Order,
    pub currency: Currency,
}

const LONGEST_SEARCH: usize = 80;

impl Filters {
    pub(super) fn from_query(query: &str) -> Self {
        let pairs = pairs(query);
        let text = |name: &str| pairs.get(name).map(String::as_str).filter(|value| !value.is_empty());
        Self {
            search: text("q")
                .map(|search| search.trim().chars().take(LONGEST_SEARCH).collect())
                .unwrap_or_default(),
            modality: text("kind").and_then(named),
            provider: text("provider").map(str::to_owned),
            protocol: text("protocol").and_then(named),
            preset: text("preset").and_then(named),
            is_live: match text("status") {
                Some("live") => Some(true),
                Some("estimate") => Some(false),
                _ => None,
            },
            order: chosen(text("sort"), Order::ALL, Order::code),
            currency: chosen(text("currency"), Currency::ALL, Currency::code),
        }
    }

    pub(super) fn accepts(&self, row: &Row) -> bool {
        self.modality.is_none_or(|modality| row.modality == modality)
            && self.provider.as_ref().is_none_or(|provider| row.provider_id == *provider)
            && self.protocol.is_none_or(|protocol| row.protocols.contains(&protocol))
            && self.preset.is_none_or(|preset| row.presets.contains(&preset))
            && self.is_live.is_none_or(|is_live| row.is_live == is_live)
            && row.matches(&self.search.to_lowercase())
    }

    /// Stable: rows that compare equal keep the book's order. Among a provider's models the current ones come first.
    pub(super) fn sort(&self, rows: &mut [Row]) {
        match self.order {
            Order::Provider => rows.sort_by_key(|row| (row.provider_place, row.is_past)),
            Order::Price => rows.sort_by_key(|row| row.blended_pico.unwrap_or(i128::MAX)),
            Order::Context => rows.sort_by_key(|row| std::cmp::Reverse(row.context_tokens.unwrap_or(0))),
            Order::Name => rows.sort_by_key(|row| row.id.to_lowercase()),
        }
    }
}

fn pairs(query: &str) -> BTreeMap<String, String> {
    let uri = format!("/?{query}").parse::<http::Uri>().unwrap_or_default();
    axum::extract::Query::<BTreeMap<String, String>>::try_from_uri(&uri)
        .map(|query| query.0)
        .unwrap_or_default()
}

/// A catalogue value by the name it has in JSON.
fn named<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

fn chosen<T: Copy + Default, const N: usize>(
    asked: Option<&str>,
    all: [T; N],
    code: fn(T) -> &'static str,
) -> T {
    all.into_iter().find(|one| asked == Some(code(*one))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_hostile_values_filter_nothing() {
        assert_eq!(Filters::from_query(""), Filters::default());
        assert_eq!(
            Filters::from_query("kind=%22%3E%3Cscript%3E&sort=;drop&currency=eur&status="),
            Filters::default()
        );
        let filters = Filters::from_query(
            "kind=audio-speech&protocol=openai-chat&preset=china&status=live&currency=cny&q=%20Kimi",
        );
        assert_eq!(filters.modality, Some(Modality::AudioSpeech));
        assert_eq!(filters.protocol, Some(Protocol::OpenaiChat));
        assert_eq!(filters.preset, Some(Preset::China));
        assert_eq!(filters.is_live, Some(true));
        assert_eq!((filters.currency, filters.search.as_str()), (Currency::Cny, "Kimi"));
    }
}
