//! Puts the layers together: defaults ← file ← environment, remembering where each value came from, so that a
//! mistake is reported at its line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::{Config, DEFAULTS, PROVIDERS, Secret, check};

/// The variables of ByteSpike's own begin with this.
const PREFIX: &str = "BYTESPIKE_";
/// These are not settings: which file to load, and what the documentation's samples call a customer's key.
const NOT_SETTINGS: [&str; 2] = ["BYTESPIKE_CONFIG", "BYTESPIKE_API_KEY"];
/// Loaded when it exists and no other file is named.
const USUAL_FILE: &str = "bytespike.toml";

/// Where a configuration is read from.
pub struct Sources {
    pub file: Option<PathBuf>,
    /// Variables and their values.
    pub environment: Vec<(String, String)>,
}

impl Sources {
    /// The process's environment, and the file that was named or the usual one.
    pub fn of_process(named: Option<PathBuf>) -> Self {
        let usual = || Some(PathBuf::from(USUAL_FILE)).filter(|path| path.exists());
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self { file: named.or_else(usual), environment: std::env::vars_os().filter_map(text).collect() }
    }
}

/// Why a configuration cannot be used. Never holds a configured value.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration file {path}: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{origin}: this is not TOML: {problem}")]
    Syntax { origin: String, problem: String },
    #[error("{origin}: there is no key `{key}`{}", did_you_mean(.nearest.as_deref()))]
    UnknownKey { origin: String, key: String, nearest: Option<String> },
    #[error("{origin}: {key}: {problem}")]
    Value { origin: String, key: String, problem: String },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or(String::new(), |nearest| format!("; did you mean `{nearest}`?"))
}

/// Reads and checks the whole configuration.
///
/// # Errors
/// The first thing that is wrong, and where it stands.
pub fn load(sources: &Sources) -> Result<Config, ConfigError> {
    let mut layers = Layers::defaults()?;
    if let Some(path) = &sources.file {
        layers.add_file(path)?;
    }
    for (name, value) in &sources.environment {
        layers.add_variable(name, value)?;
    }
    let mut config = layers.read()?;
    let variable = |name: &str| {
        sources.environment.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone())
    };
    for known in PROVIDERS {
        if let Some(key) = variable(known.key_variable).filter(|key| !key.is_empty()) {
            config.provider_keys.insert(known.provider.to_owned(), Secret::from(key));
        }
    }
    for channel in &mut config.channels {
        if !channel.api_key_env.is_empty() && channel.api_key.reveal().is_none() {
            channel.api_key = variable(&channel.api_key_env).unwrap_or_default().into();
        }
    }
    check(&config).map_err(|(key, problem)| layers.value_error(&key, problem))?;
    Ok(config)
}

/// The values so far, and where each came from.
struct Layers {
    values: Table,
    /// Dotted path → `file:line` or the name of a variable.
    origins: BTreeMap<String, String>,
}

impl Layers {
    fn defaults() -> Result<Self, ConfigError> {
        let syntax = |error: toml::de::Error| ConfigError::Syntax {
            origin: "config.default.toml".to_owned(),
            problem: error.message().to_owned(),
        };
        Ok(Self { values: DEFAULTS.parse().map_err(syntax)?, origins: BTreeMap::new() })
    }

