//! An org's endpoints: added, changed, switched, given a new secret and removed by those who manage the org.

use bytespike_accounts::audit::{Actor, Event};
use bytespike_accounts::keys::{Caller, Scope};
use bytespike_accounts::people::Membership;
use bytespike_accounts::role::Permission;
use bytespike_accounts::secrets::{Place, SecretText};
use bytespike_accounts::{Origin, names};
use bytespike_store::sqlx;
use bytespike_store::webhook::{self, Change, EndpointRow, Inserted, SecretRow};
use http::Uri;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Events, Webhooks, signature};
use crate::egress::EgressError;

const MOST_URL_BYTES: usize = 2_000;
const MOST_DESCRIPTION_CHARACTERS: usize = 200;
/// How long a replaced secret may go on signing.
pub(super) const MOST_OVERLAP_MS: i64 = 7 * 24 * 3_600_000;
/// So long the same creation key answers with the endpoint it made.
const CREATION_KEY_MS: i64 = 24 * 3_600_000;

/// Somebody who may manage an org's endpoints: only the two constructors make one.
#[derive(Clone, Copy)]
pub struct Manager<'a> {
    origin: &'a Origin,
    org_id: &'a str,
    actor: Actor<'a>,
}

/// An endpoint about to be added.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    pub url: String,
    pub description: String,
    pub events: Events,
    /// What makes adding it twice the same as once; unique within the org.
    pub creation_key: Option<String>,
}

/// What is to be different about an endpoint. `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub struct EndpointChange {
    pub url: Option<String>,
    pub description: Option<String>,
    pub events: Option<Events>,
    pub is_on: Option<bool>,
}

/// An endpoint as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub id: String,
    pub url: String,
    pub description: String,
    pub events: Events,
    pub state: State,
    /// Since when it has taken nothing.
    pub failing_since_ms: Option<i64>,
    pub created_at_ms: i64,
}

/// Whether an endpoint is told of what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    On,
    /// A person switched it off.
    Off,
    /// It failed for so long that it was switched off.
    Failed,
}

/// A secret that signs, without the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidSecret {
    pub created_at_ms: i64,
    /// `None` for the newest one.
    pub ends_at_ms: Option<i64>,
}

/// An endpoint that was just added. Its secret is shown this once.
#[derive(Debug)]
pub struct Created {
    pub endpoint: Endpoint,
    pub secret: SecretText,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error("your role or your key does not allow managing webhooks")]
    Forbidden,
    #[error("there is no such webhook or message")]
    NotFound,
    #[error("an address has at most {MOST_URL_BYTES} bytes")]
    UrlTooLong,
    #[error("{}", url_words(.0))]
    Url(EgressError),
    #[error("a description has at most {MOST_DESCRIPTION_CHARACTERS} characters")]
    DescriptionTooLong,
    #[error("an organisation has at most {0} webhooks; remove one first")]
    TooMany(usize),
    #[error("a replaced secret goes on for at most 7 days")]
    OverlapTooLong,
    #[error("this Idempotency-Key has added another webhook")]
    OtherBody,
    #[error("this Idempotency-Key has added a webhook more than a day ago; its secret is not shown again")]
    ShownBefore,
    #[error("webhooks cannot be changed right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

/// For those who add endpoints; an operator reads of `webhooks.private_targets` in the documentation.
fn url_words(why: &EgressError) -> &'static str {
    match why {
        EgressError::NotAUrl => "it is no address like https://example.com/webhooks",
        EgressError::UserInfo => {
            "a user name or password in an address is not sent; check the signature instead"
        }
        EgressError::NotTls => "it must start with https://",
        EgressError::Port => "only port 443 is connected to",
        EgressError::Private => "it is no address on the public internet",
    }
}

impl<'a> Manager<'a> {
    /// # Errors
    /// The member's role does not allow it.
    pub fn member(origin: &'a Origin, member: &'a Membership) -> Result<Self, WebhookError> {
        if !member.role().may(Permission::ManageOrg) {
            return Err(WebhookError::Forbidden);
        }
        Ok(Self { origin, org_id: member.org_id(), actor: Actor::Person(member.person_id()) })
    }

    /// # Errors
    /// The key lacks the scope.
    pub fn key(origin: &'a Origin, caller: &'a Caller) -> Result<Self, WebhookError> {
        if ![Scope::WebhooksManage, Scope::OrgAdmin].iter().any(|scope| caller.scopes.contains(scope)) {
            return Err(WebhookError::Forbidden);
        }
        Ok(Self { origin, org_id: &caller.org_id, actor: Actor::Key(&caller.key_id) })
    }

    pub(super) fn org_id(&self) -> &'a str {
        self.org_id
    }
}

