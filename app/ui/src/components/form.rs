//! Form parts with their label, hint and fault wired together, after the pattern of GOV.UK: a summary above that
//! links to each field, the fault beside the field, values kept.

use crate::Locale;
use leptos::prelude::*;

/// A field's fault: the field's id and what to do about it.
#[derive(Clone, Debug)]
pub struct FieldFault {
    pub field: String,
    pub message: String,
}

/// What an `<input>` takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InputKind {
    #[default]
    Text,
    Email,
    Password,
    Search,
    /// A whole or decimal number, typed as text so that every language's habits reach the server.
    Number,
}

impl InputKind {
    const fn html(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Text => ("text", None),
            Self::Email => ("email", Some("email")),
            Self::Password => ("password", None),
            Self::Search => ("search", Some("search")),
            Self::Number => ("text", Some("decimal")),
        }
    }
}

/// One line of text. `id` is also its name. A password's value is never printed, whatever is passed.
#[component]
pub fn Field(
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    #[prop(optional)] kind: InputKind,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional, into)] fault: Option<String>,
    #[prop(optional, into)] autocomplete: Option<&'static str>,
    #[prop(optional, into)] placeholder: Option<String>,
    #[prop(optional)] max_length: Option<u32>,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    let wiring = Wiring::new(&id, hint, fault);
    let (html_type, mode) = kind.html();
    let value = Some(value).filter(|value| kind != InputKind::Password && !value.is_empty());
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            {wiring.hint}
            {wiring.fault}
            <input
                id=id.clone() name=id type=html_type inputmode=mode value=value placeholder=placeholder
                autocomplete=autocomplete maxlength=max_length required=required
                aria-describedby=wiring.described_by aria-invalid=wiring.invalid
            />
        </div>
    }
}

/// Several lines of text. Escaped here, because the view layer leaves a textarea's content as it is.
#[component]
pub fn TextArea(
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] value: Option<String>,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional, into)] fault: Option<String>,
    #[prop(default = 5)] rows: u32,
) -> impl IntoView {
    let wiring = Wiring::new(&id, hint, fault);
    // A parser drops one newline right after the tag, so one is given to drop.
    let content = value.map_or_else(String::new, |value| format!("\n{}", crate::page::escape(&value)));
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            {wiring.hint}
            {wiring.fault}
            <textarea
                id=id.clone() name=id rows=rows
                aria-describedby=wiring.described_by aria-invalid=wiring.invalid
                inner_html=content
            ></textarea>
        </div>
    }
}

/// A choice in a [`Select`].
#[derive(Clone, Debug)]
pub struct SelectOption {
    pub value: String,
    pub label: String,
    /// Shown and not to be chosen; the label says why.
    pub is_disabled: bool,
}

impl SelectOption {
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), is_disabled: false }
    }

    /// One that is not to be chosen.
    pub fn disabled(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { is_disabled: true, ..Self::new(value, label) }
    }
}

#[component]
pub fn Select(
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    options: Vec<SelectOption>,
    /// The value of the option that is chosen.
    #[prop(optional, into)]
    selected: Option<String>,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional, into)] fault: Option<String>,
) -> impl IntoView {
    let wiring = Wiring::new(&id, hint, fault);
    let choices = options.into_iter().map(move |option| {
        let is_selected = Some(&option.value) == selected.as_ref();
        view! { <option value=option.value selected=is_selected disabled=option.is_disabled>{option.label}</option> }
    });
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            {wiring.hint}
            {wiring.fault}
            <select id=id.clone() name=id aria-describedby=wiring.described_by aria-invalid=wiring.invalid>
                {choices.collect_view()}
            </select>
        </div>
    }
}

#[component]
pub fn Checkbox(
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    #[prop(optional)] checked: bool,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional, into)] fault: Option<String>,
) -> impl IntoView {
    let wiring = Wiring::new(&id, hint, fault);
    view! {
        <div class="field checkbox">
            <input
                id=id.clone() name=id.clone() type="checkbox" value="on" checked=checked
                aria-describedby=wiring.described_by aria-invalid=wiring.invalid
            />
            <label for=id>{label}</label>
            {wiring.hint}
            {wiring.fault}
        </div>
    }
}

/// A value the form carries unseen: a CSRF token, an idempotency key.
#[component]
pub fn Hidden(#[prop(into)] name: String, #[prop(into)] value: String) -> impl IntoView {
    view! { <input type="hidden" name=name value=value/> }
}

/// What is wrong with the form, above it, each line leading to its field. Nothing when there is no fault.
#[component]
pub fn ErrorSummary(locale: Locale, faults: Vec<FieldFault>) -> impl IntoView {
    let is_needed = !faults.is_empty();
    let lines = faults.into_iter().map(|fault| {
        let href = format!("#{}", fault.field);
        view! { <li><a href=href>{fault.message}</a></li> }
    });
    let lines = lines.collect_view();
    is_needed.then(|| {
        view! {
            <div class="error-summary" role="alert" tabindex="-1" autofocus aria-labelledby="error-summary-title">
                <h2 id="error-summary-title">{locale.t().common.form.summary_title}</h2>
                <ul>{lines}</ul>
            </div>
        }
    })
}

/// The ids that tie a field to its hint and fault.
struct Wiring {
    hint: Option<AnyView>,
    fault: Option<AnyView>,
    described_by: Option<String>,
    invalid: Option<&'static str>,
}

impl Wiring {
    fn new(id: &str, hint: Option<String>, fault: Option<String>) -> Self {
        let (hint_id, fault_id) = (format!("{id}-hint"), format!("{id}-error"));
        let ids: Vec<String> =
            [hint.as_ref().map(|_| hint_id.clone()), fault.as_ref().map(|_| fault_id.clone())]
                .into_iter()
                .flatten()
                .collect();
        Self {
            invalid: fault.as_ref().map(|_| "true"),
            described_by: (!ids.is_empty()).then(|| ids.join(" ")),
            hint: hint.map(|text| view! { <p class="hint" id=hint_id>{text}</p> }.into_any()),
            fault: fault.map(|text| view! { <p class="fault" id=fault_id>{text}</p> }.into_any()),
        }
    }
}
