//! The price book: one immutable, versioned value with every model's one public price.
//! It is built from the catalogue, the operator's markup and own models; a price that cannot be sold stays listed with its reason.
use crate::basis;
use crate::decimal;
use crate::fx::FxRate;
use crate::load::{Catalog, Listing};
use crate::media::Kind;
use crate::model::{Model, Preset, Provider, Status};
use crate::money::PicoUsd;
use crate::overrides::{OverrideError, Overrides};
use crate::price::{Basis, Component, Currency, ListPrice, Unit};
use crate::schedule::{Moment, PeakHours};
use crate::usage::Way;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the operator adds to the catalogue before a book is built.
#[derive(Clone, Debug)]
pub struct BookOptions {
    pub markup: Markup,
    /// Turns CNY lists into frozen USD prices.
    pub fx: FxRate,
    /// Models the catalogue does not have, or has otherwise; same id replaces.
    pub extra: Vec<Listing>,
    /// Its exchange rate, if it names one, goes before `fx`.
    pub overrides: Overrides,
    /// Dated prices must be complete from this moment on.
    pub at_ms: i64,
}

/// What a list price is multiplied by, in millionths: 1,000,000 is the list price itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Markup {
    micro: i64,
}

impl Markup {
    pub const LIST_PRICE: Self = Self { micro: 1_000_000 };

    /// In millionths.
    pub fn micro(self) -> i64 {
        self.micro
    }

    /// Reads a decimal such as `1.05`. `None` below 1, which would sell below cost, and above 100.
    pub fn new(text: &str) -> Option<Self> {
        decimal::parse(text, 6)
            .filter(|micro| (1_000_000..=100_000_000).contains(micro))
            .map(|micro| Self { micro })
    }
}

/// Why a book cannot be published.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BookError {
    #[error("model `{model}` has two prices for {} at the same time for the same request; end the one where the other begins", component.name())]
    Ambiguous { model: String, component: Component },
    #[error("model `{model}`: the price of {} does not fit", component.name())]
    TooLarge { model: String, component: Component },
    #[error("alias `{alias}` of `{model}` is already taken")]
    AliasTaken { alias: String, model: String },
    #[error("no price list {basis:?} is known for model `{model}`")]
    NoSuchBasis { model: String, basis: Basis },
    #[error(transparent)]
    Override(#[from] OverrideError),
    #[error("price book version {0} in the database does not have the hash it is stored under")]
    Damaged(i64),
}

/// Why a model that is listed cannot be called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Unavailable {
    Retired,
    NoOfficialApi,
    /// A component it can bill has no known price.
    PriceUnavailable {
        component: Component,
    },
    NotWired,
    /// The price book that lists it has been followed by another.
    Superseded,
}

/// A price we sell at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// What we take for one unit, in pico-USD, at least the list price at the book's exchange rate.
    pub usd_pico: PicoUsd,
    #[serde(flatten)]
    pub list: ListPrice,
}

/// A model with what it costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedModel {
    #[serde(flatten)]
    pub model: Model,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// The price list the prices come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    pub prices: Vec<Price>,
    /// Rows of other price lists, restated prices, and figures nobody knows: shown, never billed.
    pub other_lists: Vec<ListPrice>,
    /// Why it cannot be sold, whatever the wiring.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_problem: Option<Component>,
    /// The book's; whoever reads a model from JSON hands it on (see [`PriceBook::from_content`]).
    #[serde(skip, default = "china")]
    pub(crate) peak_hours: Arc<PeakHours>,
}

fn china() -> Arc<PeakHours> {
    Arc::new(PeakHours::china())
}

/// Which price of a component is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    pub input_tokens: u64,
    pub now: Moment,
    pub kind: Kind,
}

/// Every model's public price under one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceBook {
    /// Given at publication; 0 before.
    pub version: i64,
    /// `sha256:` and the digest of the content, which the version is not part of.
    pub hash: String,
    pub content: BookContent,
    aliases: BTreeMap<String, String>,
}

/// What the hash covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookContent {
    pub fx: FxRate,
    pub markup: Markup,
    pub peak_hours: Arc<PeakHours>,
    pub providers: Vec<Provider>,
    /// By id.
    pub models: BTreeMap<String, PricedModel>,
}

/// Claude Code lists and sends models under this prefix as well.
const DISCOVERY_PREFIX: &str = "anthropic.";

