//! The schema of a structured answer: as Anthropic takes it (closed objects, limits as words), or all in words.

use serde_json::{Map, Value};

use crate::json::Raw;

/// Constraints that are refused; they move into the description.
const AS_WORDS: [&str; 10] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "pattern",
];

/// The schema with `additionalProperties: false` on every object.
pub(crate) fn closed<'a>(schema: &str) -> Raw<'a> {
    let mut schema: Value = serde_json::from_str(schema).unwrap_or_else(|_| Value::Object(Map::new()));
    close(&mut schema);
    Raw::of(&schema)
}

/// For models that can only be asked.
pub(crate) fn instruction(schema: &str) -> String {
    format!("Answer with JSON only, following this JSON Schema:\n{schema}")
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("type").is_some_and(|kind| kind == "object") {
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            describe_limits(object);
            object.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn describe_limits(object: &mut Map<String, Value>) {
    // Under `properties` these are names, not constraints.
    let is_schema = object.contains_key("type") && !object["type"].is_object();
    if !is_schema {
        return;
    }
    let limits: Vec<String> =
        AS_WORDS.iter().filter_map(|name| Some(format!("{name}: {}", object.shift_remove(*name)?))).collect();
    if limits.is_empty() {
        return;
    }
    let limits = limits.join(", ");
    let described = match object.get("description").and_then(Value::as_str) {
        Some(text) => format!("{text} ({limits})"),
        None => limits,
    };
    object.insert("description".to_owned(), described.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_closed_and_limits_become_words() {
        let schema = r#"{"type":"object","properties":{"n":{"type":"integer","minimum":1,"description":"how many"},
            "pattern":{"type":"array","items":{"type":"object","properties":{}}}}}"#;
        let expected = serde_json::json!({
            "type": "object", "additionalProperties": false,
            "properties": {
                "n": {"type": "integer", "description": "how many (minimum: 1)"},
                "pattern": {"type": "array", "items": {"type": "object", "properties": {}, "additionalProperties": false}},
            },
        });
        assert_eq!(serde_json::from_str::<Value>(closed(schema).get()).unwrap(), expected);
    }
}
