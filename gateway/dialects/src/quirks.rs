//! What one provider takes and refuses, as data.

/// How a provider departs from its dialect. Start from [`Quirks::of`] and change what a channel needs.
#[derive(Debug, Clone)]
pub struct Quirks {
    /// Provider family, which also names the origin of opaque reasoning state: `anthropic`, `deepseek`, …
    pub family: &'static str,
    /// Which field carries the output limit on the OpenAI wire.
    pub output_limit: OutputLimitField,
    /// Whether `stream_options.include_usage` may be sent.
    pub takes_include_usage: bool,
    /// Dotted paths removed from a body in the provider's own dialect; `[]` steps into an array.
    pub strips: &'static [&'static str],
    /// How earlier reasoning goes back in an assistant message.
    pub reasoning_back: ReasoningBack,
    /// How reasoning is switched on and off.
    pub reasoning_control: ReasoningControl,
    /// Sampling is fixed by the provider: temperature, top_p and penalties are left out.
    pub fixed_sampling: bool,
    pub takes_top_k: bool,
    pub takes_parallel_tool_calls: bool,
    pub takes_tool_strict: bool,
    /// Only `tool_choice: auto` is understood.
    pub tool_choice_auto_only: bool,
    pub structured_output: StructuredOutput,
    /// `developer` instead of `system` for the leading instructions.
    pub system_role_developer: bool,
    /// A system message in the middle of the conversation is refused.
    pub system_first_only: bool,
    pub takes_images: bool,
    /// PDF documents as `file` parts.
    pub takes_files: bool,
    /// A trailing assistant message continues (prefill).
    pub takes_prefill: bool,
    /// Most stop sequences taken; `None` if there is no limit known.
    pub stop_sequences_max: Option<usize>,
    /// The Anthropic wire, spoken by Anthropic itself: signatures, server tools and betas are genuine.
    pub genuine_anthropic: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputLimitField {
    MaxTokens,
    MaxCompletionTokens,
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
pub enum ReasoningControl {
    None,
    /// `reasoning_effort`.
    Effort,
    /// `thinking: {type}`.
    Toggle,
    /// Both of the above.
    ToggleAndEffort,
    /// `enable_thinking` and `thinking_budget`.
    EnableThinking,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StructuredOutput {
    JsonSchema,
    /// `json_object` only: the schema goes into the instructions.
    JsonObject,
    None,
}
