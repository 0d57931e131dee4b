//! Serves the public pages with an export made from the embedded catalogue, to look at them:
//! `cargo run -p bytespike-site --example site_preview -- 127.0.0.1:41300`.

use bytespike_catalog::fx::FxRate;
use bytespike_catalog::{BookOptions, Catalog, Markup, Overrides, PriceBook, PriceExport};
use bytespike_site::{Prices, SiteState};
use bytespike_ui::Urls;
use bytespike_ui::http::{ReferrerPolicy, SecurityHeaders};
use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;
use tokio::sync::watch;

/// 2026-11-22T08:00:00Z: the same pages each time.
const NOW_MS: i64 = 1_795_334_400_000;
const WIRED: [&str; 13] = [
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-haiku-5-5",
    "gpt-6.1-sol",
    "gpt-6.1-terra",
    "gemini-3.8-flash",
    "deepseek-flash",
    "deepseek-v4-pro",
    "kimi-k3.1-pro",
    "gemini-3-pro-image",
    "gpt-image-2.6-flare",
    "veo-3.1-fast-generate",
    "doubao-seedance-2-0-260128",
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:41300".to_owned());
    let (_sender, latest) = watch::channel(Some(Arc::new(export()?)));
    let prices = Prices::new(latest, Arc::new(|| NOW_MS));
    let state = SiteState { urls: Urls::single(&format!("http://{address}")), prices };
    let pages = bytespike_site::router(state).merge(bytespike_ui::assets::router());
    let headers = SecurityHeaders { https: false, referrer: ReferrerPolicy::SameOrigin };
    let listener = tokio::net::TcpListener::bind(&address).await?;
    axum::serve(listener, bytespike_ui::http::layers(pages, headers)).await?;
    Ok(())
}

fn export() -> Result<PriceExport, Box<dyn Error>> {
    let catalog = Catalog::embedded()?;
    let fx = FxRate::new("2026-11-22", "7.1200", "example").ok_or("a rate")?;
    let options = BookOptions {
        markup: Markup::LIST_PRICE,
        fx,
        extra: Vec::new(),
        overrides: Overrides::default(),
        at_ms: NOW_MS,
    };
    let book = PriceBook::build(&catalog, &options)?.with_version(412);
    let wired: BTreeSet<String> = WIRED.iter().map(|id| (*id).to_owned()).collect();
    Ok(PriceExport::new(&book, &wired, NOW_MS))
}
