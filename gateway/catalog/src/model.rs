//! What is known about a model apart from its price.
use serde::{Deserialize, Serialize};

/// What a model takes and gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Modality {
    Text,
    Image,
    Video,
    AudioSpeech,
    AudioTranscription,
    Embedding,
    Rerank,
}

/// A wire format a provider serves the model in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    Anthropic,
    OpenaiChat,
    OpenaiResponses,
    OpenaiImages,
    OpenaiVideos,
    OpenaiAudio,
    OpenaiRealtime,
    OpenaiEmbeddings,
    Gemini,
    GeminiLro,
    Dashscope,
    DashscopeAsync,
    Ark,
    ArkAsync,
    Minimax,
    MinimaxAsync,
    ZhipuAsync,
    Custom,
}

/// Where a model is in its life, as its provider says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Active,
    Preview,
    Legacy,
    Deprecated,
    /// Offered under a contract only.
    Limited,
    /// Being withdrawn; takes no new work.
    Retiring,
    Retired,
    /// Shown by its provider, but no public API serves it.
    NoOfficialApiId,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Capabilities {
    pub tools: bool,
    pub vision: bool,
    pub thinking: bool,
    /// The provider prices cached input apart.
    pub caching: bool,
}

/// A named set of models; a new organisation starts with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    Global,
    China,
}

/// Dates (YYYY-MM-DD) in a model's life, as far as its provider names them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lifecycle {
    /// May be less precise than a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retires_not_before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
    /// The model that answers under this id after its retirement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served_by_after: Option<String>,
}

/// A company that serves models.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    pub id: String,
    pub name: String,
}

/// A model and everything about it but its price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// The provider's own id; the slug of our API.
    pub id: String,
    pub provider: String,
    pub family: String,
    pub modality: Modality,
    pub protocols: Vec<Protocol>,
    pub context_window_tokens: Option<u64>,
    pub max_output_tokens: Option<u64>,
    pub capabilities: Capabilities,
    pub presets: Vec<Preset>,
    pub status: Status,
    pub lifecycle: Lifecycle,
}
