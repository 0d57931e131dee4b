//! Asks the documentation's router for pages, as a browser would, and reads what comes back.

use axum::Router;
use axum::body::Body;
use bytespike_docs::{Options, SampleModels};
use bytespike_ui::Urls;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

pub const BASE: &str = "https://bytespike.example";

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

pub fn docs() -> Router {
    let options = Options {
        urls: Urls::single(BASE),
        sample_models: SampleModels { en: "sample-model".to_owned(), zh: "sample-model-zh".to_owned() },
    };
    bytespike_docs::router(options).unwrap_or_else(|fault| panic!("{fault}"))
}

pub async fn get(router: &Router, path: &str) -> Answer {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The article's own HTML, without the shell around it.
    pub fn article(&self) -> &str {
        between(&self.text, "<article", "</article>")
            .unwrap_or_else(|| panic!("no article in: {}", self.text))
    }

    /// The ids that can be linked to, in order.
    pub fn heading_ids(&self) -> Vec<String> {
        pieces(self.article(), "<h2 id=\"", "\"").chain(pieces(self.article(), "<h3 id=\"", "\"")).collect()
    }

    /// Every address the article links to.
    pub fn links(&self) -> Vec<String> {
        pieces(self.article(), "<a href=\"", "\"").collect()
    }
}

pub fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let after = &text[text.find(start)? + start.len()..];
    Some(&after[..after.find(end)?])
}

pub fn pieces(text: &str, start: &str, end: &str) -> impl Iterator<Item = String> {
    text.split(start)
        .skip(1)
        .filter_map(|piece| piece.split(end).next())
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .into_iter()
}

/// Without tags, and without what stands in `code` and in elements that name their own language.
pub fn prose(html: &str) -> String {
    let mut out = String::new();
    let mut skipped: Option<&str> = None;
    for piece in html.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap_or((piece, ""));
        let name = tag.split_whitespace().next().unwrap_or_default();
        match skipped {
            Some(open) if name.strip_prefix('/') == Some(open) => skipped = None,
            Some(_) => continue,
            None if matches!(name, "code" | "pre") || tag.contains(" lang=") && name == "span" => {
                skipped = Some(if name == "code" {
                    "code"
                } else if name == "pre" {
                    "pre"
                } else {
                    "span"
                });
                continue;
            }
            None => {}
        }
        out.push_str(text);
    }
    out
}
