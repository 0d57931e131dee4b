//! Configured values that must never be printed.

use serde::{Deserialize, Serialize, Serializer};

/// What a redacted value prints as.
const REDACTED: &str = "[redacted]";

/// A secret string; empty means not set. It has no `Display`, and its `Debug` and `Serialize` hide it.
#[derive(Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The value itself, if one is set.
    pub fn reveal(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(self.0.as_str())
    }

    fn shown(&self) -> &'static str {
        if self.0.is_empty() { "" } else { REDACTED }
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.shown())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.shown())
    }
}

/// Where the database is. Prints without user, password and parameters.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The file, when it is an SQLite database.
    pub fn sqlite_path(&self) -> Option<&std::path::Path> {
        let path = self.0.strip_prefix("sqlite:")?;
        Some(std::path::Path::new(path.strip_prefix("//").unwrap_or(path)))
    }

    fn shown(&self) -> String {
        let without_parameters = self.0.split('?').next().unwrap_or_default();
        match (without_parameters.split_once("://"), without_parameters.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, place))) => format!("{scheme}://{REDACTED}@{place}"),
            _ => without_parameters.to_owned(),
        }
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_url_shows_its_place_and_not_its_password() {
        let url = DatabaseUrl("postgres://me:hunter2@db.example:5432/spike?password=hunter3".to_owned());
        assert_eq!(format!("{url:?}"), "postgres://[redacted]@db.example:5432/spike");
        assert_eq!(format!("{:?}", DatabaseUrl("sqlite:data/a.sqlite".to_owned())), "sqlite:data/a.sqlite");
    }

    #[test]
    fn s127_a_secret_shows_only_whether_it_is_set() {
        assert_eq!(format!("{:?}{:?}", Secret::default(), Secret::from("hunter2".to_owned())), "[redacted]");
    }
}
