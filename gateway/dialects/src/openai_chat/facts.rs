//! What admission and pricing need to know of a Chat Completions request.

use super::message::{Message, Part, Role};
use super::request::{Request, ResponseFormat, Tool};
use crate::request::media_of_data_uri;
use crate::request::{Media, MediaKind, Piece, ServerTool};

/// Fields that change what the provider bills.
const BILLING_FIELDS: [&str; 4] = ["web_search_options", "modalities", "audio", "moderation"];

impl Request<'_> {
    /// Reports all content: messages, tools, the answer's schema.
    pub(crate) fn pieces(&self, report: &mut dyn FnMut(Piece<'_>)) {
        self.messages.iter().for_each(|message| message_pieces(message, report));
        self.tools.iter().for_each(|tool| tool_pieces(tool, report));
        if let Some(ResponseFormat::JsonSchema { schema }) = &self.response_format {
            report(Piece::Code(schema.get()));
        }
    }

    /// What stays the same over a conversation: leading instructions, tools and the first user message.
    pub(crate) fn opening(&self, report: &mut dyn FnMut(Piece<'_>)) {
        let instructions = self.messages.iter().take_while(|message| message.role == Role::System);
        let first_user = self.messages.iter().find(|message| message.role == Role::User);
        instructions.chain(first_user).for_each(|message| message_pieces(message, report));
        self.tools.iter().for_each(|tool| tool_pieces(tool, report));
    }

    /// Reasoning was asked for, in OpenAI's field or in one of the providers' own.
    pub(crate) fn asks_for_thinking(&self) -> bool {
        let effort = self.reasoning_effort.as_deref().is_some_and(|effort| effort != "none");
        let toggle = self.extra("thinking").is_some_and(|thinking| !thinking.contains("\"disabled\""));
        effort || toggle || self.extra("enable_thinking") == Some("true") || self.extra("reasoning").is_some()
    }

    pub(crate) fn server_tools(&self) -> Vec<ServerTool> {
        let options = self.extra("web_search_options").map(|_| ServerTool::new("web_search", None));
        let typed = self.tools.iter().filter_map(|tool| match tool {
            Tool::Other(kind) => Some(ServerTool::new(kind, None)),
            _ => None,
        });
        options.into_iter().chain(typed).collect()
    }

    pub(crate) fn billing_fields(&self) -> Vec<(&'static str, String)> {
        let tier = self.service_tier.as_ref().map(|tier| ("service_tier", tier.to_string()));
        let extras =
            BILLING_FIELDS.iter().filter_map(|name| self.extra(name).map(|value| (*name, value.to_owned())));
        // Plain text is what every model answers with and bills no differently.
        let extras =
            extras.filter(|(name, value)| !(*name == "modalities" && value.replace(' ', "") == "[\"text\"]"));
        tier.into_iter().chain(extras).collect()
    }
}

fn message_pieces(message: &Message<'_>, report: &mut dyn FnMut(Piece<'_>)) {
    for part in &message.content {
        match part {
            Part::Text { text, .. } => report(Piece::Text(text)),
            Part::Image { url } => report(Piece::Media(media_of_data_uri(MediaKind::Image, url))),
            Part::File { data, .. } => report(Piece::Media(media_of_data_uri(MediaKind::Pdf, data))),
            Part::Other(kind) if **kind == *"input_audio" => {
                report(Piece::Media(Media::remote(MediaKind::Audio)));
            }
            Part::Other(_) => report(Piece::Media(Media::remote(MediaKind::Other))),
        }
    }
    for call in &message.tool_calls {
        report(Piece::Text(&call.name));
        report(Piece::Code(&call.arguments));
    }
    if let Some(reasoning) = &message.reasoning {
        report(Piece::Text(reasoning));
    }
}

fn tool_pieces(tool: &Tool<'_>, report: &mut dyn FnMut(Piece<'_>)) {
    let (name, description, schema) = match tool {
        Tool::Function(function) => (&function.name, &function.description, &function.parameters),
        Tool::Custom(custom) => (&custom.name, &custom.description, &custom.format),
        Tool::Other(_) => return,
    };
    report(Piece::Text(name));
    if let Some(description) = description {
        report(Piece::Text(description));
    }
    if let Some(schema) = schema {
        report(Piece::Code(schema.get()));
    }
}
