//! The public pages through their router: both languages, live and stale, and numbers that are the book's own.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

use axum::Router;
use axum::body::Body;
use bytespike_catalog::diff::{Revision, diff};
use bytespike_catalog::fx::FxRate;
use bytespike_catalog::overrides::OwnPrice;
use bytespike_catalog::price::Tier;
use bytespike_catalog::{
    BookOptions, Catalog, Component, Markup, Overrides, PriceBook, PriceExport, display,
};
use bytespike_site::{Prices, SiteState};
use bytespike_ui::http::{ReferrerPolicy, SecurityHeaders, layers};
use bytespike_ui::{Urls, assets};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::watch;
use tower::ServiceExt as _;

/// 2026-11-22T08:00:00Z.
const NOW_MS: i64 = 1_795_334_400_000;
const LIVE: &str = "claude-sonnet-5-5";
const PAGES: [&str; 7] = [
    "/",
    "/pricing",
    "/pricing?currency=cny&sort=price",
    "/pricing?currency=credits",
    "/pricing/claude-sonnet-5-5",
    "/pricing/history",
    "/nowhere",
];

fn export() -> PriceExport {
    let fx = FxRate::new("2026-11-22", "7.1200", "test").unwrap();
    let options = BookOptions {
        markup: Markup::LIST_PRICE,
        fx,
        extra: Vec::new(),
        overrides: Overrides::default(),
        at_ms: NOW_MS,
    };
    let book = PriceBook::build(&Catalog::embedded().unwrap(), &options).unwrap().with_version(7);
    PriceExport::new(&book, &BTreeSet::from([LIVE.to_owned()]), NOW_MS)
}

/// The surface as it looks `later_ms` after the export, or before any export came.
fn surface(export: Option<PriceExport>, later_ms: i64) -> Router {
    let (_, latest) = watch::channel(export.map(Arc::new));
    let prices = Prices::new(latest, Arc::new(move || NOW_MS + later_ms));
    let state = SiteState { urls: Urls::single("https://b.example"), prices };
    let pages = bytespike_site::router(state).merge(assets::router());
    layers(pages, SecurityHeaders { https: true, referrer: ReferrerPolicy::SameOrigin })
}

async fn html(surface: &Router, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = surface.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn page(path: &str) -> String {
    html(&surface(Some(export()), 0), path).await.1
}

/// The table row of a model on `/pricing`.
fn row<'h>(html: &'h str, model: &str) -> &'h str {
    let at = html.find(&format!("href=\"/pricing/{model}\"")).unwrap_or_else(|| panic!("no row for {model}"));
    let end = html[at..].find("</tr>").unwrap();
    &html[at..at + end]
}

#[tokio::test]
async fn every_page_is_there_in_both_languages_and_never_changes_by_itself() {
    let surface = surface(Some(export()), 0);
    for path in PAGES {
        let chinese = if path == "/" { "/zh".to_owned() } else { format!("/zh{path}") };
        for path in [path.to_owned(), chinese] {
            let (status, first) = html(&surface, &path).await;
            assert_eq!(
                status,
                if path.contains("nowhere") { StatusCode::NOT_FOUND } else { StatusCode::OK },
                "{path}"
            );
            assert_eq!(first, html(&surface, &path).await.1, "{path}");
            let lang = if path.starts_with("/zh") { "zh-Hans" } else { "en" };
            assert!(first.contains(&format!("<html lang=\"{lang}\">")), "{path}");
            assert_eq!(first.matches("<h1").count(), 1, "{path}");
        }
    }
}

#[tokio::test]
async fn english_pages_hold_no_han_but_the_switch() {
    for path in PAGES {
        let html = page(path).await.replace("中文", "");
        let han: Vec<char> = html.chars().filter(|c| ('\u{3000}'..='\u{9fff}').contains(c)).take(8).collect();
        assert!(han.is_empty(), "{path}: {han:?}");
    }
}

#[tokio::test]
async fn s54_pages_carry_no_inline_style_or_script() {
    for path in PAGES {
        let html = page(path).await;
        assert!(!html.contains(" style=") && !html.contains("<style"), "{path}");
        let scripts = html.matches("<script").count();
        let allowed = html.matches("<script type=\"module\" src=\"/_a/").count()
            + html.matches("application/ld+json").count();
        assert_eq!(scripts, allowed, "{path}");
    }
}

#[tokio::test]
async fn a_wired_model_is_live_and_the_others_say_why_not() {
    let html = page("/pricing").await;
    assert!(row(&html, LIVE).contains("badge live"));
    assert!(row(&html, "claude-opus-5-5").contains("badge muted"));
    assert!(row(&html, "claude-opus-5-5").contains("no channel here"));
}

