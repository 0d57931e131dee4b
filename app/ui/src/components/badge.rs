//! A state in a word. Each kind has its own shape before the text, so that colour is never the only difference.

use leptos::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadgeKind {
    /// Filled disc: works, live, landed.
    Live,
    /// Ring: estimate, not wired, not billed.
    Muted,
    /// Half disc: pending, running.
    Pending,
    /// Triangle: needs attention.
    Warning,
    /// Square: failed, revoked.
    Danger,
    /// No shape: a plain label.
    Plain,
}

impl BadgeKind {
    const fn class(self) -> &'static str {
        match self {
            Self::Live => "badge live",
            Self::Muted => "badge muted",
            Self::Pending => "badge pending",
            Self::Warning => "badge warning",
            Self::Danger => "badge danger",
            Self::Plain => "badge plain",
        }
    }

    fn shape(self) -> Option<AnyView> {
        let inner = match self {
            Self::Live => view! { <circle cx="5" cy="5" r="4" fill="currentColor"></circle> }.into_any(),
            Self::Muted => {
                view! { <circle cx="5" cy="5" r="3.25" fill="none" stroke="currentColor" stroke-width="1.5"></circle> }
                    .into_any()
            }
            Self::Pending => view! {
                <circle cx="5" cy="5" r="3.25" fill="none" stroke="currentColor" stroke-width="1.5"></circle>
                <path d="M5 1.75a3.25 3.25 0 0 1 0 6.5z" fill="currentColor"></path>
            }
            .into_any(),
            Self::Warning => view! { <path d="M5 1 9.3 8.8H.7z" fill="currentColor"></path> }.into_any(),
            Self::Danger => {
                view! { <rect x="1.5" y="1.5" width="7" height="7" rx="1" fill="currentColor"></rect> }.into_any()
            }
            Self::Plain => return None,
        };
        Some(
            view! { <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">{inner}</svg> }
                .into_any(),
        )
    }
}

#[component]
pub fn Badge(kind: BadgeKind, #[prop(into)] label: String) -> impl IntoView {
    view! { <span class=kind.class()>{kind.shape()}<span>{label}</span></span> }
}
