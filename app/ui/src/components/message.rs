//! Things the page has to say: a notice after an action, and a remark inside the text.

use crate::components::{Icon, IconName};
use leptos::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlashKind {
    Done,
    Problem,
}

/// A one-time notice above the content.
#[component]
pub fn Flash(kind: FlashKind, #[prop(into)] text: String) -> impl IntoView {
    let (class, role, icon) = match kind {
        FlashKind::Done => ("flash done", "status", IconName::CircleCheck),
        FlashKind::Problem => ("flash problem", "alert", IconName::Alert),
    };
    view! { <div class=class role=role><Icon name=icon/><p>{text}</p></div> }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalloutKind {
    Note,
    Tip,
    Warning,
}

/// A remark set off from the text.
#[component]
pub fn Callout(
    kind: CalloutKind,
    #[prop(optional, into)] title: Option<String>,
    children: Children,
) -> impl IntoView {
    let (class, icon) = match kind {
        CalloutKind::Note => ("callout note", IconName::Info),
        CalloutKind::Tip => ("callout tip", IconName::Zap),
        CalloutKind::Warning => ("callout warning", IconName::Alert),
    };
    view! {
        <div class=class role="note">
            <Icon name=icon/>
            <div>{title.map(|title| view! { <p class="callout-title">{title}</p> })}{children()}</div>
        </div>
    }
}
