//! What a call costs.
use crate::support::{HOUR_MS, NEW_YEAR_MS, NOW_MS, book, book_with, charge_at, extra, options, usage};
use bytespike_catalog::{Component, PriceError, Served, Usage, charge};

#[test]
fn the_arithmetic_of_a_receipt_is_exact() {
    let charged = charge_at("claude-sonnet-5-5", &usage(612, 1905, 43), NOW_MS).expect("is priced");
    let lines: Vec<(Component, &str, &str, &str)> = charged
        .lines
        .iter()
        .map(|line| (line.component, line.qty.as_str(), line.price_usd.as_str(), line.credits.as_str()))
        .collect();
    assert_eq!(
        lines,
        [
            (Component::Input, "612", "2.00", "1224.000"),
            (Component::CacheRead, "1905", "0.10", "190.500"),
            (Component::Output, "43", "10.00", "430.000"),
        ]
    );
    assert_eq!(
        (charged.nano.credits(), charged.exact.credits()),
        ("1844.500".to_owned(), "1844.500".to_owned())
    );
}

#[test]
fn a_fraction_of_a_nano_is_the_customers() {
    // 1 cached token of deepseek-flash off peak is 3,000 pico-USD, so 3 nano; one of a 0.0015 $/M model is 1.5.
    let mut options = options();
    options.extra =
        vec![extra("tiny", &[("input", "0.0015"), ("output", "0")]).listing("2026-11-24").expect("lists")];
    let call = Served { requested: "tiny", served: "tiny", held_at_ms: NOW_MS };
    let charged = charge(&book_with(&options), &usage(1, 0, 0), call).expect("is priced");
    assert_eq!((charged.nano.0, charged.exact.pico()), (1, 1_500));
    assert_eq!(charged.exact.minus_nano_credits(charged.nano), "0.0005");
}

#[test]
fn the_smaller_of_two_totals_is_charged() {
    let used = usage(1_000, 0, 1_000);
    let call = |requested, served| {
        let charged =
            charge(&book(), &used, Served { requested, served, held_at_ms: NOW_MS }).expect("is priced");
        (charged.nano.0, charged.priced_as)
    };
    let (sonnet, opus) =
        (call("claude-sonnet-5-5", "claude-sonnet-5-5"), call("claude-opus-5", "claude-opus-5"));
    assert_eq!((sonnet.0, opus.0), (12_000_000, 30_000_000));
    assert_eq!(call("claude-opus-5", "claude-sonnet-5-5"), sonnet, "a cheaper model answered");
    assert_eq!(call("claude-sonnet-5-5", "claude-opus-5"), sonnet, "a dearer one is ours to pay");
    assert_eq!(
        call("claude-opus-5", "an-unknown-snapshot"),
        opus,
        "what the book does not know cannot lower it"
    );
}

#[test]
fn a_step_prices_the_whole_request() {
    let haiku = |input| charge_at("claude-haiku-5-5", &usage(input, 0, 0), NOW_MS).expect("is priced").nano.0;
    assert_eq!(haiku(100_000), 10_000_000, "$0.10 per 1M up to 100,000 tokens");
    assert_eq!(haiku(100_001), 50_000_500, "$0.50 for every one of them above");
    let cached = charge_at("claude-haiku-5-5", &usage(1, 100_000, 0), NOW_MS).expect("is priced");
    assert_eq!(cached.nano.0, 500 + 5_000_000, "cached input counts towards the step");
}

#[test]
fn a_dated_price_changes_at_the_exact_moment() {
    let flash =
        |at_ms| charge_at("gemini-3.8-flash", &usage(1_000_000, 0, 0), at_ms).expect("is priced").nano.0;
    assert_eq!((flash(NEW_YEAR_MS - 1), flash(NEW_YEAR_MS)), (750_000_000, 1_500_000_000));
}

#[test]
fn the_hour_a_call_starts_in_sets_its_price() {
    let deepseek =
        |at_ms| charge_at("deepseek-flash", &usage(1_000_000, 0, 0), at_ms).expect("is priced").nano.0;
    // NOW_MS is 08:00 in Beijing, a Tuesday.
    let (low, high) = (150_000_000, 300_000_000);
    for (hour, before, after) in [(9, low, high), (12, high, low), (14, low, high), (18, high, low)] {
        let edge = NOW_MS + (hour - 8) * HOUR_MS;
        assert_eq!((deepseek(edge - 1), deepseek(edge)), (before, after), "{hour}:00");
    }
    let ten_in_national_week = NOW_MS - 50 * 24 * HOUR_MS + 2 * HOUR_MS;
    assert_eq!(deepseek(ten_in_national_week), low, "2026-10-05 is a holiday");
}

#[test]
fn what_has_no_price_is_an_error_and_never_nothing() {
    let searched = Usage { searches: 1, ..usage(1, 0, 1) };
    let missing = charge_at("gpt-6-luna", &searched, NOW_MS).expect_err("no price for searches");
    assert_eq!(
        missing,
        PriceError::Missing { model: "gpt-6-luna".to_owned(), component: Component::WebSearch }
    );
    let unknown = charge_at("no-such-model", &usage(1, 0, 1), NOW_MS).expect_err("unknown");
    assert_eq!(unknown, PriceError::UnknownModel("no-such-model".to_owned()));
    for absurd in
        [Usage { reasoning_tokens: 1, ..Usage::default() }, usage(u64::MAX, 1, 0), usage(0, 0, 1 << 33)]
    {
        let error = charge_at("claude-sonnet-5-5", &absurd, NOW_MS).expect_err("not plausible");
        assert_eq!(error, PriceError::Implausible(Box::new(absurd)));
    }
}

#[test]
fn writing_a_cache_costs_what_its_lifetime_costs() {
    let write = |minutes: u64, hour: u64| Usage {
        cache_write_tokens: minutes,
        cache_write_1h_tokens: hour,
        ..Usage::default()
    };
    let sonnet = |used: Usage| charge_at("claude-sonnet-5-5", &used, NOW_MS).expect("is priced").nano.0;
    assert_eq!((sonnet(write(1_000, 0)), sonnet(write(0, 1_000))), (2_500_000, 4_000_000));
    let luna = charge_at("gpt-6-luna", &write(1_000, 0), NOW_MS).expect("is priced");
    assert_eq!(
        (luna.lines[0].component, luna.nano.0),
        (Component::Input, 100_000),
        "where writing is free it is input"
    );
}

#[test]
fn searches_are_priced_per_thousand() {
    let used = Usage { searches: 3, ..Usage::default() };
    assert_eq!(charge_at("claude-sonnet-5-5", &used, NOW_MS).expect("is priced").nano.credits(), "30000.000");
}

#[test]
fn thinking_with_its_own_price_is_not_charged_as_output_as_well() {
    let mut options = options();
    let model = extra("thinker", &[("input", "1"), ("output", "10"), ("reasoning", "2")]);
    options.extra = vec![model.listing("2026-11-24").expect("lists")];
    let used = Usage { reasoning_tokens: 40, ..usage(0, 0, 100) };
    let call = Served { requested: "thinker", served: "thinker", held_at_ms: NOW_MS };
    let charged = charge(&book_with(&options), &used, call).expect("is priced");
    assert_eq!(charged.nano.credits(), "680.000", "60 × 10 + 40 × 2");
}
