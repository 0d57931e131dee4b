//! What blocks a publication, in which words, and what changes from one book to the next.
use crate::support::{NEW_YEAR_MS, NOW_MS, book, book_with, extra, options};
use bytespike_catalog::book::BookError;
use bytespike_catalog::check::{ChannelCost, Problem, Surroundings, check};
use bytespike_catalog::diff::diff;
use bytespike_catalog::fx::FxRate;
use bytespike_catalog::price::ListPrice;
use bytespike_catalog::{BookOptions, Catalog, Component, Overrides, PriceBook};
use std::collections::BTreeMap;

fn overrides(given: serde_json::Value) -> Overrides {
    serde_json::from_value(given).expect("overrides")
}

#[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
fn own(price: serde_json::Value) -> Overrides {
    overrides(serde_json::json!({ "prices": [price] }))
}

fn build(overrides: Overrides) -> Result<PriceBook, BookError> {
    PriceBook::build(&Catalog::embedded().expect("reads"), &BookOptions { overrides, ..options() })
}

fn wired(models: &[&str]) -> BTreeMap<String, Vec<String>> {
    models.iter().map(|model| ((*model).to_owned(), vec!["main".to_owned()])).collect()
}

fn problems(draft: &PriceBook, wired: &BTreeMap<String, Vec<String>>, costs: &[ChannelCost]) -> Vec<String> {
    let in_force = book();
    let around = Surroundings { wired, costs, in_force: Some(&in_force), newest_rate: None, at_ms: NOW_MS };
    check(draft, &around).into_iter().filter(Problem::blocks).map(|problem| problem.to_string()).collect()
}

fn cost_row(model: &str, component: Component) -> ListPrice {
    let book = book();
    let prices = &book.find(model).expect("is listed").prices;
    prices.iter().find(|price| price.list.component == component).expect("is priced").list.clone()
}

#[test]
fn the_whole_catalogue_can_be_published() {
    let book = book();
    let every: Vec<&str> = book.models().map(|model| model.model.id.as_str()).collect();
    assert_eq!(problems(&book, &wired(&every), &[]), [""; 0]);
}

#[test]
fn a_price_of_our_own_replaces_the_list_and_takes_no_markup() {
    let price = serde_json::json!({"model": "claude-sonnet-5-5", "component": "output", "usd": "12.50", "unit": "1M tokens"});
    let book = build(own(price)).expect("builds");
    let sonnet = book.find("claude-sonnet-5-5").expect("is listed");
    let usd = |component| sonnet.price(component, 0, NOW_MS).map(|price| price.usd_pico.0);
    assert_eq!((usd(Component::Output), usd(Component::Input)), (Some(12_500_000), Some(2_000_000)));
    assert!(sonnet.sellable(NOW_MS).is_ok());
    assert!(
        sonnet.other_lists.iter().any(|row| row.component == Component::Output),
        "the list price is shown"
    );
    assert_eq!(problems(&book, &wired(&["claude-sonnet-5-5"]), &[]), [""; 0]);
}

#[test]
fn a_markup_may_be_a_model_s_or_a_provider_s() {
    let given = serde_json::json!({"markup": {"providers": {"anthropic": "1.10"}, "models": {"claude-opus-5": "1.20"}}});
    let book = build(overrides(given)).expect("builds");
    let input = |id: &str| book.find(id)?.price(Component::Input, 0, NOW_MS).map(|price| price.usd_pico.0);
    assert_eq!(
        (input("claude-sonnet-5-5"), input("claude-opus-5"), input("gpt-6-luna")),
        (Some(2_200_000), Some(6_000_000), Some(100_000))
    );
}

