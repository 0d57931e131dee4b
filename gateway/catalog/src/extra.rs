//! Models an operator declares as data: the demo provider's, or one behind an own server.
use crate::decimal;
use crate::load::Listing;
use crate::model::{Capabilities, Lifecycle, Modality, Model, Preset, Protocol, Status};
use crate::price::{Basis, Component, Currency, Effective, ListPrice, Source, Tier, Unit, Verification};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A model that the catalogue does not have.
///
/// ```
/// # use bytespike_catalog::extra::ExtraModel;
/// let model: ExtraModel = serde_json::from_str(r#"{
///     "id": "smollm2", "provider": "local", "protocols": ["openai-chat"],
///     "usd_per_million_tokens": {"input": "0.10", "output": "0.40"}
/// }"#).unwrap();
/// assert!(model.listing("2026-11-24").is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtraModel {
    pub id: String,
    pub provider: String,
    pub protocols: Vec<Protocol>,
    #[serde(default)]
    pub context_window_tokens: Option<u64>,
    #[serde(default)]
    pub max_output_tokens: Option<u64>,
    #[serde(default)]
    pub capabilities: Capabilities,
    #[serde(default = "every_preset")]
    pub presets: Vec<Preset>,
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Decimal USD per 1M tokens, by component: `input` and `output`, perhaps `cache_read`, `cache_write_5m`, …
    pub usd_per_million_tokens: BTreeMap<Component, String>,
    /// Decimal USD per 1,000 web searches.
    #[serde(default)]
    pub usd_per_thousand_searches: Option<String>,
}

fn every_preset() -> Vec<Preset> {
    vec![Preset::Global, Preset::China]
}

/// What is wrong with a declared model.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ExtraModelError {
    #[error("model `{model}`: `{amount}` is not a price for {}; give USD as a decimal such as \"2.50\", not negative", component.name())]
    Amount { model: String, component: Component, amount: String },
    #[error("model `{model}`: {} is not priced per token", component.name())]
    Component { model: String, component: Component },
}

impl ExtraModel {
    /// The model as the catalogue would list it, its prices dated `today` (YYYY-MM-DD).
    pub fn listing(&self, today: &str) -> Result<Listing, ExtraModelError> {
        let mut prices = Vec::new();
        for (&component, amount) in &self.usd_per_million_tokens {
            if component == Component::WebSearch {
                return Err(ExtraModelError::Component { model: self.id.clone(), component });
            }
            prices.push(self.row(component, amount, today)?);
        }
        if let Some(amount) = &self.usd_per_thousand_searches {
            prices.push(self.row(Component::WebSearch, amount, today)?);
        }
        Ok(Listing { model: self.model(), aliases: self.aliases.clone(), prices, restates_prices: false })
    }

    fn row(&self, component: Component, amount: &str, today: &str) -> Result<ListPrice, ExtraModelError> {
        let (unit, decimals) = match component {
            Component::WebSearch => (Unit::Search, 9),
            _ => (Unit::Token, 6),
        };
        let amount_pico = decimal::parse(amount, decimals).filter(|pico| *pico >= 0).ok_or_else(|| {
            ExtraModelError::Amount { model: self.id.clone(), component, amount: amount.to_owned() }
        })?;
        Ok(ListPrice {
            component,
            basis: Basis { currency: Currency::Usd, region: None },
            amount_pico: Some(amount_pico),
            unit,
            tier: Tier::default(),
            schedule: None,
            effective: Effective::default(),
            source: Source {
                name: "configuration".to_owned(),
                date: today.to_owned(),
                verification: Verification::Operator,
                remark: None,
            },
        })
    }

    fn model(&self) -> Model {
        Model {
            id: self.id.clone(),
            provider: self.provider.clone(),
            family: self.id.clone(),
            modality: Modality::Text,
            protocols: self.protocols.clone(),
            context_window_tokens: self.context_window_tokens,
            max_output_tokens: self.max_output_tokens,
            capabilities: self.capabilities,
            presets: self.presets.clone(),
            status: Status::Active,
            lifecycle: Lifecycle::default(),
        }
    }
}
