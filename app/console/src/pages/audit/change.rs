//! What an event changed: its fields, before and after, one a line.
use super::words;
use crate::pages::members;
use crate::when::Moments;
use bytespike_accounts::role::Role;
use bytespike_store::names::Names;
use bytespike_ui::{Locale, Numbers};
use leptos::prelude::*;
use serde_json::{Map, Value};

/// A field with what it was and what it is; without the first it is a plain fact.
#[derive(Debug, PartialEq)]
struct Line {
    field: String,
    before: Option<Value>,
    after: Value,
}

/// What values are read with: times of an org, and names of what ids stand for.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub locale: Locale,
    pub numbers: Numbers,
    pub moments: &'a Moments,
    /// Of one org; without them ids stay what they are.
    pub names: Option<&'a Names>,
}

/// Nothing when the event says no more than its name.
pub(crate) fn of(reading: Reading<'_>, detail_json: &str) -> AnyView {
    let lines = lines(detail_json).into_iter().map(|line| {
        let field = words::field(reading.locale, &line.field).map_or(line.field.clone(), str::to_owned);
        let said = |value: &Value| reading.said(&line.field, value);
        let before = line.before.as_ref().map(|before| view! { <del>{said(before)}</del> " → " });
        view! { <li><span class="faint">{field}</span> " " {before} <span>{said(&line.after)}</span></li> }
    });
    let lines: Vec<_> = lines.collect();
    (!lines.is_empty()).then(|| view! { <ul class="changes">{lines}</ul> }).into_any()
}

impl Reading<'_> {
    fn said(self, field: &str, value: &Value) -> String {
        match value {
            Value::Null => "—".to_owned(),
            Value::Bool(true) => self.locale.t().receipt.field.yes.to_owned(),
            Value::Bool(false) => self.locale.t().receipt.field.no.to_owned(),
            Value::Number(number) if field.ends_with("_at_ms") || matches!(field, "from_ms" | "until_ms") => {
                number.as_i64().map_or_else(|| number.to_string(), |at_ms| self.moments.written(at_ms))
            }
            Value::Number(number) if field.ends_with("_minor") => {
                number.as_i64().map_or_else(|| number.to_string(), hundredths)
            }
            Value::Number(number) if field.ends_with("_nano") => {
                number.as_i64().map_or_else(|| number.to_string(), |nano| self.numbers.usd(nano))
            }
            Value::Array(values) => {
                values.iter().map(|value| self.said(field, value)).collect::<Vec<_>>().join(", ")
            }
            Value::String(text) => self.text(field, text),
            other => other.to_string(),
        }
    }

    /// Roles have words of their own, and ids stand for something with a name; everything else is what somebody typed.
    fn text(self, field: &str, text: &str) -> String {
        match field {
            "role" => Role::parse(text)
                .map_or_else(|| text.to_owned(), |role| members::words::role(self.locale, role).to_owned()),
            "holder" | "deployment" | "owner" | "parent_key_id" => {
                self.names.map_or_else(|| text.to_owned(), |names| names.get(text))
            }
            _ => text.to_owned(),
        }
    }
}

/// Cents or fen as units of their currency, which another field names.
fn hundredths(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, (minor % 100).abs())
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
    fn amounts_read_as_money() {
        let moments = Moments::new(Locale::En, "UTC", 0);
        let reading =
            Reading { locale: Locale::En, numbers: Numbers::default(), moments: &moments, names: None };
        assert_eq!(reading.said("amount_minor", &json!(2505)), "25.05");
        assert_eq!(reading.said("amount_nano", &json!(2_500_000_000_i64)), "$2.50");
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
