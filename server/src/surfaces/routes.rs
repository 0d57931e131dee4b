//! The routes of the surfaces one process serves.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use bytespike_accounts::sessions::Transport;
use bytespike_catalog::PriceExport;
use bytespike_console::{ConsoleOptions, ConsoleState, Delivery, DevelopmentOutbox, LocalGateway, Operating};
use bytespike_gateway::http::oauth::{self, OauthParts, OauthServer};
use bytespike_site::{Prices, SiteState};
use bytespike_store::world::World;
use bytespike_ui::http::{ReferrerPolicy, SameOrigin, SecurityHeaders, layers, same_origin};
use bytespike_ui::{Board, Urls, Visit, assets, error_page, theme};
use tokio::sync::watch;

use crate::config::{Config, PublicUrls, Surface};
use crate::mail::NoMail;
use crate::product::Product;
use crate::{Failure, trials};

/// What pages without a database are made from.
pub struct Pages {
    pub urls: PublicUrls,
    pub latest: watch::Receiver<Option<Arc<PriceExport>>>,
    /// What is announced on them.
    pub board: Board,
    pub world: World,
    /// A model that can be called here.
    pub sample_models: bytespike_docs::SampleModels,
}

/// Every route of the surfaces this process serves. Browser surfaces get the browser's headers; API routes do not.
///
/// # Errors
/// A document among the pages is not valid.
pub fn routes(config: &Config, pages: &Pages, product: Option<&Product>) -> Result<Router, Failure> {
    let serves = |surface| config.server.surface == Surface::All || config.server.surface == surface;
    let urls = ui_urls(&pages.urls).with_board(pages.board.clone());
    let mut browser = Router::new().merge(assets::router());
    browser = match serves(Surface::Site) {
        true => browser.merge(site(pages, &urls)?),
        false => browser.merge(without_site(&urls)),
    };
    if serves(Surface::Docs) {
        let options =
            bytespike_docs::Options { urls: urls.clone(), sample_models: pages.sample_models.clone() };
        browser = browser.merge(bytespike_docs::router(options)?);
    }
    if let Some(product) = product.filter(|_| serves(Surface::Console)) {
        browser = browser.merge(bytespike_console::router(console(config, pages, (product, &urls))));
    }
    let browser = browser.layer(from_fn_with_state(SameOrigin::new(pages.urls.all()), same_origin));
    let https = pages.urls.console.starts_with("https://");
    let browser = layers(browser, SecurityHeaders { https, referrer: ReferrerPolicy::SameOrigin });
    let mut all = browser;
    if let Some(product) = product.filter(|_| serves(Surface::Console)) {
        all = all.merge(oauth::issuer(issuer(pages, product)));
        if let Some(payments) = product.payments.clone() {
            all = all.merge(bytespike_payments::router(payments));
        }
    }
    if let Some(product) = product.filter(|_| serves(Surface::Gateway)) {
        all = all
            .merge(bytespike_gateway::http::router(product.gateway.clone()))
            .merge(bytespike_gateway::api::router(product.gateway.clone(), product.webhooks.clone()));
    }
    Ok(all)
}

fn site(pages: &Pages, urls: &Urls) -> Result<Router, Failure> {
    let clock = pages.world.clock.clone();
    let prices = Prices::new(pages.latest.clone(), Arc::new(move || clock.now_ms()));
    let site = bytespike_site::router(SiteState { urls: urls.clone(), prices });
    Ok(site.merge(bytespike_site::blog::router(urls.clone())?))
}

/// What the site shares with every other surface, where it is not there to bring it.
fn without_site(urls: &Urls) -> Router {
    let missing = |visit: Visit| async move { error_page::not_found(&visit).await };
    Router::new().merge(theme::router()).fallback(missing).with_state(urls.clone())
}

fn console(config: &Config, pages: &Pages, (product, urls): (&Product, &Urls)) -> ConsoleState {
    let mail = match &product.outbox {
        Some(outbox) => Delivery::Send(Arc::new(outbox.clone())),
        None if config.server.is_loopback() => Delivery::Show(DevelopmentOutbox::default()),
        None => Delivery::Send(Arc::new(NoMail)),
    };
    let https = pages.urls.console.starts_with("https://");
    let options = ConsoleOptions {
        trial_grant: trials::amount(config.accounts.trial_grant_credits),
        transport: if https { Transport::Https } else { Transport::LoopbackHttp },
        sample_model: pages.sample_models.en.clone(),
    };
    ConsoleState {
        accounts: product.core.accounts.clone(),
        ledger: product.core.ledger.clone(),
        gateway: local_gateway(product),
        quota_requests: product.core.quota_requests(),
        world: pages.world.clone(),
        urls: urls.clone(),
        mail,
        providers: product.providers.clone(),
        client_documents: product.client_documents.clone(),
        shown_key: product.shown_key.clone(),
        payments: product.payments.clone(),
        webhooks: product.webhooks.clone(),
        operating: operating(product),
        options,
    }
}

fn operating(product: &Product) -> Operating {
    let gateway = product.gateway.clone();
    Operating {
        desk: product.desk.clone(),
        tester: gateway.channel_tester(),
        channels: Arc::new(move || gateway.channel_statuses()),
    }
}

fn local_gateway(product: &Product) -> LocalGateway {
    let gateway = product.gateway.clone();
    let api = bytespike_gateway::http::router(gateway.clone());
    let books = gateway.clone();
    LocalGateway {
        api,
        book: Arc::new(move || books.prices.current().book.clone()),
        prices: Arc::new(move || gateway.prices.current().export.clone()),
    }
}

/// The authorization server lives with the console, whose address is its issuer.
fn issuer(pages: &Pages, product: &Product) -> OauthServer {
    OauthServer::new(OauthParts {
        accounts: product.core.accounts.clone(),
        issuer: pages.urls.console.clone(),
        gateway_url: pages.urls.gateway.clone(),
        docs_url: pages.urls.docs.clone(),
        takes_client_documents: product.client_documents.is_some(),
    })
}

/// The public addresses as pages and letters write them.
pub fn ui_urls(urls: &PublicUrls) -> Urls {
    Urls::new(&urls.site, &urls.docs, &urls.console, &urls.gateway)
}
