//! From the configuration to the gateway's channels: what the operator wrote, then what keys in the environment wire,
//! then, when there is nothing, the demo provider.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytespike_catalog::PriceBook;
use bytespike_catalog::model::{Modality, Protocol};
use bytespike_dialects::Dialect;
use bytespike_gateway::channel::{Channel, ChannelError, ChannelParts};

use crate::config::{self, ChannelDialect, ChannelModels, Config, KnownProvider, PROVIDERS};
use crate::demo;

/// Every configured channel, in order of preference.
///
/// # Errors
/// Names the first channel that cannot be used, and why.
pub fn configured(config: &Config, book: &PriceBook) -> Result<Vec<Channel>, ChannelError> {
    let written = config.channels.iter().map(|channel| written(channel, book));
    let keyed = PROVIDERS.iter().filter_map(|known| {
        let key = config.provider_keys.get(known.provider)?.reveal()?;
        let is_written = config.channels.iter().any(|channel| channel.provider == known.provider);
        (!is_written).then(|| from_key(known, key, book))
    });
    written.chain(keyed).collect()
}

/// The demo provider's two channels, one for each dialect it speaks.
///
/// # Errors
/// Never for an address that can be written as a URL.
pub fn of_demo(address: SocketAddr) -> Result<Vec<Channel>, ChannelError> {
    let channel = |dialect: Dialect, base_url: String| {
        let models = demo::models().filter(|model| spoken(dialect, &model.protocols));
        let parts = ChannelParts {
            id: format!("demo-{}", if dialect == Dialect::Anthropic { "anthropic" } else { "openai" }),
            provider: demo::PROVIDER.to_owned(),
            region: String::new(),
            dialect,
            base_url,
            models: models.map(|model| (model.id.clone(), model.id)).collect(),
        };
        Channel::new(parts, &["demo".to_owned()])
    };
    Ok(vec![
        channel(Dialect::Anthropic, format!("http://{address}"))?,
        channel(Dialect::OpenAiChat, format!("http://{address}/v1"))?,
    ])
}

fn written(channel: &config::Channel, book: &PriceBook) -> Result<Channel, ChannelError> {
    let dialect = dialect_of(channel.dialect);
    let models = match &channel.models {
        ChannelModels::Renamed(renamed) => renamed.clone(),
        ChannelModels::Slugs(slugs) if !slugs.is_empty() => {
            slugs.iter().map(|slug| (slug.clone(), slug.clone())).collect()
        }
        ChannelModels::Slugs(_) => models_of(&channel.provider, dialect, book),
    };
    let parts = ChannelParts {
        id: channel.id.clone(),
        provider: channel.provider.clone(),
        region: channel.region.clone(),
        dialect,
        base_url: channel.base_url.clone(),
        models,
    };
    let keys = std::iter::once(&channel.api_key).chain(&channel.api_keys);
    let keys: Vec<String> = keys.filter_map(|key| key.reveal().map(str::to_owned)).collect();
    Ok(Channel::new(parts, &keys)?.weighing(channel.weight))
}

fn from_key(known: &KnownProvider, key: &str, book: &PriceBook) -> Result<Channel, ChannelError> {
    let dialect = dialect_of(known.dialect);
    let parts = ChannelParts {
        id: known.provider.to_owned(),
        provider: known.provider.to_owned(),
        region: String::new(),
        dialect,
        base_url: known.base_url.to_owned(),
        models: models_of(known.provider, dialect, book),
    };
    Channel::new(parts, &[key.to_owned()])
}

/// The text models the catalogue knows of a provider. Google's are spoken to in the OpenAI dialect on an endpoint made for
/// that, which the catalogue's list of native protocols does not mention.
fn models_of(provider: &str, dialect: Dialect, book: &PriceBook) -> BTreeMap<String, String> {
    let models = book.models().map(|priced| &priced.model);
    let carried = models.filter(|model| model.provider == provider && model.modality == Modality::Text);
    let speaks = |protocols: &[Protocol]| spoken(dialect, protocols) || protocols.contains(&Protocol::Gemini);
    let carried = carried.filter(|model| speaks(&model.protocols));
    carried.map(|model| (model.id.clone(), model.id.clone())).collect()
}

fn spoken(dialect: Dialect, protocols: &[Protocol]) -> bool {
    let protocol = match dialect {
        Dialect::Anthropic => Protocol::Anthropic,
        Dialect::OpenAiChat => Protocol::OpenaiChat,
    };
    protocols.contains(&protocol)
}

fn dialect_of(dialect: ChannelDialect) -> Dialect {
    match dialect {
        ChannelDialect::Anthropic => Dialect::Anthropic,
        ChannelDialect::OpenaiChat => Dialect::OpenAiChat,
    }
}