impl Webhooks {
    /// The org's endpoints, the first added first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn list(&self, by: &Manager<'_>) -> Result<Vec<Endpoint>, WebhookError> {
        Ok(webhook::of_org(&self.parts.store, by.org_id).await?.iter().map(Endpoint::of).collect())
    }

    /// One of them.
    ///
    /// # Errors
    /// There is no such endpoint.
    pub async fn find(&self, by: &Manager<'_>, id: &str) -> Result<Endpoint, WebhookError> {
        self.row(by, id).await.map(|row| Endpoint::of(&row))
    }

    /// Adds an endpoint. The same creation key with the same content answers with the one it added.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn create(&self, by: &Manager<'_>, new: NewEndpoint) -> Result<Created, WebhookError> {
        let parts = &self.parts;
        let (id, now_ms) = (parts.world.id("whe"), parts.world.now_ms());
        let row = EndpointRow {
            url: self.checked_url(&new.url)?,
            description: checked_description(&new.description)?,
            events_json: new.events.stored(),
            org_id: by.org_id.to_owned(),
            state: "on".to_owned(),
            creation_hash: new.creation_key.is_some().then(|| content_hash(&new)),
            creation_key: new.creation_key,
            failing_since_ms: None,
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
            id,
        };
        let (secret_row, secret) = self.new_secret(&row.id);
        let event = Event::new("webhook.created", by.actor).org(by.org_id).target(&row.id);
        let entry = parts.audit.entry(by.origin, event.changed(json!(null), row.said()));
        let most = parts.options.most_endpoints;
        let kept = (&row, &secret_row);
        match webhook::insert(&parts.store, kept, i64::try_from(most).unwrap_or(i64::MAX), &entry).await? {
            Inserted::New => Ok(Created { endpoint: Endpoint::of(&row), secret }),
            Inserted::TooMany => Err(WebhookError::TooMany(most)),
            Inserted::Before(before) if before.creation_hash != row.creation_hash => {
                Err(WebhookError::OtherBody)
            }
            Inserted::Before(before) => self.answer_again(&before).await,
        }
    }

    async fn answer_again(&self, before: &EndpointRow) -> Result<Created, WebhookError> {
        let now_ms = self.parts.world.now_ms();
        let is_recent = now_ms - before.created_at_ms < CREATION_KEY_MS;
        let newest = self.open_secrets(&before.id, now_ms).await?.into_iter().next();
        match newest.filter(|_| is_recent) {
            Some(secret) => Ok(Created { endpoint: Endpoint::of(before), secret }),
            None => Err(WebhookError::ShownBefore),
        }
    }

    /// Changes an endpoint; switching it on forgets its failures.
    ///
    /// # Errors
    /// What is wrong with it, or there is no such endpoint.
    pub async fn change(&self, by: &Manager<'_>, id: &str, to: EndpointChange) -> Result<(), WebhookError> {
        let before = self.row(by, id).await?;
        let mut after = before.clone();
        if let Some(url) = &to.url {
            after.url = self.checked_url(url)?;
        }
        if let Some(description) = &to.description {
            after.description = checked_description(description)?;
        }
        if let Some(events) = &to.events {
            after.events_json = events.stored();
        }
        if let Some(is_on) = to.is_on {
            after.state = if is_on { "on" } else { "off" }.to_owned();
        }
        if after == before {
            return Ok(());
        }
        let event = Event::new("webhook.changed", by.actor).org(by.org_id).target(id);
        let entry = self.parts.audit.entry(by.origin, event.changed(before.said(), after.said()));
        let change = Change {
            url: &after.url,
            description: &after.description,
            events_json: after.events_json.as_deref(),
            state: &after.state,
            now_ms: self.parts.world.now_ms(),
        };
        let changed = webhook::change(&self.parts.store, (by.org_id, id), &change, &entry).await?;
        if changed { Ok(()) } else { Err(WebhookError::NotFound) }
    }

    /// Gives the endpoint a new secret. The one before signs too for `overlap_ms`, so that no message in between is one
    /// that its receiver cannot check.
    ///
    /// # Errors
    /// The overlap is too long, or there is no such endpoint.
    pub async fn rotate(
        &self,
        by: &Manager<'_>,
        (id, overlap_ms): (&str, i64),
    ) -> Result<SecretText, WebhookError> {
        if !(0..=MOST_OVERLAP_MS).contains(&overlap_ms) {
            return Err(WebhookError::OverlapTooLong);
        }
        self.row(by, id).await?;
        let (row, secret) = self.new_secret(id);
        let former_ends_at_ms = row.created_at_ms + overlap_ms;
        let event = Event::new("webhook.rotated", by.actor).org(by.org_id).target(id);
        let detail = json!({ "former_ends_at_ms": former_ends_at_ms });
        let entry = self.parts.audit.entry(by.origin, event.detail(detail));
        let rotated =
            webhook::rotate(&self.parts.store, (by.org_id, &row), former_ends_at_ms, &entry).await?;
        if rotated { Ok(secret) } else { Err(WebhookError::NotFound) }
    }

    /// Takes the endpoint away. What waits for it is not sent any more.
    ///
    /// # Errors
    /// There is no such endpoint.
    pub async fn remove(&self, by: &Manager<'_>, id: &str) -> Result<(), WebhookError> {
        let before = self.row(by, id).await?;
        let event = Event::new("webhook.removed", by.actor).org(by.org_id).target(id);
        let entry = self.parts.audit.entry(by.origin, event.changed(before.said(), json!(null)));
        let now_ms = self.parts.world.now_ms();
        let removed = webhook::remove(&self.parts.store, (by.org_id, id), now_ms, &entry).await?;
        if removed { Ok(()) } else { Err(WebhookError::NotFound) }
    }

    /// The secrets that sign now, the newest first.
    ///
    /// # Errors
    /// There is no such endpoint.
    pub async fn valid_secrets(&self, by: &Manager<'_>, id: &str) -> Result<Vec<ValidSecret>, WebhookError> {
        let row = self.row(by, id).await?;
        let secrets = webhook::secrets(&self.parts.store, &row.id, self.parts.world.now_ms()).await?;
        let shown =
            |row: &SecretRow| ValidSecret { created_at_ms: row.created_at_ms, ends_at_ms: row.ends_at_ms };
        Ok(secrets.iter().map(shown).collect())
    }

    async fn row(&self, by: &Manager<'_>, id: &str) -> Result<EndpointRow, WebhookError> {
        webhook::find(&self.parts.store, by.org_id, id).await?.ok_or(WebhookError::NotFound)
    }

    /// What signs a message now. A secret that does not open, as after another master key, is left out and logged.
    pub(super) async fn open_secrets(&self, endpoint_id: &str, now_ms: i64) -> sqlx::Result<Vec<SecretText>> {
        let rows = webhook::secrets(&self.parts.store, endpoint_id, now_ms).await?;
        let open = |row: SecretRow| {
            let opened = self.parts.seal.open_text(place(&row.id), &row.sealed);
            opened.inspect_err(|error| tracing::error!(%error, "a webhook's secret is not used")).ok()
        };
        Ok(rows.into_iter().filter_map(open).collect())
    }

    fn new_secret(&self, endpoint_id: &str) -> (SecretRow, SecretText) {
        let world = &self.parts.world;
        let (id, secret) = (world.id("whs"), signature::new_secret(world));
        let sealed = self.parts.seal.seal(world, place(&id), secret.expose().as_bytes());
        let endpoint_id = endpoint_id.to_owned();
        (SecretRow { id, endpoint_id, sealed, created_at_ms: world.now_ms(), ends_at_ms: None }, secret)
    }

    /// What its name resolves to is looked at again whenever a message is sent.
    fn checked_url(&self, typed: &str) -> Result<String, WebhookError> {
        let typed = typed.trim();
        if typed.len() > MOST_URL_BYTES {
            return Err(WebhookError::UrlTooLong);
        }
        self.parts.allowed.check(typed).map_err(WebhookError::Url)?;
        let uri: Uri = typed.parse().map_err(|_| WebhookError::Url(EgressError::NotAUrl))?;
        Ok(uri.to_string())
    }
}

/// A secret opens in its own row alone.
fn place(id: &str) -> Place<'_> {
    Place { table: "webhook_secret", row: id, column: "sealed" }
}

fn checked_description(typed: &str) -> Result<String, WebhookError> {
    let description = names::visible(typed);
    if description.chars().count() > MOST_DESCRIPTION_CHARACTERS {
        return Err(WebhookError::DescriptionTooLong);
    }
    Ok(description)
}

fn content_hash(new: &NewEndpoint) -> String {
    let content = json!([new.url, new.description, new.events.names()]).to_string();
    hex::encode(Sha256::digest(content.as_bytes()))
}

impl Endpoint {
    fn of(row: &EndpointRow) -> Self {
        Self {
            id: row.id.clone(),
            url: row.url.clone(),
            description: row.description.clone(),
            events: Events::from_stored(row.events_json.as_deref()),
            state: match row.state.as_str() {
                "on" => State::On,
                "failed" => State::Failed,
                _ => State::Off,
            },
            failing_since_ms: row.failing_since_ms,
            created_at_ms: row.created_at_ms,
        }
    }
}

impl State {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Failed => "failed",
        }
    }
}
