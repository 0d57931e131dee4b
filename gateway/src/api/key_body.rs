//! What a caller sends about a key, read strictly: a field that is not known is an error.

use std::collections::BTreeSet;

use bytespike_accounts::keys::{KeyKind, KeyState, NewKey, Scope, Terms, Wider};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::Fault;
use super::fields::{ips, models, moment_ms, present, providers, regions, scopes, tags, wrong};
use super::limits::{SetLimitBody, value_of};
use crate::Gateway;
use crate::quota::Which;

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKeyBody {
    /// 1 to 64 characters.
    name: String,
    /// For people; at most 500 characters.
    note: Option<String>,
    /// To sort keys by: at most 10, each of 1 to 32 letters and digits and `-_.:/`; kept in small letters.
    tags: Option<Vec<String>>,
    /// `live` or `test`; a derived key is of its parent's kind unless said. `live` unless said.
    #[schema(pattern = "^(live|test)$")]
    kind: Option<String>,
    /// The key it is derived from.
    parent: Option<String>,
    /// Of a key without parent: the deployment it belongs to. The asking key's unless said.
    deployment: Option<String>,
    /// Of a key without parent: the member or service account who holds it. The asking key's holder unless said.
    holder: Option<String>,
    /// `inference` and `usage:read` unless said.
    scopes: Option<Vec<String>>,
    /// Model slugs; a `*` stands for any characters and is resolved now. Left out or null: whatever is allowed above.
    models: Option<Vec<String>>,
    /// Addresses and networks such as `203.0.113.0/24`. Left out: from wherever is allowed above.
    ips: Option<Vec<String>>,
    /// Who may answer. Left out or null: whoever is allowed above.
    providers: Option<Vec<String>>,
    /// Where what is sent may be kept, such as `eu`. Left out or null: wherever is allowed above.
    regions: Option<Vec<String>>,
    /// What cannot be represented upstream is a 400 instead of a warning.
    strict: Option<bool>,
    /// RFC 3339. Left out or null: as long as the keys above; a node above may want an end, and then says until when.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Limits of the key, each at most that of the nodes above.
    limits: Option<Vec<NewLimitBody>>,
}

/// One limit of a new key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLimitBody {
    /// `lifetime`, `month`, `5h`, `1d`, `7d`, `requests_per_minute`, `concurrent_calls` or `credits_per_call`
    limit: String,
    /// Credits as a decimal with at most three places, for spend limits and `credits_per_call`.
    limit_credits: Option<String>,
    /// Requests or calls, for `requests_per_minute` and `concurrent_calls`.
    #[schema(minimum = 0, maximum = 1_000_000)]
    limit_count: Option<i64>,
}

/// What is to be changed about a key. What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeKeyBody {
    name: Option<String>,
    note: Option<String>,
    /// All of them; empty for none.
    tags: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    /// Null: whatever is allowed above.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    models: Option<Option<Vec<String>>>,
    /// Empty: from wherever is allowed above.
    ips: Option<Vec<String>>,
    /// Null: whoever is allowed above.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    providers: Option<Option<Vec<String>>>,
    /// Null: wherever is allowed above.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    regions: Option<Option<Vec<String>>>,
    strict: Option<bool>,
    /// RFC 3339; null: as long as the keys above.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Option<String>>,
    /// `active` or `disabled`. A disabled key and all derived from it are refused until it is active again.
    #[schema(pattern = "^(active|disabled)$")]
    state: Option<String>,
}

/// How long the old secret works on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateBody {
    /// 0 to 2592000, which is 30 days.
    #[schema(minimum = 0, maximum = 2_592_000)]
    overlap_seconds: i64,
}

