//! Pictures, sound, video, characters and rerank units: what they hold and what they cost.
use crate::support::{HOUR_MS, NOW_MS, book};
use bytespike_catalog::media::video_tokens;
use bytespike_catalog::price::Unit;
use bytespike_catalog::usage::MAX_QUANTITY;
use bytespike_catalog::{
    Bounds, Component, Kind, Label, Media, NanoUsd, PriceBook, PriceError, PricedModel, Served, Usage,
    charge, hold_bound,
};
use proptest::prelude::*;
use std::sync::LazyLock;

static BOOK: LazyLock<PriceBook> = LazyLock::new(book);

fn sized(size: &str) -> Kind {
    Kind { size: Label::new(size), ..Kind::default() }
}

fn usage(media: Media) -> Usage {
    Usage { media: Some(media), ..Usage::default() }
}

fn bounds(media: Media) -> Bounds {
    Bounds { media: Some(media), answers: 1, start_ms: NOW_MS, deadline_ms: NOW_MS, ..Bounds::default() }
}

fn cost(id: &str, used: &Usage) -> Result<i64, PriceError> {
    let call = Served { requested: id, served: id, held_at_ms: NOW_MS };
    charge(&BOOK, used, call).map(|charge| charge.nano.0)
}

fn hold(id: &str, bounds: &Bounds) -> Result<i64, PriceError> {
    hold_bound(BOOK.find(id).expect("is listed"), bounds).map(|held| held.0)
}

/// The same quantities held and charged.
fn exact(id: &str, media: Media) -> i64 {
    let held = hold(id, &bounds(media)).expect("is priced");
    assert_eq!(cost(id, &usage(media)), Ok(held), "a media call costs what it held");
    held
}

#[test]
fn a_picture_costs_by_its_size() {
    let images = |kind, images| Media { kind, images, ..Media::default() };
    assert_eq!(exact("seedream-4.5", images(Kind::default(), 3)), 120_000_000, "3 × $0.04");
    assert_eq!(exact("gemini-2.5-flash-image", images(sized("1024X1024"), 1)), 39_000_000);
    let wrong = images(sized("8K"), 1);
    let missing =
        PriceError::Missing { model: "gemini-2.5-flash-image".to_owned(), component: Component::Image };
    assert_eq!(cost("gemini-2.5-flash-image", &usage(wrong)), Err(missing.clone()));
    assert_eq!(hold("gemini-2.5-flash-image", &bounds(wrong)), Err(missing), "never a default");
}

#[test]
fn a_picture_billed_in_tokens_is_not_billed_again_as_a_picture() {
    let media = Media { images: 1, image_output_tokens: 1_000, image_input_tokens: 100, ..Media::default() };
    let used = Usage { input_tokens: 10, ..usage(media) };
    // 10 × $5/M + 100 × $8/M + 1,000 × $30/M.
    assert_eq!(cost("gpt-image-2.6-flare", &used), Ok(50_000 + 800_000 + 30_000_000));
    let uncounted = Media { images: 1, ..Media::default() };
    assert_eq!(
        cost("gpt-image-2.6-flare", &usage(uncounted)),
        Err(PriceError::Uncounted {
            model: "gpt-image-2.6-flare".to_owned(),
            component: Component::ImageOutput,
            unit: Unit::Token
        }),
        "tokens nobody counted are not nothing"
    );
}

#[test]
fn a_video_costs_by_its_seconds_or_its_tokens() {
    let veo = |audio| Media {
        kind: Kind { audio: Some(audio), ..sized("1080p") },
        video_ms: 8_000,
        ..Media::default()
    };
    assert_eq!(exact("veo-3.1-generate", veo(true)), 3_200_000_000, "8 s × $0.40");
    assert!(cost("veo-3.1-generate", &usage(veo(false))).is_err(), "a silent one is not on the list");
    // A 5 s 720p video without video input: 5 × 21,600 tokens at ¥46/M, 7.00 CNY a dollar.
    let tokens = video_tokens(1280, 720, 24, 5_000).expect("fits");
    let seedance = |video_input| Media {
        kind: Kind { video_input, ..sized("720p") },
        video_tokens: tokens,
        ..Media::default()
    };
    let list = ("doubao-seedance-2-0-fast-260128", BOOK.find("doubao-seedance-2-0-fast-260128"));
    let price = |input| {
        let prices = &list.1.expect("is listed").prices;
        let found = prices.iter().find(|row| row.list.tier.video_input == Some(input));
        found.expect("has a price").usd_pico.0
    };
    let tokens = i64::try_from(tokens).expect("fits");
    assert_eq!(exact(list.0, seedance(Some(false))), tokens * price(false) / 1_000);
    assert_eq!(
        hold(list.0, &bounds(seedance(None))),
        hold(list.0, &bounds(seedance(Some(false)))),
        "what is not known yet is held at its dearest"
    );
}

