//! From the text of a key to its caller. Known keys cost one HMAC and one look into the cache.
use super::Keys;
use super::caller::Caller;
use super::format::{KeyFormatError, PresentedKey};
use bytespike_store::api_key_credential::{self, Found, Use};
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use subtle::ConstantTimeEq as _;

const MARKED_EVERY_MS: i64 = 60_000;
const MOST_CLIENT_CHARACTERS: usize = 64;

/// Why a key is not accepted. All but [`KeyRefusal::Unavailable`] are the caller's to mend.
#[derive(Debug, thiserror::Error)]
pub enum KeyRefusal {
    #[error(transparent)]
    Malformed(#[from] KeyFormatError),
    #[error("there is no such key")]
    Unknown,
    #[error("the key has expired")]
    Expired,
    #[error("the key was revoked")]
    Revoked,
    /// As revoked for a new call; one that is running may finish.
    #[error("the key was deleted")]
    Deleted,
    #[error("the key is switched off")]
    Disabled,
    #[error("a key that this one was derived from was revoked or switched off")]
    ParentInactive,
    #[error("the key may not be used from this address")]
    Address,
    #[error("the key's holder is no longer an active member of the org")]
    HolderInactive,
    /// Nobody is let in because the database does not answer.
    #[error("keys cannot be checked right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

/// Where a key is presented from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen<'a> {
    /// Unknown where no connection was made; network lists are not asked then.
    pub ip: Option<IpAddr>,
    /// What the client calls itself.
    pub client: &'a str,
}

/// A caller as it was under a certain count of changes of rights.
pub(super) struct Entry {
    caller: Arc<Caller>,
    rights: i64,
    marked_at_ms: AtomicI64,
}

/// When credentials were last used, waiting to be written together.
#[derive(Default)]
pub(super) struct LastUsed(Mutex<Vec<Use>>);

impl Keys {
    /// Who presents this key, wherever from: for a key that is looked at, not used.
    pub async fn identify(&self, presented: &str) -> Result<Arc<Caller>, KeyRefusal> {
        self.identify_seen(presented, Seen::default()).await
    }

    /// Who presents this key there. Revocations count at once in this process, elsewhere within a second.
    pub async fn identify_seen(&self, presented: &str, seen: Seen<'_>) -> Result<Arc<Caller>, KeyRefusal> {
        let key = PresentedKey::parse(presented)?;
        let verifier = key.verifier(&self.pepper);
        let rights = self.rights.current().await?;
        let entry = match self.cache.get(&verifier).await {
            Some(entry) if entry.rights == rights => entry,
            _ => self.load(&key, verifier, rights).await?,
        };
        let now_ms = self.world.now_ms();
        if entry.caller.expires_at_ms.is_some_and(|end| end <= now_ms) {
            return Err(KeyRefusal::Expired);
        }
        if seen.ip.is_some_and(|ip| !entry.caller.admits(ip)) {
            return Err(KeyRefusal::Address);
        }
        self.mark_used(&entry, seen, now_ms);
        Ok(entry.caller.clone())
    }

    /// Learns of changes of rights made by other instances.
    pub async fn refresh_rights(&self) -> sqlx::Result<()> {
        self.rights.refresh().await.map(drop)
    }

    /// Writes when keys were last used since the previous call.
    pub async fn write_last_used(&self) -> sqlx::Result<()> {
        let used = std::mem::take(&mut *self.last_used.0.lock().unwrap_or_else(PoisonError::into_inner));
        if used.is_empty() {
            return Ok(());
        }
        api_key_credential::mark_used(&self.store, &used).await
    }

    /// `rights` was read before the row, so an entry can only be newer than it says, never older.
    async fn load(
        &self,
        key: &PresentedKey<'_>,
        verifier: [u8; 32],
        rights: i64,
    ) -> Result<Arc<Entry>, KeyRefusal> {
        let found =
            api_key_credential::find(&self.store, key.credential_id()).await?.ok_or(KeyRefusal::Unknown)?;
        if !bool::from(found.credential.verifier.as_bytes().ct_eq(hex::encode(verifier).as_bytes())) {
            return Err(KeyRefusal::Unknown);
        }
        check(&found, self.world.now_ms())?;
        let entry = Arc::new(Entry {
            marked_at_ms: AtomicI64::new(found.credential.last_used_at_ms.unwrap_or(0)),
            caller: Arc::new(Caller::of(key.credential_id(), found)),
            rights,
        });
        self.cache.insert(verifier, entry.clone()).await;
        Ok(entry)
    }

    /// At most once a minute per credential, so that the lock is all but never contended.
    fn mark_used(&self, entry: &Entry, seen: Seen<'_>, now_ms: i64) {
        let marked_at_ms = entry.marked_at_ms.load(Ordering::Relaxed);
        let due = now_ms - marked_at_ms >= MARKED_EVERY_MS;
        let claimed = || {
            entry
                .marked_at_ms
                .compare_exchange(marked_at_ms, now_ms, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        };
        if due && claimed() {
            let mut waiting = self.last_used.0.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.push(Use {
                credential_id: entry.caller.credential_id.clone(),
                at_ms: now_ms,
                ip: seen.ip.map(|ip| ip.to_canonical().to_string()),
                client: Some(client_family(seen.client)).filter(|client| !client.is_empty()),
            });
        }
    }
}

/// The first word of a user agent, such as `anthropic-sdk-python/0.40`: enough to recognise a program.
fn client_family(user_agent: &str) -> String {
    let first = user_agent.split_whitespace().next().unwrap_or_default();
    first.chars().filter(|c| c.is_ascii_graphic()).take(MOST_CLIENT_CHARACTERS).collect()
}

/// The first thing that is wrong, in the order in which callers are told.
fn check(found: &Found, now_ms: i64) -> Result<(), KeyRefusal> {
    let expired = |end: Option<i64>| end.is_some_and(|end| end <= now_ms);
    let Some((own, parents)) = found.path.split_last() else { return Err(KeyRefusal::Unknown) };
    if expired(found.credential.not_after_ms) || expired(own.expires_at_ms) {
        return Err(KeyRefusal::Expired);
    }
    match own.state.as_str() {
        "active" => {}
        "disabled" => return Err(KeyRefusal::Disabled),
        "deleted" => return Err(KeyRefusal::Deleted),
        _ => return Err(KeyRefusal::Revoked),
    }
    if parents
        .iter()
        .any(|parent| !matches!(parent.state.as_str(), "active" | "deleted") || expired(parent.expires_at_ms))
    {
        return Err(KeyRefusal::ParentInactive);
    }
    if parents.iter().any(|parent| parent.state == "deleted") {
        return Err(KeyRefusal::Deleted);
    }
    if found.credential.holder_active { Ok(()) } else { Err(KeyRefusal::HolderInactive) }
}
