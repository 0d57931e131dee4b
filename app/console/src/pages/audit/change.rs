//! What an event changed: its fields, before and after, one a line.
use super::words;
use crate::pages::members;
use bytespike_accounts::role::Role;
use bytespike_ui::Locale;
use leptos::prelude::*;
use serde_json::{Map, Value};

/// A field with what it was and what it is; without the first it is a plain fact.
struct Line {
    field: String,
    before: Option<String>,
    after: String,
}

/// Nothing when the event says no more than its name.
pub(super) fn of(locale: Locale, detail_json: &str) -> AnyView {
    let lines = lines(detail_json).into_iter().map(|line| {
        let is_role = line.field == "role";
        let field = words::field(locale, &line.field).map_or(line.field, str::to_owned);
        let said = |text: String| said(locale, is_role, text);
        let before = line.before.map(|before| view! { <del>{said(before)}</del> " → " });
        view! { <li><span class="faint">{field}</span> " " {before} <span>{said(line.after)}</span></li> }
    });
    let lines: Vec<_> = lines.collect();
    (!lines.is_empty()).then(|| view! { <ul class="changes">{lines}</ul> }).into_any()
}

/// Roles have words of their own; everything else is what somebody typed, or a code.
fn said(locale: Locale, is_role: bool, text: String) -> String {
    match Role::parse(&text).filter(|_| is_role) {
        Some(role) => members::words::role(locale, role).to_owned(),
        None => text,
    }
}

fn lines(detail_json: &str) -> Vec<Line> {
    let Ok(Value::Object(detail)) = serde_json::from_str(detail_json) else { return Vec::new() };
    let empty = Map::new();
    let part = |name: &str| detail.get(name).and_then(Value::as_object).unwrap_or(&empty);
    let (before, after) = (part("before"), part("after"));
    let gone = before.iter().filter(|(field, _)| !after.contains_key(*field));
    let gone = gone.map(|(field, value)| Line { field: field.clone(), before: None, after: text(value) });
    let changed = after.iter().filter(|(field, value)| before.get(*field) != Some(value));
    let changed = changed.map(|(field, value)| {
        let before = before.get(field).filter(|value| !value.is_null()).map(text);
        Line { field: field.clone(), before, after: text(value) }
    });
    let facts = detail.iter().filter(|(field, _)| !matches!(field.as_str(), "before" | "after"));
    let facts = facts.map(|(field, value)| Line { field: field.clone(), before: None, after: text(value) });
    changed.chain(gone).chain(facts).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "—".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(detail: &str) -> Vec<String> {
        let line = |line: Line| match line.before {
            Some(before) => format!("{}: {before} → {}", line.field, line.after),
            None => format!("{}: {}", line.field, line.after),
        };
        lines(detail).into_iter().map(line).collect()
    }

    #[test]
    fn only_what_changed_is_shown() {
        let detail =
            r#"{"before":{"name":"a","role":"viewer"},"after":{"name":"a","role":"admin"},"client":"dosia"}"#;
        assert_eq!(told(detail), ["role: viewer → admin", "client: dosia"]);
        assert_eq!(told(r#"{"before":null,"after":{"name":"laptop"}}"#), ["name: laptop"]);
        assert_eq!(
            told(r#"{"before":{"month":"1.000 credits"},"after":{"month":null}}"#),
            ["month: 1.000 credits → —"]
        );
        assert!(told("{}").is_empty() && told("broken").is_empty());
    }
}
