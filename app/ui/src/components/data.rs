//! Facts on a page: tables, pairs, tiles, and what stands where there is nothing yet.

use leptos::prelude::*;

/// Frames a table: it scrolls inside its own box, and below 40rem its rows become cards, where each `<td>` is
/// labelled by its `data-label`. Put `class="num"` on cells that are compared.
#[component]
pub fn TableFrame(#[prop(into)] caption: String, children: Children) -> impl IntoView {
    view! {
        <div class="table-frame">
            <table class="table">
                <caption class="visually-hidden">{caption}</caption>
                {children()}
            </table>
        </div>
    }
}

/// The head of a column.
#[derive(Clone, Copy, Debug)]
pub enum Column {
    Text(&'static str),
    /// Of cells that are compared.
    Number(&'static str),
}

/// A table with a head: `rows` are `<tr>`s, as [`TableFrame`] wants them.
#[component]
pub fn Table(#[prop(into)] caption: String, columns: Vec<Column>, rows: Vec<AnyView>) -> impl IntoView {
    let heads = columns.into_iter().map(|column| match column {
        Column::Text(label) => view! { <th scope="col">{label}</th> }.into_any(),
        Column::Number(label) => view! { <th scope="col" class="num">{label}</th> }.into_any(),
    });
    let heads = heads.collect_view();
    view! { <TableFrame caption=caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></TableFrame> }
}

/// Pairs of a name and a value.
#[component]
pub fn KeyValues(pairs: Vec<(String, AnyView)>) -> impl IntoView {
    let rows = pairs.into_iter().map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> });
    view! { <dl class="pairs">{rows.collect_view()}</dl> }
}

/// A row of tiles.
#[component]
pub fn Stats(children: Children) -> impl IntoView {
    view! { <dl class="stats">{children()}</dl> }
}

/// One number and what it means.
#[component]
pub fn Stat(
    #[prop(into)] label: String,
    #[prop(into)] value: String,
    #[prop(optional, into)] unit: Option<String>,
    #[prop(optional, into)] note: Option<String>,
    /// Where the number is explained.
    #[prop(optional, into)]
    href: Option<String>,
) -> impl IntoView {
    let label = match href {
        Some(href) => view! { <a href=href>{label}</a> }.into_any(),
        None => label.into_any(),
    };
    view! {
        <div class="stat">
            <dt>{label}</dt>
            <dd class="stat-value"><span class="num">{value}</span>{unit.map(|unit| view! { " " <span class="unit">{unit}</span> })}</dd>
            {note.map(|note| view! { <dd class="stat-note">{note}</dd> })}
        </div>
    }
}

/// Nothing here yet: what will be, and the one thing to do.
#[component]
pub fn EmptyState(#[prop(into)] title: String, children: Children) -> impl IntoView {
    view! {
        <div class="empty">
            <crate::components::Sparkle/>
            <h2>{title}</h2>
            {children()}
        </div>
    }
}