#[test]
fn each_fault_blocks_and_says_where_it_is_and_what_to_do() {
    let price = |component: &str, usd: &str, unit: &str| {
        own(
            serde_json::json!({"model": "claude-sonnet-5-5", "component": component, "usd": usd, "unit": unit}),
        )
    };
    let refused = |overrides: Overrides| build(overrides).expect_err("is refused").to_string();
    let cases = [
        (refused(price("output", "-1", "1M tokens")), ["claude-sonnet-5-5", "output", "not negative"]),
        (
            refused(price("output", "1", "furlong")),
            ["claude-sonnet-5-5", "output", "known units are 1M tokens"],
        ),
        (
            refused(price("output", "1", "image")),
            ["claude-sonnet-5-5", "output", "cannot be priced per `image`"],
        ),
        (
            refused(own(
                serde_json::json!({"model": "nobody", "component": "input", "usd": "1", "unit": "1M tokens"}),
            )),
            ["nobody", "no model", "/pricing"],
        ),
        (
            refused(overrides(serde_json::json!({"markup": {"models": {"claude-opus-5": "0.9"}}}))),
            ["claude-opus-5", "markup", "below cost"],
        ),
        (
            refused(overrides(
                serde_json::json!({"fx": {"date": "2026-11-20", "usd_cny": "0", "source": "bank"}}),
            )),
            ["exchange rate", "`0`", "positive"],
        ),
        (
            problems(&build(price("output", "9.99", "1M tokens")).expect("builds"), &wired(&[]), &[])
                .join(""),
            [
                "claude-sonnet-5-5",
                "output at $9.99 per 1M tokens is below its cost of $10.00",
                "provider's list price",
            ],
        ),
    ];
    for (text, wanted) in cases {
        for part in wanted {
            assert!(text.contains(part), "{part:?} is not in {text:?}");
        }
    }
    let unknown = serde_json::from_value::<Overrides>(serde_json::json!({"price": []}));
    assert!(unknown.is_err_and(|error| error.to_string().contains("unknown field `price`")));
}

#[test]
fn two_own_prices_at_once_block() {
    let row = |usd: &str, from: &str, to: &str| serde_json::json!({"model": "gpt-6-luna", "component": "input", "usd": usd, "unit": "1M tokens", "effective_from": from, "effective_to": to});
    let both = |one, other| overrides(serde_json::json!({"prices": [one, other]}));
    let overlapping = both(row("1", "2026-01-01", "2026-12-31"), row("2", "2026-12-31", "2030-01-01"));
    let ambiguous = BookError::Ambiguous { model: "gpt-6-luna".to_owned(), component: Component::Input };
    assert_eq!(build(overlapping).expect_err("overlaps"), ambiguous);
    let book = build(both(row("1", "2026-01-01", "2026-12-31"), row("2", "2027-01-01", "2029-12-31")))
        .expect("meets");
    let input =
        |at_ms| book.find("gpt-6-luna")?.price(Component::Input, 0, at_ms).map(|price| price.usd_pico.0);
    assert_eq!((input(NEW_YEAR_MS - 1), input(NEW_YEAR_MS)), (Some(1_000_000), Some(2_000_000)));
}

#[test]
fn a_gap_in_what_is_sold_blocks_and_names_its_first_day() {
    let price = serde_json::json!({"model": "gpt-6-luna", "component": "input", "usd": "5", "unit": "1M tokens", "effective_to": "2026-12-31"});
    let draft = build(own(price)).expect("builds");
    let found = problems(&draft, &wired(&["gpt-6-luna"]), &[]);
    assert_eq!(
        found,
        [
            "model `gpt-6-luna`: input has no price from 2027-01-01 on; add a row, or call the model by another price list ([basis])"
        ]
    );
    let other_size = serde_json::json!({"model": "gpt-6-luna", "component": "input", "usd": "5", "unit": "1M tokens", "tier": {"input_tokens_upto": 1000}});
    let found = problems(&build(own(other_size)).expect("builds"), &wired(&["gpt-6-luna"]), &[]);
    assert!(found[0].contains("has no price for input of 1001 tokens at present"), "{found:?}");
}

#[test]
fn an_own_model_without_a_component_it_bills_blocks() {
    let declared = extra("mine", &[("input", "1")]).listing("2026-11-24").expect("lists");
    let draft = book_with(&BookOptions { extra: vec![declared], ..options() });
    let found = problems(&draft, &wired(&["mine"]), &[]);
    assert!(found[0].starts_with("model `mine`: output has no price"), "{found:?}");
}

#[test]
fn what_a_channel_pays_is_the_floor_for_models_it_carries() {
    let mut row = cost_row("claude-sonnet-5-5", Component::Output);
    row.amount_pico = Some(11_000_000);
    let cost = ChannelCost { channel_id: "main".to_owned(), model: "claude-sonnet-5-5".to_owned(), row };
    let found = problems(&book(), &wired(&["claude-sonnet-5-5"]), std::slice::from_ref(&cost));
    assert_eq!(
        found,
        [
            "model `claude-sonnet-5-5`: output at $10.00 per 1M tokens is below its cost of $11.00 (channel `main`); raise the price or the markup, or correct the cost"
        ]
    );
    assert_eq!(
        problems(&book(), &wired(&[]), &[cost]),
        [""; 0],
        "a channel that does not carry it costs nothing"
    );
}

