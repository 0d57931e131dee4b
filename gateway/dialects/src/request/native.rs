//! A request that stays in its dialect: every byte is kept except what must change.

use bytes::Bytes;

use super::{ClientRequest, FieldError, Notes, Target};
use crate::json::{Editor, Member, elements, members, parse, remove_paths};
use crate::quirks::OutputLimitField;
use crate::{Dialect, Seal};

/// The body with the provider's model name, and with what the provider needs or refuses.
pub(super) fn edit(request: &ClientRequest, target: &Target, notes: &mut Notes) -> Result<Bytes, FieldError> {
    let body = std::str::from_utf8(&request.body).map_err(|_| FieldError::new("the body is not UTF-8"))?;
    let mut editor = Editor::new(body);
    name_model(&mut editor, body, &target.upstream_model);
    limit_output(&mut editor, body, request, target);
    match request.dialect {
        Dialect::Anthropic => anthropic(&mut editor, body, target)?,
        Dialect::OpenAiChat => ask_for_usage(&mut editor, body, request, target),
    }
    for path in remove_paths(&mut editor, body, target.quirks.strips(request.dialect)) {
        // Usage is still shown: the provider sends it unasked.
        if path != "stream_options" {
            notes.dropped(path)?;
        }
    }
    Ok(if editor.is_unchanged() { request.body.clone() } else { editor.finish() })
}

fn name_model(editor: &mut Editor<'_>, body: &str, upstream_model: &str) {
    let name = serde_json::Value::from(upstream_model).to_string();
    if let Some(model) = member(body, "model").filter(|model| model.value != name) {
        editor.replace(model.value, name);
    }
}

fn limit_output(editor: &mut Editor<'_>, body: &str, request: &ClientRequest, target: &Target) {
    let Some(limit) = target.max_output_tokens.filter(|_| request.max_output_tokens.is_none()) else {
        return;
    };
    let field = match (request.dialect, target.quirks.output_limit) {
        (Dialect::OpenAiChat, OutputLimitField::MaxCompletionTokens) => "max_completion_tokens",
        _ => "max_tokens",
    };
    match member(body, field) {
        Some(null) => editor.replace(null.value, limit.to_string()),
        None => editor.insert(body, field, &limit.to_string()),
    }
}

/// Usage is asked for on every stream, so that calls can be settled; the client sees it only if it asked.
fn ask_for_usage(editor: &mut Editor<'_>, body: &str, request: &ClientRequest, target: &Target) {
    if !request.stream || request.wants_usage || !target.quirks.takes_include_usage {
        return;
    }
    match member(body, "stream_options").filter(|options| options.value.starts_with('{')) {
        Some(options) => match member(options.value, "include_usage") {
            Some(flag) => editor.replace(flag.value, "true"),
            None => editor.insert(options.value, "include_usage", "true"),
        },
        None => match member(body, "stream_options") {
            Some(null) => editor.replace(null.value, r#"{"include_usage":true}"#),
            None => editor.insert(body, "stream_options", r#"{"include_usage":true}"#),
        },
    }
}

/// Takes out our own signatures, which Anthropic would refuse, and rewrites mid-conversation system messages
/// for hosts that do not know them.
fn anthropic(editor: &mut Editor<'_>, body: &str, target: &Target) -> Result<(), FieldError> {
    let genuine = target.quirks.genuine_anthropic;
    if genuine && !body.contains(Seal::PREFIX) {
        return Ok(());
    }
    let Some(messages) = member(body, "messages") else { return Ok(()) };
    for message in elements(messages.value) {
        if genuine {
            remove_own_thinking(editor, message);
        } else if member(message, "role").is_some_and(|role| role.value == "\"system\"") {
            system_to_reminder(editor, message)?;
        }
    }
    Ok(())
}

fn remove_own_thinking(editor: &mut Editor<'_>, message: &str) {
    let Some(content) = member(message, "content") else { return };
    let is_ours = |block: &str| {
        member(block, "signature")
            .is_some_and(|signature| signature.value.trim_start_matches('"').starts_with(Seal::PREFIX))
    };
    let blocks: Vec<&str> = elements(content.value).collect();
    let kept: Vec<&str> = blocks.iter().copied().filter(|block| !is_ours(block)).collect();
    match kept.len() {
        all if all == blocks.len() => {}
        // A message may not be empty.
        0 => editor.replace(content.value, r#"[{"type":"text","text":"(no answer)"}]"#),
        _ => editor.replace(content.value, format!("[{}]", kept.join(","))),
    }
}

fn system_to_reminder(editor: &mut Editor<'_>, message: &str) -> Result<(), FieldError> {
    let (Some(role), Some(content)) = (member(message, "role"), member(message, "content")) else {
        return Ok(());
    };
    editor.replace(role.value, "\"user\"");
    let text = if content.value.starts_with('"') {
        parse::<String>(content.value)?
    } else {
        let texts = elements(content.value).filter_map(|block| member(block, "text"));
        texts.filter_map(|text| parse::<String>(text.value).ok()).collect::<Vec<_>>().join("\n")
    };
    editor.replace(content.value, serde_json::Value::from(reminder(&text)).to_string());
    Ok(())
}

/// Instructions in the middle of a conversation, for a model that takes them from users only.
pub(crate) fn reminder(text: &str) -> String {
    format!("<system-reminder>\n{text}\n</system-reminder>")
}

fn member<'a>(object: &'a str, key: &str) -> Option<Member<'a>> {
    members(object).find(|member| member.key == key)
}