#[tokio::test]
async fn an_export_past_its_lifetime_makes_every_row_an_estimate() {
    let (_, html) = html(&surface(Some(export()), 15 * 60_000), "/pricing").await;
    assert!(row(&html, LIVE).contains("badge muted") && row(&html, LIVE).contains("export too old"));
    assert!(html.contains("past their lifetime"));
    assert!(!html.contains(
        "<td class=\"end\" data-label=\"Status\"><span class=\"status\"><span class=\"badge live\">"
    ));
}

#[tokio::test]
async fn without_an_export_the_page_says_so() {
    let surface = surface(None, 0);
    assert_eq!(html(&surface, "/").await.0, StatusCode::OK);
    let (status, html) = html(&surface, "/pricing").await;
    assert_eq!(status, StatusCode::OK);
    assert!(html.contains("The price book has not arrived yet"));
}

#[tokio::test]
async fn the_page_prints_the_books_own_numbers() {
    let (export, html) = (export(), page("/pricing").await);
    let cny = page("/pricing?currency=cny").await;
    for id in [LIVE, "gpt-6.1-sol", "gemini-3.8-flash"] {
        let model = &export.models.iter().find(|model| model.priced.model.id == id).unwrap().priced;
        for component in [bytespike_catalog::Component::Input, bytespike_catalog::Component::Output] {
            let price = model.price(component, 1, NOW_MS).unwrap();
            assert!(row(&html, id).contains(&format!(">{}<", display::usd(price))), "{id}");
            assert!(row(&cny, id).contains(&format!(">{}<", display::cny(price, &export.fx))), "{id}");
        }
    }
}

#[tokio::test]
async fn a_positive_price_never_looks_like_nothing() {
    let export = export();
    let costs = |model: &&bytespike_catalog::export::ExportedModel| {
        !model.priced.prices.is_empty() && model.priced.prices.iter().all(|price| price.usd_pico.0 > 0)
    };
    for currency in ["usd", "cny", "credits"] {
        let html = page(&format!("/pricing?currency={currency}")).await;
        for model in export.models.iter().filter(costs) {
            let row = row(&html, &model.priced.model.id);
            let digits = row.split(['>', '<']).filter(|text| text.contains('$') || text.contains('¥'));
            for text in digits {
                let amount = text.split(" /").next().unwrap_or_default();
                assert!(
                    amount.contains(|c: char| ('1'..='9').contains(&c)),
                    "{}: {text}",
                    model.priced.model.id
                );
            }
        }
    }
}

#[tokio::test]
async fn filters_and_order_are_in_the_address() {
    let image = page("/pricing?kind=image").await;
    assert!(image.contains("/pricing/gpt-image-2\"") && !image.contains("/pricing/claude-sonnet-5-5\""));
    let live = page("/pricing?status=live").await;
    assert!(live.contains("<strong>1 model</strong>") && live.contains("/pricing/claude-sonnet-5-5\""));
    let search = page("/pricing?q=SONNET&provider=anthropic&protocol=anthropic&preset=global").await;
    assert!(search.contains("/pricing/claude-sonnet-5\"") && !search.contains("/pricing/claude-opus-5\""));
    let cheapest = page("/pricing?kind=text&sort=price").await;
    let place = |id: &str| cheapest.find(&format!("href=\"/pricing/{id}\"")).unwrap();
    assert!(place("claude-haiku-5-5") < place("claude-sonnet-5-5"));
    assert!(place("claude-sonnet-5-5") < place("claude-opus-5-5"));
    assert!(page("/pricing?q=%3Cscript%3E").await.contains("No model fits these filters"));
}

#[tokio::test]
async fn another_currency_keeps_the_other_filters() {
    let html = page("/pricing?kind=image&currency=cny&q=gpt").await;
    assert!(html.contains("href=\"/pricing?kind=image&amp;q=gpt&amp;currency=credits\""));
    assert!(
        html.contains("href=\"/zh/pricing?kind=image&amp;currency=cny&amp;q=gpt\""),
        "the language switch too"
    );
}