impl PriceBook {
    pub fn build(catalog: &Catalog, options: &BookOptions) -> Result<Self, BookError> {
        let mut listings: BTreeMap<&str, &Listing> = BTreeMap::new();
        for listing in catalog.models.iter().chain(&options.extra) {
            listings.insert(&listing.model.id, listing);
        }
        let overrides = &options.overrides;
        if let Some(unknown) = overrides.models().find(|model| !listings.contains_key(model.as_str())) {
            return Err(OverrideError::UnknownModel(unknown.clone()).into());
        }
        let fx = overrides.rate()?.unwrap_or_else(|| options.fx.clone());
        let maker = Maker { options, fx: &fx };
        let models = listings
            .into_iter()
            .map(|(id, listing)| Ok((id.to_owned(), maker.price_model(listing)?)))
            .collect::<Result<_, BookError>>()?;
        Self::from_content(BookContent {
            fx: fx.clone(),
            markup: options.markup,
            peak_hours: overrides.peak_hours.clone().map_or_else(china, Arc::new),
            providers: catalog.providers.clone(),
            models,
        })
    }

    /// A book from what an export kept of it. The hash is computed anew.
    pub fn from_content(mut content: BookContent) -> Result<Self, BookError> {
        for model in content.models.values_mut() {
            model.peak_hours = content.peak_hours.clone();
        }
        let aliases = collect_aliases(&content.models)?;
        Ok(Self { version: 0, hash: content.hash(), content, aliases })
    }

    /// A published book as the database keeps it: its content as JSON under its version and hash.
    pub fn from_stored(version: i64, hash: &str, content_json: &str) -> Result<Self, BookError> {
        let content = serde_json::from_str(content_json).ok();
        let content = content.filter(|_| hash_of(content_json.as_bytes()) == hash);
        let book = Self::from_content(content.ok_or(BookError::Damaged(version))?)?;
        Ok(Self { version, hash: hash.to_owned(), ..book })
    }

    /// The content as [`Self::from_stored`] reads it.
    pub fn content_json(&self) -> String {
        // A map with text keys and plain values always serialises.
        serde_json::to_string(&self.content).unwrap_or_default()
    }

    #[must_use]
    pub fn with_version(self, version: i64) -> Self {
        Self { version, ..self }
    }

    /// The model of a slug, an alias, or either behind Claude Code's `anthropic.` prefix.
    pub fn find(&self, name: &str) -> Option<&PricedModel> {
        let named = |name: &str| {
            let id = self.aliases.get(name).map_or(name, String::as_str);
            self.content.models.get(id)
        };
        named(name).or_else(|| named(name.strip_prefix(DISCOVERY_PREFIX)?))
    }

    pub fn models(&self) -> impl Iterator<Item = &PricedModel> {
        self.content.models.values()
    }

    pub fn preset(&self, preset: Preset) -> impl Iterator<Item = &PricedModel> {
        self.models().filter(move |model| model.model.presets.contains(&preset))
    }
}

impl BookContent {
    fn hash(&self) -> String {
        // A map with text keys and plain values always serialises.
        hash_of(&serde_json::to_vec(self).unwrap_or_default())
    }
}

fn hash_of(json: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(json)))
}

impl PricedModel {
    /// Whether it can be called at that moment, channels apart.
    pub fn sellable(&self, at_ms: i64) -> Result<(), Unavailable> {
        match self.model.status {
            Status::Retired | Status::Retiring => return Err(Unavailable::Retired),
            Status::NoOfficialApiId => return Err(Unavailable::NoOfficialApi),
            _ if self.is_shut_down(at_ms) => return Err(Unavailable::Retired),
            _ => {}
        }
        match self.price_problem {
            Some(component) => Err(Unavailable::PriceUnavailable { component }),
            None => Ok(()),
        }
    }

    fn is_shut_down(&self, at_ms: i64) -> bool {
        let lifecycle = &self.model.lifecycle;
        let day = lifecycle
            .retired
            .as_deref()
            .or(lifecycle.retires.as_deref())
            .and_then(crate::calendar::parse_day);
        day.is_some_and(|day| at_ms >= day * crate::calendar::DAY_MS)
    }

    /// Whether the book can price the component at all; a request that would bill one it lacks is refused.
    pub fn prices_component(&self, component: Component) -> bool {
        self.prices.iter().any(|price| price.list.component == component)
    }

    /// The price of a component for a request with this much input at that moment.
    pub fn price(&self, component: Component, input_tokens: u64, at_ms: i64) -> Option<&Price> {
        let now = self.moment(at_ms);
        self.prices.iter().find(|price| {
            price.list.component == component
                && price.list.tier.covers_input(input_tokens)
                && price.list.applies(now)
        })
    }

