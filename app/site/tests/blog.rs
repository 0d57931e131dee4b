//! The blog through its router, in both languages.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use axum::body::Body;
use bytespike_ui::Urls;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

const BASE: &str = "https://bytespike.example";
const ATOM: &str = "http://www.w3.org/2005/Atom";

async fn get(path: &str) -> (StatusCode, HeaderMap, String) {
    let router = bytespike_site::blog::router(Urls::single(BASE)).unwrap_or_else(|fault| panic!("{fault}"));
    let response = router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
}

fn posts() -> Vec<String> {
    let paths = bytespike_site::blog::paths();
    assert_eq!(paths[0], "/blog");
    paths.into_iter().filter(|path| path != "/blog").collect()
}

fn heading_ids(html: &str) -> Vec<&str> {
    html.split("<h2 id=\"").skip(1).filter_map(|piece| piece.split('"').next()).collect()
}

#[tokio::test]
async fn every_post_is_listed_and_written_in_both_languages() {
    let (_, _, list) = get("/blog").await;
    let (_, _, list_zh) = get("/zh/blog").await;
    assert_eq!(posts().len(), 3);
    for path in posts() {
        let (status, headers, en) = get(&path).await;
        let (status_zh, _, zh) = get(&format!("/zh{path}")).await;
        assert_eq!((status, status_zh), (StatusCode::OK, StatusCode::OK), "{path}");
        assert!(headers["cache-control"].to_str().unwrap().contains("s-maxage=300"));
        assert!(
            list.contains(&format!("href=\"{path}\"")) && list_zh.contains(&format!("href=\"/zh{path}\"")),
            "{path}"
        );
        assert_eq!(heading_ids(&en), heading_ids(&zh), "{path}");
        assert!(heading_ids(&en).len() >= 5, "{path}");
        assert!(en.contains("<time datetime=\"2026-11-24\">24") && zh.contains("2026年11月24日"), "{path}");
    }
}

#[tokio::test]
async fn chinese_emphasis_closes() {
    for path in posts() {
        let (_, _, zh) = get(&format!("/zh{path}")).await;
        // The one post that is about the marks shows them in code.
        let outside_code: String = zh
            .split("<code")
            .map(|piece| piece.split_once("</code>").map_or(piece, |(_, rest)| rest))
            .collect();
        assert!(!outside_code.contains("**"), "{path}");
        assert!(zh.contains("<strong>"), "{path}");
    }
}

#[tokio::test]
async fn each_language_has_a_feed_with_whole_posts() {
    for (prefix, lang) in [("", "en"), ("/zh", "zh-Hans")] {
        let (status, headers, text) = get(&format!("{prefix}/blog/feed.xml")).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers["content-type"], "application/atom+xml; charset=utf-8");
        let feed = roxmltree::Document::parse(&text).unwrap();
        let root = feed.root_element();
        assert!(root.has_tag_name((ATOM, "feed")));
        assert_eq!(root.attribute(("http://www.w3.org/XML/1998/namespace", "lang")), Some(lang));
        let entries: Vec<_> = root.children().filter(|node| node.has_tag_name((ATOM, "entry"))).collect();
        assert_eq!(entries.len(), posts().len());
        for (entry, path) in entries.iter().zip(posts()) {
            let text = |name: &str| {
                entry.children().find(|node| node.has_tag_name((ATOM, name))).and_then(|node| node.text())
            };
            assert_eq!(text("id"), Some(format!("{BASE}{prefix}{path}").as_str()));
            assert_eq!(text("updated"), Some("2026-11-24T00:00:00Z"));
            let content = text("content").unwrap();
            assert!(content.contains("<h2") && !content.contains("href=\"/"), "whole text, absolute links");
        }
    }
}

#[tokio::test]
async fn the_same_post_has_the_same_bytes_and_others_are_missing() {
    let path = posts().remove(0);
    assert_eq!(get(&path).await.1["etag"], get(&path).await.1["etag"]);
    assert_eq!(get("/blog/no-such-post").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_page_points_to_its_feed() {
    let (_, _, zh) = get("/zh/blog").await;
    assert!(zh.contains("type=\"application/atom+xml\"") && zh.contains("/zh/blog/feed.xml"));
}
