//! Orgs: their model preset, and the trial credit a new one is owed.

/// The language someone reads; decides the preset of a new org and the language of mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    En,
    Zh,
}

impl Language {
    pub fn as_str(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::Zh => "zh",
        }
    }

    /// `zh` in any regional form is Chinese; everything else is English.
    pub fn from_tag(tag: &str) -> Self {
        if tag.split(['-', '_']).next() == Some("zh") { Language::Zh } else { Language::En }
    }
}

/// A named model set of an org. Which models it holds is the catalog's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    Global,
    China,
}

impl Preset {
    pub fn as_str(self) -> &'static str {
        match self {
            Preset::Global => "global",
            Preset::China => "china",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "global" => Some(Preset::Global),
            "china" => Some(Preset::China),
            _ => None,
        }
    }

    pub(crate) fn from_stored(text: &str) -> Self {
        Self::parse(text).unwrap_or(Preset::Global)
    }

    /// What a new org starts with.
    pub fn of(language: Language) -> Self {
        match language {
            Language::En => Preset::Global,
            Language::Zh => Preset::China,
        }
    }
}

/// A wallet to be opened, with a trial credit for the org that comes with an account. The id makes booking it twice the same as once, so a crash in between is harmless:
/// book it with the ledger under `grant_id`, then call [`People::trial_granted`](crate::people::People::trial_granted).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialGrant {
    pub org_id: String,
    pub grant_id: String,
    /// False for an org that somebody made beside their first one.
    pub is_owed: bool,
}

impl TrialGrant {
    pub fn of(org_id: impl Into<String>) -> Self {
        let org_id = org_id.into();
        Self { grant_id: format!("trial:{org_id}"), org_id, is_owed: true }
    }

    /// A wallet without a credit.
    pub fn not_owed(org_id: impl Into<String>) -> Self {
        Self { is_owed: false, ..Self::of(org_id) }
    }
}
