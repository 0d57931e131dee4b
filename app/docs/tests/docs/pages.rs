//! Every documentation page through the router, in both languages.

use crate::support::{Answer, BASE, docs, get, pieces, prose};
use bytespike_ui::markdown::is_han;
use http::StatusCode;
use std::collections::{BTreeMap, BTreeSet};

const CONTENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../content/docs");
const ERRORS: &str = include_str!("../../../../gateway/dialects/errors.toml");

/// The paths both languages share, read from the folder so that a file nobody lists is found.
fn paths() -> Vec<String> {
    let files = std::fs::read_dir(format!("{CONTENT}/en")).unwrap();
    let slugs =
        files.map(|file| file.unwrap().file_name().to_string_lossy().trim_end_matches(".md").to_owned());
    let path = |slug: String| if slug == "index" { "/docs".to_owned() } else { format!("/docs/{slug}") };
    let paths: Vec<String> = slugs.map(path).collect();
    assert!(paths.len() >= 19, "{paths:?}");
    paths
}

async fn both(path: &str) -> [Answer; 2] {
    let router = docs();
    [get(&router, path).await, get(&router, &format!("/zh{path}")).await]
}

#[tokio::test]
async fn every_file_is_a_page_in_both_languages() {
    for path in paths() {
        for answer in both(&path).await {
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            assert!(answer.header("cache-control").contains("s-maxage=300"), "{path}");
            assert!(!answer.text.contains("{{"), "{path}: a placeholder was not filled in");
        }
    }
}

#[tokio::test]
async fn both_languages_have_the_same_anchors() {
    for path in paths() {
        let [en, zh] = both(&path).await;
        assert_eq!(en.heading_ids(), zh.heading_ids(), "{path}");
        let ids = en.heading_ids();
        assert!(ids.iter().all(|id| !id.is_empty()), "{path}: a heading without {{#id}}: {ids:?}");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{path}: an id twice: {ids:?}");
    }
}

#[tokio::test]
async fn markdown_leaves_no_marks_behind() {
    for path in paths() {
        for answer in both(&path).await {
            let text = prose(answer.article());
            for mark in ["**", "](", "| |", "{#", "[!", "&lt;strong"] {
                assert!(!text.contains(mark), "{path}: literal `{mark}` in: {text}");
            }
        }
    }
}

#[tokio::test]
async fn english_pages_hold_no_chinese_and_chinese_pages_do() {
    for path in paths() {
        let [en, zh] = both(&path).await;
        let stray: String = prose(en.article()).chars().filter(|character| is_han(*character)).collect();
        assert_eq!(stray, "", "{path}");
        assert!(prose(zh.article()).chars().filter(|character| is_han(*character)).count() > 20, "{path}");
    }
}

/// Pages of other surfaces that the documentation may lead to.
const ELSEWHERE: [&str; 11] = [
    "/pricing",
    "/console/sign-up",
    "/console/apps",
    "/console/keys",
    "/console/models",
    "/console/calls",
    "/console/notices",
    "/console/usage",
    "/console/webhooks",
    "/console/statements",
    "/console/wallet",
];

#[tokio::test]
async fn every_link_leads_somewhere() {
    let router = docs();
    let mut pages: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut links: Vec<(String, String)> = Vec::new();
    for path in paths().into_iter().flat_map(|path| [path.clone(), format!("/zh{path}")]) {
        let answer = get(&router, &path).await;
        links.extend(answer.links().into_iter().map(|link| (path.clone(), link)));
        pages.insert(path, answer.heading_ids());
    }
    // The gateway's own document has no language and no page.
    for (from, link) in links.into_iter().filter(|(_, link)| !link.ends_with("/api/v1/openapi.json")) {
        let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
        let path = if path.is_empty() { from.as_str() } else { path };
        let shared = path.strip_prefix("/zh").unwrap_or(path);
        assert_eq!(
            from.starts_with("/zh"),
            path.starts_with("/zh"),
            "{from} links to another language: {link}"
        );
        if let Some(ids) = pages.get(path) {
            assert!(
                anchor.is_empty() || ids.contains(&anchor.to_owned()),
                "{from} links to a missing anchor: {link}"
            );
        } else if shared.starts_with("/docs") {
            assert_eq!(get(&router, path).await.status, StatusCode::OK, "{from}: {link}");
        } else {
            assert!(ELSEWHERE.contains(&shared), "{from} links to a page nobody serves: {link}");
        }
    }
}