#[tokio::test]
async fn every_model_has_a_page_and_an_unknown_one_does_not() {
    let surface = surface(Some(export()), 0);
    for model in &export().models {
        let (status, html) = html(&surface, &format!("/zh/pricing/{}", model.priced.model.id)).await;
        assert_eq!(status, StatusCode::OK, "{}", model.priced.model.id);
        assert!(html.contains("<h1"), "{}", model.priced.model.id);
    }
    assert_eq!(html(&surface, "/pricing/no-such-model").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_example_receipt_adds_up() {
    let html = page("/").await;
    let start = html.find("class=\"equation-terms\"").unwrap();
    let terms = html[start..].split("class=\"num\">").skip(1).take(3);
    let amounts: Vec<i64> =
        terms.map(|term| term.split('<').next().unwrap().replace([',', '.'], "").parse().unwrap()).collect();
    assert_eq!(amounts[0], amounts[1] + amounts[2]);
}

#[tokio::test]
async fn there_is_no_word_for_giving_money_back() {
    for path in PAGES {
        let chinese = if path == "/" { "/zh".to_owned() } else { format!("/zh{path}") };
        for path in [path.to_owned(), chinese] {
            let html = page(&path).await.to_lowercase();
            assert!(!html.contains("refund") && !html.contains("退款"), "{path}");
        }
    }
}

#[tokio::test]
async fn a_media_model_shows_its_kinds_and_a_dated_one_what_comes_next() {
    let veo = page("/pricing/veo-3.1-fast-generate").await;
    for text in ["Price by kind", "Prices per second.", "A video of 5 seconds at 720p: $0.50."] {
        assert!(veo.contains(text), "{text}");
    }
    assert!(page("/zh/pricing/veo-3.1-fast-generate").await.contains("一段 5 秒的 720p 视频：$0.50。"));
    assert!(!page("/pricing/claude-sonnet-5-5").await.contains("Price by kind"));
    // A date does not break between its words.
    let breakable = |page: String| page.replace('\u{a0}', " ");
    let gemini = breakable(page("/pricing/gemini-3.8-flash").await);
    for text in ["until 31 Dec 2026", "from 1 Jan 2027", "1 Jan 2027: Input $1.50, Output $7.50"] {
        assert!(gemini.contains(text), "{text}");
    }
    let deepseek = page("/pricing/deepseek-flash").await;
    assert!(deepseek.contains("09:00–12:00, 14:00–18:00 (UTC+8)"));
    let list = breakable(page("/pricing").await);
    assert!(row(&list, "gemini-3.8-flash").contains("New price 1 Jan 2027"));
    assert!(row(&list, "deepseek-flash").contains("Peak hours"), "a Sunday");
    assert!(row(&list, "veo-3.1-fast-generate").contains("from $0.10 / second"));
}

/// Three publications: one of everything, one that changed nothing, and one that moved a price and the exchange rate.
fn with_history() -> PriceExport {
    let options = |rate: &str, prices: Vec<OwnPrice>| BookOptions {
        markup: Markup::LIST_PRICE,
        fx: FxRate::new("2026-11-22", rate, "test").unwrap(),
        extra: Vec::new(),
        overrides: Overrides { prices, ..Overrides::default() },
        at_ms: NOW_MS,
    };
    let price = OwnPrice {
        model: LIVE.to_owned(),
        component: Component::Output,
        usd: "12.50".to_owned(),
        cny: String::new(),
        unit: "1M tokens".to_owned(),
        tier: Tier::default(),
        schedule: None,
        effective_from: None,
        effective_to: None,
    };
    let catalog = Catalog::embedded().unwrap();
    let before = PriceBook::build(&catalog, &options("7.1200", Vec::new())).unwrap();
    let after = PriceBook::build(&catalog, &options("7.3000", vec![price])).unwrap();
    let revision = |version, at_ms, changes| Revision { version, at_ms, changes };
    let history = vec![
        revision(3, NOW_MS, Some(diff(&before, &after))),
        revision(1, NOW_MS - 86_400_000, Some(Vec::new())),
        revision(1, NOW_MS - 2 * 86_400_000, None),
    ];
    export().with_history(history)
}

#[tokio::test]
async fn the_history_shows_each_publication_and_each_models_own_part() {
    let surface = surface(Some(with_history()), 0);
    let (_, all) = html(&surface, "/pricing/history").await;
    for part in [
        "Version 3",
        "$10.00 / 1M tokens",
        "$12.50 / 1M tokens",
        "7.1200",
        "7.3000",
        "No price changed.",
        "The first price book.",
    ] {
        assert!(all.contains(part), "{part}");
    }
    assert!(!all.contains("<details open"), "a publication that moved many prices is folded");
    let (_, model) = html(&surface, &format!("/pricing/{LIVE}")).await;
    let (_, own) = model.split_once("Price history").unwrap();
    assert!(own.contains("$10.00 / 1M tokens") && own.contains("$12.50 / 1M tokens"), "{own}");
    let (_, chinese) = html(&surface, "/zh/pricing/history").await;
    assert!(chinese.contains("第一版价格表") && chinese.contains("没有价格变动"));
    let (_, none) = html(&self::surface(None, 0), "/pricing/history").await;
    assert!(none.contains("Nothing has been published yet."));
}

#[tokio::test]
async fn what_costs_nothing_says_so_in_a_word() {
    for (path, word) in [("/pricing", "free"), ("/zh/pricing", "免费"), ("/pricing?currency=cny", "free")] {
        let html = page(path).await;
        let free = row(&html.replace("/zh/pricing/", "/pricing/"), "glm-4.7-flash").to_owned();
        assert!(free.contains(&format!(">{word}<")) && !free.contains("0.00"), "{free}");
    }
    let of_model = page("/pricing/glm-4.7-flash").await;
    assert!(of_model.contains(">free<") && !of_model.contains("free / "), "{of_model}");
}
