//! Tools and the choice among them, as Chat Completions functions.

use serde::Serialize;
use serde_json::{Value, json};

use super::Body;
use crate::anthropic::facts::is_client_tool;
use crate::anthropic::request::{CustomTool, Request, Tool as PivotTool, ToolChoice, ToolMode, TypedTool};
use crate::anthropic::typed_tools;
use crate::json::{Editor, Raw, members};
use crate::quirks::Quirks;
use crate::request::{FieldError, Notes};
use crate::response::ToolNames;

#[derive(Serialize)]
pub(super) struct Tool<'a> {
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    parameters: Raw<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

/// The tools of a request, as functions.
pub(super) fn write<'a>(
    request: &'a Request<'_>,
    quirks: &Quirks,
    names: &mut ToolNames,
    notes: &mut Notes,
) -> Result<Vec<Tool<'a>>, FieldError> {
    let mut tools = Vec::with_capacity(request.tools.len());
    for (index, tool) in request.tools.iter().enumerate() {
        let function = match tool {
            PivotTool::Custom(tool) => Some(custom(tool, quirks, names)),
            PivotTool::Typed(tool) => {
                typed(tool, request, notes).map_err(|error| error.at("tools", index))?
            }
        };
        tools.extend(function.map(|function| Tool { r#type: "function", function }));
    }
    Ok(tools)
}

fn custom<'a>(tool: &'a CustomTool<'_>, quirks: &Quirks, names: &mut ToolNames) -> Function<'a> {
    Function {
        name: names.send(&tool.name),
        description: tool.description.as_deref(),
        parameters: with_properties(tool.input_schema.get()),
        strict: tool.strict.filter(|_| quirks.takes_tool_strict),
    }
}

/// Some hosts refuse an object schema without `type` or `properties`.
fn with_properties(schema: &str) -> Raw<'_> {
    let mut editor = Editor::new(schema);
    for (key, value) in [("properties", "{}"), ("type", "\"object\"")] {
        if schema.starts_with('{') && !members(schema).any(|member| member.key == key) {
            editor.insert(schema, key, value);
        }
    }
    if editor.is_unchanged() {
        return Raw::borrowed(schema).unwrap_or_else(Raw::empty_object);
    }
    String::from_utf8(editor.finish().to_vec()).ok().and_then(Raw::owned).unwrap_or_else(Raw::empty_object)
}

/// Tools the client runs become functions; tools the provider runs cannot be moved to another provider.
fn typed<'a>(
    tool: &TypedTool<'_>,
    request: &Request<'_>,
    notes: &mut Notes,
) -> Result<Option<Function<'a>>, FieldError> {
    if let Some((description, schema)) = typed_tools::as_function(&tool.kind) {
        notes.emulated(&tool.name);
        let name = tool.name.to_string();
        return Ok(Some(Function {
            name,
            description: Some(description),
            parameters: Raw::of(&schema),
            strict: None,
        }));
    }
    let forced = request.tool_choice.as_ref().is_some_and(|choice| match choice.mode {
        ToolMode::Tool => choice.name.as_deref() == Some(&*tool.name),
        ToolMode::Any => request.tools.len() == 1,
        ToolMode::Auto | ToolMode::None => false,
    });
    if forced || is_client_tool(&tool.kind) {
        let problem = format!(
            "the tool '{}' is not available on this model; leave it out or choose a Claude model",
            &*tool.name
        );
        return Err(FieldError::unsupported("type", problem));
    }
    notes.dropped(&format!("server_tool:{}", &*tool.name))?;
    Ok(None)
}

/// Which tool the model may or must call. Needs the tools written.
pub(super) fn choose(
    body: &mut Body<'_>,
    request: &Request<'_>,
    quirks: &Quirks,
    names: &mut ToolNames,
    notes: &mut Notes,
) -> Result<(), FieldError> {
    let Some(choice) = request.tool_choice.as_ref().filter(|_| !body.tools.is_empty()) else { return Ok(()) };
    let value = choice_value(choice, body, names)?;
    if quirks.tool_choice_auto_only && choice.mode != ToolMode::Auto {
        // Where calls may not be forbidden, the tools are left away instead.
        if choice.mode == ToolMode::None {
            body.tools.clear();
        } else {
            notes.dropped("tool_choice")?;
        }
        return Ok(());
    }
    body.tool_choice = Some(value);
    if choice.disable_parallel_tool_use {
        if quirks.takes_parallel_tool_calls {
            body.parallel_tool_calls = Some(false);
        } else {
            notes.dropped("tool_choice.disable_parallel_tool_use")?;
        }
    }
    Ok(())
}

fn choice_value(
    choice: &ToolChoice<'_>,
    body: &Body<'_>,
    names: &mut ToolNames,
) -> Result<Value, FieldError> {
    match (choice.mode, choice.name.as_deref()) {
        (ToolMode::Auto, _) => Ok("auto".into()),
        (ToolMode::Any, _) => Ok("required".into()),
        (ToolMode::None, _) => Ok("none".into()),
        (ToolMode::Tool, Some(name)) => {
            let sent = names.send(name);
            if body.tools.iter().any(|tool| tool.function.name == sent) {
                return Ok(json!({ "type": "function", "function": { "name": sent } }));
            }
            let problem = format!("names the tool '{name}', which is not in tools; declare it there");
            Err(FieldError::new(problem).within("tool_choice"))
        }
        (ToolMode::Tool, None) => {
            Err(FieldError::new("is required with type tool").within("name").within("tool_choice"))
        }
    }
}
