//! The price book this installation sells by: the catalogue, the operator's own models, the markup, and what operators
//! changed about it since. Built here, and published at a start; later by `bytespike prices` or at the operators' pages.

use std::sync::Arc;

use bytespike_catalog::model::Provider;
use bytespike_catalog::{BookOptions, Catalog, Markup, Overrides, PriceBook};
use bytespike_gateway::price_desk::{self, AT_A_START, Around, Drafts, newest, problems, refuse_blocked};
use bytespike_gateway::{Channel, PriceDesk};
use bytespike_ledger::{Draft, Ledger};
use futures_util::future::BoxFuture;

use crate::config::Config;
use crate::core::Core;
use crate::follow::ChannelSources;
use crate::{Failure, demo, product};

/// This installation's drafts.
impl Drafts for ChannelSources {
    fn draft(&self, overrides: Overrides, now_ms: i64) -> Result<Draft, price_desk::Failure> {
        let with_demo = product::demo_is_wanted(&self.config);
        draft(&self.config, with_demo, overrides, now_ms)
    }

    fn channels<'a>(
        &'a self,
        book: &'a PriceBook,
    ) -> BoxFuture<'a, Result<Vec<Channel>, price_desk::Failure>> {
        Box::pin(self.all(book))
    }
}

/// Builds a draft. Its content depends on the configuration, the catalogue and the overrides alone, so that a restart
/// finds the version it already has.
///
/// # Errors
/// A price that cannot be used, by model.
pub fn draft(config: &Config, with_demo: bool, overrides: Overrides, now_ms: i64) -> Result<Draft, Failure> {
    let mut catalog = Catalog::embedded()?;
    let markup = Markup::new(&config.prices.markup).ok_or(
        "prices.markup: a decimal from 1 to 100 is wanted, with at most six decimals, such as \"1.05\"",
    )?;
    let fx = newest(&catalog.fx_observations)
        .cloned()
        .map_or_else(|| overrides.rate(), |newest| Ok(Some(newest)))?
        .ok_or("no exchange rate is known, and some models are priced in CNY; choose one in the overrides under [fx]")?;
    let demo_models = demo::models().filter(|_| with_demo);
    let extra = config.models.iter().cloned().chain(demo_models).map(|model| model.listing(&catalog.as_of));
    let extra = extra.collect::<Result<Vec<_>, _>>()?;
    name_providers(&mut catalog, config, with_demo);
    let options = BookOptions { markup, fx, extra, overrides: overrides.clone(), at_ms: now_ms };
    Ok(Draft {
        book: PriceBook::build(&catalog, &options)?,
        overrides,
        note: AT_A_START.to_owned(),
        observed: catalog.fx_observations,
    })
}

/// Where prices are changed while the installation runs.
pub fn desk(core: &Core, sources: ChannelSources) -> PriceDesk {
    PriceDesk {
        ledger: core.ledger.clone(),
        world: core.world.clone(),
        store: core.store.clone(),
        stored: sources.stored.clone(),
        drafts: Arc::new(sources),
    }
}

/// The book to start with: the one in force, or the draft when the configuration or the catalogue has changed. A draft
/// that is blocked leaves the book in force where it is, and says so in the log.
///
/// # Errors
/// The draft is blocked and nothing is in force, or the database does not answer.
pub async fn at_start(ledger: &Ledger, draft: Draft, around: &Around<'_>) -> Result<PriceBook, Failure> {
    let Some(in_force) = around.in_force else {
        refuse_blocked(&problems(&draft, around))?;
        return Ok(ledger.publish(draft).await?);
    };
    if in_force.book.hash == draft.book.hash {
        return Ok((*in_force.book).clone());
    }
    if let Err(error) = refuse_blocked(&problems(&draft, around)) {
        tracing::error!(%error, version = in_force.publication.version, "the price book in force stays");
        return Ok((*in_force.book).clone());
    }
    Ok(ledger.publish(draft).await?)
}

/// Providers of the operator's own models are called what the operator calls them.
fn name_providers(catalog: &mut Catalog, config: &Config, with_demo: bool) {
    let own = config.models.iter().map(|model| (model.provider.as_str(), model.provider.as_str()));
    let demo = with_demo.then_some((demo::PROVIDER, demo::PROVIDER_NAME));
    for (id, name) in own.chain(demo) {
        if catalog.providers.iter().all(|provider| provider.id != id) {
            catalog.providers.push(Provider { id: id.to_owned(), name: name.to_owned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    fn build(config: &Config, with_demo: bool, now_ms: i64) -> Result<PriceBook, Failure> {
        draft(config, with_demo, Overrides::default(), now_ms).map(|draft| draft.book)
    }

    #[test]
    fn own_models_and_the_demo_are_priced_beside_the_catalogue_and_the_same_each_time() {
        let models = r#"[{id="smollm2", provider="local", protocols=["openai-chat"], usd_per_million_tokens={input="0.10", output="0.40"}}]"#;
        let environment = vec![("BYTESPIKE_MODELS".to_owned(), models.to_owned())];
        let config = load(&Sources { file: None, environment }).unwrap();
        let now_ms = 1_795_510_000_000;
        let book = build(&config, true, now_ms).unwrap();
        for model in ["smollm2", "demo-claude", "claude-opus-4-8"] {
            assert!(book.find(model).is_some(), "{model}");
        }
        let demo = book.content.providers.iter().find(|provider| provider.id == "demo").unwrap();
        assert!(demo.name.contains("not a real model"));
        assert_eq!(build(&config, true, now_ms + 86_400_000).unwrap().hash, book.hash);
        assert!(build(&config, false, now_ms).unwrap().find("demo-claude").is_none());
    }

    #[test]
    fn a_markup_that_is_not_one_is_refused() {
        let environment = vec![("BYTESPIKE_PRICES__MARKUP".to_owned(), "0.5".to_owned())];
        let config = load(&Sources { file: None, environment }).unwrap();
        assert!(build(&config, false, 0).unwrap_err().to_string().contains("prices.markup"));
    }
}
