//! What one provider takes and refuses, as data. Facts are from the providers' API references as of August 2026.

use crate::Dialect;

/// How a provider departs from its dialect. Start from [`Quirks::of`] and change what a channel needs.
#[derive(Debug, Clone)]
pub struct Quirks {
    /// Provider family, which also names the origin of opaque reasoning state: `anthropic`, `deepseek`, …
    pub family: &'static str,
    /// Which field carries the output limit on the OpenAI wire.
    pub output_limit: OutputLimitField,
    /// Whether `stream_options.include_usage` may be sent.
    pub takes_include_usage: bool,
    /// Dotted paths removed from a body on the OpenAI wire; `[]` steps into an array.
    pub strips: &'static [&'static str],
    pub reasoning: Reasoning,
    /// Sampling is fixed by the provider: temperature and `top_p` are left out.
    pub fixed_sampling: bool,
    pub takes_top_k: bool,
    pub takes_parallel_tool_calls: bool,
    pub takes_tool_strict: bool,
    /// Only `tool_choice: auto` is understood.
    pub tool_choice_auto_only: bool,
    pub structured_output: StructuredOutput,
    /// `system`, or `developer` where that is the name for instructions.
    pub system_role: &'static str,
    /// A system message in the middle of the conversation is refused.
    pub system_first_only: bool,
    /// Text may be sent as an array of parts everywhere.
    pub takes_text_parts: bool,
    pub takes_images: bool,
    /// PDF documents as `file` parts.
    pub takes_files: bool,
    pub prefill: Prefill,
    /// Most stop sequences taken; `None` if there is no known limit.
    pub stop_sequences_max: Option<usize>,
    /// The Anthropic wire, spoken by Anthropic itself: signatures, server tools and betas are genuine.
    pub genuine_anthropic: bool,
    /// On the Anthropic wire: `thinking: adaptive` with `output_config.effort`, instead of a token budget.
    pub takes_adaptive_thinking: bool,
}

