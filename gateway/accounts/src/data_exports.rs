//! A copy of what somebody's account is: asked for by its person, prepared by one process at a time, taken within a day, gone.
//! What goes into it is the gateway's business; here is who may have it and how it is kept: sealed, in pieces.
use crate::audit::{Actor, Audit, Event};
use crate::people::Membership;
use crate::secrets::{Place, SealKey, SealPurpose};
use crate::throttle::{Rule, Throttle};
use crate::{Basis, Origin};
use bytespike_store::Store;
use bytespike_store::data_export::{self, Attempt, ExportRow, Finished};
use bytespike_store::letter::NewLetter;
use bytespike_store::world::World;

/// So long it can be taken once it is ready.
pub const KEPT_MS: i64 = 24 * 3_600_000;
/// A process that says nothing for so long is dead, and another begins anew.
const LEASE_MS: i64 = 60_000;
/// Waits before the second and every later attempt.
const AGAIN_AFTER_MS: [i64; 4] = [1_000, 10_000, 60_000, 600_000];

#[derive(Clone)]
pub struct DataExports {
    store: Store,
    world: World,
    seal: SealKey,
    throttle: Throttle,
    audit: Audit,
}

/// Somebody's copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataExport {
    pub id: String,
    pub asked_at_ms: i64,
    pub state: ExportState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportState {
    Waiting,
    Ready { bytes: i64, expires_at_ms: i64 },
    Failed,
}

#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("a copy of the data was asked for several times today; try again tomorrow")]
    TooMany,
    #[error("nothing can be asked for right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

/// A copy that this process prepares.
#[derive(Debug)]
pub struct Preparing {
    pub id: String,
    pub person_id: String,
    attempt: i64,
    parts: i64,
    bytes: i64,
}

