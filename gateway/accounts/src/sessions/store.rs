//! The table behind tower-sessions. An id that names no row is never adopted: ids are made here, on creation.
use super::{Limits, SIGNED_IN, Sessions, SignedIn};
use async_trait::async_trait;
use bytespike_store::session::{self as rows, SessionRow};
use time::OffsetDateTime;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};

const MOST_PER_PERSON: i64 = 50;
/// Reading a page writes nothing more often than this.
const SEEN_EVERY_MS: i64 = 60_000;

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        loop {
            record.id = Id(i128::from_le_bytes(self.world.bytes()));
            let row = self.row(record)?;
            if rows::insert(&self.store, &row, MOST_PER_PERSON).await.map_err(backend)? {
                return Ok(());
            }
        }
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let row = self.row(record)?;
        rows::update_data(&self.store, &row.id_hash, &row.data_json).await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let (id_hash, now_ms) = (self.hash(id), self.world.now_ms());
        let Some(row) = rows::find(&self.store, &id_hash, now_ms).await.map_err(backend)? else {
            return Ok(None);
        };
        if now_ms - row.last_seen_at_ms >= SEEN_EVERY_MS {
            rows::mark_seen(&self.store, &id_hash, now_ms).await.map_err(backend)?;
        }
        let data = serde_json::from_str(&row.data_json).map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date: date(row.ends_at_ms) }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        rows::delete(&self.store, &self.hash(id)).await.map_err(backend)
    }
}

impl Sessions {
    /// The row that stores the record. Limits count from sign-in, so that a new id does not prolong a session.
    fn row(&self, record: &Record) -> Result<SessionRow> {
        let encode = |error: serde_json::Error| Error::Encode(error.to_string());
        let signed_in = record.data.get(SIGNED_IN).cloned().map(serde_json::from_value::<SignedIn>);
        let signed_in = signed_in.transpose().map_err(encode)?;
        let now_ms = self.world.now_ms();
        let limits = if signed_in.is_some() { Limits::SIGNED_IN } else { Limits::ANONYMOUS };
        let created_at_ms = signed_in.as_ref().map_or(now_ms, |entry| entry.at_ms);
        Ok(SessionRow {
            id_hash: self.hash(&record.id),
            public_id: self.world.id("ses"),
            data_json: serde_json::to_string(&record.data).map_err(encode)?,
            user_agent: signed_in.as_ref().map(|entry| entry.user_agent.clone()).unwrap_or_default(),
            ip: signed_in.as_ref().map(|entry| entry.ip.clone()).unwrap_or_default(),
            person_id: signed_in.map(|entry| entry.person_id),
            idle_ms: limits.idle_ms,
            last_seen_at_ms: now_ms,
            ends_at_ms: created_at_ms + limits.absolute_ms,
            created_at_ms,
        })
    }
}

fn date(at_ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at_ms / 1_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn backend(error: sqlx::Error) -> Error {
    Error::Backend(error.to_string())
}
