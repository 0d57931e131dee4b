//! Channels that operators keep in the database: put, switched, removed, and read by every running process. Their
//! credentials are sealed and never shown again; a channel that is pointed elsewhere loses them.

use std::collections::BTreeMap;

use bytespike_accounts::secrets::{Place, SealKey};
use bytespike_catalog::check::ChannelCost;
use bytespike_catalog::overrides::{OverrideError, OwnPrice};
use bytespike_dialects::Dialect;
use bytespike_store::audit_event::Entry;
use bytespike_store::channel::{self, ChannelRow, CostRow};
use bytespike_store::world::World;
use bytespike_store::{Store, sqlx};
use serde::{Deserialize, Serialize};

use crate::channel::{Channel, ChannelError, ChannelParts};
use crate::egress::{Allowed, EgressError};

pub const MOST_WEIGHT: u32 = 1_000;
const MOST_TAGS: usize = 10;
const MOST_TAG_CHARS: usize = 30;

/// Where they are kept, and what opens them.
#[derive(Clone)]
pub struct StoredChannels {
    pub store: Store,
    pub world: World,
    pub seal: SealKey,
    /// Where a base URL may lead.
    pub allowed: Allowed,
}

/// A channel as an operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewChannel {
    pub id: String,
    /// Whose models these are, as in the catalogue.
    pub provider: String,
    /// Where it keeps what it is sent: 1 to 40 small letters, digits and `-`, such as `eu`. Empty: not said.
    #[serde(default)]
    pub region: String,
    /// `anthropic` or `openai-chat`.
    pub dialect: String,
    pub base_url: String,
    /// Slug → the provider's own id.
    pub models: BTreeMap<String, String>,
    /// 0 to 1000; 1 unless said. See [`Channel::weight`].
    #[serde(default = "one")]
    pub weight: u32,
    /// Words by which operators tell channels apart.
    #[serde(default)]
    pub tags: Vec<String>,
}

fn one() -> u32 {
    1
}

/// A channel as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelView {
    pub id: String,
    pub provider: String,
    pub region: Option<String>,
    pub dialect: String,
    pub base_url: String,
    pub models: BTreeMap<String, String>,
    pub enabled: bool,
    pub has_credentials: bool,
    pub updated_at_ms: i64,
    pub weight: u32,
    pub tags: Vec<String>,
}

/// Why a channel was not put, switched or read.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error("channel `{id}`: base_url: {why}")]
    BaseUrl { id: String, why: EgressError },
    #[error("channel `{id}`: dialect `{dialect}` is not known; it is `anthropic` or `openai-chat`")]
    Dialect { id: String, dialect: String },
    #[error("channel `{0}`: an id is 1 to 40 letters, digits, `-`, `_` or `.`")]
    Id(String),
    #[error("channel `{0}`: the weight is a whole number from 0 to 1000")]
    Weight(String),
    #[error("channel `{0}`: at most 10 tags, each of 1 to 30 letters, digits, `-`, `_` or `.`")]
    Tags(String),
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error("there is no channel `{0}` in the database")]
    Unknown(String),
    #[error("channel `{0}` has no credentials: put it again with its key")]
    NoCredentials(String),
    #[error(transparent)]
    Cost(#[from] OverrideError),
    #[error("channel `{0}`: what the database keeps of it does not open or cannot be read")]
    Damaged(String),
}

