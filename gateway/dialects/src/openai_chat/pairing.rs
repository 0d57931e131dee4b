//! Every tool call must be answered by a `tool` message before the next turn, and nothing else may be answered.

use super::message::{Message, Role};
use crate::request::FieldError;

/// Checks the pairing over the whole conversation.
pub(crate) fn check(messages: &[Message<'_>]) -> Result<(), FieldError> {
    let mut open: Vec<(usize, &str)> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        match message.role {
            Role::System => {}
            Role::User => all_answered(&open)?,
            Role::Assistant => {
                all_answered(&open)?;
                calls(message, index, &mut open)?;
            }
            Role::Tool => answer(message, &mut open).map_err(|error| error.at("messages", index))?,
        }
    }
    all_answered(&open)
}

fn calls<'m>(
    message: &'m Message<'_>,
    index: usize,
    open: &mut Vec<(usize, &'m str)>,
) -> Result<(), FieldError> {
    for (position, call) in message.tool_calls.iter().enumerate() {
        let problem = if call.id.is_empty() {
            "is empty; give each call an id of its own".to_owned()
        } else if open.iter().any(|(_, earlier)| **earlier == *call.id) {
            format!("'{}' is used twice in one turn; give each call an id of its own", &*call.id)
        } else {
            open.push((index, &call.id));
            continue;
        };
        return Err(FieldError::new(problem).within("id").at("tool_calls", position).at("messages", index));
    }
    Ok(())
}

fn answer(message: &Message<'_>, open: &mut Vec<(usize, &str)>) -> Result<(), FieldError> {
    let id = message
        .tool_call_id
        .as_deref()
        .ok_or_else(|| FieldError::new("is required").within("tool_call_id"))?;
    let found = open.iter().position(|(_, call)| *call == id).ok_or_else(|| {
        let problem = format!(
            "'{id}' answers no tool call of the assistant message before it; send that message, or leave this one out"
        );
        FieldError::new(problem).within("tool_call_id")
    })?;
    open.swap_remove(found);
    Ok(())
}

fn all_answered(open: &[(usize, &str)]) -> Result<(), FieldError> {
    let Some((index, id)) = open.iter().min_by_key(|(index, _)| *index) else { return Ok(()) };
    let problem =
        format!("the tool call '{id}' has no tool message answering it before the next turn; add one");
    Err(FieldError::new(problem).within("tool_calls").at("messages", *index))
}