    /// The price of something counted like this: that of the first of its components that has one.
    pub(crate) fn price_of(&self, way: &Way, ask: &Ask) -> Option<&Price> {
        way.components.iter().find_map(|component| {
            self.prices.iter().find(|price| {
                price.list.component == *component
                    && price.list.unit.base() == way.base
                    && price.list.tier.covers_input(ask.input_tokens)
                    && price.list.tier.covers_kind(&ask.kind)
                    && price.list.applies(ask.now)
            })
        })
    }

    /// The moment by the book's peak hours.
    pub fn moment(&self, at_ms: i64) -> Moment {
        self.peak_hours.moment(at_ms)
    }
}

/// Prices models one by one.
struct Maker<'a> {
    options: &'a BookOptions,
    fx: &'a FxRate,
}

impl Maker<'_> {
    fn price_model(&self, listing: &Listing) -> Result<PricedModel, BookError> {
        let (model, overrides) = (&listing.model, &self.options.overrides);
        let own = overrides.own(&model.id)?;
        let markup = overrides.markup(&model.provider, &model.id)?.unwrap_or(self.options.markup);
        let wanted = overrides.basis.get(&model.id).copied();
        let choice = basis::choose(listing, &own, wanted, self.options.at_ms)?;
        let is_own = |component| own.iter().any(|row| row.component == component);
        let too_large = |component| BookError::TooLarge { model: model.id.clone(), component };
        let (mut prices, mut other_lists) = (Vec::new(), Vec::new());
        for row in &listing.prices {
            let billed = Some(row.basis) == choice.basis
                && !basis::is_restated(listing, row)
                && !is_own(row.component);
            let Some(amount_pico) = row.amount_pico.filter(|_| billed) else {
                other_lists.push(row.clone());
                continue;
            };
            let usd_pico = self.sell(row.basis.currency, amount_pico, markup);
            let usd_pico = usd_pico.ok_or_else(|| too_large(row.component))?;
            prices.push(Price { usd_pico, list: row.clone() });
        }
        let own = own.into_iter().filter_map(|row| Some((PicoUsd(row.amount_pico?), row)));
        prices.extend(own.map(|(usd_pico, list)| Price { usd_pico, list }));
        Ok(PricedModel {
            model: model.clone(),
            aliases: listing.aliases.clone(),
            basis: choice.basis,
            prices,
            other_lists,
            price_problem: choice.missing,
            peak_hours: china(),
        })
    }

    /// List price × markup, from CNY at the book's rate, rounded up once.
    fn sell(&self, currency: Currency, amount_pico: i64, markup: Markup) -> Option<PicoUsd> {
        let marked_up = i128::from(amount_pico) * i128::from(markup.micro);
        let divisor = match currency {
            Currency::Usd => 1_000_000,
            Currency::Cny => i128::from(self.fx.usd_cny_micro),
        };
        i64::try_from(-(-marked_up).div_euclid(divisor)).ok().map(PicoUsd)
    }
}

fn collect_aliases(models: &BTreeMap<String, PricedModel>) -> Result<BTreeMap<String, String>, BookError> {
    let mut aliases = BTreeMap::new();
    for (id, model) in models {
        for alias in &model.aliases {
            if models.contains_key(alias) || aliases.insert(alias.clone(), id.clone()).is_some() {
                return Err(BookError::AliasTaken { alias: alias.clone(), model: id.clone() });
            }
        }
    }
    Ok(aliases)
}

impl Price {
    /// In USD per the quantity people quote it for, and that quantity: `("2", "1M tokens")`.
    pub fn quoted(&self) -> (i128, u32, &'static str) {
        let pico = i128::from(self.usd_pico.0);
        let (decimals, per) = quoted_unit(self.list.unit);
        (pico, decimals, per)
    }
}

/// Decimals of a pico-price at the quantity people quote, and the quantity's name.
pub(crate) fn quoted_unit(unit: Unit) -> (u32, &'static str) {
    match unit {
        Unit::Token => (6, "1M tokens"),
        Unit::VideoToken => (6, "1M video tokens"),
        Unit::Character => (9, "1k characters"),
        Unit::Search => (9, "1k searches"),
        Unit::RerankUnit => (9, "1k rerank units"),
        Unit::Image => (12, "image"),
        Unit::Video => (12, "video"),
        Unit::Second => (12, "second"),
        Unit::Minute => (12, "minute"),
    }
}
