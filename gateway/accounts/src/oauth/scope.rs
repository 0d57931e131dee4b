//! What a program can be allowed. There is no scope for administering an org: no third party ever gets that.
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum GrantScope {
    /// Who the person is: id, name, org.
    #[serde(rename = "profile")]
    Profile,
    /// Models and their prices.
    #[serde(rename = "models:read")]
    ModelsRead,
    /// Usage of the org that the program was let into, as far as the person sees it.
    #[serde(rename = "usage:read")]
    UsageRead,
    /// Make, list, rotate and end keys within the bounds that the person chose.
    #[serde(rename = "keys:provision")]
    KeysProvision,
    /// Stay connected: refresh tokens.
    #[serde(rename = "offline_access")]
    OfflineAccess,
}

pub type GrantScopes = BTreeSet<GrantScope>;

impl GrantScope {
    pub const ALL: [Self; 5] =
        [Self::Profile, Self::ModelsRead, Self::UsageRead, Self::KeysProvision, Self::OfflineAccess];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::ModelsRead => "models:read",
            Self::UsageRead => "usage:read",
            Self::KeysProvision => "keys:provision",
            Self::OfflineAccess => "offline_access",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// Reads a list of scopes separated by single spaces. `None` when one of them is unknown.
pub fn parse(text: &str) -> Option<GrantScopes> {
    text.split(' ').filter(|word| !word.is_empty()).map(GrantScope::parse).collect()
}

/// As the wire has it: separated by spaces, in a fixed order.
pub fn write(scopes: &GrantScopes) -> String {
    let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_read_back_and_unknown_ones_are_refused() {
        let all: GrantScopes = GrantScope::ALL.into();
        assert_eq!(parse(&write(&all)), Some(all));
        assert_eq!(parse(""), Some(GrantScopes::new()));
        assert_eq!(parse("profile admin:all"), None);
        assert_eq!(parse("PROFILE"), None);
    }
}