impl StoredChannels {
    /// Every enabled channel. One that does not open is left out and logged: it must not take the others with it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn enabled(&self) -> sqlx::Result<Vec<Channel>> {
        let rows = channel::all(&self.store).await?;
        let enabled = rows.iter().filter(|row| row.state == "enabled");
        Ok(enabled
            .filter_map(|row| {
                self.open(row)
                    .inspect_err(|error| tracing::error!(%error, "a stored channel is not used"))
                    .ok()
            })
            .collect())
    }

    /// All of them, without any secret.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn list(&self) -> sqlx::Result<Vec<ChannelView>> {
        Ok(channel::all(&self.store).await?.into_iter().map(view).collect())
    }

    /// One of them, enabled or not, with its credentials: to be tried.
    ///
    /// # Errors
    /// There is none of that id, it has no credentials, or it does not open.
    pub async fn channel(&self, id: &str) -> Result<Channel, StoredError> {
        let rows = channel::all(&self.store).await?;
        let row = rows.iter().find(|row| row.id == id).ok_or_else(|| StoredError::Unknown(id.to_owned()))?;
        if row.credentials_sealed.is_none() {
            return Err(StoredError::NoCredentials(id.to_owned()));
        }
        self.open(row)
    }

    /// Adds or replaces a channel. Without new `secrets` it keeps those it has, unless its base URL changes: then it has
    /// none, and stays disabled until it gets some. With new ones it is enabled, without it stays as it was. `entry` tells of
    /// it in the audit log, in the same transaction; this adds what was and what is.
    ///
    /// # Errors
    /// What is wrong with it; nothing is changed.
    pub async fn put(
        &self,
        new: NewChannel,
        secrets: &[String],
        entry: &Entry,
    ) -> Result<ChannelView, StoredError> {
        let before = channel::all(&self.store).await?.into_iter().find(|row| row.id == new.id);
        let usable: Vec<String> = match secrets {
            [] => vec!["unused".to_owned()],
            given => given.to_vec(),
        };
        self.check(&new)?;
        let checked = Channel::new(parts(&new)?, &usable)?;
        let kept = before.as_ref().filter(|row| row.base_url == checked.base_url);
        let credentials_sealed = match secrets {
            [] => kept.and_then(|row| row.credentials_sealed.clone()),
            given => Some(self.sealed(&new.id, given)),
        };
        let now_ms = self.world.now_ms();
        let state = match (&credentials_sealed, &before, secrets) {
            (None, ..) => "disabled",
            (Some(_), Some(before), []) => before.state.as_str(),
            (Some(_), ..) => "enabled",
        };
        let row = ChannelRow {
            state: state.to_owned(),
            credentials_sealed,
            base_url: checked.base_url,
            models_json: serde_json::to_string(&new.models).unwrap_or_default(),
            weight: i64::from(new.weight),
            tags_json: serde_json::to_string(&new.tags).unwrap_or_default(),
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
            id: new.id,
            provider: new.provider,
            region: Some(new.region).filter(|region| !region.is_empty()),
            dialect: new.dialect,
        };
        let shown = view(row.clone());
        channel::put(&self.store, &row, &told(entry, before.map(view).as_ref(), Some(&shown))).await?;
        Ok(shown)
    }

    /// # Errors
    /// There is no such channel, or it has no credentials to be enabled with.
    pub async fn set_enabled(&self, id: &str, enabled: bool, entry: &Entry) -> Result<(), StoredError> {
        let rows = channel::all(&self.store).await?;
        let mut row =
            rows.into_iter().find(|row| row.id == id).ok_or_else(|| StoredError::Unknown(id.to_owned()))?;
        if enabled && row.credentials_sealed.is_none() {
            return Err(StoredError::NoCredentials(id.to_owned()));
        }
        row.state = if enabled { "enabled" } else { "disabled" }.to_owned();
        row.updated_at_ms = self.world.now_ms();
        Ok(channel::put(&self.store, &row, &entry.about(id)).await?)
    }

    /// # Errors
    /// There is no such channel.
    pub async fn remove(&self, id: &str, entry: &Entry) -> Result<(), StoredError> {
        match channel::remove(&self.store, id, &entry.about(id)).await? {
            true => Ok(()),
            false => Err(StoredError::Unknown(id.to_owned())),
        }
    }

    /// What every channel pays, those of the configuration included.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn costs(&self) -> Result<Vec<ChannelCost>, StoredError> {
        let rows = channel::costs(&self.store).await?;
        let read = |row: CostRow| match serde_json::from_str(&row.row_json) {
            Ok(list) => Ok(ChannelCost { channel_id: row.channel_id, model: row.model, row: list }),
            Err(_) => Err(StoredError::Damaged(row.channel_id)),
        };
        rows.into_iter().map(read).collect()
    }

    /// Replaces what a channel pays.
    ///
    /// # Errors
    /// An amount or a unit that cannot be.
    pub async fn put_costs(
        &self,
        (channel_id, costs): (&str, &[OwnPrice]),
        entry: &Entry,
    ) -> Result<(), StoredError> {
        let row = |cost: &OwnPrice| {
            let list = cost.row()?;
            let json = serde_json::to_value(&list).unwrap_or_default();
            let text =
                |name: &str| json.pointer(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
            Ok(CostRow {
                channel_id: channel_id.to_owned(),
                model: cost.model.clone(),
                component: list.component.name().to_owned(),
                unit: text("/unit"),
                currency: text("/basis/currency"),
                amount_pico: list.amount_pico.unwrap_or_default(),
                row_json: json.to_string(),
            })
        };
        let rows: Vec<CostRow> = costs.iter().map(row).collect::<Result<_, OverrideError>>()?;
        Ok(channel::put_costs(&self.store, (channel_id, &rows), &entry.about(channel_id)).await?)
    }

    fn check(&self, new: &NewChannel) -> Result<(), StoredError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if new.id.is_empty() || new.id.len() > 40 || !new.id.bytes().all(plain) {
            return Err(StoredError::Id(new.id.clone()));
        }
        if new.weight > MOST_WEIGHT {
            return Err(StoredError::Weight(new.id.clone()));
        }
        let is_tag =
            |tag: &String| (1..=MOST_TAG_CHARS).contains(&tag.chars().count()) && tag.chars().all(in_tag);
        if new.tags.len() > MOST_TAGS || !new.tags.iter().all(is_tag) {
            return Err(StoredError::Tags(new.id.clone()));
        }
        let allowed = self.allowed.check(&new.base_url);
        allowed.map_err(|why| StoredError::BaseUrl { id: new.id.clone(), why })
    }

    fn sealed(&self, id: &str, secrets: &[String]) -> String {
        let json = serde_json::to_vec(secrets).unwrap_or_default();
        self.seal.seal(&self.world, place(id), &json)
    }

    fn open(&self, row: &ChannelRow) -> Result<Channel, StoredError> {
        let damaged = || StoredError::Damaged(row.id.clone());
        let new = NewChannel {
            id: row.id.clone(),
            provider: row.provider.clone(),
            region: row.region.clone().unwrap_or_default(),
            dialect: row.dialect.clone(),
            base_url: row.base_url.clone(),
            models: serde_json::from_str(&row.models_json).map_err(|_| damaged())?,
            weight: u32::try_from(row.weight).map_err(|_| damaged())?,
            tags: serde_json::from_str(&row.tags_json).map_err(|_| damaged())?,
        };
        self.check(&new)?;
        let sealed = row.credentials_sealed.as_ref().ok_or_else(damaged)?;
        let opened = self.seal.open(place(&row.id), sealed).map_err(|_| damaged())?;
        let secrets: Vec<String> = serde_json::from_slice(&opened).map_err(|_| damaged())?;
        Ok(Channel::new(parts(&new)?, &secrets)?.weighing(new.weight))
    }
}

