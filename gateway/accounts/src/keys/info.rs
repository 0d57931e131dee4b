//! Keys and their credentials as lists and pages show them.
use super::Keys;
use super::caller::{AllowList, scopes_from_stored};
use super::format::{self, KeyKind};
use super::ips::IpRule;
use super::manager::{KeyReach, Manager};
use super::tags::Tags;
use super::terms::{Allowed, Terms};
use crate::people::Membership;
use crate::role::Role;
use bytespike_store::api_key::{self, KeyFilter, KeyRow, States};
use bytespike_store::api_key_credential::{self, ListedRow};
use bytespike_store::{member, node_rule};
use std::collections::BTreeMap;

/// A key as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    pub id: String,
    /// For example `sk-byts-7Qm3…LZbv`; of the newest credential.
    pub masked: String,
    pub kind: KeyKind,
    pub state: KeyState,
    pub deployment_id: String,
    pub member_id: String,
    pub parent_key_id: Option<String>,
    /// The key and every key it was derived from, the root first, this one last.
    pub path: Vec<String>,
    pub terms: Terms,
    pub created_by_person_id: Option<String>,
    pub created_by_key_id: Option<String>,
    pub created_at_ms: i64,
    pub ended_at_ms: Option<i64>,
    /// Written a few seconds late, and not more often than once a minute.
    pub last_used_at_ms: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    Active,
    Disabled,
    /// Ended; streams that were running were cut. The row stays in the list.
    Revoked,
    /// Ended and out of the list; streams that were running could finish.
    Deleted,
}

/// A credential of a key. Never its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialInfo {
    pub id: String,
    pub masked: String,
    pub created_at_ms: i64,
    /// From then on it does not work; `None` as long as the key does.
    pub not_after_ms: Option<i64>,
    pub last_used_at_ms: Option<i64>,
    pub last_used_ip: Option<String>,
    pub last_used_client: Option<String>,
}

/// Tags by the id of the key that has them.
pub type KeyTags = BTreeMap<String, Tags>;

/// Where a page of keys begins: after this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCursor {
    pub created_at_ms: i64,
    pub id: String,
}

impl KeyState {
    pub fn as_str(self) -> &'static str {
        match self {
            KeyState::Active => "active",
            KeyState::Disabled => "disabled",
            KeyState::Revoked => "revoked",
            KeyState::Deleted => "deleted",
        }
    }

    pub fn is_open(self) -> bool {
        matches!(self, KeyState::Active | KeyState::Disabled)
    }

    pub(super) fn from_stored(text: &str) -> Self {
        match text {
            "active" => KeyState::Active,
            "disabled" => KeyState::Disabled,
            "revoked" => KeyState::Revoked,
            _ => KeyState::Deleted,
        }
    }

    pub(super) fn event(self) -> &'static str {
        match self {
            KeyState::Active => "key.enabled",
            KeyState::Disabled => "key.disabled",
            KeyState::Revoked => "key.revoked",
            KeyState::Deleted => "key.deleted",
        }
    }
}

impl CredentialInfo {
    pub fn is_live(&self, now_ms: i64) -> bool {
        self.not_after_ms.is_none_or(|end| end > now_ms)
    }
}