#[test]
fn sound_costs_by_the_millisecond_at_a_price_per_minute_or_second() {
    let heard = |audio_input_ms| Media { audio_input_ms, ..Media::default() };
    assert_eq!(exact("gpt-transcribe", heard(60_000)), 4_500_000, "$0.0045 a minute");
    // A millisecond is 75 nano-USD exactly.
    assert_eq!(exact("gpt-transcribe", heard(1)), 75);
    let charged = charge(
        &BOOK,
        &usage(heard(90_000)),
        Served { requested: "gpt-transcribe", served: "gpt-transcribe", held_at_ms: NOW_MS },
    )
    .expect("is priced");
    let line = &charged.lines[0];
    assert_eq!((line.qty.as_str(), line.qty_per_unit, line.credits.as_str()), ("90000", 60_000, "6750.000"));
}

#[test]
fn speech_costs_by_the_character_whatever_its_tokens() {
    let used = Usage { input_tokens: 7, ..usage(Media { characters: 1_000, ..Media::default() }) };
    assert_eq!(cost("tts-1", &used), Ok(15_000_000), "$0.015 per 1,000 characters");
    let uncounted = Usage { input_tokens: 7, ..Usage::default() };
    assert!(matches!(cost("tts-1", &uncounted), Err(PriceError::Uncounted { .. })));
    let spoken = Usage {
        input_tokens: 1_000,
        ..usage(Media { audio_output_tokens: 2_000, audio_output_ms: 9_000, ..Media::default() })
    };
    assert_eq!(
        cost("gpt-4o-mini-tts", &spoken),
        Ok(2_500_000 + 24_000_000),
        "the minutes restate the tokens"
    );
}

#[test]
fn embeddings_of_anything_and_reranking_are_priced() {
    let media = Media { image_inputs: 2, audio_input_ms: 3_000, video_input_ms: 1_000, ..Media::default() };
    let used = Usage { input_tokens: 1_000, ..usage(media) };
    assert_eq!(cost("gemini-embedding-2", &used), Ok(200_000 + 240_000 + 480_000 + 790_000));
    let reranked = Usage { input_tokens: 10_000, ..Usage::default() };
    assert_eq!(cost("qwen3-rerank", &reranked), Ok(1_000_000));
}

#[test]
fn s106_the_edges_of_every_number_are_refused_and_never_wrap() {
    let huge = Media { images: 1 << 31, ..Media::default() };
    assert_eq!(
        hold("seedream-4.5", &bounds(huge)),
        Err(PriceError::TooLarge),
        "2^31 pictures are $86 million"
    );
    for beyond in [MAX_QUANTITY + 1, u64::MAX, i64::MAX.unsigned_abs()] {
        for media in [
            Media { images: beyond, ..Media::default() },
            Media { video_ms: beyond, ..Media::default() },
            Media { characters: beyond, ..Media::default() },
            Media { rerank_units: beyond, ..Media::default() },
        ] {
            assert_eq!(hold("seedream-4.5", &bounds(media)), Err(PriceError::TooLarge));
            assert!(matches!(cost("seedream-4.5", &usage(media)), Err(PriceError::Implausible(_))));
        }
    }
}

fn media_models() -> Vec<&'static PricedModel> {
    BOOK.models().filter(|model| model.sellable(NOW_MS).is_ok()).collect()
}

fn quantities() -> impl Strategy<Value = [u64; 15]> {
    prop::array::uniform15(prop_oneof![3 => Just(0u64), 2 => 0u64..2_000])
}

