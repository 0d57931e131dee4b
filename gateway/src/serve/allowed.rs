//! Which models a caller may use: those on every model list of its key's path, and where the outermost key has no list,
//! those of the org's preset.

use bytespike_accounts::keys::Caller;
use bytespike_accounts::orgs::Preset as OrgPreset;
use bytespike_catalog::model::{Model, Preset};
use bytespike_dialects::{ErrorCode, ErrorInfo};

/// What keeps a caller from a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAllowed {
    /// A list of the key, or of one it was derived from.
    KeyList,
    Preset(OrgPreset),
}

/// # Errors
/// What keeps the caller from the model.
pub fn check(caller: &Caller, model: &Model) -> Result<(), NotAllowed> {
    if !caller.models.allows(&model.id) {
        return Err(NotAllowed::KeyList);
    }
    if caller.preset_binds && !model.presets.contains(&in_catalogue(caller.preset)) {
        return Err(NotAllowed::Preset(caller.preset));
    }
    Ok(())
}

impl NotAllowed {
    /// The refusal, with how to change it. `name` is the model as the client wrote it.
    #[must_use]
    pub fn error(self, caller: &Caller, name: &str) -> ErrorInfo {
        let (node, advice) = match self {
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

pub fn in_catalogue(preset: OrgPreset) -> Preset {
    match preset {
        OrgPreset::Global => Preset::Global,
        OrgPreset::China => Preset::China,
    }
}
