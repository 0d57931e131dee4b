//! Mistakes that others made with prices, each as a test by its name.
use crate::support::{NOW_MS, book, charge_at, usage};
use bytespike_catalog::{Bounds, PriceError, Served, Usage, charge, hold_bound};

/// A model without a price is let through at nothing, or at a default.
#[test]
fn museum_fail_open_when_a_price_is_unknown() {
    assert!(matches!(charge_at("no-such-model", &usage(1, 0, 1), NOW_MS), Err(PriceError::UnknownModel(_))));
    let searching = Usage { searches: 1, ..usage(1, 0, 1) };
    assert!(matches!(charge_at("gpt-6-luna", &searching, NOW_MS), Err(PriceError::Missing { .. })));
}

/// What is held leaves out the upper step, the dearer cache writes, or all answers but one.
#[test]
fn museum_hold_below_the_true_maximum() {
    let book = book();
    let held = |bounds: &Bounds| {
        hold_bound(book.find("claude-haiku-5-5").expect("is in the book"), bounds).expect("is priced").0
    };
    let plain = Bounds {
        input_tokens: 90_000,
        output_tokens: 1_000,
        answers: 1,
        start_ms: NOW_MS,
        deadline_ms: NOW_MS,
        ..Bounds::default()
    };
    let above = Usage { input_tokens: 100_001, ..Usage::default() };
    let call = Served { requested: "claude-haiku-5-5", served: "claude-haiku-5-5", held_at_ms: NOW_MS };
    let dearer = charge(&book, &above, call).expect("is priced").nano.0 / 100_001;
    assert!(held(&plain) >= dearer * 90_000, "it may turn out above the step");
    assert!(held(&Bounds { answers: 3, ..plain }) > held(&plain));
    assert!(held(&Bounds { marks_cache_1h: true, ..plain }) > held(&plain));
}

/// A quantity so large that the product wraps around becomes a credit to whoever sends it.
#[test]
fn museum_quantity_overflow() {
    let book = book();
    let model = book.find("claude-sonnet-5-5").expect("is in the book");
    for (output_tokens, answers) in [(u64::MAX, 1), (1 << 32, u32::MAX), (1 << 31, 1 << 31)] {
        let bounds =
            Bounds { output_tokens, answers, start_ms: NOW_MS, deadline_ms: NOW_MS, ..Bounds::default() };
        assert_eq!(hold_bound(model, &bounds), Err(PriceError::TooLarge), "{output_tokens} {answers}");
    }
    let absurd = Usage { output_tokens: u64::MAX, ..Usage::default() };
    assert!(charge_at("claude-sonnet-5-5", &absurd, NOW_MS).is_err());
}
