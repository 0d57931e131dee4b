//! Icons from one sprite (Lucide, ISC licence). Decoration by default; the text beside it carries the meaning.

use crate::assets;
use leptos::prelude::*;

/// The icons in `public/icons/sprite.svg`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IconName {
    Alert,
    ArrowRight,
    Bell,
    Book,
    Check,
    Chart,
    ChevronDown,
    CircleCheck,
    CircleX,
    Copy,
    ExternalLink,
    Gauge,
    Info,
    Key,
    Layout,
    List,
    Menu,
    Monitor,
    Moon,
    Receipt,
    Search,
    Settings,
    Shield,
    Sun,
    Users,
    Wallet,
    X,
    Zap,
}

impl IconName {
    #[cfg(test)]
    const ALL: [Self; 28] = [
        Self::Alert,
        Self::ArrowRight,
        Self::Bell,
        Self::Book,
        Self::Check,
        Self::Chart,
        Self::ChevronDown,
        Self::CircleCheck,
        Self::CircleX,
        Self::Copy,
        Self::ExternalLink,
        Self::Gauge,
        Self::Info,
        Self::Key,
        Self::Layout,
        Self::List,
        Self::Menu,
        Self::Monitor,
        Self::Moon,
        Self::Receipt,
        Self::Search,
        Self::Settings,
        Self::Shield,
        Self::Sun,
        Self::Users,
        Self::Wallet,
        Self::X,
        Self::Zap,
    ];

    /// The symbol's id, which is Lucide's own name.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Alert => "triangle-alert",
            Self::ArrowRight => "arrow-right",
            Self::Bell => "bell",
            Self::Book => "book-open",
            Self::Check => "check",
            Self::Chart => "chart-column",
            Self::ChevronDown => "chevron-down",
            Self::CircleCheck => "circle-check",
            Self::CircleX => "circle-x",
            Self::Copy => "copy",
            Self::ExternalLink => "external-link",
            Self::Gauge => "gauge",
            Self::Info => "info",
            Self::Key => "key-round",
            Self::Layout => "layout-dashboard",
            Self::List => "list",
            Self::Menu => "menu",
            Self::Monitor => "monitor",
            Self::Moon => "moon",
            Self::Receipt => "receipt-text",
            Self::Search => "search",
            Self::Settings => "settings",
            Self::Shield => "shield-check",
            Self::Sun => "sun",
            Self::Users => "users",
            Self::Wallet => "wallet",
            Self::X => "x",
            Self::Zap => "zap",
        }
    }
}

#[component]
pub fn Icon(name: IconName) -> impl IntoView {
    let href = format!("{}#{}", assets::url("sprite.svg"), name.id());
    view! { <svg class="icon" width="20" height="20" aria-hidden="true" focusable="false"><use href=href></use></svg> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_icon_is_in_the_sprite() {
        let sprite = include_str!("../../../../public/icons/sprite.svg");
        for icon in IconName::ALL {
            assert!(sprite.contains(&format!("id=\"{}\"", icon.id())), "{icon:?} is missing from the sprite");
        }
    }
}
