//! What a call costs us: the channel's own rows, else the provider's list, and never our markup.
use crate::support::{HOUR_MS, NOW_MS, book_with, options, usage};
use bytespike_catalog::cost::at_cost;
use bytespike_catalog::overrides::OwnPrice;
use bytespike_catalog::price::ListPrice;
use bytespike_catalog::{BookOptions, Markup, PriceBook, charge};

const MODEL: &str = "claude-sonnet-5-5";

fn paid(component: &str, amount: (&str, &str)) -> ListPrice {
    let json =
        serde_json::json!({"model": MODEL, "component": component, amount.0: amount.1, "unit": "1M tokens"});
    serde_json::from_value::<OwnPrice>(json).expect("a cost").row().expect("a row")
}

/// Pico-USD for 1,000 tokens in and 100 out.
fn cost(book: &PriceBook, model: &str, paid: &[ListPrice]) -> i128 {
    let rows: Vec<&ListPrice> = paid.iter().collect();
    let model = at_cost(book.find(model).expect("is listed"), &rows, &book.content.fx);
    charge::total(&model, &usage(1_000, 0, 100), NOW_MS + HOUR_MS).expect("is priced").exact.pico()
}

#[test]
fn a_channels_rows_go_before_the_list_and_the_list_fills_what_they_leave() {
    let book = book_with(&options());
    // $2 in and $10 out per million on the list.
    assert_eq!(cost(&book, MODEL, &[]), 1_000 * 2_000_000 + 100 * 10_000_000);
    let output = [paid("output", ("usd", "6.50"))];
    assert_eq!(cost(&book, MODEL, &output), 1_000 * 2_000_000 + 100 * 6_500_000);
    let in_cny = [paid("input", ("cny", "7.00")), paid("output", ("cny", "35.00"))];
    assert_eq!(cost(&book, MODEL, &in_cny), 1_000 * 1_000_000 + 100 * 5_000_000, "at 7 CNY for a USD");
    let free = [paid("input", ("usd", "0")), paid("output", ("usd", "0"))];
    assert_eq!(cost(&book, MODEL, &free), 0, "a channel may cost nothing");
}

#[test]
fn a_row_that_does_not_apply_leaves_the_list() {
    let mut small = paid("input", ("usd", "1"));
    small.tier.input_tokens_upto = Some(999);
    let book = book_with(&options());
    assert_eq!(cost(&book, MODEL, &[small]), cost(&book, MODEL, &[]));
}

#[test]
fn neither_a_markup_nor_a_price_of_our_own_makes_a_call_dearer_for_us() {
    let list = cost(&book_with(&options()), MODEL, &[]);
    let markup = Markup::new("1.50").expect("a markup");
    assert_eq!(cost(&book_with(&BookOptions { markup, ..options() }), MODEL, &[]), list);
    let overrides = serde_json::json!({
        "markup": {"models": {MODEL: "2.00"}},
        "prices": [{"model": MODEL, "component": "output", "usd": "99", "unit": "1M tokens"}],
    });
    let overrides = serde_json::from_value(overrides).expect("overrides");
    assert_eq!(cost(&book_with(&BookOptions { overrides, ..options() }), MODEL, &[]), list);
}