/// How a provider is told to reason, and what becomes of earlier reasoning.
#[derive(Debug, Clone, Copy)]
pub struct Reasoning {
    /// Levels `reasoning_effort` takes, weakest first; empty if the field is not taken.
    pub efforts: &'static [&'static str],
    /// The switch besides the level.
    pub switch: ReasoningSwitch,
    /// How earlier reasoning goes back in an assistant message.
    pub back: ReasoningBack,
    /// A forced `tool_choice` is refused while thinking is on.
    pub forbids_forced_tool: bool,
    /// With thinking on, calls in the history must carry their reasoning.
    pub needs_history: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputLimitField {
    MaxTokens,
    MaxCompletionTokens,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasoningSwitch {
    None,
    /// `thinking: {"type": "enabled" | "disabled"}`.
    Thinking,
    /// `enable_thinking` and `thinking_budget`.
    EnableThinking,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasoningBack {
    No,
    /// As `reasoning_content`, verbatim.
    Content,
    /// As `reasoning_details[].text`.
    Details,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StructuredOutput {
    JsonSchema,
    /// `json_object` only: the schema goes into the instructions.
    JsonObject,
    /// Neither: instructions only.
    Instructions,
}

/// Whether a trailing assistant message is continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefill {
    No,
    Plain,
    /// With this member set to true on the message.
    Marked(&'static str),
}

const NO_REASONING: Reasoning = Reasoning {
    efforts: &[],
    switch: ReasoningSwitch::None,
    back: ReasoningBack::No,
    forbids_forced_tool: false,
    needs_history: false,
};

/// Reasoning by a switch, with the text wanted back.
const SWITCHED: Reasoning =
    Reasoning { switch: ReasoningSwitch::Thinking, back: ReasoningBack::Content, ..NO_REASONING };

const GENERIC: Quirks = Quirks {
    family: "generic",
    output_limit: OutputLimitField::MaxTokens,
    takes_include_usage: true,
    strips: &[],
    reasoning: NO_REASONING,
    fixed_sampling: false,
    takes_top_k: false,
    takes_parallel_tool_calls: true,
    takes_tool_strict: false,
    tool_choice_auto_only: false,
    structured_output: StructuredOutput::JsonSchema,
    system_role: "system",
    system_first_only: false,
    takes_text_parts: false,
    takes_images: true,
    takes_files: false,
    prefill: Prefill::No,
    stop_sequences_max: None,
    genuine_anthropic: false,
    takes_adaptive_thinking: false,
};

/// What hosts of the Anthropic wire other than Anthropic do not know.
const FOREIGN_ANTHROPIC_STRIPS: &[&str] = &[
    "context_management",
    "container",
    "mcp_servers",
    "inference_geo",
    "diagnostics",
    "fallbacks",
    "service_tier",
];

impl Quirks {
    /// What is removed from a body that stays in `dialect`.
    pub(crate) fn strips(&self, dialect: Dialect) -> &'static [&'static str] {
        match dialect {
            Dialect::Anthropic if self.genuine_anthropic => &[],
            Dialect::Anthropic => FOREIGN_ANTHROPIC_STRIPS,
            Dialect::OpenAiChat => self.strips,
        }
    }

    /// The built-in table, by provider id. An unknown id gets `generic`, which assumes least.
    pub fn of(provider: &str, upstream_model: &str) -> Self {
        match provider {
            "anthropic" => anthropic(upstream_model),
            "openai" => openai(upstream_model),
            "deepseek" => deepseek(),
            "moonshot" => moonshot(upstream_model),
            "google" => google(),
            "zhipu" => zhipu(),
            "alibaba" => alibaba(),
            "minimax" => minimax(),
            "bytedance" => bytedance(),
            _ => GENERIC,
        }
    }
}

fn anthropic(model: &str) -> Quirks {
    let budget_only =
        ["claude-3", "haiku-4-5", "sonnet-4-5", "opus-4-5", "opus-4-1", "opus-4-2", "sonnet-4-2"];
    Quirks {
        family: "anthropic",
        genuine_anthropic: true,
        takes_adaptive_thinking: !budget_only.iter().any(|earlier| model.contains(earlier)),
        takes_top_k: true,
        takes_files: true,
        takes_tool_strict: true,
        takes_text_parts: true,
        prefill: Prefill::Plain,
        ..GENERIC
    }
}

/// Reasoning models fix their sampling, take `developer` and know efforts; the earlier chat models do none of it.
fn openai(model: &str) -> Quirks {
    let reasons = ["gpt-5", "gpt-6", "o1", "o3", "o4"].iter().any(|prefix| model.starts_with(prefix));
    let efforts: &'static [&'static str] = match model {
        _ if !reasons => &[],
        "gpt-5" | "gpt-5-mini" | "gpt-5-nano" => &["minimal", "low", "medium", "high"],
        _ if model.starts_with('o') => &["low", "medium", "high"],
        _ => &["none", "low", "medium", "high", "xhigh"],
    };
    Quirks {
        family: "openai",
        output_limit: OutputLimitField::MaxCompletionTokens,
        reasoning: Reasoning { efforts, ..NO_REASONING },
        fixed_sampling: reasons,
        takes_tool_strict: true,
        system_role: if reasons { "developer" } else { "system" },
        takes_text_parts: true,
        takes_files: true,
        stop_sequences_max: Some(4),
        ..GENERIC
    }
}

fn deepseek() -> Quirks {
    Quirks {
        family: "deepseek",
        reasoning: Reasoning {
            efforts: &["low", "medium", "high", "xhigh", "max"],
            forbids_forced_tool: true,
            needs_history: true,
            ..SWITCHED
        },
        structured_output: StructuredOutput::JsonObject,
        takes_images: false,
        stop_sequences_max: Some(16),
        ..GENERIC
    }
}

fn moonshot(model: &str) -> Quirks {
    let always_thinks = model.starts_with("kimi-k3");
    let reasoning = if always_thinks {
        Reasoning {
            efforts: &["low", "high", "max"],
            switch: ReasoningSwitch::None,
            needs_history: false,
            ..SWITCHED
        }
    } else {
        Reasoning { needs_history: true, ..SWITCHED }
    };
    Quirks {
        family: "moonshot",
        output_limit: OutputLimitField::MaxCompletionTokens,
        strips: &["temperature", "top_p", "presence_penalty", "frequency_penalty", "tools[].function.strict"],
        reasoning,
        fixed_sampling: true,
        stop_sequences_max: Some(5),
        ..GENERIC
    }
}

/// Gemini behind its OpenAI-compatible address.
fn google() -> Quirks {
    Quirks {
        family: "google",
        reasoning: Reasoning { efforts: &["none", "low", "medium", "high"], ..NO_REASONING },
        system_first_only: true,
        takes_parallel_tool_calls: false,
        takes_text_parts: true,
        stop_sequences_max: Some(5),
        ..GENERIC
    }
}

fn zhipu() -> Quirks {
    Quirks {
        family: "zhipu",
        takes_include_usage: false,
        strips: &[
            "stream_options",
            "presence_penalty",
            "frequency_penalty",
            "messages[].name",
            "tools[].function.strict",
            "thinking_budget",
        ],
        reasoning: Reasoning { efforts: &["low", "medium", "high", "max"], ..SWITCHED },
        takes_parallel_tool_calls: false,
        tool_choice_auto_only: true,
        structured_output: StructuredOutput::JsonObject,
        stop_sequences_max: Some(1),
        ..GENERIC
    }
}

fn alibaba() -> Quirks {
    Quirks {
        family: "alibaba",
        reasoning: Reasoning {
            switch: ReasoningSwitch::EnableThinking,
            back: ReasoningBack::Content,
            forbids_forced_tool: true,
            ..NO_REASONING
        },
        takes_top_k: true,
        system_first_only: true,
        structured_output: StructuredOutput::JsonObject,
        ..GENERIC
    }
}

fn minimax() -> Quirks {
    Quirks {
        family: "minimax",
        output_limit: OutputLimitField::MaxCompletionTokens,
        reasoning: Reasoning { back: ReasoningBack::Details, ..SWITCHED },
        structured_output: StructuredOutput::Instructions,
        ..GENERIC
    }
}

fn bytedance() -> Quirks {
    Quirks {
        family: "bytedance",
        reasoning: Reasoning { efforts: &["minimal", "low", "medium", "high"], ..SWITCHED },
        ..GENERIC
    }
}