fn media(kind: Kind, q: [u64; 15]) -> Media {
    let [
        images,
        image_output_tokens,
        image_inputs,
        image_input_tokens,
        image_input_cached_tokens,
        characters,
        audio_input_ms,
        audio_input_tokens,
        audio_output_ms,
        audio_output_tokens,
        videos,
        video_ms,
        video_tokens,
        video_input_ms,
        rerank_units,
    ] = q;
    Media {
        kind,
        images,
        image_output_tokens,
        image_inputs,
        image_input_tokens,
        image_input_cached_tokens,
        characters,
        audio_input_ms,
        audio_input_tokens,
        audio_output_ms,
        audio_output_tokens,
        videos,
        video_ms,
        video_tokens,
        video_input_ms,
        rerank_units,
    }
}

/// One of the kinds the model lists, so that most cases have a price.
fn kind_of(model: &PricedModel, pick: usize) -> Kind {
    let tiers: Vec<_> = model.prices.iter().map(|price| &price.list.tier).collect();
    let Some(tier) = tiers.get(pick % tiers.len().max(1)) else { return Kind::default() };
    Kind {
        size: tier.sizes.first().and_then(|size| Label::new(size)),
        quality: tier.quality.as_deref().and_then(Label::new),
        audio: tier.audio,
        video_input: tier.video_input,
    }
}

proptest! {
    /// For every model, whatever it bills: a usage within the bounds never costs more than was held for them.
    #[test]
    fn i15_holds_for_media_as_well(
        pick in any::<prop::sample::Index>(),
        kind in any::<usize>(),
        most in quantities(),
        share in 0u64..=100,
        is_kind_open in any::<bool>(),
        start_ms in NOW_MS..NOW_MS + 365 * 24 * HOUR_MS,
    ) {
        let model = *pick.get(&media_models());
        let kind = kind_of(model, kind);
        let held_kind = if is_kind_open { Kind::default() } else { kind };
        let of_bounds = Bounds {
            input_tokens: most[5],
            output_tokens: most[1],
            start_ms,
            deadline_ms: start_ms + HOUR_MS,
            ..bounds(media(held_kind, most))
        };
        let used = Usage {
            input_tokens: most[5] * share / 100,
            output_tokens: most[1] * share / 100,
            ..usage(media(kind, most.map(|quantity| if quantity > 0 { (quantity * share / 100).max(1) } else { 0 })))
        };
        let call = Served { requested: &model.model.id, served: &model.model.id, held_at_ms: start_ms };
        if let (Ok(held), Ok(charged)) = (hold_bound(model, &of_bounds), charge(&BOOK, &used, call)) {
            prop_assert!(charged.nano <= held, "{}: {} > {held}", model.model.id, charged.nano);
            // I16: no negative line, each thing in one line.
            prop_assert!(charged.nano >= NanoUsd::ZERO);
            let mut seen = std::collections::BTreeSet::new();
            for line in &charged.lines {
                prop_assert!(seen.insert((line.component, line.qty.clone(), line.unit)), "{line:?} twice");
            }
        }
    }

    /// More of anything never costs less.
    #[test]
    fn a_charge_grows_with_its_quantities(
        pick in any::<prop::sample::Index>(),
        kind in any::<usize>(),
        less in quantities(),
        which in 0usize..15,
        more in 1u64..1_000,
    ) {
        let model = *pick.get(&media_models());
        let kind = kind_of(model, kind);
        let mut greater = less;
        greater[which] += more;
        let call = Served { requested: &model.model.id, served: &model.model.id, held_at_ms: NOW_MS };
        let cost = |q| charge(&BOOK, &usage(media(kind, q)), call).map(|charge| charge.exact);
        if let (Ok(one), Ok(other)) = (cost(less), cost(greater)) {
            prop_assert!(other >= one, "{}", model.model.id);
        }
    }

    /// What can be held can be charged: a request that got past its hold is never free for want of a price.
    #[test]
    fn what_can_be_held_can_be_charged(
        pick in any::<prop::sample::Index>(),
        kind in any::<usize>(),
        most in quantities(),
    ) {
        let model = *pick.get(&media_models());
        let media = media(kind_of(model, kind), most);
        if hold_bound(model, &bounds(media)).is_ok() {
            let call = Served { requested: &model.model.id, served: &model.model.id, held_at_ms: NOW_MS };
            prop_assert!(charge(&BOOK, &usage(media), call).is_ok(), "{}: {media:?}", model.model.id);
        }
    }
}
