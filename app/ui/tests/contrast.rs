//! Colours that stand on each other can be told apart: WCAG 2.2 ratios over the tokens, in both themes.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should stop")]

use toml::Table;

/// Body text, large text and parts of controls (WCAG 1.4.3 and 1.4.11).
const TEXT: f64 = 4.5;
const SHAPE: f64 = 3.0;

const PAIRS: [(&str, &str, f64); 33] = [
    ("text", "page", TEXT),
    ("text", "raised", TEXT),
    ("text", "sunken", TEXT),
    ("text-soft", "page", TEXT),
    ("text-soft", "raised", TEXT),
    ("text-soft", "sunken", TEXT),
    ("text-faint", "page", TEXT),
    ("text-faint", "raised", TEXT),
    ("text-faint", "sunken", TEXT),
    ("link", "page", TEXT),
    ("link", "sunken", TEXT),
    ("link", "accent-wash", TEXT),
    ("link", "warning-wash", TEXT),
    ("accent-text", "page", TEXT),
    ("accent-text", "sunken", TEXT),
    ("accent-text", "accent-wash", TEXT),
    ("button-text", "button", TEXT),
    ("button-text", "button-hover", TEXT),
    ("danger", "page", TEXT),
    ("danger", "danger-wash", TEXT),
    ("warning", "warning-wash", TEXT),
    ("warning", "sunken", TEXT),
    ("text", "warning-wash", TEXT),
    ("text", "accent-wash", TEXT),
    ("line-strong", "raised", SHAPE),
    ("focus", "page", SHAPE),
    ("focus", "sunken", SHAPE),
    ("series-1", "page", SHAPE),
    ("series-2", "page", SHAPE),
    ("series-3", "page", SHAPE),
    ("series-4", "page", SHAPE),
    ("series-5", "page", SHAPE),
    ("series-6", "page", SHAPE),
];

#[test]
fn every_pair_is_readable_in_both_themes() {
    let tokens: Table = include_str!("../../../style/tokens.toml").parse().unwrap();
    for theme in ["light", "dark"] {
        let colours = tokens[theme].as_table().unwrap();
        for (front, back, least) in PAIRS {
            let ratio = ratio(luminance(&colours[front]), luminance(&colours[back]));
            assert!(ratio >= least, "{theme}: {front} on {back} is {ratio:.2}, less than {least}");
        }
    }
}

#[test]
fn both_themes_define_the_same_tokens() {
    let tokens: Table = include_str!("../../../style/tokens.toml").parse().unwrap();
    let names = |theme: &str| tokens[theme].as_table().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names("light"), names("dark"));
}

#[test]
fn black_on_white_is_21() {
    assert!((ratio(0.0, 1.0) - 21.0).abs() < 1e-9);
}

fn ratio(one: f64, other: f64) -> f64 {
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Relative luminance of `#rrggbb`, as WCAG defines it.
fn luminance(colour: &toml::Value) -> f64 {
    let hex = colour.as_str().and_then(|text| text.strip_prefix('#')).expect("a colour as #rrggbb");
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}
