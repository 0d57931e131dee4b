//! The wordmark, its short form, and the sparkle. Only the K carries the gradient.

use leptos::prelude::*;

/// B y t e S p i K e, drawn.
/// `gradient` is the id of the K's gradient; a page that shows the wordmark twice gives each its own.
#[component]
pub fn Wordmark(#[prop(default = "wordmark-k")] gradient: &'static str) -> impl IntoView {
    view! {
        <svg class="wordmark" viewBox="0 11 689 140" role="img" aria-label="ByteSpike" translate="no">
            <KGradient id=gradient/>
            <g class="ink" fill="currentColor" stroke="none">
                <path d="M82 48h23.5l16.5 42 16.5-42H162l-39.2 100H99.3l10.95-28z"></path>
                <path d="M487 48h21v72h-21zM497.5 11c1.2 9.9 6.6 15.3 16.5 16.5-9.9 1.2-15.3 6.6-16.5 16.5-1.2-9.9-6.6-15.3-16.5-16.5 9.9-1.2 15.3-6.6 16.5-16.5z"></path>
            </g>
            <g fill="none" stroke="currentColor" stroke-width="21">
                <path d="M10.5 109.5v-79H42a18.5 18.5 0 0 1 0 37H10.5M42 67.5h4a21 21 0 0 1 0 42H0"></path>
                <path d="M189.5 26v66a17.5 17.5 0 0 0 17.5 17.5h14M167 58.5h54"></path>
                <path d="M290.5 84A25.5 25.5 0 1 0 282.5 103"></path>
                <path d="M376 47c-4-11-14-16.5-27-16.5-16 0-27 8-27 19.5 0 13 11 16.5 27 19.500s27.5 7.5 27.5 20.500c0 12-12 19.5-27.5 19.5-14 0-24.5-6-28.5-17.5"></path>
                <path d="M405.5 48v100M415.5 84a25.5 25.5 0 1 1 51 0 25.5 25.5 0 1 1-51 0z"></path>
                <path d="M678.5 84A25.5 25.5 0 1 0 670.5 103"></path>
            </g>
            <path d="M247 85.500h54M635 85.500h54" fill="none" stroke="currentColor" stroke-width="16"></path>
            <path d=K transform="translate(524 0)" fill=format!("url(#{gradient})")></path>
        </svg>
    }
}

/// The K by itself, for tight places.
#[component]
pub fn Mark(#[prop(default = "mark-k")] gradient: &'static str) -> impl IntoView {
    view! {
        <svg class="mark" viewBox="-6 15 100 110" aria-hidden="true">
            <KGradient id=gradient/>
            <path d=K fill=format!("url(#{gradient})")></path>
        </svg>
    }
}

/// Stem and two arms, 87 wide, from 20 down to 120.
const K: &str = "M0 20h21v46.900L58 20h26.500L47 67.5 87 120H60L33.260 84.9 21 100.400V120H0z";

/// Mint where the spark strikes, teal at 43 %, cobalt at the end.
#[component]
fn KGradient(id: &'static str) -> impl IntoView {
    view! {
        <radialGradient id=id gradientUnits="userSpaceOnUse" cx="84" cy="20" r="128">
            <stop offset="0" stop-color="#3aeede"></stop>
            <stop offset=".43" stop-color="#3ae1e0"></stop>
            <stop offset="1" stop-color="#3964ef"></stop>
        </radialGradient>
    }
}

/// A four-pointed spark; decoration.
#[component]
pub fn Sparkle() -> impl IntoView {
    view! {
        <svg class="sparkle" width="24" height="24" viewBox="0 0 24 24" aria-hidden="true">
            <path d="M12 0c.9 7.2 4.8 11.1 12 12-7.2.9-11.1 4.8-12 12-.9-7.2-4.8-11.1-12-12C7.2 11.1 11.1 7.2 12 0z"></path>
        </svg>
    }
}
