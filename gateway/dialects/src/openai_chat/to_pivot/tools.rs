//! Tools and the choice among them.

use crate::anthropic::request as pivot;
use crate::json::{Editor, Raw, Text, members};
use crate::openai_chat::request::{Request, Tool, ToolChoice};
use crate::request::{FieldError, Notes};

/// Functions keep their schema; free-form tools get one with a single `input`.
pub(super) fn convert<'a>(
    tools: Vec<Tool<'a>>,
    choice: Option<&ToolChoice<'a>>,
    notes: &mut Notes,
) -> Result<Vec<pivot::Tool<'a>>, FieldError> {
    let mut converted = Vec::with_capacity(tools.len());
    for (index, tool) in tools.into_iter().enumerate() {
        let custom = match tool {
            Tool::Function(function) => pivot::CustomTool {
                name: function.name,
                description: function.description,
                input_schema: object_schema(function.parameters),
                strict: function.strict,
                cache_control: None,
            },
            Tool::Custom(custom) => {
                if custom.format.is_some() {
                    notes.dropped("grammar")?;
                }
                pivot::CustomTool {
                    name: custom.name,
                    description: custom.description,
                    input_schema: Raw::of(&serde_json::json!({
                        "type": "object", "properties": { "input": { "type": "string" } }, "required": ["input"],
                    })),
                    strict: None,
                    cache_control: None,
                }
            }
            Tool::Other(kind) => {
                let problem =
                    format!("the tool type '{}' cannot be sent to this model; use function tools", &*kind);
                return Err(FieldError::unsupported("type", problem).at("tools", index));
            }
        };
        converted.push(custom);
    }
    if let Some(ToolChoice::Allowed { names, .. }) = choice {
        converted.retain(|tool| names.contains(&tool.name));
    }
    Ok(converted.into_iter().map(pivot::Tool::Custom).collect())
}

/// A schema that says `type: object`, as Anthropic requires.
fn object_schema(parameters: Option<Raw<'_>>) -> Raw<'_> {
    let Some(parameters) = parameters.filter(|raw| raw.get().starts_with('{')) else {
        return Raw::of(&serde_json::json!({ "type": "object", "properties": {} }));
    };
    if members(parameters.get()).any(|member| member.key == "type") {
        return parameters;
    }
    let mut editor = Editor::new(parameters.get());
    editor.insert(parameters.get(), "type", "\"object\"");
    String::from_utf8(editor.finish().to_vec()).ok().and_then(Raw::owned).unwrap_or_else(Raw::empty_object)
}

/// Nothing is said about tools where there are none.
pub(super) fn choice<'a>(request: &Request<'a>) -> Result<Option<pivot::ToolChoice<'a>>, FieldError> {
    if request.tools.is_empty() {
        return Ok(None);
    }
    let (mode, name) = match &request.tool_choice {
        None | Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => {
            (pivot::ToolMode::Auto, None)
        }
        Some(ToolChoice::None) => (pivot::ToolMode::None, None),
        Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => {
            (pivot::ToolMode::Any, None)
        }
        Some(ToolChoice::Named(name)) => (pivot::ToolMode::Tool, Some(declared(request, name)?)),
    };
    let disable_parallel_tool_use =
        request.parallel_tool_calls == Some(false) && mode != pivot::ToolMode::None;
    let says_something = request.tool_choice.is_some() || disable_parallel_tool_use;
    Ok(says_something.then_some(pivot::ToolChoice { mode, name, disable_parallel_tool_use }))
}

fn declared<'a>(request: &Request<'a>, name: &Text<'a>) -> Result<Text<'a>, FieldError> {
    let is_declared = request.tools.iter().any(|tool| match tool {
        Tool::Function(function) => function.name == *name,
        Tool::Custom(custom) => custom.name == *name,
        Tool::Other(_) => false,
    });
    if is_declared {
        return Ok(name.clone());
    }
    Err(FieldError::new(format!("names the tool '{}', which is not in tools; declare it there", &**name))
        .within("tool_choice"))
}
