//! Forms: what was typed, what is wrong with it, and the check that it came from one of our pages.
pub(crate) mod amount;
pub(crate) mod posted;
pub(crate) mod words;

pub(crate) use posted::{SignedPost, VisitorPost};

use bytespike_ui::Locale;
use bytespike_ui::components::{ErrorSummary, FieldFault};
use leptos::prelude::*;

/// The fields of a form with their faults. Values are shown again when a form is refused, passwords never.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    fields: Vec<(String, String)>,
    faults: Vec<FieldFault>,
}

impl Form {
    pub fn new(fields: Vec<(String, String)>) -> Self {
        Self { fields, faults: Vec::new() }
    }

    /// A form that opens with something in it.
    pub fn filled<'a>(fields: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        Self::new(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Every field that came, in its order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What a field holds; nothing when the form came without it.
    pub fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// What every field of this name holds: boxes that were ticked.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every field that holds something.
    pub fn said(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        pairs.filter(|(_, value)| !matches!(*value, "" | "never"))
    }

    /// Notes what is wrong with a field.
    pub fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.faults.push(FieldFault { field: field.to_owned(), message: message.into() });
    }

    pub fn fault(&self, field: &str) -> Option<String> {
        self.faults.iter().find(|fault| fault.field == field).map(|fault| fault.message.clone())
    }

    pub fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// The summary above the form; nothing when nothing is wrong.
    pub fn summary(&self, locale: Locale) -> AnyView {
        view! { <ErrorSummary locale=locale faults=self.faults.clone()/> }.into_any()
    }
}