#[test]
fn a_cost_per_second_compares_with_a_price_per_minute() {
    let mut row = cost_row("qwen-audio-3.0-asr-flash-filetrans", Component::AudioInput);
    let cost = |row| ChannelCost { channel_id: "main".to_owned(), model: "gpt-transcribe".to_owned(), row };
    // $0.0045 a minute is $0.000075 a second.
    row.amount_pico = Some(75_000_000);
    assert_eq!(problems(&book(), &wired(&["gpt-transcribe"]), &[cost(row.clone())]), [""; 0]);
    row.amount_pico = Some(75_000_001);
    let found = problems(&book(), &wired(&["gpt-transcribe"]), &[cost(row)]);
    assert!(
        found[0].contains("audio_input at $0.0045 per minute is below its cost of $0.00450000006"),
        "{found:?}"
    );
}

#[test]
fn an_old_exchange_rate_and_a_model_that_goes_are_told_and_do_not_block() {
    let newest = FxRate::new("2026-11-24", "7.20", "a bank").expect("a rate");
    let mut in_force = options();
    in_force.extra =
        vec![extra("mine", &[("input", "1"), ("output", "2")]).listing("2026-11-24").expect("lists")];
    let in_force = book_with(&in_force);
    let wired = wired(&["mine"]);
    let around = Surroundings {
        wired: &wired,
        costs: &[],
        in_force: Some(&in_force),
        newest_rate: Some(&newest),
        at_ms: NOW_MS,
    };
    let told: Vec<(bool, String)> = check(&book(), &around)
        .into_iter()
        .filter(|problem| !matches!(problem, Problem::Missing { .. }))
        .map(|problem| (problem.blocks(), problem.to_string()))
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|(blocks, _)| !blocks));
    assert!(told[0].1.contains("`mine`") && told[1].1.contains("7.0000 of 2026-10-14"), "{told:?}");
}

#[test]
fn a_rate_chosen_on_purpose_goes_before_the_observed_one() {
    let chosen =
        overrides(serde_json::json!({"fx": {"date": "2026-11-20", "usd_cny": "8.00", "source": "our bank"}}));
    let book = build(chosen).expect("builds");
    assert_eq!(book.content.fx.usd_cny_micro, 8_000_000);
    let price =
        book.find("glm-5.3").and_then(|model| model.price(Component::Input, 0, NOW_MS)).expect("is priced");
    assert_eq!(price.usd_pico.0, 1_000_000, "¥8 at 8.00");
}

#[test]
fn a_difference_reads_as_what_changed() {
    let price = serde_json::json!({"model": "claude-haiku-5-5", "component": "web_search", "usd": "12", "unit": "1k searches"});
    let changed = build(own(price)).expect("builds");
    let lines: Vec<String> = diff(&book(), &changed).iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["~ claude-haiku-5-5: web_search: none → $12.00 per 1k searches"]);
    assert_eq!(diff(&book(), &book()), []);
    let dearer =
        build(overrides(serde_json::json!({"markup": {"models": {"deepseek-flash": "2"}}}))).expect("builds");
    let lines: Vec<String> = diff(&book(), &dearer).iter().map(ToString::to_string).collect();
    assert!(
        lines.contains(&"~ deepseek-flash: input (peak): $0.30 → $0.60 per 1M tokens".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn holidays_can_be_added_without_a_new_program() {
    let mut hours = bytespike_catalog::PeakHours::china();
    let day = |text: &str| text.to_owned().try_into().expect("a date");
    hours
        .days_off
        .push(bytespike_catalog::schedule::DaysOff { first: day("2026-11-24"), last: day("2026-11-24") });
    let changed = build(Overrides { peak_hours: Some(hours), ..Overrides::default() }).expect("builds");
    let ten_in_beijing = NOW_MS + 2 * crate::support::HOUR_MS;
    let input = |book: &PriceBook| {
        book.find("deepseek-flash")?.price(Component::Input, 0, ten_in_beijing).map(|price| price.usd_pico.0)
    };
    assert_eq!((input(&book()), input(&changed)), (Some(300_000), Some(150_000)));
    let stored = PriceBook::from_stored(4, &changed.hash, &changed.content_json()).expect("reads");
    assert_eq!(input(&stored), Some(150_000), "a stored book keeps its own holidays");
    assert!(matches!(
        PriceBook::from_stored(4, &book().hash, &changed.content_json()),
        Err(BookError::Damaged(4))
    ));
}