/// Why a piece was not kept.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    #[error("another process has begun anew")]
    Lost,
    #[error("nothing can be kept right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl DataExports {
    pub(crate) fn new(basis: &Basis<'_>, audit: Audit) -> Self {
        Self {
            store: basis.store.clone(),
            world: basis.world.clone(),
            seal: basis.keyring.seal(SealPurpose::DataExport),
            throttle: Throttle::new(basis),
            audit,
        }
    }

    /// Asks for a copy in place of one that was ready. While one is being prepared, nothing new is asked for.
    pub async fn ask(&self, origin: &Origin, member: &Membership) -> Result<(), AskError> {
        let person_id = member.person_id();
        if self.of(member).await?.is_some_and(|export| export.state == ExportState::Waiting) {
            return Ok(());
        }
        if !self.throttle.allows(&self.throttle.exports_of(person_id), Rule::EXPORTS).await? {
            return Err(AskError::TooMany);
        }
        let event = Event::new("person.data_asked", Actor::Person(person_id)).target(person_id);
        let new = (self.world.id("exp"), self.world.now_ms());
        let entry = self.audit.entry(origin, event);
        data_export::ask(&self.store, (&new.0, person_id, new.1), &entry).await?;
        Ok(())
    }

    /// The person's, until it is gone.
    pub async fn of(&self, member: &Membership) -> sqlx::Result<Option<DataExport>> {
        let row = data_export::of_person(&self.store, member.person_id()).await?;
        let now_ms = self.world.now_ms();
        Ok(row.filter(|row| row.expires_at_ms.is_none_or(|end| end > now_ms)).map(DataExport::from))
    }

    /// The person's copy of this id, if it can be taken now; with how many bytes it has.
    pub async fn ready(&self, member: &Membership, id: &str) -> sqlx::Result<Option<i64>> {
        let export = self.of(member).await?.filter(|export| export.id == id);
        Ok(export.and_then(|export| match export.state {
            ExportState::Ready { bytes, .. } => Some(bytes),
            ExportState::Waiting | ExportState::Failed => None,
        }))
    }

    /// It is about to be taken: this is in the log before its first byte leaves.
    pub async fn taken(&self, origin: &Origin, member: &Membership) {
        let event = Event::new("person.data_taken", Actor::Person(member.person_id()));
        self.audit.record(origin, event.target(member.person_id())).await;
    }

    /// A piece of one that is ready, counted from 0; `None` after the last.
    pub async fn part(&self, id: &str, number: i64) -> sqlx::Result<Option<Vec<u8>>> {
        let Some((attempt, sealed)) = data_export::part(&self.store, id, number).await? else {
            return Ok(None);
        };
        let row = row_of((id, attempt), number);
        let opened = self.seal.open(place(&row), &sealed);
        let damaged = |error| sqlx::Error::Decode(Box::new(error));
        opened.map(|bytes| Some(bytes.to_vec())).map_err(damaged)
    }

    /// Takes the one that has waited longest, for this process alone.
    pub async fn take(&self) -> sqlx::Result<Option<Preparing>> {
        let now_ms = self.world.now_ms();
        let row = data_export::take(&self.store, now_ms, now_ms + LEASE_MS).await?;
        Ok(row.map(|row| Preparing {
            id: row.id,
            person_id: row.person_id,
            attempt: row.tries,
            parts: 0,
            bytes: 0,
        }))
    }

    /// Keeps the next piece, and with it the lease.
    pub async fn put(&self, preparing: &mut Preparing, bytes: &[u8]) -> Result<(), PutError> {
        let row = row_of((&preparing.id, preparing.attempt), preparing.parts);
        let sealed = self.seal.seal(&self.world, place(&row), bytes);
        let until_ms = self.world.now_ms() + LEASE_MS;
        let piece = (preparing.parts, sealed.as_str());
        if !data_export::put(&self.store, preparing.attempt(), piece, until_ms).await? {
            return Err(PutError::Lost);
        }
        preparing.parts += 1;
        preparing.bytes += i64::try_from(bytes.len()).unwrap_or(0);
        Ok(())
    }

    /// When it will be gone if it is ready now.
    pub fn expires_at_ms(&self) -> i64 {
        self.world.now_ms() + KEPT_MS
    }

    /// Every piece is kept: it is ready, and its letter on the way. False when another process has begun anew.
    pub async fn finish(
        &self,
        preparing: &Preparing,
        (expires_at_ms, letter): (i64, Option<NewLetter<'_>>),
    ) -> sqlx::Result<bool> {
        let event = Event::new("person.data_ready", Actor::Host).target(&preparing.person_id);
        let entry = self.audit.entry(&Origin::host(), event);
        let done = Finished { bytes: preparing.bytes, now_ms: self.world.now_ms(), expires_at_ms, letter };
        data_export::finish(&self.store, preparing.attempt(), done, &entry).await
    }

    /// Nothing came of it: it is begun anew after a while, a few times.
    pub async fn give_up(&self, preparing: &Preparing) -> sqlx::Result<()> {
        let now_ms = self.world.now_ms();
        let tried = usize::try_from(preparing.attempt - 1).unwrap_or(usize::MAX);
        let again_at_ms = AGAIN_AFTER_MS.get(tried).map(|pause_ms| now_ms + pause_ms);
        data_export::give_up(&self.store, preparing.attempt(), (again_at_ms, now_ms)).await
    }

    pub(crate) async fn sweep(&self, limit: i64) -> sqlx::Result<()> {
        while data_export::delete_expired(&self.store, self.world.now_ms(), limit).await? > 0 {}
        Ok(())
    }
}

impl Preparing {
    fn attempt(&self) -> Attempt<'_> {
        Attempt { export_id: &self.id, number: self.attempt }
    }
}

impl From<ExportRow> for DataExport {
    fn from(row: ExportRow) -> Self {
        let state = match (row.state.as_str(), row.expires_at_ms) {
            ("ready", Some(expires_at_ms)) => ExportState::Ready { bytes: row.bytes, expires_at_ms },
            ("waiting", _) => ExportState::Waiting,
            _ => ExportState::Failed,
        };
        Self { id: row.id, asked_at_ms: row.asked_at_ms, state }
    }
}

/// A piece opens at its own place in its own attempt alone.
fn row_of((id, attempt): (&str, i64), number: i64) -> String {
    format!("{id}/{attempt}/{number}")
}

fn place(row: &str) -> Place<'_> {
    Place { table: "data_export_part", row, column: "sealed" }
}
