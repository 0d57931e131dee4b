//! Which models a caller may use: those on every model list of its key's path, and where the outermost key has no list,
//! those of the org's preset; and who may answer it: the channels of providers and regions that every list on the path has.

use std::sync::Arc;

use bytespike_accounts::keys::{AllowList, Caller};
use bytespike_accounts::orgs::Preset as OrgPreset;
use bytespike_catalog::model::{Model, Preset};
use bytespike_dialects::{ErrorCode, ErrorInfo};

use crate::channel::Channel;

/// What keeps a caller from a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAllowed {
    /// A list of the key, or of one it was derived from.
    KeyList,
    Preset(OrgPreset),
    /// There are channels that carry the model, and none of a provider and region that the lists allow: who offers it.
    NobodyAllowed(Vec<String>),
}

/// # Errors
/// What keeps the caller from the model.
pub fn check(caller: &Caller, model: &Model, channels: &[Arc<Channel>]) -> Result<(), NotAllowed> {
    if !caller.models.allows(&model.id) {
        return Err(NotAllowed::KeyList);
    }
    if caller.preset_binds && !model.presets.contains(&in_catalogue(caller.preset)) {
        return Err(NotAllowed::Preset(caller.preset));
    }
    let carrying = || channels.iter().filter(|channel| channel.models.contains_key(&model.id));
    // Without any channel it is not wired, whoever asks.
    if carrying().next().is_none() || carrying().any(|channel| answers(caller, channel)) {
        return Ok(());
    }
    let mut offered: Vec<String> = carrying().map(|channel| place_of(channel)).collect();
    offered.sort_unstable();
    offered.dedup();
    Err(NotAllowed::NobodyAllowed(offered))
}

/// Whether the channel may answer the caller. One that does not say its region answers nobody who is bound to regions.
#[must_use]
pub fn answers(caller: &Caller, channel: &Channel) -> bool {
    let is_there = match &channel.region {
        Some(region) => caller.regions.allows(region),
        None => caller.regions == AllowList::Any,
    };
    is_there && caller.providers.allows(&channel.provider)
}

impl NotAllowed {
    /// The refusal, with how to change it. `name` is the model as the client wrote it.
    #[must_use]
    pub fn error(&self, caller: &Caller, name: &str) -> ErrorInfo {
        let (node, advice) = match self {
            Self::NobodyAllowed(offered) => return nobody_allowed(caller, name, offered),
            Self::KeyList => (
                format!("the key '{}'", caller.key_name),
                "GET /v1/models lists the models this key may use.".to_owned(),
            ),
            Self::Preset(preset) => (
                format!("the organisation '{}' with the preset '{}'", caller.org_name, preset.as_str()),
                "An owner or admin switches the preset in the console's settings, or makes a key whose model list \
                 names the model. GET /v1/models lists the models this key may use."
                    .to_owned(),
            ),
        };
        let values = [("model", name), ("node", node.as_str()), ("advice", advice.as_str())];
        ErrorInfo::new(ErrorCode::ModelNotAllowed, &values).with_param("model")
    }
}

fn nobody_allowed(caller: &Caller, name: &str, offered: &[String]) -> ErrorInfo {
    let bound = [("provider", &caller.providers), ("region", &caller.regions)];
    let bound: Vec<String> =
        bound
            .into_iter()
            .filter_map(|(kind, list)| Some((kind, list.names()?)))
            .map(|(kind, names)| {
                if names.is_empty() { format!("no {kind}") } else { format!("{kind} {}", names.join(" or ")) }
            })
            .collect();
    let (bound, offered) = (bound.join(", "), offered.join(", "));
    let values = [
        ("model", name),
        ("key", caller.key_name.as_str()),
        ("bound", bound.as_str()),
        ("offered", offered.as_str()),
    ];
    ErrorInfo::new(ErrorCode::ProviderNotAllowed, &values).with_param("model")
}

/// `openai (us)`
fn place_of(channel: &Channel) -> String {
    match &channel.region {
        Some(region) => format!("{} ({region})", channel.provider),
        None => format!("{} (region not said)", channel.provider),
    }
}

pub fn in_catalogue(preset: OrgPreset) -> Preset {
    match preset {
        OrgPreset::Global => Preset::Global,
        OrgPreset::China => Preset::China,
    }
}
