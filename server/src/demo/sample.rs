//! Fills in a JSON schema: the shortest value that satisfies it, the same each time.

use serde_json::{Map, Value, json};

/// A value of `schema`; `subject` is used where a string is wanted.
pub fn of_schema(schema: &Value, subject: &str) -> Value {
    if let Some(fixed) = schema.get("const").or_else(|| schema.get("default")) {
        return fixed.clone();
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    if let Some(first) = schema["anyOf"].get(0).or_else(|| schema["oneOf"].get(0)) {
        return of_schema(first, subject);
    }
    match type_of(schema) {
        "string" => json!(subject),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        "boolean" => json!(true),
        "null" => Value::Null,
        "array" => json!([of_schema(&schema["items"], subject)]),
        _ => object(schema, subject),
    }
}

/// The type a schema names; the first, when it names several.
fn type_of(schema: &Value) -> &str {
    schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap_or("object")
}

/// Only what is required, or everything when nothing is.
fn object(schema: &Value, subject: &str) -> Value {
    let required = super::prompt::strings_of(&schema["required"]);
    let wanted = |name: &str| required.is_empty() || required.iter().any(|required| required == name);
    let properties = schema["properties"].as_object().into_iter().flatten();
    let filled = properties.filter(|(name, _)| wanted(name));
    Value::Object(
        filled.map(|(name, inner)| (name.clone(), of_schema(inner, subject))).collect::<Map<_, _>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_properties_are_filled_with_values_of_their_types() {
        let schema = json!({"type": "object", "required": ["city", "unit", "days"], "properties": {
            "city": {"type": "string"}, "unit": {"enum": ["c", "f"]}, "days": {"type": "integer"}, "note": {"type": "string"}}});
        assert_eq!(of_schema(&schema, "Paris"), json!({"city": "Paris", "unit": "c", "days": 1}));
    }
}