    fn add_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let line_at =
            |offset: usize| format!("{}:{}", path.display(), 1 + text[..offset].matches('\n').count());
        let syntax = |error: toml::de::Error| ConfigError::Syntax {
            origin: line_at(error.span().map_or(0, |span| span.start)),
            problem: error.message().to_owned(),
        };
        let positions = DeTable::parse(&text).map_err(syntax)?;
        note_origins(positions.get_ref(), "", &line_at, &mut self.origins);
        let table: Table = text.parse().map_err(syntax)?;
        merge(&mut self.values, table);
        Ok(())
    }

    /// `BYTESPIKE_SERVER__LISTEN` sets `server.listen`; what type it has is what the default's is.
    fn add_variable(&mut self, name: &str, text: &str) -> Result<(), ConfigError> {
        let Some(path) = name.strip_prefix(PREFIX).filter(|_| !NOT_SETTINGS.contains(&name)) else {
            return Ok(());
        };
        let path = path.to_lowercase().replace("__", ".");
        self.origins.insert(path.clone(), format!("environment variable {name}"));
        let default = path.split('.').try_fold(None, |at: Option<&Value>, key| match at {
            None => self.values.get(key).map(Some),
            Some(table) => table.get(key).map(Some),
        });
        let value = match default.flatten() {
            None | Some(Value::String(_)) => Value::String(text.to_owned()),
            Some(_) => toml_value(text)
                .ok_or_else(|| self.value_error(&path, "this is not a TOML value".to_owned()))?,
        };
        let nested = path
            .rsplit('.')
            .fold(value, |value, key| Value::Table(Table::from_iter([(key.to_owned(), value)])));
        if let Value::Table(table) = nested {
            merge(&mut self.values, table);
        }
        Ok(())
    }

    fn read(&self) -> Result<Config, ConfigError> {
        let reader = Value::Table(self.values.clone());
        serde_path_to_error::deserialize::<_, Config>(reader).map_err(|error| {
            let path = error.path().to_string();
            self.explain(&path, error.inner().message())
        })
    }

    /// Serde names an unknown key and the known ones between backticks; everything else is a bad value.
    fn explain(&self, path: &str, message: &str) -> ConfigError {
        let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let Some((unknown, known)) = quoted.split_first().filter(|_| message.starts_with("unknown field"))
        else {
            return self.value_error(path, message.trim().replace('\n', " "));
        };
        let section = path.strip_suffix(unknown).unwrap_or(path).trim_end_matches('.').trim_matches('?');
        let at = |key: &str| {
            if section.is_empty() || section == "." { key.to_owned() } else { format!("{section}.{key}") }
        };
        let nearest = known.iter().max_by(|a, b| similarity(unknown, a).total_cmp(&similarity(unknown, b)));
        ConfigError::UnknownKey {
            origin: self.origin(&at(unknown)),
            key: at(unknown),
            nearest: nearest.map(|nearest| at(nearest)),
        }
    }

    fn value_error(&self, key: &str, problem: String) -> ConfigError {
        ConfigError::Value { origin: self.origin(key), key: key.to_owned(), problem }
    }

    /// Where the value at `path` was set, or the nearest thing around it that was.
    fn origin(&self, path: &str) -> String {
        let mut around = path;
        loop {
            if let Some(origin) = self.origins.get(around) {
                return origin.clone();
            }
            match around.rfind(['.', '[']) {
                Some(end) => around = &around[..end],
                None => return "configuration".to_owned(),
            }
        }
    }
}

fn similarity(a: &str, b: &str) -> f64 {
    strsim::jaro_winkler(a, b)
}

/// A value written as in a TOML file.
fn toml_value(text: &str) -> Option<Value> {
    format!("value = {text}").parse::<Table>().ok()?.remove("value")
}

