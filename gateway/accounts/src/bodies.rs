//! What calls were asked and answered: kept only where an org turned it on, sealed, for as many days as it chose and the
//! installation allows; read by the org's owners and admins and by whoever held the key. No function here takes an operator.
use crate::audit::Audit;
use crate::keys::RightsWatch;
use crate::people::Membership;
use crate::retention::{Kept, Retention};
use crate::role::Permission;
use crate::secrets::{OpenError, Place, SealKey, SealPurpose};
use crate::{Basis, Origin};
use bytespike_store::Store;
use bytespike_store::call_body::{self, BodyRow, Choice};
use bytespike_store::world::World;
use serde_json::json;
use std::sync::Arc;
use zeroize::Zeroizing;

const DAY_MS: i64 = 86_400_000;
/// Calls whose bodies go in one transaction.
const AT_ONCE: i64 = 20;

/// Clones share it: everything that holds accounts holds this, and stays small.
#[derive(Clone)]
pub struct Bodies(Arc<Parts>);

struct Parts {
    store: Store,
    world: World,
    seal: SealKey,
    rights: Arc<RightsWatch>,
    retention: Retention,
    audit: Audit,
}

/// What an org chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// From the call to its deletion.
    pub days: u32,
    pub since_ms: i64,
}

/// One side of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// What is kept of it.
    pub text: Vec<u8>,
    /// How long it was.
    pub bytes: usize,
    /// Whether its end is missing.
    pub is_cut: bool,
}

/// What a call was asked and answered, on its way to being kept.
#[derive(Clone, Debug)]
pub struct Said {
    pub receipt_id: String,
    pub org_id: String,
    /// Who holds the key.
    pub member_id: String,
    /// The caller's [`body_period`](crate::keys::Caller::body_period).
    pub period_id: String,
    /// `None` when nothing was answered.
    pub status: Option<u16>,
    pub request: Side,
    pub response: Side,
}

/// The same, sealed.
#[derive(Clone, Debug)]
pub struct Sealed(BodyRow);

/// What is kept of a call, opened for somebody who may read it.
#[derive(Debug)]
pub struct KeptBodies {
    pub status: Option<i64>,
    pub request: KeptSide,
    pub response: KeptSide,
    pub expires_at_ms: i64,
}

#[derive(Debug)]
pub struct KeptSide {
    pub text: Zeroizing<Vec<u8>>,
    pub bytes: u64,
    pub is_cut: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    #[error("your role in this org does not allow this")]
    Forbidden,
    #[error("days: from 1 to {most}")]
    Days { most: u32 },
    #[error("this cannot be changed right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Damaged(#[from] OpenError),
    #[error("what was kept cannot be read right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl Bodies {
    pub(crate) fn new(
        basis: &Basis<'_>,
        (rights, retention): (Arc<RightsWatch>, Retention),
        audit: Audit,
    ) -> Self {
        let seal = basis.keyring.seal(SealPurpose::CallBody);
        let (store, world) = (basis.store.clone(), basis.world.clone());
        Self(Arc::new(Parts { store, world, seal, rights, retention, audit }))
    }

    /// The most days that an org may choose.
    #[must_use]
    pub fn most_days(&self) -> u32 {
        self.0.retention.days(Kept::Bodies)
    }

    /// What the member's org chose; `None` while nothing is kept.
    pub async fn keeping(&self, member: &Membership) -> sqlx::Result<Option<Keeping>> {
        let period = call_body::period(&self.0.store, member.org_id()).await?;
        Ok(period.map(|period| Keeping {
            days: u32::try_from(period.days).unwrap_or(0).min(self.most_days()),
            since_ms: period.began_at_ms,
        }))
    }

    /// Keeps from now on, or for another number of days. Counts here at once, elsewhere within a second. Fewer days count
    /// for what is kept already; more do not.
    pub async fn keep_for(&self, origin: &Origin, member: &Membership, days: u32) -> Result<(), KeepError> {
        allow(member)?;
        let most = self.most_days();
        if !(1..=most).contains(&days) {
            return Err(KeepError::Days { most });
        }
        let after = json!({ "body_days": days });
        let event = member.did("org.bodies_changed").changed(json!({ "body_days": null }), after);
        let entry = self.0.audit.entry(origin, event);
        let id = self.0.world.id("bpd");
        let now_ms = self.0.world.now_ms();
        let choice = Choice { id: &id, org_id: member.org_id(), days: i64::from(days), now_ms };
        call_body::choose(&self.0.store, choice, &entry).await?;
        Ok(self.0.rights.refresh().await.map(drop)?)
    }

    /// Keeps nothing any more. From then on nobody reads what was kept, and it is deleted before this answers; what a crash
    /// leaves is deleted by [`Self::forget`].
    pub async fn stop(&self, origin: &Origin, member: &Membership) -> Result<(), KeepError> {
        allow(member)?;
        let after = json!({ "body_days": null });
        let event = member.did("org.bodies_changed").changed(json!(null), after);
        let entry = self.0.audit.entry(origin, event);
        call_body::end(&self.0.store, (member.org_id(), self.0.world.now_ms()), &entry).await?;
        self.0.rights.refresh().await?;
        while call_body::delete_ended(&self.0.store, AT_ONCE).await? > 0 {}
        Ok(())
    }

