//! The demo provider's models as the catalogue lists them: priced, so that holds, charges and receipts are real,
//! and named so that nobody takes them for a model.

use std::collections::BTreeMap;

use bytespike_catalog::Component;
use bytespike_catalog::extra::ExtraModel;
use bytespike_catalog::model::{Capabilities, Preset, Protocol};

/// Owner of the demo models.
pub const PROVIDER: &str = "demo";
/// What the owner is called where people read it.
pub const PROVIDER_NAME: &str = "ByteSpike demo (not a real model)";

/// The models: one that speaks each dialect, and one of each whose answers carry no usage.
pub fn models() -> impl Iterator<Item = ExtraModel> {
    [
        ("demo-claude", Protocol::Anthropic),
        ("demo-chat", Protocol::OpenaiChat),
        ("demo-no-usage", Protocol::OpenaiChat),
        ("demo-no-usage-claude", Protocol::Anthropic),
    ]
    .into_iter()
    .map(|(id, protocol)| model(id, protocol))
}

fn model(id: &str, protocol: Protocol) -> ExtraModel {
    let price = |component, usd: &str| (component, usd.to_owned());
    ExtraModel {
        id: id.to_owned(),
        provider: PROVIDER.to_owned(),
        protocols: vec![protocol],
        context_window_tokens: Some(200_000),
        max_output_tokens: Some(32_000),
        capabilities: Capabilities { tools: true, vision: true, thinking: true, caching: true },
        presets: vec![Preset::Global, Preset::China],
        aliases: Vec::new(),
        usd_per_million_tokens: BTreeMap::from([
            price(Component::Input, "1.00"),
            price(Component::Output, "4.00"),
            price(Component::CacheRead, "0.10"),
            price(Component::CacheWrite5m, "1.25"),
            price(Component::CacheWrite1h, "2.00"),
        ]),
        usd_per_thousand_searches: None,
    }
}
