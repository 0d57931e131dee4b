//! The messages of a conversation, as both dialects list them.

use super::FieldError;
use crate::json::elements;

/// Reads each message with `read`; at least one has to be there.
///
/// # Errors
/// Not an array, an empty one, or a message that cannot be read, with its place.
pub(crate) fn messages<'a, M>(
    raw: Option<&'a str>,
    read: impl Fn(&'a str) -> Result<M, FieldError>,
) -> Result<Vec<M>, FieldError> {
    let raw = raw.ok_or_else(|| FieldError::new("is required").within("messages"))?;
    if !raw.starts_with('[') {
        return Err(FieldError::new("must be an array of messages").within("messages"));
    }
    let messages: Vec<M> = elements(raw)
        .enumerate()
        .map(|(index, element)| read(element).map_err(|error| error.at("messages", index)))
        .collect::<Result<_, _>>()?;
    if messages.is_empty() {
        return Err(FieldError::new("must hold at least one message").within("messages"));
    }
    Ok(messages)
}
