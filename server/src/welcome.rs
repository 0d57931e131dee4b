//! What the person who started ByteSpike reads first: where to go and what to paste.

use std::path::Path;

use bytespike_accounts::secrets::SecretText;
use bytespike_catalog::model::{Modality, Model, Preset};
use bytespike_docs::SampleModels;

use crate::Failure;
use crate::config::{Config, PublicUrls, Surface};
use crate::core::{make_private_folder, remove_if_there, write_private};
use crate::product::Product;

/// In the documentation's samples where nothing is wired, by preset.
const USUAL_MODELS: [(Preset, &str); 2] =
    [(Preset::Global, "claude-sonnet-5"), (Preset::China, "deepseek-flash")];

/// For each language, a model that can be called here by an org with the language's preset.
pub fn sample_models(product: Option<&Product>) -> SampleModels {
    let of = |preset| sample_model(product, preset);
    SampleModels { en: of(USUAL_MODELS[0]), zh: of(USUAL_MODELS[1]) }
}

fn sample_model(product: Option<&Product>, (preset, usual): (Preset, &str)) -> String {
    let demo = product.filter(|product| product.demo.is_some()).map(|_| "demo-claude".to_owned());
    let wired = || {
        let gateway = &product?.gateway;
        let (channels, prices) = (gateway.channels.current(), gateway.prices.current());
        let is_text = |model: &Model| model.modality == Modality::Text && model.presets.contains(&preset);
        let slugs = channels.iter().flat_map(|channel| channel.models.keys());
        let mut offered = slugs.filter_map(|slug| prices.book.find(slug));
        offered.find(|priced| is_text(&priced.model)).map(|priced| priced.model.id.clone())
    };
    demo.or_else(wired).unwrap_or_else(|| usual.to_owned())
}

/// Prints it. An address that makes whoever opens it an operator is printed only while nobody is one, and only on a
/// listener that this machine alone can reach; elsewhere `bytespike create-operator` makes one.
///
/// # Errors
/// The database does not answer.
pub async fn print(config: &Config, urls: &PublicUrls, product: Option<&Product>) -> Result<(), Failure> {
    let mut lines = places(config, urls);
    if let Some(product) = product {
        lines.push(format!("mail       {}", mail_mode(config)));
        lines.push(format!(
            "prices     signed with {}",
            hex::encode(product.gateway.prices.signing_key().verifying_key())
        ));
        lines.extend(first_operator(config, urls, product).await?);
        lines.extend(channel_lines(product));
        lines.extend(sample(urls, product));
    }
    show(&lines.join("\n"));
    Ok(())
}

/// The address that makes the first operator, which also stands in a file that only its owner can read, for whoever
/// does not see the terminal. Once somebody is one, the file goes.
async fn first_operator(
    config: &Config,
    urls: &PublicUrls,
    product: &Product,
) -> Result<Vec<String>, Failure> {
    if !config.server.is_loopback() {
        return Ok(Vec::new());
    }
    let file = Path::new(&config.secrets.master_key_file).with_file_name("first-operator.url");
    let Some(token) = product.core.accounts.operators.first_run_token().await? else {
        remove_if_there(&file)?;
        return Ok(Vec::new());
    };
    let url = operator_url(urls, &token);
    if let Some(folder) = file.parent() {
        make_private_folder(folder)?;
    }
    write_private(&file, &format!("{url}\n"))?;
    Ok(vec![
        format!("operator   {url}"),
        "           (opens once, within 30 minutes, and makes you the operator; it also stands in".to_owned(),
        format!("           {})", file.display()),
    ])
}

/// Where the first operator signs up.
pub fn operator_url(urls: &PublicUrls, token: &SecretText) -> String {
    format!("{}/admin/first?token={}", urls.console, token.expose())
}

fn places(config: &Config, urls: &PublicUrls) -> Vec<String> {
    let places = [
        (Surface::Site, "site       ", urls.site.clone()),
        (Surface::Docs, "docs       ", format!("{}/docs", urls.docs)),
        (Surface::Console, "console    ", format!("{}/console", urls.console)),
        (Surface::Gateway, "gateway    ", urls.gateway.clone()),
    ];
    let served = |surface| config.server.surface == Surface::All || config.server.surface == surface;
    let shown = places
        .into_iter()
        .filter(|(surface, ..)| served(*surface))
        .map(|(_, name, url)| format!("{name}{url}"));
    std::iter::once(format!("ByteSpike {} is ready.", env!("CARGO_PKG_VERSION"))).chain(shown).collect()
}

fn mail_mode(config: &Config) -> String {
    match (config.mail.smtp_host.as_str(), config.server.is_loopback()) {
        ("", true) => "none is sent; in this development mode pages show the links themselves".to_owned(),
        ("", false) => "none is sent: [mail] smtp_host is not set".to_owned(),
        (host, _) => format!("through {host}:{}", config.mail.smtp_port),
    }
}

fn channel_lines(product: &Product) -> Vec<String> {
    let channels = product.gateway.channels.current();
    let lines =
        channels.iter().map(|channel| format!("channel    {} ({} models)", channel.id, channel.models.len()));
    let demo = product.demo.as_ref().map(|demo| {
        format!("           The demo provider on {} answers: it is not a real model.", demo.provider.address)
    });
    lines.chain(demo).collect()
}

/// A request that works as it stands.
fn sample(urls: &PublicUrls, product: &Product) -> Vec<String> {
    let Some(key) = product.demo.as_ref().and_then(|demo| demo.key.as_ref()) else { return Vec::new() };
    let body =
        r#"{"model": "demo-claude", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}"#;
    vec![
        String::new(),
        "Try it, with the demo organisation's key:".to_owned(),
        String::new(),
        format!("curl -i {}/v1/messages \\", urls.gateway),
        format!("  -H 'x-api-key: {}' \\", key.expose()),
        "  -H 'anthropic-version: 2023-06-01' -H 'content-type: application/json' \\".to_owned(),
        format!("  -d '{body}'"),
        String::new(),
        "The answer's headers say what was held, what was charged, and where the receipt is.".to_owned(),
        String::new(),
    ]
}

#[expect(clippy::print_stdout, reason = "this is for the person at the terminal, not for the log")]
fn show(text: &str) {
    println!("{text}");
}