/// Letters of any language, and what stands in names.
fn in_tag(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// The entry with what the channel was and what it is; never a credential.
fn told(entry: &Entry, before: Option<&ChannelView>, after: Option<&ChannelView>) -> Entry {
    let shown = |channel: Option<&ChannelView>| serde_json::to_value(channel).unwrap_or_default();
    let id = before.or(after).map_or("", |channel| channel.id.as_str());
    let mut entry = entry.about(id).before(shown(before));
    entry.detail.insert("after".to_owned(), shown(after));
    entry
}

fn place(id: &str) -> Place<'_> {
    Place { table: "channel", row: id, column: "credentials_sealed" }
}

fn parts(new: &NewChannel) -> Result<ChannelParts, StoredError> {
    let dialect = [Dialect::Anthropic, Dialect::OpenAiChat].into_iter().find(|one| one.name() == new.dialect);
    let unknown = || StoredError::Dialect { id: new.id.clone(), dialect: new.dialect.clone() };
    Ok(ChannelParts {
        id: new.id.clone(),
        provider: new.provider.clone(),
        region: new.region.clone(),
        dialect: dialect.ok_or_else(unknown)?,
        base_url: new.base_url.clone(),
        models: new.models.clone(),
    })
}

fn view(row: ChannelRow) -> ChannelView {
    ChannelView {
        models: serde_json::from_str(&row.models_json).unwrap_or_default(),
        weight: u32::try_from(row.weight).unwrap_or_default(),
        tags: serde_json::from_str(&row.tags_json).unwrap_or_default(),
        enabled: row.state == "enabled",
        has_credentials: row.credentials_sealed.is_some(),
        id: row.id,
        provider: row.provider,
        region: row.region,
        dialect: row.dialect,
        base_url: row.base_url,
        updated_at_ms: row.updated_at_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytespike_accounts::secrets::{MasterKey, SealPurpose};
    use bytespike_store::testing::{entry, on_each_database};

    const KEY: &str = "sk-upstream-canary";

    fn channels(store: Store) -> StoredChannels {
        let (world, _clock) = World::manual(1_795_500_000_000, 7);
        let master = MasterKey::from_text("9b1f0c7e5a3d2846f1e0b9c8a7d6e5f40312233445566778899aabbccddeeff1")
            .expect("a key");
        let seal = master.seal(SealPurpose::ChannelSecret);
        StoredChannels { store, world, seal, allowed: Allowed::default() }
    }

    fn new(base_url: &str) -> NewChannel {
        NewChannel {
            id: "main".to_owned(),
            provider: "openai".to_owned(),
            region: "eu".to_owned(),
            dialect: "openai-chat".to_owned(),
            base_url: base_url.to_owned(),
            models: BTreeMap::from([("m".to_owned(), "up-m".to_owned())]),
            weight: 1,
            tags: Vec::new(),
        }
    }

    #[tokio::test]
    async fn s84_s120_a_key_is_written_and_never_shown_and_a_new_address_loses_it() {
        on_each_database(async |store| {
            let channels = channels(store.clone());
            let put = channels
                .put(new("https://api.example.com/v1"), &[KEY.to_owned()], &entry())
                .await
                .expect("is put");
            assert!(put.enabled && put.has_credentials);
            let row = &channel::all(&store).await.expect("reads")[0];
            assert!(!format!("{row:?}").contains(KEY) && !format!("{put:?}").contains(KEY));
            assert_eq!(channels.enabled().await.expect("reads")[0].credentials.len(), 1);
            let same = channels.put(new("https://api.example.com/v1/"), &[], &entry()).await.expect("is put");
            assert!(same.enabled, "the same address keeps its key");
            let moved =
                channels.put(new("https://elsewhere.example.com/v1"), &[], &entry()).await.expect("is put");
            assert!(!moved.enabled && !moved.has_credentials);
            assert!(channels.enabled().await.expect("reads").is_empty());
            let refused = channels.set_enabled("main", true, &entry()).await.expect_err("has no key");
            assert!(matches!(refused, StoredError::NoCredentials(_)), "{refused}");
        })
        .await;
    }

    #[tokio::test]
    async fn a_channel_is_switched_and_removed() {
        on_each_database(async |store| {
            let channels = channels(store);
            channels
                .put(new("https://api.example.com/v1"), &[KEY.to_owned()], &entry())
                .await
                .expect("is put");
            let heavy = NewChannel {
                weight: 7,
                tags: vec!["eu".to_owned(), "主力".to_owned()],
                ..new("https://api.example.com/v1")
            };
            let view = channels.put(heavy, &[], &entry()).await.expect("is put");
            assert_eq!((view.weight, view.tags.len(), view.enabled), (7, 2, true));
            assert_eq!(channels.enabled().await.expect("reads")[0].weight, 7);
            channels.set_enabled("main", false, &entry()).await.expect("is switched off");
            assert!(channels.enabled().await.expect("reads").is_empty());
            channels.set_enabled("main", true, &entry()).await.expect("is switched on");
            assert_eq!(channels.enabled().await.expect("reads").len(), 1);
            channels.remove("main", &entry()).await.expect("is removed");
            assert!(matches!(channels.remove("main", &entry()).await, Err(StoredError::Unknown(_))));
            assert!(channels.list().await.expect("reads").is_empty());
        })
        .await;
    }

    #[tokio::test]
    async fn what_cannot_be_a_channel_is_refused_with_the_way_out() {
        on_each_database(async |store| {
            let channels = channels(store);
            let refused = async |channel: NewChannel| {
                channels.put(channel, &[KEY.to_owned()], &entry()).await.expect_err("is refused").to_string()
            };
            let id = NewChannel { id: "a b".to_owned(), ..new("https://api.example.com") };
            let dialect = NewChannel { dialect: "smtp".to_owned(), ..new("https://api.example.com") };
            let heavy = NewChannel { weight: MOST_WEIGHT + 1, ..new("https://api.example.com") };
            let tag = NewChannel { tags: vec!["two words".to_owned()], ..new("https://api.example.com") };
            let nothing = NewChannel { models: BTreeMap::new(), ..new("https://api.example.com") };
            for (text, wanted) in [
                (refused(new("http://127.0.0.1:11434")).await, "gateway.private_upstreams"),
                (refused(new("https://169.254.169.254")).await, "private network"),
                (refused(id).await, "letters, digits"),
                (refused(dialect).await, "`anthropic` or `openai-chat`"),
                (refused(nothing).await, "carries no model"),
                (refused(heavy).await, "0 to 1000"),
                (refused(tag).await, "at most 10 tags"),
            ] {
                assert!(text.contains(wanted) && !text.contains(KEY), "{text}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn what_a_channel_pays_is_read_back_as_it_was_given() {
        on_each_database(async |store| {
            let channels = channels(store);
            let cost: OwnPrice = serde_json::from_value(serde_json::json!({
                "model": "m", "component": "output", "cny": "8", "unit": "1M tokens", "tier": {"input_tokens_upto": 10}
            }))
            .expect("a cost");
            channels.put_costs(("main", std::slice::from_ref(&cost)), &entry()).await.expect("is put");
            let read = channels.costs().await.expect("reads");
            assert_eq!(read[0].row, cost.row().expect("a row"));
            let wrong = OwnPrice { unit: "image".to_owned(), ..cost };
            assert!(channels.put_costs(("main", &[wrong]), &entry()).await.is_err());
            assert_eq!(channels.costs().await.expect("reads").len(), 1, "nothing was changed");
        })
        .await;
    }
}
