//! Anthropic's own client-run tools as plain functions, for models that have only functions.
//! The inputs are those of Anthropic's tool reference (bash, text editor, memory), August 2026.

use serde_json::{Value, json};

/// A client tool as a function: description and input schema. `None` if it cannot be offered elsewhere
/// (`computer` needs a model trained on it).
pub(crate) fn as_function(kind: &str) -> Option<(&'static str, Value)> {
    if kind.starts_with("bash_") {
        return Some(("Runs a command in a bash session that keeps its state between calls.", bash()));
    }
    if kind.starts_with("text_editor_") {
        return Some(("Views, creates and edits text files.", text_editor()));
    }
    if kind.starts_with("memory_") {
        return Some(("Reads and keeps notes in files under /memories.", memory()));
    }
    None
}

fn bash() -> Value {
    json!({
        "type": "object",
        "properties": {
            "command": { "type": "string", "description": "The command to run. Required unless restart is true." },
            "restart": { "type": "boolean", "description": "Start the session afresh." },
        },
    })
}

fn text_editor() -> Value {
    json!({
        "type": "object",
        "properties": {
            "command": { "type": "string", "enum": ["view", "create", "str_replace", "insert"] },
            "path": { "type": "string", "description": "Absolute path of a file or folder." },
            "file_text": { "type": "string", "description": "For create: the whole content." },
            "old_str": { "type": "string", "description": "For str_replace: the text to find, which must be unique." },
            "new_str": { "type": "string", "description": "For str_replace: the text to put in its place." },
            "insert_line": { "type": "integer", "description": "For insert: the line after which to insert." },
            "insert_text": { "type": "string", "description": "For insert: the text to insert." },
            "view_range": { "type": "array", "items": { "type": "integer" }, "description": "For view: first and last line." },
        },
        "required": ["command", "path"],
    })
}

fn memory() -> Value {
    json!({
        "type": "object",
        "properties": {
            "command": { "type": "string", "enum": ["view", "create", "str_replace", "insert", "delete", "rename"] },
            "path": { "type": "string", "description": "A path under /memories." },
            "file_text": { "type": "string" },
            "old_str": { "type": "string" },
            "new_str": { "type": "string" },
            "insert_line": { "type": "integer" },
            "insert_text": { "type": "string" },
            "old_path": { "type": "string" },
            "new_path": { "type": "string" },
            "view_range": { "type": "array", "items": { "type": "integer" } },
        },
        "required": ["command"],
    })
}