    /// Seals what was said for its own call in its own org. Takes as long as its bytes do; not for a thread that serves.
    #[must_use]
    pub fn seal(&self, said: &Said) -> Sealed {
        let row = row_of(&said.org_id, &said.receipt_id);
        let seal =
            |column: &str, side: &Side| self.0.seal.seal(&self.0.world, place(&row, column), &side.text);
        let length = |side: &Side| i64::try_from(side.bytes).unwrap_or(i64::MAX);
        Sealed(BodyRow {
            request_sealed: seal(REQUEST, &said.request),
            response_sealed: seal(RESPONSE, &said.response),
            receipt_id: said.receipt_id.clone(),
            org_id: said.org_id.clone(),
            member_id: said.member_id.clone(),
            period_id: said.period_id.clone(),
            status: said.status.map(i64::from),
            request_bytes: length(&said.request),
            request_cut: said.request.is_cut,
            response_bytes: length(&said.response),
            response_cut: said.response.is_cut,
            kept_at_ms: self.0.world.now_ms(),
            expires_at_ms: 0,
        })
    }

    /// Keeps it. False when the org has turned it off meanwhile.
    pub async fn put(&self, sealed: &Sealed) -> sqlx::Result<bool> {
        call_body::put(&self.0.store, &sealed.0, i64::from(self.most_days())).await
    }

    /// What is kept of a call, if the member may read it: another org's, another member's where the role reads only its own,
    /// and nothing at all are the same.
    pub async fn of(&self, member: &Membership, receipt_id: &str) -> Result<Option<KeptBodies>, ReadError> {
        let Some(row) = self.readable(member, receipt_id).await? else { return Ok(None) };
        let name = row_of(&row.org_id, &row.receipt_id);
        let bytes = |bytes: i64| u64::try_from(bytes).unwrap_or(0);
        Ok(Some(KeptBodies {
            status: row.status,
            request: KeptSide {
                text: self.0.seal.open(place(&name, REQUEST), &row.request_sealed)?,
                bytes: bytes(row.request_bytes),
                is_cut: row.request_cut,
            },
            response: KeptSide {
                text: self.0.seal.open(place(&name, RESPONSE), &row.response_sealed)?,
                bytes: bytes(row.response_bytes),
                is_cut: row.response_cut,
            },
            expires_at_ms: self.expires_at_ms(&row),
        }))
    }

    /// Deletes what is kept of a call. False when there is nothing that the member may read.
    pub async fn delete(&self, origin: &Origin, member: &Membership, receipt_id: &str) -> sqlx::Result<bool> {
        if self.readable(member, receipt_id).await?.is_none() {
            return Ok(false);
        }
        let entry = self.0.audit.entry(origin, member.did("org.bodies_deleted").target(receipt_id));
        call_body::delete(&self.0.store, (member.org_id(), receipt_id), &entry).await
    }

    /// Deletes what was kept long enough and what belongs to no choice any more, some at a time; how many calls' went.
    pub async fn forget(&self) -> sqlx::Result<u64> {
        let now_ms = self.0.world.now_ms();
        let due = (now_ms, now_ms - self.0.retention.ms(Kept::Bodies));
        let mut forgotten = 0;
        while let more @ 1.. = call_body::delete_due(&self.0.store, due, AT_ONCE).await? {
            forgotten += more;
        }
        while let more @ 1.. = call_body::delete_ended(&self.0.store, AT_ONCE).await? {
            forgotten += more;
        }
        Ok(forgotten)
    }

    async fn readable(&self, member: &Membership, receipt_id: &str) -> sqlx::Result<Option<BodyRow>> {
        let role = member.role();
        if !role.may(Permission::ReadOwnBodies) {
            return Ok(None);
        }
        let row = call_body::find(&self.0.store, member.org_id(), receipt_id).await?;
        let now_ms = self.0.world.now_ms();
        Ok(row
            .filter(|row| self.expires_at_ms(row) > now_ms)
            .filter(|row| role.may(Permission::ReadOrgBodies) || row.member_id == member.member_id()))
    }

    /// Operators may have shortened it since.
    fn expires_at_ms(&self, row: &BodyRow) -> i64 {
        row.expires_at_ms.min(row.kept_at_ms + i64::from(self.most_days()) * DAY_MS)
    }
}

fn allow(member: &Membership) -> Result<(), KeepError> {
    if member.role().may(Permission::ManageOrg) { Ok(()) } else { Err(KeepError::Forbidden) }
}

const REQUEST: &str = "request_sealed";
const RESPONSE: &str = "response_sealed";

/// What was sealed opens for its own call of its own org alone.
fn row_of(org_id: &str, receipt_id: &str) -> String {
    format!("{org_id}/{receipt_id}")
}

fn place<'a>(row: &'a str, column: &'a str) -> Place<'a> {
    Place { table: "call_body_text", row, column }
}

#[cfg(test)]
mod tests;
