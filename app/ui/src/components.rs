//! The parts pages are made of. All of them are plain functions of their arguments to HTML; none needs a script.

mod badge;
mod brand;
mod button;
mod chart;
mod code;
mod data;
mod form;
mod icon;
mod message;
mod navigation;
mod receipt;

pub use badge::{Badge, BadgeKind};
pub use brand::{Mark, Sparkle, Wordmark};
pub use button::{Button, ButtonKind, ButtonLink};
pub use chart::{Bar, BarChart, MOST_SERIES, Series, Sparkline, StackedChart, Swatch};
pub use code::{CodeBlock, CopyField};
pub use data::{Column, EmptyState, KeyValues, Stat, Stats, Table, TableFrame};
pub use form::{
    Checkbox, ErrorSummary, Field, FieldFault, Hidden, InputKind, Select, SelectOption, TextArea,
};
pub use icon::{Icon, IconName};
pub use message::{Callout, CalloutKind, Flash, FlashKind};
pub use navigation::{Breadcrumbs, Pagination, Tab, Tabs};
pub use receipt::{Receipt, ReceiptEquation, ReceiptLine, ReceiptLines};

use leptos::prelude::*;

/// A view that may be absent, as one type.
#[must_use]
pub fn when(condition: bool, view: impl FnOnce() -> AnyView) -> Option<AnyView> {
    condition.then(view)
}

/// Inserts a break opportunity after each `/ - _ . :` of an identifier; copying it stays clean.
#[must_use]
pub fn breakable(id: &str) -> AnyView {
    let parts: Vec<String> = id.split_inclusive(['/', '-', '_', '.', ':']).map(str::to_owned).collect();
    let last = parts.len().saturating_sub(1);
    let pieces = parts.into_iter().enumerate();
    pieces.map(|(index, part)| (part, (index < last).then(|| view! { <wbr/> }))).collect_view().into_any()
}
