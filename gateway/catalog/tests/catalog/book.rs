//! What is in the book, what can be sold, and what blocks publication.
use crate::support::{NEW_YEAR_MS, NOW_MS, book, book_with, extra, options};
use bytespike_catalog::book::BookError;
use bytespike_catalog::extra::ExtraModelError;
use bytespike_catalog::load::Listing;
use bytespike_catalog::model::Preset;
use bytespike_catalog::price::{Basis, Currency};
use bytespike_catalog::{Catalog, Component, Markup, PriceBook, Unavailable, display};

#[test]
fn every_model_and_every_row_is_shown() {
    let book = book();
    assert_eq!(book.models().count(), 127);
    assert_eq!(book.models().map(|model| model.prices.len() + model.other_lists.len()).sum::<usize>(), 457);
}

#[test]
fn what_cannot_be_called_says_why() {
    let book = book();
    let reason = |id: &str, at_ms| book.find(id).expect("is listed").sellable(at_ms).err();
    assert_eq!(reason("claude-sonnet-5-5", NOW_MS), None);
    assert_eq!(reason("sora-2", NOW_MS), Some(Unavailable::Retired));
    assert_eq!(reason("doubao-seedance-1-5-pro-251215", NOW_MS), Some(Unavailable::Retired));
    assert_eq!(reason("gpt-4o-image", NOW_MS), Some(Unavailable::NoOfficialApi));
    assert_eq!(reason("gemini-2.5-flash", NOW_MS), None);
    assert_eq!(
        reason("gemini-2.5-flash", NEW_YEAR_MS),
        Some(Unavailable::Retired),
        "shut down on 2026-12-01"
    );
    let no_cache_price = Unavailable::PriceUnavailable { component: Component::CacheRead };
    assert_eq!(
        reason("qwen3.7-flash", NOW_MS),
        Some(no_cache_price),
        "it bills cached input, and nobody says how much"
    );
}

#[test]
fn the_first_complete_price_list_is_used() {
    let book = book();
    let currency = |id: &str| book.find(id).expect("is listed").basis.map(|basis| basis.currency);
    assert_eq!(currency("deepseek-flash"), Some(Currency::Usd));
    assert_eq!(currency("glm-5.3"), Some(Currency::Cny), "its USD list does not price cached input");
}

#[test]
fn a_price_in_cny_is_frozen_in_usd_and_rounded_up() {
    let book = book();
    let model = book.find("glm-5.3").expect("is listed");
    let price = model.price(Component::Input, 0, NOW_MS).expect("is priced");
    assert_eq!(price.usd_pico.0, 1_142_858, "¥8 at 7.00 is $1.142857…");
    assert_eq!(display::list(&price.list).as_deref(), Some("¥8.00"));
}

#[test]
fn a_markup_multiplies_and_is_never_below_one() {
    for wrong in ["0.99", "0", "-1", "101", "one"] {
        assert_eq!(Markup::new(wrong), None, "{wrong}");
    }
    let mut options = options();
    options.markup = Markup::new("1.055").expect("a markup");
    let book = book_with(&options);
    let price =
        |component| book.find("claude-sonnet-5-5")?.price(component, 0, NOW_MS).map(|price| price.usd_pico.0);
    assert_eq!((price(Component::Input), price(Component::CacheRead)), (Some(2_110_000), Some(105_500)));
}

#[test]
fn no_positive_price_is_shown_as_nothing() {
    let book = book();
    for price in book.models().flat_map(|model| &model.prices) {
        let shown = [display::usd(price), display::cny(price, &book.content.fx)];
        for text in shown.iter().filter(|_| price.usd_pico.0 > 0) {
            assert!(text.chars().any(|digit| ('1'..='9').contains(&digit)), "{text}");
        }
    }
    let deepseek = book.find("deepseek-flash").expect("is listed");
    let cached = deepseek.price(Component::CacheRead, 0, NOW_MS).expect("is priced");
    assert_eq!((display::usd(cached), display::per(cached)), ("$0.003".to_owned(), "1M tokens"));
    assert_eq!(display::cny(cached, &book.content.fx), "¥0.021");
}

#[test]
fn other_spellings_find_the_same_model() {
    let book = book();
    let id = |name: &str| book.find(name).map(|model| model.model.id.as_str());
    assert_eq!(id("deepseek-v4-flash"), Some("deepseek-flash"));
    assert_eq!(id("anthropic.claude-sonnet-5-5"), Some("claude-sonnet-5-5"));
    assert_eq!(id("anthropic.deepseek-v4-flash"), Some("deepseek-flash"));
    assert_eq!(id("claude-sonnet"), None);
    assert!(book.preset(Preset::China).any(|model| model.model.id == "deepseek-flash"));
    assert!(book.preset(Preset::China).all(|model| model.model.provider != "anthropic"));
}

#[test]
fn an_operators_model_is_added_or_replaces() {
    let mut options = options();
    let declared = extra("claude-sonnet-5-5", &[("input", "1"), ("output", "3")]);
    options.extra = vec![declared.listing("2026-11-24").expect("lists")];
    let book = book_with(&options);
    assert_eq!(book.models().count(), 127);
    assert_eq!(book.find("claude-sonnet-5-5").map(|model| model.prices.len()), Some(2));
    let negative = extra("m", &[("input", "-1")]).listing("2026-11-24");
    assert!(matches!(negative, Err(ExtraModelError::Amount { component: Component::Input, .. })));
    let misplaced = extra("m", &[("web_search", "1")]).listing("2026-11-24");
    assert!(matches!(misplaced, Err(ExtraModelError::Component { component: Component::WebSearch, .. })));
}

#[test]
fn what_is_ambiguous_taken_or_too_large_blocks_publication() {
    let listing = |id: &str, input: &str| {
        extra(id, &[("input", input), ("output", "1")]).listing("2026-11-24").expect("lists")
    };
    let build = |extra: Vec<Listing>| {
        let options = bytespike_catalog::BookOptions { extra, ..options() };
        PriceBook::build(&Catalog::embedded().expect("reads"), &options).err()
    };
    let mut twice = listing("m", "1");
    twice.prices.extend(listing("m", "2").prices);
    let ambiguous = BookError::Ambiguous { model: "m".to_owned(), component: Component::Input };
    assert_eq!(build(vec![twice]), Some(ambiguous));
    let mut taken = listing("m", "1");
    taken.aliases = vec!["deepseek-v4-flash".to_owned()];
    assert!(matches!(build(vec![taken]), Some(BookError::AliasTaken { .. })));
    let mut options = options();
    let cny = Basis { currency: Currency::Cny, region: None };
    options.overrides.basis.insert("claude-sonnet-5-5".to_owned(), cny);
    let refused = PriceBook::build(&Catalog::embedded().expect("reads"), &options).err();
    assert_eq!(refused, Some(BookError::NoSuchBasis { model: "claude-sonnet-5-5".to_owned(), basis: cny }));
}

#[test]
fn the_hash_names_the_prices_and_nothing_else() {
    let first = book();
    assert_eq!(first.hash, book().hash);
    assert_eq!(first.clone().with_version(7).hash, first.hash);
    let mut dearer = options();
    dearer.markup = Markup::new("1.01").expect("a markup");
    assert_ne!(book_with(&dearer).hash, first.hash);
}
