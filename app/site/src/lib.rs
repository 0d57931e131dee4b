//! Home, pricing, blog: the public pages. They hold no secret and open no database; prices reach them as the gateway's
//! signed export, already verified by whoever starts them.

pub mod blog;
mod home;
mod machines;
mod prices;
mod pricing;

pub use prices::{Prices, TimeSource};

use axum::Router;
use axum::extract::{FromRef, State};
use axum::response::Response;
use axum::routing::get;
use bytespike_ui::{Urls, Visit, error_page, theme};

/// What the public pages are made from.
#[derive(Clone)]
pub struct SiteState {
    pub urls: Urls,
    pub prices: Prices,
}

impl FromRef<SiteState> for Urls {
    fn from_ref(state: &SiteState) -> Self {
        state.urls.clone()
    }
}

/// Every public page in both languages. Assets and layers are added by whoever mounts the surface.
pub fn router(state: SiteState) -> Router {
    let pages = |prefix: &str| {
        let at = |path: &str| format!("{prefix}{path}");
        Router::new()
            .route(if prefix.is_empty() { "/" } else { prefix }, get(home_page))
            .route(&at("/pricing"), get(pricing_page))
            .route(&at("/pricing/history"), get(history_page))
            .route(&at("/pricing/{model}"), get(model_page))
    };
    pages("")
        .merge(pages("/zh"))
        .merge(machines::router())
        .merge(theme::router())
        .fallback(missing)
        .with_state(state)
}

async fn home_page(visit: Visit, State(state): State<SiteState>) -> Response {
    home::page(&visit, &state.prices.now()).await
}

async fn pricing_page(visit: Visit, State(state): State<SiteState>) -> Response {
    pricing::table_page(&visit, &state.prices.now()).await
}

async fn history_page(visit: Visit, State(state): State<SiteState>) -> Response {
    pricing::history_page(&visit, &state.prices.now()).await
}

async fn model_page(
    visit: Visit,
    State(state): State<SiteState>,
    axum::extract::Path(model): axum::extract::Path<String>,
) -> Response {
    pricing::model_page(&visit, &state.prices.now(), &model).await
}

async fn missing(visit: Visit) -> Response {
    error_page::not_found(&visit).await
}
