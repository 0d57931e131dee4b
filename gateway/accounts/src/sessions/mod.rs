//! Browser sessions: tower-sessions over our own table, where only an HMAC of the cookie's value is kept.
//! Idle and absolute limits follow the clock passed in, not the cookie's.
mod cookie;
mod second_step;
mod store;
#[cfg(test)]
mod tests;

use crate::secrets::{MacKey, MacPurpose};
use crate::{Basis, Origin};
use bytespike_store::Store;
use bytespike_store::session::{self as rows, SessionRow};
use bytespike_store::world::World;
pub use cookie::{ANONYMOUS_COOKIE, BROWSER_COOKIE, SESSION_COOKIE, Transport};
use serde::{Deserialize, Serialize};
use std::fmt;
pub use tower_sessions::Session;
use tower_sessions::session::{Error, Id};

const DAY_MS: i64 = 24 * 3_600_000;
/// The entry that says who is signed in; every other entry is a page's own.
const SIGNED_IN: &str = "signed_in";
const MOST_USER_AGENT_CHARS: usize = 256;
/// So long after someone proved who they are, the session may do what needs that proof.
pub const CONFIRMED_MS: i64 = 10 * 60_000;

/// Makes, finds and ends sessions.
#[derive(Clone)]
pub struct Sessions {
    store: Store,
    world: World,
    pepper: MacKey,
}

/// How long a session lasts without being used, and at most.
struct Limits {
    idle_ms: i64,
    absolute_ms: i64,
}

impl Limits {
    const SIGNED_IN: Limits = Limits { idle_ms: 7 * DAY_MS, absolute_ms: 30 * DAY_MS };
    /// Before sign-in a session only carries a message from one page to the next.
    const ANONYMOUS: Limits = Limits { idle_ms: DAY_MS / 24, absolute_ms: DAY_MS };
}

/// Who a session belongs to.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SignedIn {
    person_id: String,
    /// The org being looked at; the person's first when not chosen.
    org_id: Option<String>,
    at_ms: i64,
    /// When a password or a second factor was last checked in this session.
    #[serde(default)]
    confirmed_at_ms: i64,
    ip: String,
    user_agent: String,
}

/// The session that came with a request, once it is known to be real.
#[derive(Clone, Debug)]
pub struct CurrentSession {
    pub person_id: String,
    pub org_id: Option<String>,
    pub signed_in_at_ms: i64,
    pub confirmed_at_ms: i64,
    /// What form tokens are bound to: [`Binding::Session`](crate::csrf::Binding::Session).
    pub csrf_binding: String,
    /// Finds the row; not a secret.
    id_hash: String,
}

impl CurrentSession {
    pub(crate) fn id_hash(&self) -> &str {
        &self.id_hash
    }

    /// Whether its holder proved who they are in the last [`CONFIRMED_MS`].
    pub fn is_confirmed(&self, now_ms: i64) -> bool {
        now_ms - self.confirmed_at_ms < CONFIRMED_MS
    }
}

/// One line in the list of a person's sessions.
#[derive(Clone, Debug)]
pub struct SessionInfo {
    pub public_id: String,
    pub user_agent: String,
    pub ip: String,
    pub signed_in_at_ms: i64,
    pub last_seen_at_ms: i64,
    pub is_current: bool,
}

impl Sessions {
    pub(crate) fn new(basis: &Basis<'_>) -> Self {
        let pepper = basis.keyring.mac(MacPurpose::SessionId);
        Self { store: basis.store.clone(), world: basis.world.clone(), pepper }
    }

    /// Signs the person in: what the session held is dropped and its id changes, so that an id planted before
    /// sign-in is worthless after it.
    pub async fn start(&self, session: &Session, origin: &Origin, person_id: &str) -> Result<(), Error> {
        session.cycle_id().await?;
        session.clear().await;
        let entry = SignedIn {
            person_id: person_id.to_owned(),
            org_id: None,
            at_ms: self.world.now_ms(),
            confirmed_at_ms: self.world.now_ms(),
            ip: origin.ip.to_string(),
            user_agent: origin
                .user_agent
                .chars()
                .filter(|c| !c.is_control())
                .take(MOST_USER_AGENT_CHARS)
                .collect(),
        };
        session.insert(SIGNED_IN, entry).await
    }

    /// Gives the session a new id and keeps what it holds: after a change of rights, such as a new password.
    pub async fn renew(&self, session: &Session) -> Result<(), Error> {
        session.cycle_id().await
    }

    /// Its holder has just proven who they are: for [`CONFIRMED_MS`] the session may do what needs that. Its id changes, and
    /// is the new one when this returns.
    pub async fn confirm(&self, session: &Session) -> Result<(), Error> {
        if let Some(entry) = session.get::<SignedIn>(SIGNED_IN).await? {
            session.cycle_id().await?;
            let entry = SignedIn { confirmed_at_ms: self.world.now_ms(), ..entry };
            session.insert(SIGNED_IN, entry).await?;
            session.save().await?;
        }
        Ok(())
    }

    /// Who is signed in, or `None`.
    pub async fn current(&self, session: &Session) -> Result<Option<CurrentSession>, Error> {
        let entry: Option<SignedIn> = session.get(SIGNED_IN).await?;
        // The id is read after the entry: reading the entry drops an id that names no session.
        let (Some(entry), Some(id)) = (entry, session.id()) else { return Ok(None) };
        Ok(Some(CurrentSession {
            person_id: entry.person_id,
            org_id: entry.org_id,
            signed_in_at_ms: entry.at_ms,
            confirmed_at_ms: entry.confirmed_at_ms,
            csrf_binding: id.to_string(),
            id_hash: self.hash(&id),
        }))
    }

    /// Looks at another of the person's orgs from now on.
    pub async fn choose_org(&self, session: &Session, org_id: &str) -> Result<(), Error> {
        if let Some(entry) = session.get::<SignedIn>(SIGNED_IN).await? {
            session.insert(SIGNED_IN, SignedIn { org_id: Some(org_id.to_owned()), ..entry }).await?;
        }
        Ok(())
    }

    /// Signs out: the row is gone, and the cookie is taken back.
    pub async fn end(&self, session: &Session) -> Result<(), Error> {
        session.flush().await
    }

    /// The person's sessions, the most recently used first.
    pub async fn list(&self, current: &CurrentSession) -> sqlx::Result<Vec<SessionInfo>> {
        let rows = rows::of_person(&self.store, &current.person_id, self.world.now_ms()).await?;
        Ok(rows.into_iter().map(|row| describe(row, current)).collect())
    }

    /// Ends one of the person's sessions. False when there is none of that name.
    pub async fn end_one(&self, current: &CurrentSession, public_id: &str) -> sqlx::Result<bool> {
        rows::delete_by_public_id(&self.store, &current.person_id, public_id).await
    }

    /// Ends the person's other sessions.
    pub async fn end_others(&self, current: &CurrentSession) -> sqlx::Result<()> {
        rows::delete_others(&self.store, &current.person_id, &current.id_hash).await
    }

    fn hash(&self, id: &Id) -> String {
        self.pepper.mac_hex(id.to_string().as_bytes())
    }
}

fn describe(row: SessionRow, current: &CurrentSession) -> SessionInfo {
    SessionInfo {
        is_current: row.id_hash == current.id_hash,
        public_id: row.public_id,
        user_agent: row.user_agent,
        ip: row.ip,
        signed_in_at_ms: row.created_at_ms,
        last_seen_at_ms: row.last_seen_at_ms,
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}
