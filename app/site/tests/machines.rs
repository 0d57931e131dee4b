//! What crawlers read, through the public site's router.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::body::Body;
use bytespike_site::{Prices, SiteState};
use bytespike_ui::Urls;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use std::sync::Arc;
use tower::ServiceExt as _;

const BASE: &str = "https://bytespike.example";

async fn get(path: &str) -> (StatusCode, String) {
    let (_exports, latest) = tokio::sync::watch::channel(None);
    let state = SiteState { urls: Urls::single(BASE), prices: Prices::new(latest, Arc::new(|| 0)) };
    let blog = bytespike_site::blog::router(Urls::single(BASE)).unwrap();
    let router = bytespike_site::router(state).merge(blog);
    let response = router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn every_address_of_the_sitemap_answers() {
    let (_, sitemap) = get("/sitemap.xml").await;
    let tree = roxmltree::Document::parse(&sitemap).unwrap();
    let places: Vec<&str> = tree
        .descendants()
        .filter(|node| node.tag_name().name() == "loc")
        .filter_map(|node| node.text())
        .collect();
    assert!(places.len() >= 12, "{places:?}");
    for place in places {
        let path = place.strip_prefix(BASE).unwrap();
        assert_eq!(get(path).await.0, StatusCode::OK, "{place}");
    }
}

#[tokio::test]
async fn crawlers_are_kept_out_of_the_console_and_told_of_both_sitemaps() {
    let (status, robots) = get("/robots.txt").await;
    assert_eq!(status, StatusCode::OK);
    assert!(robots.contains("Disallow: /console\n") && robots.contains("Disallow: /zh/console\n"));
    assert_eq!(robots.matches("Sitemap: https://bytespike.example/").count(), 2);
    let (_, llms) = get("/llms.txt").await;
    assert!(llms.contains("/docs/llms.txt"));
}