/// Tables are merged, everything else is replaced.
fn merge(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

fn note_origins(
    table: &DeTable<'_>,
    prefix: &str,
    line_at: &dyn Fn(usize) -> String,
    origins: &mut BTreeMap<String, String>,
) {
    for (key, value) in table {
        let path =
            if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
        origins.insert(path.clone(), line_at(key.span().start));
        note_inside(value, &path, line_at, origins);
    }
}

fn note_inside(
    value: &Spanned<DeValue<'_>>,
    path: &str,
    line_at: &dyn Fn(usize) -> String,
    origins: &mut BTreeMap<String, String>,
) {
    match value.get_ref() {
        DeValue::Table(inner) => note_origins(inner, path, line_at, origins),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                note_inside(item, &format!("{path}[{index}]"), line_at, origins);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.toml");
        std::fs::write(&path, text).unwrap();
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let shown = format!("{}/", folder.path().display());
        load(&Sources { file: Some(path), environment })
            .map_err(|error| error.to_string().replace(&shown, ""))
    }

    #[test]
    fn the_defaults_stand_alone() {
        let config = load(&Sources { file: None, environment: Vec::new() }).unwrap();
        assert!(config.server.is_loopback());
        assert!(config.channels.is_empty());
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
        let own = "[server]\nmax_connections = 7\nmax_connections_per_ip = 5\nextra_hosts = [\"a\"]";
        let environment = [
            ("BYTESPIKE_SERVER__MAX_CONNECTIONS", "9"),
            ("BYTESPIKE_SERVER__EXTRA_HOSTS", "[\"b\", \"c\"]"),
            ("BYTESPIKE_MAIL__SMTP_PASSWORD", "12345"),
            ("UNRELATED", "x"),
            ("BYTESPIKE_API_KEY", "sk-byts-from-the-samples"),
        ];
        let config = load_text(own, &environment).unwrap();
        assert_eq!((config.server.max_connections, config.server.max_connections_per_ip), (9, 5));
        assert_eq!(config.server.extra_hosts, ["b", "c"]);
        assert_eq!(config.mail.smtp_password.reveal(), Some("12345"));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_the_nearest_known_one() {
        let refused = |text| load_text(text, &[]).unwrap_err();
        assert_eq!(
            refused("[log]\n\n[server]\nlisen = \"1\""),
            "own.toml:4: there is no key `server.lisen`; did you mean `server.listen`?"
        );
        assert_eq!(refused("[gatway]"), "own.toml:1: there is no key `gatway`; did you mean `gateway`?");
        let channel = "[[channels]]\nid = \"a\"\nprovider = \"p\"\nbas_url = \"http://x\"";
        assert_eq!(
            refused(channel),
            "own.toml:4: there is no key `channels[0].bas_url`; did you mean `channels[0].base_url`?"
        );
    }

    #[test]
    fn an_unknown_variable_is_refused_by_name() {
        let refused = load_text("", &[("BYTESPIKE_SERVER__LISENT", "x")]).unwrap_err();
        assert_eq!(
            refused,
            "environment variable BYTESPIKE_SERVER__LISENT: there is no key `server.lisent`; did you mean `server.listen`?"
        );
    }

    #[test]
    fn a_bad_value_is_refused_at_its_line_without_being_repeated() {
        let refused = load_text("[gateway]\nmax_attempts = \"hunter2\"", &[]).unwrap_err();
        assert!(refused.starts_with("own.toml:2: gateway.max_attempts: "), "{refused}");
        let refused = load_text("[secrets\nmaster_key = \"hunter2\"", &[]).unwrap_err();
        assert!(refused.starts_with("own.toml:1: this is not TOML"), "{refused}");
        assert!(!refused.contains("hunter2"));
    }

    #[test]
    fn what_is_in_force_prints_without_secrets() {
        let own = "[[channels]]\nid = \"a\"\nprovider = \"openai\"\ndialect = \"openai-chat\"\nbase_url = \"http://127.0.0.1:1/v1\"\napi_key_env = \"MY_KEY\"\n[database]\nurl = \"postgres://u:hunter1@h/d\"";
        let environment = [
            ("MY_KEY", "hunter2"),
            ("ANTHROPIC_API_KEY", "hunter3"),
            ("BYTESPIKE_METRICS__BEARER_TOKEN", "hunter4-hunter4-hunter4-hunter4-"),
        ];
        let config = load_text(own, &environment).unwrap();
        assert_eq!(config.channels[0].api_key.reveal(), Some("hunter2"));
        let shown = toml::to_string(&config).unwrap();
        assert!(shown.contains("[redacted]") && !shown.contains("hunter"), "{shown}");
    }
}
