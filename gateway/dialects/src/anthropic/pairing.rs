//! Every tool call must be answered by the next user turn, and nothing else may be answered.

use super::block::Block;
use super::request::{Message, Role};
use crate::request::FieldError;

/// Checks the pairing over the whole conversation. Neighbouring turns of one role count as one turn.
pub(crate) fn check(messages: &[Message<'_>]) -> Result<(), FieldError> {
    let mut open: Vec<(usize, &str)> = Vec::new();
    let mut turn = Role::User;
    for (index, message) in messages.iter().enumerate() {
        match message.role {
            Role::System => continue,
            Role::Assistant => {
                if turn == Role::User {
                    all_answered(&open)?;
                }
                calls(message, index, &mut open)?;
            }
            Role::User => results(message, index, &mut open)?,
        }
        turn = message.role;
    }
    all_answered(&open)
}

fn calls<'m>(
    message: &'m Message<'_>,
    index: usize,
    open: &mut Vec<(usize, &'m str)>,
) -> Result<(), FieldError> {
    for block in &message.content {
        let Block::ToolUse { id, .. } = block else { continue };
        if open.iter().any(|(_, earlier)| **earlier == **id) {
            let problem = format!(
                "the tool_use id '{id}' is used twice in one turn; give each call its own id",
                id = &**id
            );
            return Err(FieldError::new(problem).within("content").at("messages", index));
        }
        open.push((index, id));
    }
    Ok(())
}

fn results(message: &Message<'_>, index: usize, open: &mut Vec<(usize, &str)>) -> Result<(), FieldError> {
    for block in &message.content {
        let Block::ToolResult { tool_use_id, .. } = block else { continue };
        let Some(found) = open.iter().position(|(_, id)| **id == **tool_use_id) else {
            let problem = format!(
                "the tool_result for '{}' answers no tool_use of the assistant turn before it; \
                 send the turn with that call, or leave the result out",
                &**tool_use_id
            );
            return Err(FieldError::new(problem).within("content").at("messages", index));
        };
        open.swap_remove(found);
    }
    Ok(())
}

fn all_answered(open: &[(usize, &str)]) -> Result<(), FieldError> {
    let Some((index, id)) = open.iter().min_by_key(|(index, _)| *index) else { return Ok(()) };
    let problem = format!(
        "the tool_use '{id}' has no tool_result in the next user turn; add one, with is_error if the tool did not run"
    );
    Err(FieldError::new(problem).within("content").at("messages", *index))
}
