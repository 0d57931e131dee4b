//! Providers whose channel is wired by nothing but a key in the environment.

use super::sections::ChannelDialect;

/// Where a well-known provider is, and what its key is usually called.
#[derive(Debug, Clone, Copy)]
pub struct KnownProvider {
    /// As the catalogue names it.
    pub provider: &'static str,
    pub key_variable: &'static str,
    pub dialect: ChannelDialect,
    pub base_url: &'static str,
}

/// Addresses as the providers document them; Google's is its OpenAI-compatible endpoint.
pub const PROVIDERS: [KnownProvider; 5] = [
    KnownProvider {
        provider: "anthropic",
        key_variable: "ANTHROPIC_API_KEY",
        dialect: ChannelDialect::Anthropic,
        base_url: "https://api.anthropic.com",
    },
    KnownProvider {
        provider: "openai",
        key_variable: "OPENAI_API_KEY",
        dialect: ChannelDialect::OpenaiChat,
        base_url: "https://api.openai.com/v1",
    },
    KnownProvider {
        provider: "google",
        key_variable: "GEMINI_API_KEY",
        dialect: ChannelDialect::OpenaiChat,
        base_url: "https://generativelanguage.googleapis.com/v1beta/openai",
    },
    KnownProvider {
        provider: "deepseek",
        key_variable: "DEEPSEEK_API_KEY",
        dialect: ChannelDialect::OpenaiChat,
        base_url: "https://api.deepseek.com/v1",
    },
    KnownProvider {
        provider: "moonshot",
        key_variable: "MOONSHOT_API_KEY",
        dialect: ChannelDialect::OpenaiChat,
        base_url: "https://api.moonshot.ai/v1",
    },
];
