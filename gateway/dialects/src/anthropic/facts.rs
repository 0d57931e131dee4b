//! What admission and pricing need to know of a Messages request.

use super::block::{Block, Source};
use super::request::{Message, Request, Role, Tool};
use crate::request::{Media, MediaKind, Piece, ServerTool};

/// Fields that change what the provider bills.
const BILLING_FIELDS: [&str; 6] =
    ["speed", "inference_geo", "container", "mcp_servers", "fallbacks", "fallback_credit_token"];

/// Tools of Anthropic's own that the client runs; every other typed tool runs on the server and is billed.
const CLIENT_TOOLS: [&str; 4] = ["bash_", "text_editor_", "computer_", "memory_"];

/// Claude Code puts this line first in its system prompt; it differs on every call.
pub(crate) const BILLING_LINE: &str = "x-anthropic-billing-header:";

impl Request<'_> {
    /// Reports all content: system, tools, messages.
    pub(crate) fn pieces(&self, report: &mut dyn FnMut(Piece<'_>)) {
        blocks(&self.system, report);
        self.tools.iter().for_each(|tool| tool_pieces(tool, report));
        if let Some(format) = &self.output_config.format {
            report(Piece::Code(format.schema.get()));
        }
        self.messages.iter().for_each(|message| blocks(&message.content, report));
    }

    /// What stays the same over a conversation: system, tools and the first user message.
    pub(crate) fn opening(&self, report: &mut dyn FnMut(Piece<'_>)) {
        let lasting =
            |block: &&Block<'_>| !matches!(block, Block::Text { text, .. } if text.starts_with(BILLING_LINE));
        self.system.iter().filter(lasting).for_each(|block| piece(block, report));
        self.tools.iter().for_each(|tool| tool_pieces(tool, report));
        if let Some(message) = self.messages.iter().find(|message| message.role == Role::User) {
            blocks(&message.content, report);
        }
    }

    pub(crate) fn server_tools(&self) -> Vec<ServerTool> {
        let typed = self.tools.iter().filter_map(|tool| match tool {
            Tool::Typed(tool) if !is_client_tool(&tool.kind) => {
                Some(ServerTool::new(&tool.name, tool.max_uses))
            }
            _ => None,
        });
        typed.collect()
    }

    pub(crate) fn billing_fields(&self) -> Vec<(&'static str, String)> {
        let tier = self.service_tier.as_ref().map(|tier| ("service_tier", tier.to_string()));
        let extras = BILLING_FIELDS
            .iter()
            .filter_map(|name| self.extra(name).map(|value| (*name, value.trim_matches('"').to_owned())));
        tier.into_iter().chain(extras).collect()
    }
}

pub(crate) fn is_client_tool(kind: &str) -> bool {
    CLIENT_TOOLS.iter().any(|prefix| kind.starts_with(prefix))
}

fn tool_pieces(tool: &Tool<'_>, report: &mut dyn FnMut(Piece<'_>)) {
    match tool {
        Tool::Custom(tool) => {
            report(Piece::Text(&tool.name));
            if let Some(description) = &tool.description {
                report(Piece::Text(description));
            }
            report(Piece::Code(tool.input_schema.get()));
        }
        Tool::Typed(tool) => report(Piece::Code(tool.raw.get())),
    }
}

fn blocks(blocks: &[Block<'_>], report: &mut dyn FnMut(Piece<'_>)) {
    blocks.iter().for_each(|block| piece(block, report));
}

fn piece(block: &Block<'_>, report: &mut dyn FnMut(Piece<'_>)) {
    match block {
        Block::Text { text, .. } => report(Piece::Text(text)),
        Block::Image { source, .. } => source_pieces(source, MediaKind::Image, report),
        Block::Document { source, title, .. } => {
            if let Some(title) = title {
                report(Piece::Text(title));
            }
            source_pieces(source, MediaKind::Pdf, report);
        }
        Block::SearchResult { source, title, content } => {
            report(Piece::Text(source));
            report(Piece::Text(title));
            blocks(content, report);
        }
        Block::Thinking { thinking, .. } => report(Piece::Text(thinking)),
        Block::RedactedThinking { data } => report(Piece::Code(data)),
        Block::ToolUse { name, input, .. } => {
            report(Piece::Text(name));
            report(Piece::Code(input.get()));
        }
        Block::ToolResult { content, .. } | Block::System { content } => blocks(content, report),
        Block::Other(other) => report(Piece::Code(other.raw.get())),
    }
}

fn source_pieces(source: &Source<'_>, kind: MediaKind, report: &mut dyn FnMut(Piece<'_>)) {
    match source {
        Source::Base64 { data, .. } => report(Piece::Media(Media::inline(kind, data))),
        Source::Url { .. } | Source::File { .. } => report(Piece::Media(Media::remote(kind))),
        Source::Text { data, .. } => report(Piece::Text(data)),
        Source::Content { content } => blocks(content, report),
    }
}

impl Message<'_> {
    pub(crate) fn has_tool_results(&self) -> bool {
        self.content.iter().any(|block| matches!(block, Block::ToolResult { .. }))
    }
}
