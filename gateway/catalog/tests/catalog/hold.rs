//! The most a call may cost.
use crate::support::{HOUR_MS, NOW_MS, book, book_with, extra, options};
use bytespike_catalog::hold::affordable_output_tokens;
use bytespike_catalog::model::Modality;
use bytespike_catalog::{
    Bounds, NanoUsd, PriceBook, PriceError, PricedModel, Served, Usage, charge, hold_bound,
};
use proptest::prelude::*;
use std::sync::LazyLock;

static BOOK: LazyLock<PriceBook> = LazyLock::new(book);

fn sellable() -> Vec<&'static PricedModel> {
    BOOK.models()
        .filter(|model| model.model.modality == Modality::Text && model.sellable(NOW_MS).is_ok())
        .collect()
}

fn model(id: &str) -> &'static PricedModel {
    BOOK.find(id).expect("is in the book")
}

fn bounds(input_tokens: u64, output_tokens: u64) -> Bounds {
    Bounds {
        input_tokens,
        output_tokens,
        answers: 1,
        start_ms: NOW_MS,
        deadline_ms: NOW_MS,
        ..Bounds::default()
    }
}

fn hold(id: &str, bounds: &Bounds) -> i64 {
    hold_bound(model(id), bounds).expect("is priced").0
}

#[test]
fn the_hold_takes_the_dearest_of_what_may_happen() {
    assert_eq!(hold("claude-sonnet-5-5", &bounds(1_000, 1_000)), 12_000_000);
    let marked = Bounds { marks_cache_1h: true, ..bounds(1_000, 1_000) };
    assert_eq!(hold("claude-sonnet-5-5", &marked), 14_000_000, "all of the input may be written for an hour");
    let twice = Bounds { answers: 2, ..bounds(1_000, 1_000) };
    assert_eq!(hold("claude-sonnet-5-5", &twice), 22_000_000, "two answers");
    let searching = Bounds { searches: 5, ..bounds(0, 0) };
    assert_eq!(hold("claude-sonnet-5-5", &searching), 50_000_000);
}

#[test]
fn an_estimate_near_a_step_holds_at_the_upper_price() {
    assert_eq!(hold("claude-haiku-5-5", &bounds(80_000, 0)), 8_000_000);
    assert_eq!(hold("claude-haiku-5-5", &bounds(86_000, 0)), 43_000_000, "it may turn out above 100,000");
}

#[test]
fn a_call_that_may_reach_peak_hours_holds_their_price() {
    let early = bounds(1_000_000, 0);
    assert_eq!(hold("deepseek-flash", &early), 150_000_000);
    assert_eq!(hold("deepseek-flash", &Bounds { deadline_ms: NOW_MS + HOUR_MS, ..early }), 300_000_000);
}

#[test]
fn a_hold_without_a_price_or_beyond_every_bound_is_refused() {
    let searching = Bounds { searches: 1, ..bounds(1, 1) };
    assert!(matches!(hold_bound(model("gpt-6-luna"), &searching), Err(PriceError::Missing { .. })));
    assert_eq!(hold_bound(model("claude-sonnet-5-5"), &bounds(u64::MAX, 1)), Err(PriceError::TooLarge));
    let absurd = Bounds { answers: u32::MAX, ..bounds(1, 1 << 32) };
    assert_eq!(hold_bound(model("claude-sonnet-5-5"), &absurd), Err(PriceError::TooLarge));
}