impl NewKeyBody {
    /// # Errors
    /// A field that cannot be read.
    pub fn read(
        self,
        gateway: &Gateway,
        own_scopes: &BTreeSet<Scope>,
    ) -> Result<(NewKey, Vec<(Which, i64)>), Fault> {
        let kind = match self.kind.as_deref() {
            None | Some("live") => KeyKind::Live,
            Some("test") => KeyKind::Test,
            Some(_) => return Err(wrong("kind", "live or test")),
        };
        let scopes = match self.scopes {
            Some(names) => scopes(&names)?,
            // A key that derives gives what it has of the usual; one that manages gives the usual.
            None if own_scopes.contains(&Scope::KeysManage) => Scope::DEFAULT.into(),
            None => Scope::DEFAULT.into_iter().filter(|scope| own_scopes.contains(scope)).collect(),
        };
        let terms = Terms {
            name: self.name,
            note: self.note.unwrap_or_default(),
            tags: tags(&self.tags.unwrap_or_default())?,
            models: models(gateway, self.models)?,
            ips: ips(&self.ips.unwrap_or_default())?,
            providers: providers(gateway, self.providers)?,
            regions: regions(self.regions)?,
            scopes,
            strict: self.strict.unwrap_or(false),
            expires_at_ms: self.expires_at.as_deref().map(moment_ms).transpose()?,
        };
        let limits = self.limits.unwrap_or_default().into_iter().map(NewLimitBody::read);
        let limits: Vec<(Which, i64)> = limits.collect::<Result<_, Fault>>()?;
        let distinct: BTreeSet<Which> = limits.iter().map(|(which, _)| *which).collect();
        if distinct.len() != limits.len() {
            return Err(wrong("limits", "each limit once"));
        }
        let new = NewKey {
            kind,
            terms,
            parent_key_id: self.parent,
            deployment_id: self.deployment,
            member_id: self.holder,
        };
        Ok((new, limits))
    }
}

impl NewLimitBody {
    fn read(self) -> Result<(Which, i64), Fault> {
        let which =
            Which::parse(&self.limit).ok_or_else(|| wrong("limits", "a known name for each limit"))?;
        let body = SetLimitBody { limit_credits: self.limit_credits, limit_count: self.limit_count };
        Ok((which, value_of(&body, which)?))
    }
}

impl ChangeKeyBody {
    /// # Errors
    /// Neither `active` nor `disabled`.
    pub fn state(&self) -> Result<Option<KeyState>, Fault> {
        match self.state.as_deref() {
            None => Ok(None),
            Some("active") => Ok(Some(KeyState::Active)),
            Some("disabled") => Ok(Some(KeyState::Disabled)),
            Some(_) => Err(wrong("state", "active or disabled; to end a key, revoke or delete it")),
        }
    }

    /// # Errors
    /// A field that cannot be read.
    pub fn read(self, gateway: &Gateway, before: &Terms) -> Result<Terms, Fault> {
        Ok(Terms {
            name: self.name.unwrap_or_else(|| before.name.clone()),
            note: self.note.unwrap_or_else(|| before.note.clone()),
            tags: self.tags.map_or_else(|| Ok(before.tags.clone()), |list| tags(&list))?,
            scopes: self.scopes.map_or_else(|| Ok(before.scopes.clone()), |names| scopes(&names))?,
            models: self.models.map_or_else(|| Ok(before.models.clone()), |list| models(gateway, list))?,
            ips: self.ips.map_or_else(|| Ok(before.ips.clone()), |list| ips(&list))?,
            providers: self
                .providers
                .map_or_else(|| Ok(before.providers.clone()), |list| providers(gateway, list))?,
            regions: self.regions.map_or_else(|| Ok(before.regions.clone()), regions)?,
            strict: self.strict.unwrap_or(before.strict),
            expires_at_ms: match self.expires_at {
                None => before.expires_at_ms,
                Some(at) => at.as_deref().map(moment_ms).transpose()?,
            },
        })
    }
}

impl RotateBody {
    /// # Errors
    /// Negative, or more than 30 days.
    pub fn overlap_ms(&self) -> Result<i64, Fault> {
        let overlap_ms = self.overlap_seconds.checked_mul(1_000);
        let within = |ms: &i64| (0..=bytespike_accounts::keys::LONGEST_OVERLAP_MS).contains(ms);
        overlap_ms.filter(within).ok_or_else(|| wrong("overlap_seconds", "0 to 2592000, which is 30 days"))
    }
}

/// The field that was too wide.
pub fn field_of(wider: Wider) -> &'static str {
    match wider {
        Wider::Models => "models",
        Wider::Scopes => "scopes",
        Wider::Ips => "ips",
        Wider::Providers => "providers",
        Wider::Regions => "regions",
        Wider::Expiry => "expires_at",
    }
}
