//! The wordmark, its short form, and the sparkle. Only the K carries the gradient.

use leptos::prelude::*;

/// B y t e S p i K e, drawn.
#[component]
pub fn Wordmark() -> impl IntoView {
    view! {
        <svg class="wordmark" viewBox="0 0 640 140" role="img" aria-label="ByteSpike" translate="no">
            <text x="0" y="110">"ByteSpike"</text>
        </svg>
    }
}

/// The K by itself, for tight places.
#[component]
pub fn Mark() -> impl IntoView {
    view! { <svg class="mark" viewBox="0 0 100 100" aria-hidden="true"></svg> }
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
