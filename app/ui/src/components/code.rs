//! Code to read and to take along. The copy button is added by a module; without it the text selects with one click.

use crate::Locale;
use crate::highlight::highlight;
use leptos::prelude::*;

/// A block of code with a title line. `code` is shown exactly, in the colours of `language` (see [`highlight`]).
#[component]
#[expect(clippy::needless_pass_by_value, reason = "a component owns its properties")]
pub fn CodeBlock(
    locale: Locale,
    #[prop(into)] title: String,
    language: &'static str,
    #[prop(into)] code: String,
) -> impl IntoView {
    let t = &locale.t().common.copy;
    let html = highlight(language, &code);
    view! {
        <figure class="code" data-copy=t.copy data-copied=t.copied>
            <figcaption>{title.clone()}</figcaption>
            <pre tabindex="0" role="group" aria-label=title translate="no"><code inner_html=html></code></pre>
        </figure>
    }
}

/// Text to take along: a key shown once, a base URL. It wraps, so that all of it can be read, and one click selects it.
#[component]
pub fn CopyField(
    locale: Locale,
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    #[prop(into)] value: String,
) -> impl IntoView {
    let t = &locale.t().common.copy;
    view! {
        <div class="field copy-field" data-copy=t.copy data-copied=t.copied>
            <label for=id.clone()>{label}</label>
            <div class="with-button">
                <output id=id class="copy-text" translate="no">{value}</output>
            </div>
        </div>
    }
}
