//! The price book this process sells by: the catalogue, the operator's own models and the markup.

use bytespike_catalog::model::Provider;
use bytespike_catalog::{BookOptions, Catalog, Markup, PriceBook};

use crate::Failure;
use crate::config::Config;
use crate::demo;

/// Builds the book. Its content depends on the configuration and the catalogue alone, so that a restart finds the
/// version it already has.
///
/// # Errors
/// A price that cannot be used, by model.
pub fn build(config: &Config, with_demo: bool, now_ms: i64) -> Result<PriceBook, Failure> {
    let mut catalog = Catalog::embedded()?;
    let markup = Markup::new(&config.prices.markup).ok_or(
        "prices.markup: a decimal from 1 to 100 is wanted, with at most six decimals, such as \"1.05\"",
    )?;
    let newest_rate = catalog.fx_observations.iter().max_by(|a, b| a.date.cmp(&b.date));
    let fx = newest_rate.cloned().ok_or("the catalogue has no exchange rate")?;
    let demo_models = demo::models().filter(|_| with_demo);
    let extra = config.models.iter().cloned().chain(demo_models).map(|model| model.listing(&catalog.as_of));
    let extra = extra.collect::<Result<Vec<_>, _>>()?;
    name_providers(&mut catalog, config, with_demo);
    let options = BookOptions { markup, fx, extra, basis: std::collections::BTreeMap::new(), at_ms: now_ms };
    Ok(PriceBook::build(&catalog, &options)?)
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
