//! Buttons that do, and links that look like them and lead somewhere.

use leptos::prelude::*;

/// One primary per view; danger only where something is destroyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ButtonKind {
    Primary,
    #[default]
    Secondary,
    Quiet,
    Danger,
    /// The last step of what cannot be undone.
    Final,
}

impl ButtonKind {
    const fn class(self) -> &'static str {
        match self {
            Self::Primary => "button primary",
            Self::Secondary => "button",
            Self::Quiet => "button quiet",
            Self::Danger => "button danger",
            Self::Final => "button danger solid",
        }
    }
}

/// A submit button. `name` and `value` are sent when it is the one pressed.
#[component]
pub fn Button(
    #[prop(optional)] kind: ButtonKind,
    #[prop(optional, into)] name: Option<String>,
    #[prop(optional, into)] value: Option<String>,
    children: Children,
) -> impl IntoView {
    view! { <button type="submit" class=kind.class() name=name value=value>{children()}</button> }
}

#[component]
pub fn ButtonLink(
    #[prop(optional)] kind: ButtonKind,
    #[prop(into)] href: String,
    children: Children,
) -> impl IntoView {
    view! { <a class=kind.class() href=href>{children()}</a> }
}