proptest! {
    /// No usage within the bounds costs more than was held for them, at any moment of the year and for any model.
    #[test]
    fn i15_the_hold_is_an_upper_bound(
        pick in any::<prop::sample::Index>(),
        (input, output) in (0u64..1_200_000, 0u64..130_000),
        parts in (0u64..=100, 0u64..=100, 0u64..=100),
        start_ms in NOW_MS..NOW_MS + 365 * 24 * HOUR_MS,
    ) {
        let model = *pick.get(&sellable());
        let bounds = Bounds { marks_cache_5m: true, marks_cache_1h: true, start_ms, deadline_ms: start_ms + HOUR_MS, ..bounds(input, output) };
        let cache_read_tokens = input * parts.0 / 300;
        let cache_write_tokens = input * parts.1 / 300;
        let cache_write_1h_tokens = input * parts.2 / 300;
        let used = Usage {
            input_tokens: input - cache_read_tokens - cache_write_tokens - cache_write_1h_tokens,
            cache_read_tokens,
            cache_write_tokens,
            cache_write_1h_tokens,
            output_tokens: output,
            ..Usage::default()
        };
        let call = Served { requested: &model.model.id, served: &model.model.id, held_at_ms: start_ms };
        // A price may end within the year; then there is neither a hold nor a charge.
        if let Ok(held) = hold_bound(model, &bounds) {
            let charged = charge(&BOOK, &used, call).expect("what can be held can be charged");
            prop_assert!(charged.nano <= held, "{}: {} > {held}", model.model.id, charged.nano);
        }
    }

    /// Whatever an upstream says was used: it costs nothing or more, line by line, or it is refused as absurd.
    #[test]
    fn i16_no_quantity_makes_a_charge_negative(
        pick in any::<prop::sample::Index>(),
        counts in prop::array::uniform5(prop_oneof![0u64..5_000_000, Just(u64::from(u32::MAX)), Just(1 << 63), Just(u64::MAX)]),
    ) {
        let model = *pick.get(&sellable());
        let [input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens] = counts;
        let used = Usage {
            input_tokens, cache_read_tokens, cache_write_tokens, output_tokens,
            reasoning_tokens: reasoning_tokens.min(output_tokens),
            ..Usage::default()
        };
        let call = Served { requested: &model.model.id, served: &model.model.id, held_at_ms: NOW_MS };
        if let Ok(charged) = charge(&BOOK, &used, call) {
            prop_assert!(charged.nano >= NanoUsd::ZERO && charged.exact.pico() >= 0);
            prop_assert!(charged.lines.iter().all(|line| !line.credits.starts_with('-')), "{:?}", charged.lines);
        }
    }

    /// A charge is rounded down and a hold up, once, by less than one nano-USD.
    #[test]
    fn i17_rounding_is_once_and_by_less_than_a_nano(
        (input, output) in (0u64..1_200_000, 0u64..130_000),
        cents_of_a_cent in 1u64..100_000,
    ) {
        let usd = format!("{}.{:04}", cents_of_a_cent / 10_000, cents_of_a_cent % 10_000);
        let mut options = options();
        options.extra = vec![extra("odd", &[("input", &usd), ("output", &usd)]).listing("2026-11-24").expect("lists")];
        let book = book_with(&options);
        // 0.0001 USD per million tokens are 100 pico-USD a token.
        let exact_pico = i128::from(input + output) * i128::from(cents_of_a_cent) * 100;
        let used = Usage { input_tokens: input, output_tokens: output, ..Usage::default() };
        let call = Served { requested: "odd", served: "odd", held_at_ms: NOW_MS };
        let charged = charge(&book, &used, call).expect("is priced");
        prop_assert_eq!(charged.exact.pico(), exact_pico);
        prop_assert_eq!(i128::from(charged.nano.0), exact_pico / 1_000);
        let held = hold_bound(book.find("odd").expect("is in the book"), &bounds(input, output)).expect("is priced");
        prop_assert_eq!(i128::from(held.0), (exact_pico + 999) / 1_000);
    }

    #[test]
    fn what_is_affordable_fits_and_one_token_more_does_not(
        pick in any::<prop::sample::Index>(),
        input in 0u64..10_000,
        available in 0i64..1_000_000_000,
    ) {
        let model = *pick.get(&sellable());
        let most = bounds(input, 32_000);
        let tokens = affordable_output_tokens(model, &most, NanoUsd(available)).expect("is priced");
        let held = |output_tokens| hold_bound(model, &Bounds { output_tokens, ..most }).expect("is priced").0;
        if tokens > 0 {
            prop_assert!(held(tokens) <= available);
        }
        if tokens < 32_000 {
            // The input is rounded up on its own, which may cost one token.
            prop_assert!(held(tokens + 2) > available);
        }
    }
}