impl Keys {
    /// The keys within the manager's reach that are not deleted, newest first.
    pub async fn list<'a>(&self, manager: impl Into<Manager<'a>>) -> sqlx::Result<Vec<KeyInfo>> {
        self.select(manager.into().filter()).await
    }

    /// Keys that have ended, deleted ones included, newest first.
    pub async fn ended<'a>(&self, manager: impl Into<Manager<'a>>, limit: i64) -> sqlx::Result<Vec<KeyInfo>> {
        let filter = manager.into().filter();
        self.select(KeyFilter { states: States::Ended, limit: Some(limit), ..filter }).await
    }

    /// A page of [`Self::list`], or of every key there ever was; with `tag`, of those that have it.
    pub async fn page<'a>(
        &self,
        manager: impl Into<Manager<'a>>,
        (after, limit): (Option<&KeyCursor>, i64),
        (states, tag): (States, Option<&str>),
    ) -> sqlx::Result<Vec<KeyInfo>> {
        let filter = KeyFilter { tag, ..manager.into().filter() };
        let after = after.map(|cursor| (cursor.created_at_ms, cursor.id.as_str()));
        self.select(KeyFilter { states, after, limit: Some(limit), ..filter }).await
    }

    /// A page of the keys that the member holds themselves, ended ones included, newest first.
    pub async fn held_by(
        &self,
        member: &Membership,
        (after, limit): (Option<&KeyCursor>, i64),
    ) -> sqlx::Result<Vec<KeyInfo>> {
        let after = after.map(|cursor| (cursor.created_at_ms, cursor.id.as_str()));
        let held = KeyFilter {
            org_id: member.org_id(),
            member_id: Some(member.member_id()),
            states: States::All,
            after,
            limit: Some(limit),
            ..KeyFilter::default()
        };
        self.select(held).await
    }

    /// A key within the manager's reach, whatever its state.
    pub async fn find<'a>(
        &self,
        manager: impl Into<Manager<'a>>,
        key_id: &str,
    ) -> sqlx::Result<Option<KeyInfo>> {
        let manager = manager.into();
        let found = api_key::find(&self.store, manager.org_id(), key_id).await?;
        let Some(row) = found else { return Ok(None) };
        Ok(Some(KeyInfo::from(row)).filter(|key| manager.reach(key) > KeyReach::Hidden))
    }

    /// The tags of the org's keys as they are now, ended keys too, by the key's id; keys without any are not among them.
    pub async fn tags(&self, org_id: &str) -> sqlx::Result<KeyTags> {
        let rows = api_key::tags(&self.store, org_id).await?;
        Ok(rows.into_iter().map(|(id, tags)| (id, Tags::from_stored(&tags))).collect())
    }

    /// The credentials of a key that the manager has found, newest first.
    pub async fn credentials(&self, key: &KeyInfo) -> sqlx::Result<Vec<CredentialInfo>> {
        let rows = api_key_credential::of_key(&self.store, &key.id).await?;
        Ok(rows.into_iter().map(|row| credential(key.kind, row)).collect())
    }

    /// What everything above and in the key allows together.
    pub async fn allowed_to(&self, org_id: &str, key: &KeyInfo) -> sqlx::Result<Allowed> {
        let path = api_key_credential::path(&self.store, &key.id).await?;
        self.allowed_on(&path, (org_id, &key.deployment_id, &key.member_id)).await
    }

    /// What the nodes above a key at the root allow to it.
    pub async fn allowed_at(
        &self,
        (org_id, deployment_id, member_id): (&str, &str, &str),
    ) -> sqlx::Result<Allowed> {
        self.allowed_on(&[], (org_id, deployment_id, member_id)).await
    }

    /// What a path of keys, which may be empty, and the nodes above it allow.
    pub(super) async fn allowed_on(
        &self,
        path: &[api_key_credential::PathRow],
        (org_id, deployment_id, member_id): (&str, &str, &str),
    ) -> sqlx::Result<Allowed> {
        let rules = node_rule::above_keys(&self.store, (org_id, deployment_id, member_id)).await?;
        let role = member::role(&self.store, org_id, member_id).await?;
        Ok(Allowed::of(path, &rules, Role::from_stored(role.as_deref().unwrap_or_default())))
    }

    async fn select(&self, filter: KeyFilter<'_>) -> sqlx::Result<Vec<KeyInfo>> {
        let rows = api_key::list(&self.store, filter).await?;
        Ok(rows.into_iter().map(KeyInfo::from).collect())
    }
}

impl KeyInfo {
    /// Until when the key works by its own terms: it is switched on and has not expired.
    pub fn is_live(&self, now_ms: i64) -> bool {
        self.state == KeyState::Active && self.terms.expires_at_ms.is_none_or(|end| end > now_ms)
    }

    pub fn cursor(&self) -> KeyCursor {
        KeyCursor { created_at_ms: self.created_at_ms, id: self.id.clone() }
    }
}

impl From<KeyRow> for KeyInfo {
    fn from(row: KeyRow) -> Self {
        let kind = KeyKind::from_stored(&row.kind);
        let path: Vec<String> = row.path.split('/').filter(|id| !id.is_empty()).map(str::to_owned).collect();
        Self {
            masked: format::masked(kind, &row.credential_id, &row.last_four),
            kind,
            state: KeyState::from_stored(&row.state),
            terms: Terms {
                name: row.name,
                note: row.note,
                tags: Tags::from_stored(&row.tags),
                models: AllowList::from_stored(row.models_json.as_deref()),
                ips: IpRule::from_stored(row.ips_json.as_deref()),
                providers: AllowList::from_stored(row.providers_json.as_deref()),
                regions: AllowList::from_stored(row.regions_json.as_deref()),
                scopes: scopes_from_stored(&row.scopes_json),
                strict: row.strict,
                expires_at_ms: row.expires_at_ms,
            },
            path: if path.is_empty() { vec![row.id.clone()] } else { path },
            id: row.id,
            deployment_id: row.deployment_id,
            member_id: row.member_id,
            parent_key_id: row.parent_key_id,
            created_by_person_id: row.created_by_person_id,
            created_by_key_id: row.created_by_key_id,
            created_at_ms: row.created_at_ms,
            ended_at_ms: row.ended_at_ms,
            last_used_at_ms: row.last_used_at_ms,
        }
    }
}

fn credential(kind: KeyKind, row: ListedRow) -> CredentialInfo {
    CredentialInfo {
        masked: format::masked(kind, &row.id, &row.last_four),
        id: row.id,
        created_at_ms: row.created_at_ms,
        not_after_ms: row.not_after_ms,
        last_used_at_ms: row.last_used_at_ms,
        last_used_ip: row.last_used_ip,
        last_used_client: row.last_used_client,
    }
}
