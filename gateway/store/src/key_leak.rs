//! The end of a key that was found where it should not be: the credential, or the key, the event in the log, and what is to be
//! told, all or nothing.
use crate::audit_event::{Appends as _, Entry};
use crate::outbox::{self, Event};
use crate::{Store, on_database};

/// What ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Neither works any more.
    Nothing,
    /// The key goes on with its other one.
    Credential,
    Key,
}

impl Ended {
    /// For metrics, and for what is told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Credential => "credential",
            Self::Key => "key",
        }
    }
}

/// Which credential of which key.
#[derive(Clone, Copy, Debug)]
pub struct Leaked<'a> {
    pub org_id: &'a str,
    pub key_id: &'a str,
    pub credential_id: &'a str,
}

/// Ends the credential alone if the key has another that works, else the key. `told` says what is written down of either.
pub async fn end(
    store: &Store,
    leaked: Leaked<'_>,
    now_ms: i64,
    told: impl Fn(Ended) -> (Entry, Event),
) -> sqlx::Result<Ended> {
    let Leaked { org_id, key_id, credential_id } = leaked;
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        // The key's row is locked first, so that a rotation at the same time is seen or waits.
        let open = sqlx::query("update api_key set state = state where id = $1 and org_id = $2 and state in ('active', 'disabled')")
            .bind(key_id).bind(org_id).execute(&mut *tx).await?.rows_affected();
        let ended = sqlx::query(
            "update api_key_credential set not_after_ms = $3
             where id = $2 and key_id = $1 and (not_after_ms is null or not_after_ms > $3)")
            .bind(key_id).bind(credential_id).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if open == 0 || ended == 0 {
            return Ok(Ended::Nothing);
        }
        let (live,): (i64,) = sqlx::query_as(
            "select count(*) from api_key_credential where key_id = $1 and (not_after_ms is null or not_after_ms > $2)")
            .bind(key_id).bind(now_ms).fetch_one(&mut *tx).await?;
        let ended = if live > 0 { Ended::Credential } else { Ended::Key };
        if ended == Ended::Key {
            sqlx::query("update api_key set state = 'revoked', ended_at_ms = $2 where id = $1")
                .bind(key_id).bind(now_ms).execute(&mut *tx).await?;
        }
        sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
        let (entry, event) = told(ended);
        outbox::put!(&mut *tx, event);
        tx.append(&entry).await?;
        tx.commit().await?;
        Ok(ended)
    })
}
