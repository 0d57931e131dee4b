//! What an event changed: its fields, before and after, one a line.
mod values;

pub(crate) use values::Reading;

use super::words;
use leptos::prelude::*;
use serde_json::{Map, Value};
use values::Beside;

/// A field with what it was and what it is; without the first it is a plain fact.
#[derive(Debug, PartialEq)]
struct Line {
    field: String,
    before: Option<Value>,
    after: Value,
}

/// Nothing when the event says no more than its name.
pub(crate) fn of(reading: Reading<'_>, detail_json: &str) -> AnyView {
    let lines = lines(detail_json);
    let beside = Beside::of(&lines);
    let lines = lines.iter().filter(|line| beside.shows(line)).map(|line| {
        let field = words::field(reading.locale, &line.field).map_or(line.field.clone(), str::to_owned);
        let said = |value: &Value| reading.said(&line.field, value, beside);
        let before = line.before.as_ref().map(|before| view! { <del>{said(before)}</del> " → " });
        view! { <li><span class="faint">{field}</span> " " {before} <span>{said(&line.after)}</span></li> }
    });
    let lines: Vec<_> = lines.collect();
    (!lines.is_empty()).then(|| view! { <ul class="changes">{lines}</ul> }).into_any()
}

fn lines(detail_json: &str) -> Vec<Line> {
    let Ok(Value::Object(detail)) = serde_json::from_str(detail_json) else { return Vec::new() };
    let empty = Map::new();
    let part = |name: &str| detail.get(name).and_then(Value::as_object).unwrap_or(&empty);
    let (before, after) = (part("before"), part("after"));
    let fact = |(field, value): (&String, &Value)| {
        (!is_unset(value)).then(|| Line { field: field.clone(), before: None, after: value.clone() })
    };
    let changed = after.iter().filter(|(field, value)| before.get(*field) != Some(value));
    let changed =
        changed.filter_map(|(field, value)| match before.get(field).filter(|value| !value.is_null()) {
            None => fact((field, value)),
            Some(before) => {
                Some(Line { field: field.clone(), before: Some(before.clone()), after: value.clone() })
            }
        });
    let gone = before.iter().filter(|(field, _)| !after.contains_key(*field)).filter_map(fact);
    let facts = detail.iter().filter(|(field, _)| !matches!(field.as_str(), "before" | "after"));
    changed.chain(gone).chain(facts.filter_map(fact)).collect()
}

/// What was never set is nothing that changed.
fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(detail: &Value) -> Vec<(String, Option<Value>, Value)> {
        lines(&detail.to_string()).into_iter().map(|line| (line.field, line.before, line.after)).collect()
    }

    #[test]
    fn only_what_changed_is_shown() {
        let detail = json!({
            "before": { "name": "a", "role": "viewer" }, "after": { "name": "a", "role": "admin" }, "client": "dosia",
        });
        assert_eq!(
            told(&detail),
            [
                ("role".to_owned(), Some(json!("viewer")), json!("admin")),
                ("client".to_owned(), None, json!("dosia"))
            ]
        );
        let made = json!({ "before": null, "after": { "name": "laptop", "note": "", "models": null, "ips": [], "strict": false } });
        assert_eq!(told(&made), [("name".to_owned(), None, json!("laptop"))], "what was not set is not told");
        let removed = json!({ "before": { "month": "1.000 credits" }, "after": { "month": null } });
        assert_eq!(told(&removed), [("month".to_owned(), Some(json!("1.000 credits")), Value::Null)]);
        assert!(told(&json!({})).is_empty() && lines("broken").is_empty());
    }
}