#[tokio::test]
async fn posts_link_to_pages_and_anchors_that_exist() {
    let router = docs();
    for language in ["en", "zh"] {
        for file in std::fs::read_dir(format!("{CONTENT}/../blog/{language}")).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            for link in pieces(&text, "](/docs", ")") {
                let (page, anchor) = link.split_once('#').unwrap_or((&link, ""));
                let answer = get(&router, &format!("/docs{page}")).await;
                assert_eq!(answer.status, StatusCode::OK, "{}: /docs{link}", path.display());
                assert!(anchor.is_empty() || answer.heading_ids().contains(&anchor.to_owned()), "{link}");
            }
        }
    }
}

#[tokio::test]
async fn the_errors_page_has_every_code() {
    let table: toml::Table = ERRORS.parse().unwrap();
    let rows = table["error"].as_array().unwrap();
    assert!(rows.len() >= 30);
    for answer in both("/docs/errors").await {
        let ids = answer.heading_ids();
        for row in rows {
            let code = row["code"].as_str().unwrap();
            if row.get("reserved").is_some() {
                assert!(!ids.contains(&code.to_owned()), "{code} cannot happen yet");
                continue;
            }
            assert!(ids.contains(&code.to_owned()), "{code} has no entry");
            assert!(answer.text.contains(&format!("<a href=\"#{code}\">")), "{code} is not in the overview");
        }
    }
}

#[tokio::test]
async fn samples_name_this_installation() {
    let quickstart = get(&docs(), "/docs/quickstart").await;
    assert!(
        quickstart.text.contains(&format!("{BASE}/v1/messages")) && quickstart.text.contains("sample-model")
    );
    let markdown = get(&docs(), "/docs/quickstart.md").await;
    assert!(markdown.text.contains(&format!("curl -i {BASE}/v1/messages")));
    let chinese = get(&docs(), "/zh/docs/quickstart").await;
    assert!(
        chinese.text.contains("sample-model-zh"),
        "each language has a model that its readers' orgs may call"
    );
    let hosting = get(&docs(), "/docs/self-hosting.md").await;
    assert!(hosting.text.contains("[database]"), "the configuration file is printed");
}

#[tokio::test]
async fn the_same_page_has_the_same_bytes() {
    let (one, other) = (get(&docs(), "/docs/billing").await, get(&docs(), "/docs/billing").await);
    assert!(one.header("etag").starts_with('"') && one.header("etag").len() > 10);
    assert_eq!(one.header("etag"), other.header("etag"));
    assert_eq!(one.text, other.text);
    assert_ne!(one.header("etag"), get(&docs(), "/zh/docs/billing").await.header("etag"));
}

#[tokio::test]
async fn each_language_names_the_other() {
    for answer in both("/docs/billing").await {
        for (tag, path) in
            [("en", "/docs/billing"), ("zh-Hans", "/zh/docs/billing"), ("x-default", "/docs/billing")]
        {
            let link = format!("hreflang=\"{tag}\" href=\"{BASE}{path}\"");
            assert!(answer.text.contains(&link), "missing {link}");
        }
    }
}

#[tokio::test]
async fn every_page_is_also_markdown() {
    let router = docs();
    let listed = get(&router, "/zh/docs/llms.txt").await;
    let addresses: Vec<String> = pieces(&listed.text, &format!("]({BASE}"), ")").collect();
    assert_eq!(addresses.len(), paths().len());
    for address in addresses {
        let page = get(&router, &address).await;
        assert_eq!(page.status, StatusCode::OK, "{address}");
        assert_eq!(page.header("content-type"), "text/markdown; charset=utf-8");
        assert_eq!(page.header("cache-control"), "public, max-age=300, s-maxage=3600");
        assert!(page.text.starts_with("# ") && !page.text.contains("{{"), "{address}");
    }
}

#[tokio::test]
async fn the_sitemap_lists_what_exists() {
    let router = docs();
    let sitemap = get(&router, "/docs/sitemap.xml").await;
    let tree = roxmltree::Document::parse(&sitemap.text).unwrap();
    let places: Vec<&str> = tree
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.sitemaps.org/schemas/sitemap/0.9", "loc")))
        .filter_map(|node| node.text())
        .collect();
    assert_eq!(places.len(), 2 * paths().len());
    for place in places {
        assert_eq!(get(&router, place.strip_prefix(BASE).unwrap()).await.status, StatusCode::OK, "{place}");
    }
}

#[tokio::test]
async fn an_unknown_page_suggests_its_neighbours() {
    for (path, home) in
        [("/docs/quikstart", "/docs/quickstart"), ("/zh/docs/quikstart", "/zh/docs/quickstart")]
    {
        let answer = get(&docs(), path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert!(answer.text.contains(&format!("<li><a href=\"{home}\">")), "{path}");
        assert!(answer.header("x-robots-tag").contains("noindex"));
    }
    assert_eq!(get(&docs(), "/docs/nope.md").await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&docs(), "/docs/billing/more").await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&docs(), "/docs/").await.header("location"), "/docs");
}
